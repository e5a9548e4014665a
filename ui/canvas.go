package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// tail fills the second cell of a wide character.
const tail = "\x00"

// cell is one place on the screen: a character as people count them, and how it
// looks. The zero cell is blank.
type cell struct {
	text string
	ink  ink
}

// canvas is a screen to paint on. Painting outside of it does nothing.
type canvas struct {
	w, h  int
	cells []cell
	more  string // ends a text that was cut short
}

func newCanvas(w, h int, more string) *canvas {
	return &canvas{w: w, h: h, cells: make([]cell, w*h), more: more}
}

// set paints one trusted character of one cell, such as a glyph.
func (c *canvas) set(x, y int, text string, k ink) {
	if x < 0 || y < 0 || x >= c.w || y >= c.h {
		return
	}
	at := &c.cells[y*c.w+x]
	// Half a wide character cannot stay: the other half becomes a blank.
	if at.text == tail && x > 0 {
		c.cells[y*c.w+x-1].text = " "
	}
	if x+1 < c.w && c.cells[y*c.w+x+1].text == tail {
		c.cells[y*c.w+x+1].text = " "
	}
	at.text, at.ink = text, k
}

// put writes text into at most w cells from x on, cut short with an ellipsis,
// and returns where it ended. It is the only way for a text to the screen, and
// cleans it.
func (c *canvas) put(x, y, w int, s string, k ink) int {
	w = min(w, c.w-x)
	if w <= 0 || y < 0 || y >= c.h {
		return x
	}
	s = truncate(clean(s), w, c.more)
	if isPlain(s) {
		for i := range len(s) {
			c.set(x+i, y, s[i:i+1], k)
		}
		return x + len(s)
	}
	for s != "" {
		char, n := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		s = s[len(char):]
		if n < 1 || n > 2 || x+n > c.w {
			continue
		}
		c.set(x, y, char, k)
		if n == 2 {
			c.set(x+1, y, tail, k)
			if x >= 0 {
				c.cells[y*c.w+x].text = char
			}
		}
		x += n
	}
	return x
}

// putRight writes text so that it ends before x, if it fits into w cells.
func (c *canvas) putRight(x, y, w int, s string, k ink) {
	s = truncate(clean(s), w, c.more)
	c.put(x-width(s), y, w, s, k)
}

// fill paints one character over a rectangle.
func (c *canvas) fill(r rect, text string, k ink) {
	for y := r.y; y < r.y+r.h; y++ {
		for x := r.x; x < r.x+r.w; x++ {
			c.set(x, y, text, k)
		}
	}
}

// render writes the canvas out, line by line, without the blanks at line ends.
func (c *canvas) render(t *theme) string {
	var b strings.Builder
	b.Grow(c.w*c.h*2 + 1024)
	for y := range c.h {
		if y > 0 {
			b.WriteByte('\n')
		}
		c.renderLine(&b, t, c.cells[y*c.w:(y+1)*c.w])
	}
	return b.String()
}

func (c *canvas) renderLine(b *strings.Builder, t *theme, line []cell) {
	for len(line) > 0 && (line[len(line)-1].text == "" || line[len(line)-1].text == " ") && !t.marksBlank(line[len(line)-1].ink) {
		line = line[:len(line)-1]
	}
	now := ink(0)
	for _, at := range line {
		if at.text == tail {
			continue
		}
		blank := at.text == "" || at.text == " "
		// A blank shows only what is behind it: it need not end a run.
		if at.ink != now && (!blank || t.marksBlank(at.ink) || t.marksBlank(now)) {
			if now = at.ink; blank && !t.marksBlank(at.ink) {
				now = 0
			}
			t.write(b, now)
		}
		if blank {
			b.WriteByte(' ')
		} else {
			b.WriteString(at.text)
		}
	}
	if now != 0 {
		t.write(b, 0)
	}
}

// pen writes pieces of different looks one behind the other, up to end.
type pen struct {
	c         *canvas
	x, y, end int
}

// room says whether so many more cells fit.
func (p *pen) room(w int) bool { return p.x+w <= p.end }

// write writes a piece, cut short at the pen's end.
func (p *pen) write(s string, k ink) { p.x = p.c.put(p.x, p.y, p.end-p.x, s, k) }

// skip leaves cells empty.
func (p *pen) skip(n int) { p.x += n }
