package ui

import (
	"fmt"
	"strings"
)

// screen is what a terminal shows, as far as what was written to it says.
type screen struct {
	shown *canvas // nil while nothing is known
	theme *theme
	x, y  int // where its cursor is; x is -1 while that is not certain
	ink   ink // in which it writes
}

// gapMax is how many cells that stay the same are written again sooner than the
// cursor is moved over them.
const gapMax = 6

// update returns what to write to the terminal so that it shows the picture: the
// cells that have changed, and nothing if none has. The screen keeps the canvas.
func (s *screen) update(next *canvas, t *theme) string {
	var b strings.Builder
	if s.shown == nil || s.theme != t || s.shown.w != next.w || s.shown.h != next.h {
		s.shown, s.theme, s.ink = newCanvas(next.w, next.h, next.more), t, 0
		s.x, s.y = 0, 0
		b.WriteString("\x1b[m\x1b[?25l\x1b[H\x1b[2J")
	}
	for y := range next.h {
		s.row(&b, y, s.shown.cells[y*next.w:(y+1)*next.w], next.cells[y*next.w:(y+1)*next.w])
	}
	s.shown = next
	if b.Len() == 0 {
		return ""
	}
	// A terminal that can shows it all at once.
	return "\x1b[?2026h" + b.String() + "\x1b[?2026l"
}

// row writes what has changed in one row.
func (s *screen) row(b *strings.Builder, y int, was, now []cell) {
	end := len(now) // behind it everything is blank
	for end > 0 && s.theme.isBlank(now[end-1]) {
		end--
	}
	for x := 0; x < end; {
		if s.theme.same(was[x], now[x]) {
			x++
			continue
		}
		if now[x].text == tail && x > 0 {
			x--
		}
		to := x + 1 // the end of what is written from here on
		for i := to; i < end && i <= to+gapMax; i++ {
			if now[i].text == tail || !s.theme.same(was[i], now[i]) {
				to = i + 1
			}
		}
		for ; x < to; x++ {
			if now[x].text != tail {
				s.move(b, x, y)
				s.write(b, now[x])
			}
		}
	}
	for _, c := range was[end:] {
		if !s.theme.isBlank(c) {
			s.move(b, end, y)
			s.setInk(b, inkText)
			b.WriteString("\x1b[K")
			return
		}
	}
}

// move puts the cursor on a cell.
func (s *screen) move(b *strings.Builder, x, y int) {
	switch {
	case s.x == x && s.y == y:
	case s.x >= 0 && s.y == y && x > s.x:
		fmt.Fprintf(b, "\x1b[%dC", x-s.x)
	default:
		fmt.Fprintf(b, "\x1b[%d;%dH", y+1, x+1)
	}
	s.x, s.y = x, y
}

// write writes one cell at the cursor.
func (s *screen) write(b *strings.Builder, c cell) {
	blank := c.text == "" || c.text == " "
	if c.ink != s.ink && (!blank || s.theme.marksBlank(c.ink) || s.theme.marksBlank(s.ink)) {
		s.setInk(b, c.ink)
	}
	if blank {
		b.WriteByte(' ')
	} else {
		b.WriteString(c.text)
	}
	if s.x++; !isPlain(c.text) && len([]rune(c.text)) != 1 || width(c.text) != 1 && !blank || s.x >= s.shown.w {
		// Terminals disagree on where such a character, or the end of a row, leaves
		// the cursor.
		s.x = -1
	}
}

func (s *screen) setInk(b *strings.Builder, k ink) {
	if k != s.ink {
		s.theme.write(b, k)
		s.ink = k
	}
}

// isBlank says whether nothing of a cell is to be seen.
func (t *theme) isBlank(c cell) bool {
	return (c.text == "" || c.text == " ") && !t.marksBlank(c.ink)
}

// same says whether two cells look the same.
func (t *theme) same(a, b cell) bool {
	return a == b || t.isBlank(a) && t.isBlank(b)
}
