package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Error is a mistake in a scenario, or in a line typed by hand.
type Error struct {
	File         string // "" for a line typed by hand
	Line, Column int    // from 1; the column counts characters
	Message      string // what was found, and what is allowed
}

func (e *Error) Error() string {
	if e.File == "" {
		return e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// word is a part of a line without spaces.
type word struct {
	text   string
	column int // in characters, from 1
}

// reader reads the words of one line, one after the other.
type reader struct {
	text  string
	words []word
	next  int
	scope *scope
	tried []word // what might have stood where the next word stands
}

// split splits a line into its words, up to a comment.
func split(text string) []word {
	var words []word
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == ' ' || r == '\t' {
			i += size
			continue
		}
		if r == '#' {
			break
		}
		end := i + len(text[i:])
		if space := strings.IndexAny(text[i:], " \t"); space >= 0 {
			end = i + space
		}
		words = append(words, word{text: text[i:end], column: utf8.RuneCountInString(text[:i]) + 1})
		i = end
	}
	return words
}

// fail returns an error at a word of the line.
func (r *reader) fail(at word, format string, args ...any) error {
	return &Error{Column: at.column, Message: fmt.Sprintf(format, args...)}
}

// end is where the line ends, for errors about what is missing.
func (r *reader) end() word {
	return word{column: utf8.RuneCountInString(strings.TrimRight(r.text, " \t")) + 1}
}

// more says whether there are words left.
func (r *reader) more() bool { return r.next < len(r.words) }

// peek returns the next word's text, "" at the end.
func (r *reader) peek() string {
	if !r.more() {
		return ""
	}
	return r.words[r.next].text
}

// take returns the next word; what says what it should be.
func (r *reader) take(what string) (word, error) {
	if !r.more() {
		return word{}, r.fail(r.end(), "%s is missing", what)
	}
	w := r.words[r.next]
	r.next++
	return w, nil
}

// skip passes over the next word if it is the one given.
func (r *reader) skip(text string) bool {
	if r.peek() != text {
		if r.more() {
			r.tried = append(r.tried, word{text, r.words[r.next].column})
		}
		return false
	}
	r.next++
	return true
}

// done returns an error if there are words left.
func (r *reader) done() error {
	if !r.more() {
		return nil
	}
	at := r.words[r.next]
	var tried []string
	for _, w := range r.tried {
		if w.column == at.column {
			tried = append(tried, w.text)
		}
	}
	return r.fail(at, "%q is too much: the command ends before it%s", at.text, didYouMean(at.text, tried))
}

// rest returns the rest of the line after the words taken, for text.
func (r *reader) rest() string {
	if r.next == 0 {
		return strings.TrimSpace(r.text)
	}
	runes := []rune(r.text)
	last := r.words[r.next-1]
	r.words = r.words[:r.next]
	return strings.TrimSpace(string(runes[last.column-1+utf8.RuneCountInString(last.text):]))
}

// oneOf takes a word that must be one of those given.
func (r *reader) oneOf(what string, allowed ...string) (string, error) {
	w, err := r.take(what + ", one of " + strings.Join(allowed, ", "))
	if err != nil {
		return "", err
	}
	if !slices.Contains(allowed, w.text) {
		return "", r.fail(w, "%q is not %s: %s%s", w.text, what, strings.Join(allowed, ", "), didYouMean(w.text, allowed))
	}
	return w.text, nil
}

// whole takes a whole number from least to most.
func (r *reader) whole(what string, least, most int64) (int64, error) {
	w, err := r.take(what)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(w.text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, r.fail(w, "%q is not %s: a whole number from %d to %d", w.text, what, least, most)
	}
	return n, nil
}

// number takes a number from least to most.
func (r *reader) number(what string, least, most float64) (float64, error) {
	w, err := r.take(what)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseFloat(w.text, 64)
	if err != nil || !(n >= least && n <= most) {
		return 0, r.fail(w, "%q is not %s: a number from %g to %g", w.text, what, least, most)
	}
	return n, nil
}

// durationMax is the longest time that a command may name.
const durationMax = time.Hour

// duration takes a Go duration.
func (r *reader) duration(what string) (time.Duration, error) {
	w, err := r.take(what + ", like 250ms or 2s")
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(w.text)
	if err != nil || d < 0 || d > durationMax {
		return 0, r.fail(w, "%q is not %s: a duration from 0s to %s, like 250ms or 2s", w.text, what, durationMax)
	}
	return d, nil
}

// percent takes a share like 30%.
func (r *reader) percent() (float64, error) {
	w, err := r.take("a share, like 30%")
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseFloat(strings.TrimSuffix(w.text, "%"), 64)
	if err != nil || !strings.HasSuffix(w.text, "%") || !(n >= 0 && n <= 100) {
		return 0, r.fail(w, "%q is not a share: from 0%% to 100%%, like 30%%", w.text)
	}
	return n, nil
}

// didYouMean returns a hint at the nearest of the words, "" if none is near.
func didYouMean(found string, words []string) string {
	best, distance := "", len(found)/2+1
	for _, w := range words {
		if d := edits(found, w); d < distance {
			best, distance = w, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// edits returns how many letters must be changed, added or left out to get from
// a to b (Levenshtein). Both are words of a line, so short.
func edits(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
