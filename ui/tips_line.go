package ui

import (
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// firstKey is a key that whoever is here for the first time is told to press.
type firstKey struct {
	id, text string // as in the key map; what it does
	command  string // what it stands for begins with
	done     bool
}

// welcomeLine tells which keys to press first, and which of them were.
func (p *painter) welcomeLine(r canvas.Rectangle) {
	at := p.Pen(r.X, r.Y, r.X+r.W)
	at.Write("try ", style.Text)
	next := true
	for _, k := range p.firstKeys {
		w := canvas.Width(k.id) + 1 + canvas.Width(k.text)
		if !at.Room(w + 1) {
			return
		}
		at.Skip(1)
		if k.done {
			at.Write(p.glyphs.Good, style.Good)
			continue
		}
		p.hitKey(canvas.Rect(at.X, at.Y, w, 1), k.id)
		switch {
		case next:
			at.Write(k.id, style.Accent|style.Bold|style.Reverse)
			at.Write(" "+k.text, style.Text|style.Bold)
			next = false
		default:
			at.Write(k.id, style.Accent|style.Bold)
			at.Write(" "+k.text, style.Dim)
		}
		at.Skip(1)
	}
}
