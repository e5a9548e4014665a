package scenario

import (
	"regexp"
	"strings"
	"testing"
)

func TestEveryCaptionOfABuiltinScenarioIsThereInChinese(t *testing.T) {
	for _, name := range Names() {
		steps := parseBuiltin(t, name).steps
		for i, step := range steps {
			other := map[string]int{"say": i + 1, "say.zh": i - 1}
			word := step.command.Verb
			at, isCaption := other[word]
			if !isCaption {
				continue
			}
			beside := ""
			if at >= 0 && at < len(steps) {
				beside = steps[at].command.Verb
			}
			if _, ok := other[beside]; !ok || beside == word {
				t.Errorf("%s:%d: the caption stands alone: %s", name, step.line, step.command.Text)
			}
		}
	}
}

// Terminals disagree on how wide some characters are, such as dashes, dots and
// curly quotes in Chinese. These are the forms of a caption all of whose
// characters have one width everywhere.
var captionForms = map[string]*regexp.Regexp{
	"say":    regexp.MustCompile(`^[ -~]+$`),
	"say.zh": regexp.MustCompile(`^[ -~\p{Han}，、。：；！？（）「」]+$`),
}

// halfWidth is punctuation of Latin text beside a Chinese character.
var halfWidth = regexp.MustCompile(`\p{Han} ?[!"'(),.:;?]|[!"'(),.:;?] ?\p{Han}`)

// crowded is a Chinese character without a blank beside a Latin letter or a digit.
var crowded = regexp.MustCompile(`\p{Han}[0-9A-Za-z+]|[0-9A-Za-z]\p{Han}`)

func TestEveryCaptionOfABuiltinScenarioIsTypesetForATerminal(t *testing.T) {
	for _, name := range Names() {
		for _, step := range parseBuiltin(t, name).steps {
			word, text, _ := strings.Cut(step.command.Text, " ")
			form, isCaption := captionForms[word]
			switch {
			case !isCaption:
			case !form.MatchString(text):
				t.Errorf("%s:%d: a character of the caption has no certain width: %s", name, step.line, text)
			case halfWidth.MatchString(text):
				t.Errorf("%s:%d: %q is no Chinese punctuation: %s", name, step.line, halfWidth.FindString(text), text)
			case crowded.MatchString(text):
				t.Errorf("%s:%d: a blank is missing in %q: %s", name, step.line, crowded.FindString(text), text)
			}
		}
	}
}
