package canvas

import (
	"fmt"
	"strings"

	"capsize/ui/style"
)

// ANSIWriter is what a terminal shows, as far as what was written to it says.
type ANSIWriter struct {
	shown *Canvas // nil while nothing is known
	theme *style.Theme
	x, y  int         // where its cursor is; x is -1 while that is not certain
	style style.Style // in which it writes
}

// rewriteMax is how many cells that stay the same are written again sooner than the
// cursor is moved over them.
const rewriteMax = 6

// Update returns what to write to the terminal so that it shows the picture: the
// cells that have changed, and nothing if none has. The screen keeps the canvas.
func (s *ANSIWriter) Update(next *Canvas, t *style.Theme) string {
	var b strings.Builder
	if s.shown == nil || s.theme != t || s.shown.W != next.W || s.shown.H != next.H {
		s.shown, s.theme, s.style = New(next.W, next.H, next.ellipsis), t, 0
		s.x, s.y = 0, 0
		b.WriteString("\x1b[m\x1b[?25l\x1b[H\x1b[2J")
	}
	for y := range next.H {
		s.row(&b, y, s.shown.Cells[y*next.W:(y+1)*next.W], next.Cells[y*next.W:(y+1)*next.W])
	}
	s.shown = next
	if b.Len() == 0 {
		return ""
	}
	// A terminal that can shows it all at once.
	return "\x1b[?2026h" + b.String() + "\x1b[?2026l"
}

// row writes what has changed in one row.
func (s *ANSIWriter) row(b *strings.Builder, y int, was, now []Cell) {
	end := len(now) // behind it everything is blank
	for end > 0 && IsBlank(s.theme, now[end-1]) {
		end--
	}
	for x := 0; x < end; {
		if SameCell(s.theme, was[x], now[x]) {
			x++
			continue
		}
		if now[x].Text == Tail && x > 0 {
			x--
		}
		to := x + 1 // the end of what is written from here on
		for i := to; i < end && i <= to+rewriteMax; i++ {
			if now[i].Text == Tail || !SameCell(s.theme, was[i], now[i]) {
				to = i + 1
			}
		}
		for ; x < to; x++ {
			if now[x].Text != Tail {
				s.move(b, x, y)
				s.write(b, now[x])
			}
		}
	}
	for _, c := range was[end:] {
		if !IsBlank(s.theme, c) {
			s.move(b, end, y)
			s.setStyle(b, style.Text)
			b.WriteString("\x1b[K")
			return
		}
	}
}

// move puts the cursor on a cell.
func (s *ANSIWriter) move(b *strings.Builder, x, y int) {
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
func (s *ANSIWriter) write(b *strings.Builder, c Cell) {
	blank := c.Text == "" || c.Text == " "
	if c.Style != s.style && (!blank || s.theme.ShowsOnBlank(c.Style) || s.theme.ShowsOnBlank(s.style)) {
		s.setStyle(b, c.Style)
	}
	if blank {
		b.WriteByte(' ')
	} else {
		b.WriteString(c.Text)
	}
	if s.x++; !isPlain(c.Text) && len([]rune(c.Text)) != 1 || Width(c.Text) != 1 && !blank || s.x >= s.shown.W {
		// Terminals disagree on where such a character, or the end of a row, leaves
		// the cursor.
		s.x = -1
	}
}

func (s *ANSIWriter) setStyle(b *strings.Builder, st style.Style) {
	if st != s.style {
		s.theme.WriteSGR(b, st)
		s.style = st
	}
}

// IsBlank says whether nothing of a cell is to be seen.
func IsBlank(t *style.Theme, c Cell) bool {
	return (c.Text == "" || c.Text == " ") && !t.ShowsOnBlank(c.Style)
}

// SameCell says whether two cells look the same.
func SameCell(t *style.Theme, a, b Cell) bool {
	return a == b || IsBlank(t, a) && IsBlank(t, b)
}
