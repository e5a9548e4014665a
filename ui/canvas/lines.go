package canvas

import (
	"math"

	"capsize/ui/style"
)

// Point is a place on the screen, in cells, not rounded.
type Point struct{ X, Y float64 }

// Pt returns the point at a column and a row.
func Pt(x, y float64) Point { return Point{X: x, Y: y} }

func (a Point) Lerp(b Point, part float64) Point {
	return Pt(a.X+(b.X-a.X)*part, a.Y+(b.Y-a.Y)*part)
}

// LineLayer is a layer of dotted lines under the nodes of the ring. Dots look the
// same in every font and at every angle, which no line of characters does.
type LineLayer struct {
	c       *Canvas
	G       *style.Glyphs
	bounds  Rectangle
	lines   []Cell // of each cell of r
	blocked []bool // cells where nothing may be drawn
	marks   []lineMark
}

// lineMark is a glyph over the lines.
type lineMark struct {
	x, y int
	cell Cell
}

func NewLineLayer(c *Canvas, g *style.Glyphs, r Rectangle) *LineLayer {
	return &LineLayer{c: c, G: g, bounds: r, lines: make([]Cell, r.W*r.H), blocked: make([]bool, r.W*r.H)}
}

// KeepOut keeps lines and marks off a node, and off a cell on either side.
func (d *LineLayer) KeepOut(r Rectangle) {
	for y := r.Y; y < r.Y+r.H; y++ {
		for x := r.X - 1; x < r.X+r.W+1; x++ {
			if i := d.index(x, y); i >= 0 {
				d.blocked[i] = true
			}
		}
	}
}

// index returns the place of a cell in the layer, -1 outside.
func (d *LineLayer) index(x, y int) int {
	x, y = x-d.bounds.X, y-d.bounds.Y
	if x < 0 || y < 0 || x >= d.bounds.W || y >= d.bounds.H {
		return -1
	}
	return y*d.bounds.W + x
}

// Line draws a dotted line, with a dot in every so many columns or, if it is
// steep, half as many rows, so that dots are evenly apart.
func (d *LineLayer) Line(a, b Point, text string, st style.Style, every int) {
	dx, dy := math.Abs(b.X-a.X), math.Abs(b.Y-a.Y)
	steps, step := dx, float64(every)
	if dy*2 > dx {
		steps, step = dy, float64((every+1)/2)
	}
	for at := 0.0; at <= steps; at += step {
		d.dot(a.Lerp(b, at/max(steps, 1)), text, st)
	}
}

// dot puts one dot into the layer.
func (d *LineLayer) dot(at Point, text string, st style.Style) {
	if i := d.index(int(math.Floor(at.X)), int(math.Floor(at.Y))); i >= 0 {
		d.lines[i] = Cell{text, st}
	}
}

// Curve draws a dotted line along the points that at gives for 0 to 1.
func (d *LineLayer) Curve(at func(float64) Point, text string, st style.Style, every int) {
	const pieces = 500
	last, before := at(0), at(0)
	d.dot(last, text, st)
	for i := 1; i <= pieces; i++ {
		p := at(float64(i) / pieces)
		far := math.Abs(math.Floor(p.X)-math.Floor(last.X)) >= float64(every)
		if math.Abs(p.Y-before.Y)*2 > math.Abs(p.X-before.X) {
			far = math.Abs(math.Floor(p.Y)-math.Floor(last.Y)) >= float64((every+1)/2)
		}
		if far {
			d.dot(p, text, st)
			last = p
		}
		before = p
	}
}

// Mark puts a glyph over the lines.
func (d *LineLayer) Mark(at Point, text string, st style.Style) {
	d.marks = append(d.marks, lineMark{int(math.Floor(at.X)), int(math.Floor(at.Y)), Cell{text, st}})
}

// Paint puts the layer on the canvas.
func (d *LineLayer) Paint() {
	for i, at := range d.lines {
		if at.Text != "" && !d.blocked[i] {
			d.c.Set(d.bounds.X+i%d.bounds.W, d.bounds.Y+i/d.bounds.W, at.Text, at.Style)
		}
	}
	for _, m := range d.marks {
		if i := d.index(m.x, m.y); i >= 0 && !d.blocked[i] {
			d.c.Set(m.x, m.y, m.cell.Text, m.cell.Style)
		}
	}
}
