package scenario

import (
	"regexp"
	"strings"
	"testing"

	"capsize/cluster/trace"
)

func TestBuiltinCaptionsAreTranslated(t *testing.T) {
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
				t.Errorf("%s:%d: the caption has no translation beside it: %s", name, step.line, step.command.Text)
			}
		}
	}
}

// captionForms match captions whose characters have the same width in every terminal.
// Terminals disagree about dashes, dots and curly quotes in Chinese text.
var captionForms = map[string]*regexp.Regexp{
	"say":    regexp.MustCompile(`^[ -~]+$`),
	"say.zh": regexp.MustCompile(`^[ -~\p{Han}，、。：；！？（）「」]+$`),
}

// halfWidth matches Latin punctuation next to a Chinese character.
var halfWidth = regexp.MustCompile(`\p{Han} ?[!"'(),.:;?]|[!"'(),.:;?] ?\p{Han}`)

// crowded matches a Chinese character without a space before a Latin letter or digit.
var crowded = regexp.MustCompile(`\p{Han}[0-9A-Za-z+]|[0-9A-Za-z]\p{Han}`)

func TestBuiltinCaptionsSuitEveryTerminal(t *testing.T) {
	for _, name := range Names() {
		script := parseBuiltin(t, name)
		for _, step := range script.steps {
			if word, text, _ := strings.Cut(step.command.Text, " "); captionForms[word] != nil {
				checkCaption(t, name, step.line, word, text)
			}
		}
		for i, q := range script.Questions() {
			check := func(own string, in trace.Localized) {
				checkCaption(t, name, script.QuestionLine(i+1), "say", own)
				checkCaption(t, name, script.QuestionLine(i+1), "say.zh", in["zh"])
			}
			check(q.Text, q.In)
			check(q.Because, q.BecauseIn)
			for _, c := range q.Choices {
				check(c.Text, c.In)
			}
		}
	}
}

// checkCaption checks that a text looks the same in every terminal.
func checkCaption(t *testing.T, name string, line int, word, text string) {
	t.Helper()
	switch {
	case !captionForms[word].MatchString(text):
		t.Errorf("%s:%d: the width of a character depends on the terminal: %s", name, line, text)
	case halfWidth.MatchString(text):
		t.Errorf("%s:%d: %q is not Chinese punctuation: %s", name, line, halfWidth.FindString(text), text)
	case crowded.MatchString(text):
		t.Errorf("%s:%d: a space is missing in %q: %s", name, line, crowded.FindString(text), text)
	}
}
