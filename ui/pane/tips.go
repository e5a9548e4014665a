package pane

import (
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// Tip is a key that whoever is here for the first time is told to press.
type Tip struct {
	Key, Text string // as in the key map; what it does
	Command   string // what it stands for begins with
	Done      bool
}

// welcomeLine tells which keys to press first, and which of them were.
func (p *Painter) welcomeLine(r canvas.Rectangle) {
	at := p.Pen(r.X, r.Y, r.X+r.W)
	at.Write("try ", style.Text)
	next := true
	for _, k := range p.Tips {
		w := canvas.Width(k.Key) + 1 + canvas.Width(k.Text)
		if !at.Fits(w + 1) {
			return
		}
		at.Skip(1)
		if k.Done {
			at.Write(p.Glyphs.Good, style.Good)
			continue
		}
		p.hitKey(canvas.Rect(at.X, at.Y, w, 1), k.Key)
		switch {
		case next:
			at.Write(k.Key, style.Accent|style.Bold|style.Reverse)
			at.Write(" "+k.Text, style.Text|style.Bold)
			next = false
		default:
			at.Write(k.Key, style.Accent|style.Bold)
			at.Write(" "+k.Text, style.Dim)
		}
		at.Skip(1)
	}
}
