package pane

import (
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// status draws the command that the last key stood for and what came of it.
func (p *Painter) status(r canvas.Rectangle) {
	if p.Prompt != nil {
		p.promptLine(r)
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
		p.tipsLine(r)
		return
	}
	pen := p.Pen(r.X, r.Y, r.X+r.W)
	pen.Write(p.Glyphs.Prompt+" ", p.bandStyle(style.Accent|style.Bold))
	pen.Write(p.Command, p.bandStyle(style.Text|style.Bold))
	if p.Toast.Text == "" {
		return
	}
	if p.Command != "" {
		pen.Skip(3)
	}
	if p.Toast.Bad {
		pen.Write(p.Glyphs.Bad+" "+p.Toast.Text, p.bandStyle(style.Bad|style.Bold))
		return
	}
	pen.Write(p.Glyphs.Good+" "+p.Toast.Text, p.bandStyle(style.Good))
}

// bandStyle returns the ink of the last lines: those of the band where there is one.
func (p *Painter) bandStyle(st style.Style) style.Style {
	switch {
	case !p.hasBand():
		return st
	case st&0xff == style.Text:
		return style.Caption | st&^0xff
	}
	return style.Chapter | st&^0xff
}

// promptLine draws the command being typed, with its cursor.
func (p *Painter) promptLine(r canvas.Rectangle) {
	pen := p.Pen(r.X, r.Y, r.X+r.W)
	pen.Write(": ", p.bandStyle(style.Accent|style.Bold))
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
	pen.Write(string(before), p.bandStyle(style.Text|style.Bold))
	pen.Write(under, p.bandStyle(style.Text|style.Reverse))
	pen.Write(after, p.bandStyle(style.Text|style.Bold))
}

// promptHelp says what is wrong with the command being typed, or what its last
// word may become.
func (p *Painter) promptHelp(r canvas.Rectangle) {
	pen := p.Pen(r.X, r.Y, r.X+r.W)
	if p.Prompt.Problem != "" {
		pen.Write(p.Glyphs.Bad+" "+p.Prompt.Problem, style.Bad|style.Bold)
		return
	}
	pen.Write("tab", style.Accent|style.Bold)
	for _, choice := range p.Prompt.Completions {
		if !pen.Fits(canvas.Width(choice) + 1) {
			return
		}
		pen.Write(" "+choice, style.Dim)
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
	p.drawHints(canvas.Rect(r.X, r.Y, right-hintGap, 1), others)
	p.drawHints(canvas.Rect(r.X+right, r.Y, r.W-right, 1), kept)
}

// hintGap is how far apart the hints of the footer are.
const hintGap = 2

// width is how much room a hint takes.
func (h HelpKey) width() int {
	return canvas.Width(canvas.Sanitize(h.Key)) + 1 + canvas.Width(canvas.Sanitize(h.Text))
}

// drawHints draws as many hints as fit.
func (p *Painter) drawHints(r canvas.Rectangle, hints []HelpKey) {
	pen := p.Pen(r.X, r.Y, r.X+r.W)
	for _, hint := range hints {
		w := hint.width()
		if !pen.Fits(w) {
			return
		}
		p.hitKey(canvas.Rect(pen.X, pen.Y, w, 1), hint.Key)
		pen.Write(hint.Key, style.Accent|style.Bold)
		pen.Skip(1)
		pen.Write(hint.Text, style.Dim)
		pen.Skip(hintGap)
	}
}
