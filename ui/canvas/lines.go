package canvas

import (
	"math"

	"capsize/ui/style"
)

// Point is a place on the screen in cells, not rounded.
type Point struct{ X, Y float64 }

// Pt returns the point at a column and a row.
func Pt(x, y float64) Point { return Point{X: x, Y: y} }

// Lerp returns the point between a (part 0) and b (part 1).
func (a Point) Lerp(b Point, part float64) Point {
	return Pt(a.X+(b.X-a.X)*part, a.Y+(b.Y-a.Y)*part)
}

// LineLayer is a layer of dotted lines, with marks on them, that is painted below the
// nodes of the ring. Dots look the same in every font and at every angle; line-drawing
// characters do not.
type LineLayer struct {
	c       *Canvas
	bounds  Rectangle
	lines   []Cell // by cell of bounds
	blocked []bool // by cell of bounds: nothing is drawn there
	marks   []lineMark
}

// lineMark is a glyph on top of the lines.
type lineMark struct {
	x, y int
	cell Cell
}

// NewLineLayer returns an empty layer over a part of the canvas.
func NewLineLayer(c *Canvas, bounds Rectangle) *LineLayer {
	cells := bounds.W * bounds.H
	return &LineLayer{c: c, bounds: bounds, lines: make([]Cell, cells), blocked: make([]bool, cells)}
}

// KeepOut keeps lines and marks out of a rectangle and off one cell on either side.
func (l *LineLayer) KeepOut(r Rectangle) {
	for y := r.Y; y < r.Y+r.H; y++ {
		for x := r.X - 1; x < r.X+r.W+1; x++ {
			if i := l.index(x, y); i >= 0 {
				l.blocked[i] = true
			}
		}
	}
}

// index returns the index of a cell in the layer, or -1 outside.
func (l *LineLayer) index(x, y int) int {
	x, y = x-l.bounds.X, y-l.bounds.Y
	if x < 0 || y < 0 || x >= l.bounds.W || y >= l.bounds.H {
		return -1
	}
	return y*l.bounds.W + x
}

// Line draws a dotted line with a dot in every so many columns. A steep line has one in
// half as many rows, because a cell is twice as high as wide.
func (l *LineLayer) Line(a, b Point, text string, st style.Style, every int) {
	dx, dy := math.Abs(b.X-a.X), math.Abs(b.Y-a.Y)
	steps, step := dx, float64(every)
	if dy*2 > dx {
		steps, step = dy, float64((every+1)/2)
	}
	for at := 0.0; at <= steps; at += step {
		l.dot(a.Lerp(b, at/max(steps, 1)), text, st)
	}
}

// dot puts one dot into the layer.
func (l *LineLayer) dot(at Point, text string, st style.Style) {
	if i := l.index(int(math.Floor(at.X)), int(math.Floor(at.Y))); i >= 0 {
		l.lines[i] = Cell{text, st}
	}
}

// Curve draws a dotted line along the points that curve returns for 0 to 1.
func (l *LineLayer) Curve(curve func(float64) Point, text string, st style.Style, every int) {
	const pieces = 500
	lastDot, previous := curve(0), curve(0)
	l.dot(lastDot, text, st)
	for i := 1; i <= pieces; i++ {
		p := curve(float64(i) / pieces)
		isDue := math.Abs(math.Floor(p.X)-math.Floor(lastDot.X)) >= float64(every)
		if math.Abs(p.Y-previous.Y)*2 > math.Abs(p.X-previous.X) {
			isDue = math.Abs(math.Floor(p.Y)-math.Floor(lastDot.Y)) >= float64((every+1)/2)
		}
		if isDue {
			l.dot(p, text, st)
			lastDot = p
		}
		previous = p
	}
}

// Mark puts a glyph on top of the lines.
func (l *LineLayer) Mark(at Point, text string, st style.Style) {
	l.marks = append(l.marks, lineMark{int(math.Floor(at.X)), int(math.Floor(at.Y)), Cell{text, st}})
}

// Around returns the cell of a mark with its neighbours to the left and to the right, and whether
// they are on the layer.
func (l *LineLayer) Around(at Point) (Rectangle, bool) {
	r := Rect(int(math.Floor(at.X))-1, int(math.Floor(at.Y)), 3, 1)
	return r, l.index(r.X, r.Y) >= 0 && l.index(r.X+2, r.Y) >= 0
}

// Paint paints the layer on the canvas.
func (l *LineLayer) Paint() {
	for i, at := range l.lines {
		if at.Text != "" && !l.blocked[i] {
			l.c.Set(l.bounds.X+i%l.bounds.W, l.bounds.Y+i/l.bounds.W, at.Text, at.Style)
		}
	}
	for _, m := range l.marks {
		if i := l.index(m.x, m.y); i >= 0 && !l.blocked[i] {
			l.c.Set(m.x, m.y, m.cell.Text, m.cell.Style)
		}
	}
}
