package canvas

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"capsize/ui/style"
)

// Tail fills the second cell of a wide character.
const Tail = "\x00"

// Rectangle is a part of the screen, in cells.
type Rectangle struct{ X, Y, W, H int }

// Rect returns the rectangle with its top left corner at x, y.
func Rect(x, y, w, h int) Rectangle { return Rectangle{X: x, Y: y, W: w, H: h} }

// Empty reports whether the rectangle has no cells.
func (r Rectangle) Empty() bool { return r.W <= 0 || r.H <= 0 }

// Cell is one place on the screen: a grapheme cluster and its style. The zero cell is
// blank.
type Cell struct {
	Text  string
	Style style.Style
}

// isSpace reports whether a cell has no character to show.
func (c Cell) isSpace() bool { return c.Text == "" || c.Text == " " }

// IsBlank reports whether a cell shows nothing at all in a theme.
func IsBlank(t *style.Theme, c Cell) bool { return c.isSpace() && !t.ShowsOnBlank(c.Style) }

// SameCell reports whether two cells look the same in a theme.
func SameCell(t *style.Theme, a, b Cell) bool {
	return a == b || IsBlank(t, a) && IsBlank(t, b)
}

// Canvas is a grid of cells to paint on. Painting outside of it does nothing.
type Canvas struct {
	W, H     int
	Cells    []Cell // row by row
	ellipsis string // at the end of text that was cut
}

// New returns a blank canvas of w by h cells.
func New(w, h int, ellipsis string) *Canvas {
	return &Canvas{W: w, H: h, Cells: make([]Cell, w*h), ellipsis: ellipsis}
}

// Row returns the cells of a row, which is on the canvas.
func (c *Canvas) Row(y int) []Cell { return c.Cells[y*c.W : (y+1)*c.W] }

// Set paints one cell with a trusted character, such as a glyph.
func (c *Canvas) Set(x, y int, text string, st style.Style) {
	if x < 0 || y < 0 || x >= c.W || y >= c.H {
		return
	}
	at := &c.Cells[y*c.W+x]
	// Half a wide character cannot stay: its other half becomes blank.
	if at.Text == Tail && x > 0 {
		c.Cells[y*c.W+x-1].Text = " "
	}
	if x+1 < c.W && c.Cells[y*c.W+x+1].Text == Tail {
		c.Cells[y*c.W+x+1].Text = " "
	}
	at.Text, at.Style = text, st
}

// Put writes text into at most w cells from x on and returns the column after it. Text
// that is too long ends in an ellipsis. Put is the only way for text to the screen, so it
// sanitizes it.
func (c *Canvas) Put(x, y, w int, s string, st style.Style) int {
	w = min(w, c.W-x)
	if w <= 0 || y < 0 || y >= c.H {
		return x
	}
	s = Truncate(Sanitize(s), w, c.ellipsis)
	if isPlain(s) {
		for i := range len(s) {
			c.Set(x+i, y, s[i:i+1], st)
		}
		return x + len(s)
	}
	for s != "" {
		char, n := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		s = s[len(char):]
		if n < 1 || n > 2 || x+n > c.W {
			continue
		}
		c.Set(x, y, char, st)
		if n == 2 {
			c.Set(x+1, y, Tail, st)
			if x >= 0 {
				c.Cells[y*c.W+x].Text = char
			}
		}
		x += n
	}
	return x
}

// PutRight writes text into at most w cells that end before column x.
func (c *Canvas) PutRight(x, y, w int, s string, st style.Style) {
	s = Truncate(Sanitize(s), w, c.ellipsis)
	c.Put(x-Width(s), y, w, s, st)
}

// Fill paints every cell of a rectangle with one character.
func (c *Canvas) Fill(r Rectangle, text string, st style.Style) {
	for y := r.Y; y < r.Y+r.H; y++ {
		for x := r.X; x < r.X+r.W; x++ {
			c.Set(x, y, text, st)
		}
	}
}

// Render returns the canvas as lines with escape sequences, without trailing blanks.
func (c *Canvas) Render(t *style.Theme) string {
	var b strings.Builder
	b.Grow(c.W*c.H*2 + 1024)
	for y := range c.H {
		if y > 0 {
			b.WriteByte('\n')
		}
		renderRow(&b, t, c.Row(y))
	}
	return b.String()
}

func renderRow(b *strings.Builder, t *style.Theme, row []Cell) {
	for len(row) > 0 && IsBlank(t, row[len(row)-1]) {
		row = row[:len(row)-1]
	}
	current := style.Text
	for _, at := range row {
		if at.Text == Tail {
			continue
		}
		// A space shows only its background, so it seldom needs a new sequence.
		if at.Style != current && (!at.isSpace() || t.ShowsOnBlank(at.Style) || t.ShowsOnBlank(current)) {
			if current = at.Style; IsBlank(t, at) {
				current = style.Text
			}
			t.WriteSGR(b, current)
		}
		if at.isSpace() {
			b.WriteByte(' ')
		} else {
			b.WriteString(at.Text)
		}
	}
	if current != style.Text {
		t.WriteSGR(b, style.Text)
	}
}
