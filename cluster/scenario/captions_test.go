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
			word, _, _ := strings.Cut(step.text, " ")
			at, isCaption := other[word]
			if !isCaption {
				continue
			}
			beside := ""
			if at >= 0 && at < len(steps) {
				beside, _, _ = strings.Cut(steps[at].text, " ")
			}
			if _, ok := other[beside]; !ok || beside == word {
				t.Errorf("%s:%d: the caption stands alone: %s", name, step.line, step.text)
			}
		}
	}
}

func TestEveryCaptionOfABuiltinScenarioFitsOnTwoLines(t *testing.T) {
	for _, name := range Names() {
		for _, step := range parseBuiltin(t, name).steps {
			word, text, _ := strings.Cut(step.text, " ")
			if word != "say" && word != "say.zh" {
				continue
			}
			if lines := captionLines(text); lines > 2 {
				t.Errorf("%s:%d: the caption needs %d lines of 76 columns: %s", name, step.line, lines, text)
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
			word, text, _ := strings.Cut(step.text, " ")
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

// captionUnits are what a caption is not broken in: a Latin word, or a Chinese
// character, with the punctuation around it and the blank before it.
var captionUnits = regexp.MustCompile(` *[（「]*(\p{Han}|[!-~]+)[，、。：；！？）」]*`)

// captionLines returns how many lines of 76 columns a text needs.
func captionLines(text string) int {
	lines, used := 1, 0
	for _, unit := range captionUnits.FindAllString(text, -1) {
		n := columns(unit)
		if used > 0 && used+n > 76 {
			lines, used, n = lines+1, 0, columns(strings.TrimLeft(unit, " "))
		}
		used += n
	}
	return lines
}

// columns returns how wide a text is on a terminal if all of its characters are
// Latin or Chinese.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r >= 0x1100 {
			n++
		}
	}
	return n
}

func TestACaptionIsBrokenBetweenWordsAndChineseCharacters(t *testing.T) {
	for text, want := range map[string]int{
		strings.Repeat("a", 76):                                 1,
		strings.Repeat("a", 40) + " " + strings.Repeat("b", 36): 2,
		strings.Repeat("a", 76) + " b c":                        2,
		strings.Repeat("节", 38):                                 1,
		strings.Repeat("节", 39):                                 2,
		strings.Repeat("节", 38) + "。":                           2,
		strings.Repeat("节", 37) + " n1":                         2,
		strings.Repeat("节", 36) + " n1":                         1,
		strings.Repeat("节", 76):                                 2,
		strings.Repeat("节", 77):                                 3,
		strings.Repeat("节", 76) + "。":                           3,
	} {
		if got := captionLines(text); got != want {
			t.Errorf("%q needs %d lines, not %d", text, got, want)
		}
	}
}
