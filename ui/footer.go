package ui

// status draws the command that the last key stood for and what came of it.
func (p *painter) status(r rect) {
	if p.prompt != nil {
		p.typed(r)
		return
	}
	if p.filtering || p.filter != "" && p.toast.text == "" {
		p.filterLine(r)
		return
	}
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

// typed draws the command being typed, with its cursor.
func (p *painter) typed(r rect) {
	at := &pen{c: p.canvas, x: r.x, y: r.y, end: r.x + r.w}
	at.write(": ", inkAccent|bold)
	before := []rune(p.prompt.text)
	under, after := " ", ""
	if p.prompt.cursor < len(before) {
		under, after = string(before[p.prompt.cursor]), string(before[p.prompt.cursor+1:])
		before = before[:p.prompt.cursor]
	}
	// Of a line that is too long the part at the cursor is seen.
	if over := len(before) + 4 - r.w; over > 0 {
		before = before[over:]
	}
	at.write(string(before), inkText|bold)
	at.write(under, inkText|reverse)
	at.write(after, inkText|bold)
}

// promptHelp says what is wrong with the command being typed, or what its last
// word may become.
func (p *painter) promptHelp(r rect) {
	at := &pen{c: p.canvas, x: r.x, y: r.y, end: r.x + r.w}
	if p.prompt.wrong != "" {
		at.write(p.glyphs.bad+" "+p.prompt.wrong, inkBad|bold)
		return
	}
	at.write("tab", inkAccent|bold)
	for _, choice := range p.prompt.choices {
		if !at.room(width(choice) + 1) {
			return
		}
		at.write(" "+choice, inkDim)
	}
}

// footer draws as many key hints as fit, and makes them places to click.
func (p *painter) footer(r rect) {
	if p.prompt != nil {
		p.promptHelp(r)
		return
	}
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
