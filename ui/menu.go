package ui

// box clears a rectangle in the middle of the screen and draws a frame round
// it, and returns what is inside, with a blank on either side.
func (p *painter) box(w, h int, title string) rect {
	w, h = min(w+4, p.w-2), min(h+2, p.h-2)
	r := rect{(p.w - w) / 2, max((p.h-h)/2-1, 1), w, h}
	return p.framed(r, title, inkAccent)
}

// framed clears a rectangle and draws a frame round it, and returns what is
// inside, with a blank on either side.
func (p *painter) framed(r rect, title string, k ink) rect {
	f := p.glyphs.frame
	p.fill(r, " ", inkText)
	// What lies below is no longer there to click on.
	p.hits = append(p.hits, hit{x: r.x, y: r.y, w: r.w, h: r.h})
	for x := r.x; x < r.x+r.w; x++ {
		p.set(x, r.y, f[4], k)
		p.set(x, r.y+r.h-1, f[4], k)
	}
	for y := r.y; y < r.y+r.h; y++ {
		p.set(r.x, y, f[5], k)
		p.set(r.x+r.w-1, y, f[5], k)
	}
	p.set(r.x, r.y, f[0], k)
	p.set(r.x+r.w-1, r.y, f[1], k)
	p.set(r.x+r.w-1, r.y+r.h-1, f[2], k)
	p.set(r.x, r.y+r.h-1, f[3], k)
	if title != "" {
		p.put(r.x+2, r.y, r.w-4, " "+title+" ", k|bold)
	}
	return rect{r.x + 2, r.y + 1, r.w - 4, r.h - 2}
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
	keyW, textW, detailW := 1, width(clean(m.title))+2, 0
	for _, item := range m.items {
		keyW = max(keyW, width(clean(item.key)))
		textW = max(textW, width(clean(item.text)))
		detailW = max(detailW, width(clean(item.detail)))
	}
	foot := 0
	if m.note != "" {
		foot = 2
	}
	w := 2 + keyW + 2 + textW
	if detailW > 0 {
		w += 3 + detailW
	}
	cramped := w+6 > p.w
	if cramped {
		foot += detailLines
	}
	in := p.box(max(w, width(clean(m.note))), len(m.items)+foot, m.title)
	rows := in.h - foot
	first := min(max(m.index-rows+1, 0), max(len(m.items)-rows, 0))
	for row := range max(min(rows, len(m.items)), 0) {
		item, y := m.items[first+row], in.y+row
		p.hitKey(rect{in.x, y, in.w, 1}, item.key)
		k, keyInk, detailInk, onInk := inkText, inkAccent|bold, inkDim, inkGood
		if first+row == m.index {
			k = bold | reverse
			keyInk, detailInk, onInk = k, k, k
			p.fill(rect{in.x, y, in.w, 1}, " ", k)
		}
		if item.on {
			p.set(in.x, y, p.glyphs.voted, onInk)
		}
		p.put(in.x+2, y, min(keyW, in.w-2), item.key, keyInk)
		x := in.x + 2 + keyW + 2
		p.put(x, y, min(textW, in.x+in.w-x), item.text, k)
		x += textW + 3
		p.put(x, y, in.x+in.w-x, item.detail, detailInk)
	}
	if foot > 0 && in.h > 0 {
		p.put(in.x, in.y+in.h-1, in.w, m.note, inkDim)
	}
	if cramped && rows > 0 && m.index < len(m.items) {
		lines := wrap(clean(m.items[m.index].detail), in.w)
		for i, line := range lines[:min(len(lines), detailLines-1)] {
			p.put(in.x, in.y+rows+1+i, in.w, line, inkText)
		}
	}
}
