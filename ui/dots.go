package ui

import "math"

// dots is a layer of dotted lines under the nodes of the ring. Dots look the
// same in every font and at every angle, which no line of characters does.
type dots struct {
	c     *canvas
	g     *glyphs
	r     rect
	lines []cell // of each cell of r
	out   []bool // cells where nothing may be drawn
	top   []placed
}

// placed is a glyph over the lines.
type placed struct {
	x, y int
	cell cell
}

func newDots(c *canvas, g *glyphs, r rect) *dots {
	return &dots{c: c, g: g, r: r, lines: make([]cell, r.w*r.h), out: make([]bool, r.w*r.h)}
}

// keepOut keeps lines and marks off a node, and off a cell on either side.
func (d *dots) keepOut(r rect) {
	for y := r.y; y < r.y+r.h; y++ {
		for x := r.x - 1; x < r.x+r.w+1; x++ {
			if i := d.index(x, y); i >= 0 {
				d.out[i] = true
			}
		}
	}
}

// index returns the place of a cell in the layer, -1 outside.
func (d *dots) index(x, y int) int {
	x, y = x-d.r.x, y-d.r.y
	if x < 0 || y < 0 || x >= d.r.w || y >= d.r.h {
		return -1
	}
	return y*d.r.w + x
}

// line draws a dotted line, with a dot in every so many columns or, if it is
// steep, half as many rows, so that dots are evenly apart.
func (d *dots) line(a, b point, text string, k ink, every int) {
	dx, dy := math.Abs(b.x-a.x), math.Abs(b.y-a.y)
	steps, step := dx, float64(every)
	if dy*2 > dx {
		steps, step = dy, float64((every+1)/2)
	}
	for at := 0.0; at <= steps; at += step {
		d.dot(a.to(b, at/max(steps, 1)), text, k)
	}
}

// dot puts one dot into the layer.
func (d *dots) dot(at point, text string, k ink) {
	if i := d.index(int(math.Floor(at.x)), int(math.Floor(at.y))); i >= 0 {
		d.lines[i] = cell{text, k}
	}
}

// curve draws a dotted line along the points that at gives for 0 to 1.
func (d *dots) curve(at func(float64) point, text string, k ink, every int) {
	const pieces = 500
	last, before := at(0), at(0)
	d.dot(last, text, k)
	for i := 1; i <= pieces; i++ {
		p := at(float64(i) / pieces)
		far := math.Abs(math.Floor(p.x)-math.Floor(last.x)) >= float64(every)
		if math.Abs(p.y-before.y)*2 > math.Abs(p.x-before.x) {
			far = math.Abs(math.Floor(p.y)-math.Floor(last.y)) >= float64((every+1)/2)
		}
		if far {
			d.dot(p, text, k)
			last = p
		}
		before = p
	}
}

// mark puts a glyph over the lines.
func (d *dots) mark(at point, text string, k ink) {
	d.top = append(d.top, placed{int(math.Floor(at.x)), int(math.Floor(at.y)), cell{text, k}})
}

// paint puts the layer on the canvas.
func (d *dots) paint() {
	for i, at := range d.lines {
		if at.text != "" && !d.out[i] {
			d.c.set(d.r.x+i%d.r.w, d.r.y+i/d.r.w, at.text, at.ink)
		}
	}
	for _, m := range d.top {
		if i := d.index(m.x, m.y); i >= 0 && !d.out[i] {
			d.c.set(m.x, m.y, m.cell.text, m.cell.ink)
		}
	}
}
