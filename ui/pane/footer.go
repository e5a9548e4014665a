package pane

import (
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// status draws the command that the last key stood for and what came of it.
func (p *Painter) status(r canvas.Rectangle) {
	if p.Prompt != nil {
		p.typed(r)
		return
	}
	if r.Empty() {
		return
	}
	if p.Filtering || p.Filter != "" && p.Toast.Text == "" {
		p.filterLine(r)
		return
	}
	if p.Toast.Text == "" && len(p.Tips) > 0 {
		p.welcomeLine(r)
		return
	}
	at := p.Pen(r.X, r.Y, r.X+r.W)
	at.Write(p.Glyphs.Prompt+" ", p.here(style.Accent|style.Bold))
	at.Write(p.Command, p.here(style.Text|style.Bold))
	if p.Toast.Text == "" {
		return
	}
	if p.Command != "" {
		at.Skip(3)
	}
	if p.Toast.Bad {
		at.Write(p.Glyphs.Bad+" "+p.Toast.Text, p.here(style.Bad|style.Bold))
		return
	}
	at.Write(p.Glyphs.Good+" "+p.Toast.Text, p.here(style.Good))
}

// here returns the ink of the last lines: those of the band where there is one.
func (p *Painter) here(k style.Style) style.Style {
	switch {
	case !p.hasBand():
		return k
	case k&0xff == style.Text:
		return style.Caption | k&^0xff
	}
	return style.Chapter | k&^0xff
}

// typed draws the command being typed, with its cursor.
func (p *Painter) typed(r canvas.Rectangle) {
	at := p.Pen(r.X, r.Y, r.X+r.W)
	at.Write(": ", p.here(style.Accent|style.Bold))
	before := []rune(p.Prompt.Text)
	under, after := " ", ""
	if p.Prompt.Cursor < len(before) {
		under, after = string(before[p.Prompt.Cursor]), string(before[p.Prompt.Cursor+1:])
		before = before[:p.Prompt.Cursor]
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
func (p *Painter) promptHelp(r canvas.Rectangle) {
	at := p.Pen(r.X, r.Y, r.X+r.W)
	if p.Prompt.Problem != "" {
		at.Write(p.Glyphs.Bad+" "+p.Prompt.Problem, style.Bad|style.Bold)
		return
	}
	at.Write("tab", style.Accent|style.Bold)
	for _, choice := range p.Prompt.Completions {
		if !at.Fits(canvas.Width(choice) + 1) {
			return
		}
		at.Write(" "+choice, style.Dim)
	}
}

// footer draws as many key hints as fit, those that keep their place at its right
// end, and makes them places to click.
func (p *Painter) footer(r canvas.Rectangle) {
	if p.Prompt != nil {
		p.promptHelp(r)
		return
	}
	var kept, others []HelpKey
	for _, hint := range p.Hints {
		if hint.Pinned {
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
func (h HelpKey) width() int {
	return canvas.Width(canvas.Sanitize(h.Key)) + 1 + canvas.Width(canvas.Sanitize(h.Text))
}

// hintsIn draws as many hints as fit.
func (p *Painter) hintsIn(r canvas.Rectangle, hints []HelpKey) {
	at := p.Pen(r.X, r.Y, r.X+r.W)
	for _, hint := range hints {
		w := hint.width()
		if !at.Fits(w) {
			return
		}
		p.hitKey(canvas.Rect(at.X, at.Y, w, 1), hint.Key)
		at.Write(hint.Key, style.Accent|style.Bold)
		at.Skip(1)
		at.Write(hint.Text, style.Dim)
		at.Skip(hintGap)
	}
}
