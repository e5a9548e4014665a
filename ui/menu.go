package ui

import (
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// box clears a rectangle in the middle of the screen and draws a frame round
// it, and returns what is inside, with a blank on either side.
func (p *painter) box(w, h int, title string) canvas.Rectangle {
	w, h = min(w+4, p.W-2), min(h+2, p.H-2)
	r := canvas.Rect((p.W-w)/2, max((p.H-h)/2-1, 1), w, h)
	return p.framed(r, title, style.Accent)
}

// framed clears a rectangle and draws a frame round it, and returns what is
// inside, with a blank on either side.
func (p *painter) framed(r canvas.Rectangle, title string, k style.Style) canvas.Rectangle {
	f := p.glyphs.Frame
	p.Fill(r, " ", style.Text)
	// What lies below is no longer there to click on.
	p.hits = append(p.hits, hit{x: r.X, y: r.Y, w: r.W, h: r.H})
	for x := r.X; x < r.X+r.W; x++ {
		p.Set(x, r.Y, f[4], k)
		p.Set(x, r.Y+r.H-1, f[4], k)
	}
	for y := r.Y; y < r.Y+r.H; y++ {
		p.Set(r.X, y, f[5], k)
		p.Set(r.X+r.W-1, y, f[5], k)
	}
	p.Set(r.X, r.Y, f[0], k)
	p.Set(r.X+r.W-1, r.Y, f[1], k)
	p.Set(r.X+r.W-1, r.Y+r.H-1, f[2], k)
	p.Set(r.X, r.Y+r.H-1, f[3], k)
	if title != "" {
		p.Put(r.X+2, r.Y, r.W-4, " "+title+" ", k|style.Bold)
	}
	return canvas.Rect(r.X+2, r.Y+1, r.W-4, r.H-2)
}

// detailLines is how many lines below a cramped menu say in full what the item
// in question does.
const detailLines = 3

// drawMenu draws the overlay to choose from, scrolled to the item in question.
func (p *painter) drawMenu() {
	m := p.menu
	if m == nil {
		return
	}
	keyW, textW, detailW := 1, canvas.Width(canvas.Sanitize(m.title))+2, 0
	for _, item := range m.items {
		keyW = max(keyW, canvas.Width(canvas.Sanitize(item.key)))
		textW = max(textW, canvas.Width(canvas.Sanitize(item.text)))
		detailW = max(detailW, canvas.Width(canvas.Sanitize(item.detail)))
	}
	foot := 0
	if m.note != "" {
		foot = 2
	}
	w := 2 + keyW + 2 + textW
	if detailW > 0 {
		w += 3 + detailW
	}
	cramped := w+6 > p.W
	if cramped {
		foot += detailLines
	}
	in := p.box(max(w, canvas.Width(canvas.Sanitize(m.note))), len(m.items)+foot, m.title)
	rows := in.H - foot
	first := min(max(m.index-rows+1, 0), max(len(m.items)-rows, 0))
	for row := range max(min(rows, len(m.items)), 0) {
		item, y := m.items[first+row], in.Y+row
		p.hitKey(canvas.Rect(in.X, y, in.W, 1), item.key)
		k, keyInk, detailInk, onInk := style.Text, style.Accent|style.Bold, style.Dim, style.Good
		if first+row == m.index {
			k = style.Bold | style.Reverse
			keyInk, detailInk, onInk = k, k, k
			p.Fill(canvas.Rect(in.X, y, in.W, 1), " ", k)
		}
		if item.on {
			p.Set(in.X, y, p.glyphs.Voted, onInk)
		}
		p.Put(in.X+2, y, min(keyW, in.W-2), item.key, keyInk)
		x := in.X + 2 + keyW + 2
		p.Put(x, y, min(textW, in.X+in.W-x), item.text, k)
		x += textW + 3
		p.Put(x, y, in.X+in.W-x, item.detail, detailInk)
	}
	if foot > 0 && in.H > 0 {
		p.Put(in.X, in.Y+in.H-1, in.W, m.note, style.Dim)
	}
	if cramped && rows > 0 && m.index < len(m.items) {
		lines := canvas.Wrap(canvas.Sanitize(m.items[m.index].detail), in.W)
		for i, line := range lines[:min(len(lines), detailLines-1)] {
			p.Put(in.X, in.Y+rows+1+i, in.W, line, style.Text)
		}
	}
}
