package ui

// status draws the command that the last key stood for and what came of it.
func (p *painter) status(r rect) {
	at := &pen{c: p.canvas, x: r.x, y: r.y, end: r.x + r.w}
	at.write(p.glyphs.prompt+" ", inkAccent|bold)
	at.write(p.command, inkText|bold)
	if p.toast.text == "" {
		return
	}
	if p.command != "" {
		at.skip(3)
	}
	if p.toast.bad {
		at.write(p.glyphs.bad+" "+p.toast.text, inkBad|bold)
		return
	}
	at.write(p.glyphs.good+" "+p.toast.text, inkGood)
}

// footer draws as many key hints as fit, and makes them places to click.
func (p *painter) footer(r rect) {
	at := &pen{c: p.canvas, x: r.x, y: r.y, end: r.x + r.w}
	for _, hint := range p.hints {
		w := width(clean(hint.key)) + 1 + width(clean(hint.text))
		if !at.room(w) {
			return
		}
		p.hitKey(rect{at.x, at.y, w, 1}, hint.key)
		at.write(hint.key, inkAccent|bold)
		at.skip(1)
		at.write(hint.text, inkDim)
		at.skip(2)
	}
}
