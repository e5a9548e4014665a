package ui

import (
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// status draws the command that the last key stood for and what came of it.
func (p *painter) status(r canvas.Rectangle) {
	if p.prompt != nil {
		p.typed(r)
		return
	}
	if r.Empty() {
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
	at := p.Pen(r.X, r.Y, r.X+r.W)
	at.Write(p.glyphs.Prompt+" ", p.here(style.Accent|style.Bold))
	at.Write(p.command, p.here(style.Text|style.Bold))
	if p.toast.text == "" {
		return
	}
	if p.command != "" {
		at.Skip(3)
	}
	if p.toast.bad {
		at.Write(p.glyphs.Bad+" "+p.toast.text, p.here(style.Bad|style.Bold))
		return
	}
	at.Write(p.glyphs.Good+" "+p.toast.text, p.here(style.Good))
}

// here returns the ink of the last lines: those of the band where there is one.
func (p *painter) here(k style.Style) style.Style {
	switch {
	case !p.hasBand():
		return k
	case k&0xff == style.Text:
		return style.Caption | k&^0xff
	}
	return style.Chapter | k&^0xff
}

// typed draws the command being typed, with its cursor.
func (p *painter) typed(r canvas.Rectangle) {
	at := p.Pen(r.X, r.Y, r.X+r.W)
	at.Write(": ", p.here(style.Accent|style.Bold))
	before := []rune(p.prompt.text)
	under, after := " ", ""
	if p.prompt.cursor < len(before) {
		under, after = string(before[p.prompt.cursor]), string(before[p.prompt.cursor+1:])
		before = before[:p.prompt.cursor]
	}
	// Of a line that is too long the part at the cursor is seen.
	if over := len(before) + 4 - r.W; over > 0 {
		before = before[over:]
	}
	at.Write(string(before), p.here(style.Text|style.Bold))
	at.Write(under, p.here(style.Text|style.Reverse))
	at.Write(after, p.here(style.Text|style.Bold))
}

// promptHelp says what is wrong with the command being typed, or what its last
// word may become.
func (p *painter) promptHelp(r canvas.Rectangle) {
	at := p.Pen(r.X, r.Y, r.X+r.W)
	if p.prompt.wrong != "" {
		at.Write(p.glyphs.Bad+" "+p.prompt.wrong, style.Bad|style.Bold)
		return
	}
	at.Write("tab", style.Accent|style.Bold)
	for _, choice := range p.prompt.choices {
		if !at.Room(canvas.Width(choice) + 1) {
			return
		}
		at.Write(" "+choice, style.Dim)
	}
}

// footer draws as many key hints as fit, those that keep their place at its right
// end, and makes them places to click.
func (p *painter) footer(r canvas.Rectangle) {
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
	right := r.W
	for _, hint := range kept {
		right -= hint.width()
	}
	right -= max(len(kept)-1, 0) * hintGap
	p.hintsIn(canvas.Rect(r.X, r.Y, right-hintGap, 1), others)
	p.hintsIn(canvas.Rect(r.X+right, r.Y, r.W-right, 1), kept)
}

// hintGap is how far apart the hints of the footer are.
const hintGap = 2

// width is how much room a hint takes.
func (h helpKey) width() int {
	return canvas.Width(canvas.Sanitize(h.key)) + 1 + canvas.Width(canvas.Sanitize(h.text))
}

// hintsIn draws as many hints as fit.
func (p *painter) hintsIn(r canvas.Rectangle, hints []helpKey) {
	at := p.Pen(r.X, r.Y, r.X+r.W)
	for _, hint := range hints {
		w := hint.width()
		if !at.Room(w) {
			return
		}
		p.hitKey(canvas.Rect(at.X, at.Y, w, 1), hint.key)
		at.Write(hint.key, style.Accent|style.Bold)
		at.Skip(1)
		at.Write(hint.text, style.Dim)
		at.Skip(hintGap)
	}
}
