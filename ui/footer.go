package ui

// status draws the command that the last key stood for and what came of it.
func (p *painter) status(r rect) {
	if p.prompt != nil {
		p.typed(r)
		return
	}
	if r.empty() {
		return
	}
	if p.filtering || p.filter != "" && p.toast.text == "" {
		p.filterLine(r)
		return
	}
	if p.toast.text == "" && len(p.firstKeys) > 0 {
		p.welcomeLine(r)
		return
	}
	at := &pen{c: p.canvas, x: r.x, y: r.y, end: r.x + r.w}
	at.write(p.glyphs.prompt+" ", p.here(inkAccent|bold))
	at.write(p.command, p.here(inkText|bold))
	if p.toast.text == "" {
		return
	}
	if p.command != "" {
		at.skip(3)
	}
	if p.toast.bad {
		at.write(p.glyphs.bad+" "+p.toast.text, p.here(inkBad|bold))
		return
	}
	at.write(p.glyphs.good+" "+p.toast.text, p.here(inkGood))
}

// here returns the ink of the last lines: those of the band where there is one.
func (p *painter) here(k ink) ink {
	switch {
	case !p.hasBand():
		return k
	case k&0xff == inkText:
		return inkCaption | k&^0xff
	}
	return inkChapter | k&^0xff
}

// typed draws the command being typed, with its cursor.
func (p *painter) typed(r rect) {
	at := &pen{c: p.canvas, x: r.x, y: r.y, end: r.x + r.w}
	at.write(": ", p.here(inkAccent|bold))
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
	at.write(string(before), p.here(inkText|bold))
	at.write(under, p.here(inkText|reverse))
	at.write(after, p.here(inkText|bold))
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

// footer draws as many key hints as fit, those that keep their place at its right
// end, and makes them places to click.
func (p *painter) footer(r rect) {
	if p.prompt != nil {
		p.promptHelp(r)
		return
	}
	var kept, others []helpKey
	for _, hint := range p.hints {
		if hint.keeps {
			kept = append(kept, hint)
		} else {
			others = append(others, hint)
		}
	}
	right := r.w
	for _, hint := range kept {
		right -= hint.width()
	}
	right -= max(len(kept)-1, 0) * hintGap
	p.hintsIn(rect{r.x, r.y, right - hintGap, 1}, others)
	p.hintsIn(rect{r.x + right, r.y, r.w - right, 1}, kept)
}

// hintGap is how far apart the hints of the footer are.
const hintGap = 2

// width is how much room a hint takes.
func (h helpKey) width() int { return width(clean(h.key)) + 1 + width(clean(h.text)) }

// hintsIn draws as many hints as fit.
func (p *painter) hintsIn(r rect, hints []helpKey) {
	at := &pen{c: p.canvas, x: r.x, y: r.y, end: r.x + r.w}
	for _, hint := range hints {
		w := hint.width()
		if !at.room(w) {
			return
		}
		p.hitKey(rect{at.x, at.y, w, 1}, hint.key)
		at.write(hint.key, inkAccent|bold)
		at.skip(1)
		at.write(hint.text, inkDim)
		at.skip(hintGap)
	}
}
