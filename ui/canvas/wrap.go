package canvas

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Wrap breaks clean text into lines of at most w cells. It breaks between words and, as
// Chinese and Japanese do, between wide characters, but not before closing or after
// opening punctuation.
func Wrap(s string, w int) []string {
	if w <= 0 {
		return nil
	}
	var lines []string
	line, used := "", 0
	for _, u := range splitUnits(s) {
		n := Width(u.text)
		space := 0
		if u.spaceBefore && used > 0 {
			space = 1
		}
		if used > 0 && used+space+n > w {
			lines = append(lines, line)
			line, used, space = "", 0, 0
		}
		line, used = line+strings.Repeat(" ", space)+u.text, used+space+n
		for used > w {
			head := ansi.Truncate(line, w, "")
			if head == "" { // one character is wider than the line
				return append(lines, "")
			}
			lines = append(lines, head)
			line = line[len(head):]
			used = Width(line)
		}
	}
	if used > 0 {
		lines = append(lines, line)
	}
	return lines
}

// unit is text that is not broken unless it is longer than a line.
type unit struct {
	text        string
	spaceBefore bool
}

// No line may start with a closer or end in an opener.
const (
	closers = "，。、；：！？）》」』】”’…·"
	openers = "（《「『【“‘"
)

// splitUnits splits clean text into units.
func splitUnits(s string) []unit {
	var all []unit
	for _, word := range strings.Fields(s) {
		if isPlain(word) {
			all = append(all, unit{word, true})
			continue
		}
		wide := true // the character before is wide, so the line may break after it
		first := true
		for word != "" {
			char, n := ansi.FirstGraphemeCluster(word, ansi.GraphemeWidth)
			word = word[len(char):]
			last := len(all) - 1
			joins := !first && (n < 2 && !wide || strings.Contains(closers, char))
			if !first && !joins {
				before, _ := utf8.DecodeLastRuneInString(all[last].text)
				joins = strings.ContainsRune(openers, before)
			}
			if joins {
				all[last].text += char
			} else {
				all = append(all, unit{char, first})
			}
			wide, first = n > 1, false
		}
	}
	return all
}
