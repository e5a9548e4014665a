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

// Rect returns the rectangle of a size at a place.
func Rect(x, y, w, h int) Rectangle { return Rectangle{X: x, Y: y, W: w, H: h} }

func (r Rectangle) Empty() bool { return r.W <= 0 || r.H <= 0 }

// Cell is one place on the screen: a character as people count them, and how it
// looks. The zero cell is blank.
type Cell struct {
	Text  string
	Style style.Style
}

// Canvas is a screen to paint on. Painting outside of it does nothing.
type Canvas struct {
	W, H     int
	Cells    []Cell
	ellipsis string // ends a text that was cut short
}

func New(w, h int, more string) *Canvas {
	return &Canvas{W: w, H: h, Cells: make([]Cell, w*h), ellipsis: more}
}

// Set paints one trusted character of one cell, such as a glyph.
func (c *Canvas) Set(x, y int, text string, st style.Style) {
	if x < 0 || y < 0 || x >= c.W || y >= c.H {
		return
	}
	at := &c.Cells[y*c.W+x]
	// Half a wide character cannot stay: the other half becomes a blank.
	if at.Text == Tail && x > 0 {
		c.Cells[y*c.W+x-1].Text = " "
	}
	if x+1 < c.W && c.Cells[y*c.W+x+1].Text == Tail {
		c.Cells[y*c.W+x+1].Text = " "
	}
	at.Text, at.Style = text, st
}

// Put writes text into at most w cells from x on, cut short with an ellipsis,
// and returns where it ended. It is the only way for a text to the screen, and
// cleans it.
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

// PutRight writes text so that it ends before x, if it fits into w cells.
func (c *Canvas) PutRight(x, y, w int, s string, st style.Style) {
	s = Truncate(Sanitize(s), w, c.ellipsis)
	c.Put(x-Width(s), y, w, s, st)
}

// Fill paints one character over a rectangle.
func (c *Canvas) Fill(r Rectangle, text string, st style.Style) {
	for y := r.Y; y < r.Y+r.H; y++ {
		for x := r.X; x < r.X+r.W; x++ {
			c.Set(x, y, text, st)
		}
	}
}

// Render writes the canvas out, line by line, without the blanks at line ends.
func (c *Canvas) Render(t *style.Theme) string {
	var b strings.Builder
	b.Grow(c.W*c.H*2 + 1024)
	for y := range c.H {
		if y > 0 {
			b.WriteByte('\n')
		}
		c.renderLine(&b, t, c.Cells[y*c.W:(y+1)*c.W])
	}
	return b.String()
}

func (c *Canvas) renderLine(b *strings.Builder, t *style.Theme, line []Cell) {
	for len(line) > 0 && (line[len(line)-1].Text == "" || line[len(line)-1].Text == " ") && !t.ShowsOnBlank(line[len(line)-1].Style) {
		line = line[:len(line)-1]
	}
	now := style.Style(0)
	for _, at := range line {
		if at.Text == Tail {
			continue
		}
		blank := at.Text == "" || at.Text == " "
		// A blank shows only what is behind it: it need not end a run.
		if at.Style != now && (!blank || t.ShowsOnBlank(at.Style) || t.ShowsOnBlank(now)) {
			if now = at.Style; blank && !t.ShowsOnBlank(at.Style) {
				now = 0
			}
			t.WriteSGR(b, now)
		}
		if blank {
			b.WriteByte(' ')
		} else {
			b.WriteString(at.Text)
		}
	}
	if now != 0 {
		t.WriteSGR(b, 0)
	}
}

// Pen writes pieces of different looks one behind the other, up to end.
type Pen struct {
	c         *Canvas
	X, Y, End int
}

// Pen returns a pen at a place, which writes up to the column end.
func (c *Canvas) Pen(x, y, end int) *Pen { return &Pen{c: c, X: x, Y: y, End: end} }

// Fits says whether so many more cells fit.
func (p *Pen) Fits(w int) bool { return p.X+w <= p.End }

// Write writes a piece, cut short at the pen's end.
func (p *Pen) Write(s string, st style.Style) { p.X = p.c.Put(p.X, p.Y, p.End-p.X, s, st) }

// Skip leaves cells empty.
func (p *Pen) Skip(n int) { p.X += n }

// Span is text in one style.
type Span struct {
	Text  string
	Style style.Style
}

// Styled returns text in a style.
func Styled(text string, st style.Style) Span { return Span{Text: text, Style: st} }
