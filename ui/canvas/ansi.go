package canvas

import (
	"fmt"
	"strings"

	"capsize/ui/style"
)

// ANSIWriter writes canvases to a terminal as differences from the one before.
type ANSIWriter struct {
	shown *Canvas // what the terminal shows; nil while that is unknown
	theme *style.Theme
	x, y  int // the terminal's cursor; x is -1 while it is uncertain
	style style.Style
}

// rewriteMax is the longest run of unchanged cells that is written again rather than
// skipped: moving the cursor takes about as many bytes.
const rewriteMax = 6

// Update returns what to write to the terminal to make it show the next canvas: the cells
// that changed, or "" if none did. The writer keeps the canvas, which must not change
// afterwards.
func (w *ANSIWriter) Update(next *Canvas, t *style.Theme) string {
	var b strings.Builder
	if w.shown == nil || w.theme != t || w.shown.W != next.W || w.shown.H != next.H {
		w.shown, w.theme, w.style = New(next.W, next.H, next.ellipsis), t, style.Text
		w.x, w.y = 0, 0
		b.WriteString("\x1b[m\x1b[?25l\x1b[H\x1b[2J") // reset, hide the cursor, clear
	}
	for y := range next.H {
		w.updateRow(&b, y, w.shown.Row(y), next.Row(y))
	}
	w.shown = next
	if b.Len() == 0 {
		return ""
	}
	// Synchronized output: terminals that have it show the whole update at once.
	return "\x1b[?2026h" + b.String() + "\x1b[?2026l"
}

// updateRow writes the cells of one row that changed.
func (w *ANSIWriter) updateRow(b *strings.Builder, y int, was, now []Cell) {
	end := len(now) // from here on everything is blank
	for end > 0 && IsBlank(w.theme, now[end-1]) {
		end--
	}
	for x := 0; x < end; {
		if SameCell(w.theme, was[x], now[x]) {
			x++
			continue
		}
		if now[x].Text == Tail && x > 0 {
			x--
		}
		to := x + 1 // the end of this run
		for i := to; i < end && i <= to+rewriteMax; i++ {
			if now[i].Text == Tail || !SameCell(w.theme, was[i], now[i]) {
				to = i + 1
			}
		}
		for ; x < to; x++ {
			if now[x].Text != Tail {
				w.moveTo(b, x, y)
				w.writeCell(b, now[x])
			}
		}
	}
	for _, c := range was[end:] {
		if !IsBlank(w.theme, c) {
			w.moveTo(b, end, y)
			w.setStyle(b, style.Text)
			b.WriteString("\x1b[K") // clear to the end of the line
			return
		}
	}
}

// moveTo moves the cursor to a cell.
func (w *ANSIWriter) moveTo(b *strings.Builder, x, y int) {
	switch {
	case w.x == x && w.y == y:
	case w.x >= 0 && w.y == y && x > w.x:
		fmt.Fprintf(b, "\x1b[%dC", x-w.x)
	default:
		fmt.Fprintf(b, "\x1b[%d;%dH", y+1, x+1)
	}
	w.x, w.y = x, y
}

// writeCell writes one cell at the cursor.
func (w *ANSIWriter) writeCell(b *strings.Builder, c Cell) {
	space := c.isSpace()
	if !space || w.theme.ShowsOnBlank(c.Style) || w.theme.ShowsOnBlank(w.style) {
		w.setStyle(b, c.Style)
	}
	if space {
		b.WriteByte(' ')
	} else {
		b.WriteString(c.Text)
	}
	if w.x++; !isPlain(c.Text) && len([]rune(c.Text)) != 1 || Width(c.Text) != 1 && !space || w.x >= w.shown.W {
		// Terminals disagree on where such a character, or the end of a row, leaves the
		// cursor.
		w.x = -1
	}
}

// setStyle starts a run of cells in another style.
func (w *ANSIWriter) setStyle(b *strings.Builder, st style.Style) {
	if st != w.style {
		w.theme.WriteSGR(b, st)
		w.style = st
	}
}
