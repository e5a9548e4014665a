package canvas

import "capsize/ui/style"

// Span is text in one style.
type Span struct {
	Text  string
	Style style.Style
}

// Styled returns text in a style.
func Styled(text string, st style.Style) Span { return Span{Text: text, Style: st} }

// SpansWidth returns the width of clean spans side by side, in cells.
func SpansWidth(spans []Span) int {
	sum := 0
	for _, s := range spans {
		sum += Width(s.Text)
	}
	return sum
}

// Pen writes spans from left to right on one row. X is where the next one starts; nothing
// is written at End or beyond.
type Pen struct {
	c         *Canvas
	X, Y, End int
}

// Pen returns a pen at x, y that writes up to column end.
func (c *Canvas) Pen(x, y, end int) *Pen { return &Pen{c: c, X: x, Y: y, End: end} }

// Fits reports whether w more cells fit.
func (p *Pen) Fits(w int) bool { return p.X+w <= p.End }

// Write writes text, and cuts it at the end.
func (p *Pen) Write(s string, st style.Style) { p.X = p.c.Put(p.X, p.Y, p.End-p.X, s, st) }

// WriteSpans writes spans one after the other.
func (p *Pen) WriteSpans(spans []Span) {
	for _, s := range spans {
		p.Write(s.Text, s.Style)
	}
}

// Skip leaves n cells as they are.
func (p *Pen) Skip(n int) { p.X += n }
