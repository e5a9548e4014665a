package scenario

import (
	"fmt"
	"strings"
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

// splitWords splits a line into its words, up to a comment. In a command that moves packets, #
// and a number name one.
func splitWords(text string) []word {
	var words []word
	packets := false
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == ' ' || r == '\t' {
			i += size
			continue
		}
		if r == '#' && (!packets || !startsWithDigit(text[i+1:])) {
			break
		}
		end := len(text)
		if space := strings.IndexAny(text[i:], " \t"); space >= 0 {
			end = i + space
		}
		words = append(words, word{text: text[i:end], column: utf8.RuneCountInString(text[:i]) + 1})
		packets = packets || text[i:end] == "deliver" || text[i:end] == "drop"
		i = end
	}
	return words
}

func startsWithDigit(text string) bool { return text != "" && text[0] >= '0' && text[0] <= '9' }

// lineParser reads the words of one line from left to right.
type lineParser struct {
	text  string
	words []word
	pos   int // of the next word
	scope *scope

	// alternatives are the words that accept has tried in vain, each at the column of
	// the word it found. They are what a misspelt word may have meant.
	alternatives []word
}

func newLineParser(text string, s *scope) *lineParser {
	return &lineParser{text: text, words: splitWords(text), scope: s}
}

// fail returns an error at a word of the line.
func (p *lineParser) fail(at word, format string, args ...any) error {
	return &Error{Column: at.column, Message: fmt.Sprintf(format, args...)}
}

// failMissing returns the error for a line that ends too early.
func (p *lineParser) failMissing(what string) error {
	end := utf8.RuneCountInString(strings.TrimRight(p.text, " \t")) + 1
	return p.fail(word{column: end}, "expected %s", what)
}

// hasMore reports whether there are words left.
func (p *lineParser) hasMore() bool { return p.pos < len(p.words) }

// peek returns the text of the next word, "" at the end of the line.
func (p *lineParser) peek() string {
	if !p.hasMore() {
		return ""
	}
	return p.words[p.pos].text
}

// next takes the next word. What describes it, for the error if there is none.
func (p *lineParser) next(what string) (word, error) {
	if !p.hasMore() {
		return word{}, p.failMissing(what)
	}
	w := p.words[p.pos]
	p.pos++
	return w, nil
}

// accept takes the next word if it is the given one, and reports whether it is.
func (p *lineParser) accept(text string) bool {
	if p.peek() != text {
		if p.hasMore() {
			p.alternatives = append(p.alternatives, word{text, p.words[p.pos].column})
		}
		return false
	}
	p.pos++
	return true
}

// expect takes the next word, which must be the given one. Where says what comes
// before it.
func (p *lineParser) expect(text, where string) error {
	what := text + " " + where
	w, err := p.next(what)
	if err == nil && w.text != text {
		return p.fail(w, "expected %s, found %q", what, w.text)
	}
	return err
}

// expectEnd returns an error if there are words left.
func (p *lineParser) expectEnd() error {
	if !p.hasMore() {
		return nil
	}
	at := p.words[p.pos]
	var alternatives []string
	for _, w := range p.alternatives {
		if w.column == at.column {
			alternatives = append(alternatives, w.text)
		}
	}
	return p.fail(at, "unexpected %q%s: the command ends before it", at.text, didYouMean(at.text, alternatives))
}

// remainder takes the rest of the line as text, with any # in it.
func (p *lineParser) remainder() string {
	if p.pos == 0 {
		return strings.TrimSpace(p.text)
	}
	runes := []rune(p.text)
	last := p.words[p.pos-1]
	p.words = p.words[:p.pos]
	return strings.TrimSpace(string(runes[last.column-1+utf8.RuneCountInString(last.text):]))
}
