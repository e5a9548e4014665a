package pane

import (
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// status draws the status line: the command of the last key and its result or, instead, the
// prompt, the filter or the tips.
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

// bandStyle returns the style to use in the status line: on the band it has the colours of
// the band.
func (p *Painter) bandStyle(st style.Style) style.Style {
	switch {
	case !p.hasBand():
		return st
	case st&0xff == style.Text:
		return style.Caption | st&^0xff
	}
	return style.Chapter | st&^0xff
}

// promptLine draws the command being typed and its cursor.
func (p *Painter) promptLine(r canvas.Rectangle) {
	pen := p.Pen(r.X, r.Y, r.X+r.W)
	pen.Write(": ", p.bandStyle(style.Accent|style.Bold))
	before := []rune(p.Prompt.Text)
	under, after := " ", ""
	if p.Prompt.Cursor < len(before) {
		under, after = string(before[p.Prompt.Cursor]), string(before[p.Prompt.Cursor+1:])
		before = before[:p.Prompt.Cursor]
	}
	// A line that is too long shows the part at the cursor.
	if over := len(before) + 4 - r.W; over > 0 {
		before = before[over:]
	}
	pen.Write(string(before), p.bandStyle(style.Text|style.Bold))
	pen.Write(under, p.bandStyle(style.Text|style.Reverse))
	pen.Write(after, p.bandStyle(style.Text|style.Bold))
}

// promptHelp draws what is wrong with the command being typed or, if nothing is, the
// completions of its last word.
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

// footer draws as many key hints as fit, and the pinned ones at its right end. Hints can be
// clicked.
func (p *Painter) footer(r canvas.Rectangle) {
	if p.Prompt != nil {
		p.promptHelp(r)
		return
	}
	var pinned, others []HelpKey
	for _, hint := range p.Hints {
		if hint.Pinned {
			pinned = append(pinned, hint)
		} else {
			others = append(others, hint)
		}
	}
	right := r.W
	for _, hint := range pinned {
		right -= hint.width()
	}
	right -= max(len(pinned)-1, 0) * hintGap
	p.drawHints(canvas.Rect(r.X, r.Y, right-hintGap, 1), others)
	p.drawHints(canvas.Rect(r.X+right, r.Y, r.W-right, 1), pinned)
}

// hintGap is the number of cells between two hints.
const hintGap = 2

// width returns the width of a hint in cells.
func (h HelpKey) width() int {
	return canvas.Width(canvas.Sanitize(h.Key)) + 1 + canvas.Width(canvas.Sanitize(h.Text))
}

// drawHints draws as many hints as fit into a line.
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

// Tip is a key for a first-time user to press.
type Tip struct {
	Key     string // as in the key map
	Text    string // what it does
	Command string // the start of the command it stands for
	Done    bool   // it has been pressed
}

// tipsLine draws the keys to try first, and marks those that have been pressed.
func (p *Painter) tipsLine(r canvas.Rectangle) {
	pen := p.Pen(r.X, r.Y, r.X+r.W)
	pen.Write("try ", style.Text)
	next := true
	for _, k := range p.Tips {
		w := canvas.Width(k.Key) + 1 + canvas.Width(k.Text)
		if !pen.Fits(w + 1) {
			return
		}
		pen.Skip(1)
		if k.Done {
			pen.Write(p.Glyphs.Good, style.Good)
			continue
		}
		p.hitKey(canvas.Rect(pen.X, pen.Y, w, 1), k.Key)
		switch {
		case next:
			pen.Write(k.Key, style.Accent|style.Bold|style.Reverse)
			pen.Write(" "+k.Text, style.Text|style.Bold)
			next = false
		default:
			pen.Write(k.Key, style.Accent|style.Bold)
			pen.Write(" "+k.Text, style.Dim)
		}
		pen.Skip(1)
	}
}
