package pane

import (
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// Tip is a key for a first-time user to press.
type Tip struct {
	Key     string // as in the key map
	Text    string // what it does
	Command string // the start of the command it stands for
	Done    bool   // it has been pressed
}

// tipsLine draws the keys to try first, and marks those that have been pressed.
func (p *Painter) tipsLine(r canvas.Rectangle) {
	pen := p.Pen(r.X, r.Y, r.X+r.W)
	pen.Write("try ", style.Text)
	next := true
	for _, k := range p.Tips {
		w := canvas.Width(k.Key) + 1 + canvas.Width(k.Text)
		if !pen.Fits(w + 1) {
			return
		}
		pen.Skip(1)
		if k.Done {
			pen.Write(p.Glyphs.Good, style.Good)
			continue
		}
		p.hitKey(canvas.Rect(pen.X, pen.Y, w, 1), k.Key)
		switch {
		case next:
			pen.Write(k.Key, style.Accent|style.Bold|style.Reverse)
			pen.Write(" "+k.Text, style.Text|style.Bold)
			next = false
		default:
			pen.Write(k.Key, style.Accent|style.Bold)
			pen.Write(" "+k.Text, style.Dim)
		}
		pen.Skip(1)
	}
}
