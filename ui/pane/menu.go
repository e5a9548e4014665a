package pane

import (
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// box draws an empty box in the middle of the screen and returns its inside, which has a
// margin of one cell on either side.
func (p *Painter) box(w, h int, title string) canvas.Rectangle {
	w, h = min(w+4, p.W-2), min(h+2, p.H-2)
	r := canvas.Rect((p.W-w)/2, max((p.H-h)/2-1, 1), w, h)
	return p.framed(r, title, style.Accent)
}

// framed clears a rectangle, draws a box around it and returns its inside, which has a margin
// of one cell on either side.
func (p *Painter) framed(r canvas.Rectangle, title string, st style.Style) canvas.Rectangle {
	f := p.Glyphs.Box
	p.Fill(r, " ", style.Text)
	// What is covered cannot be clicked.
	p.Hits = append(p.Hits, HitBox{X: r.X, Y: r.Y, W: r.W, H: r.H})
	for x := r.X; x < r.X+r.W; x++ {
		p.Set(x, r.Y, f[4], st)
		p.Set(x, r.Y+r.H-1, f[4], st)
	}
	for y := r.Y; y < r.Y+r.H; y++ {
		p.Set(r.X, y, f[5], st)
		p.Set(r.X+r.W-1, y, f[5], st)
	}
	p.Set(r.X, r.Y, f[0], st)
	p.Set(r.X+r.W-1, r.Y, f[1], st)
	p.Set(r.X+r.W-1, r.Y+r.H-1, f[2], st)
	p.Set(r.X, r.Y+r.H-1, f[3], st)
	if title != "" {
		p.Put(r.X+2, r.Y, r.W-4, " "+title+" ", st|style.Bold)
	}
	return canvas.Rect(r.X+2, r.Y+1, r.W-4, r.H-2)
}

// detailLines is the number of lines below a menu that is too wide for the screen. They show
// the detail of the item under the cursor in full.
const detailLines = 3

// drawMenu draws the menu, scrolled to the item under the cursor.
func (p *Painter) drawMenu() {
	m := p.Menu
	if m == nil {
		return
	}
	keyW, textW, detailW := 1, canvas.Width(canvas.Sanitize(m.Title))+2, 0
	for _, item := range m.Items {
		keyW = max(keyW, canvas.Width(canvas.Sanitize(item.Key)))
		textW = max(textW, canvas.Width(canvas.Sanitize(item.Text)))
		detailW = max(detailW, canvas.Width(canvas.Sanitize(item.Detail)))
	}
	foot := 0
	if m.Note != "" {
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
	in := p.box(max(w, canvas.Width(canvas.Sanitize(m.Note))), len(m.Items)+foot, m.Title)
	rows := in.H - foot
	first := min(max(m.Index-rows+1, 0), max(len(m.Items)-rows, 0))
	for row := range max(min(rows, len(m.Items)), 0) {
		item, y := m.Items[first+row], in.Y+row
		p.hitKey(canvas.Rect(in.X, y, in.W, 1), item.Key)
		st, keyStyle, detailStyle, onStyle := style.Text, style.Accent|style.Bold, style.Dim, style.Good
		if first+row == m.Index {
			st = style.Bold | style.Reverse
			keyStyle, detailStyle, onStyle = st, st, st
			p.Fill(canvas.Rect(in.X, y, in.W, 1), " ", st)
		}
		if item.On {
			p.Set(in.X, y, p.Glyphs.Voted, onStyle)
		}
		p.Put(in.X+2, y, min(keyW, in.W-2), item.Key, keyStyle)
		x := in.X + 2 + keyW + 2
		p.Put(x, y, min(textW, in.X+in.W-x), item.Text, st)
		x += textW + 3
		p.Put(x, y, in.X+in.W-x, item.Detail, detailStyle)
	}
	if foot > 0 && in.H > 0 {
		p.Put(in.X, in.Y+in.H-1, in.W, m.Note, style.Dim)
	}
	if cramped && rows > 0 && m.Index < len(m.Items) {
		lines := canvas.Wrap(canvas.Sanitize(m.Items[m.Index].Detail), in.W)
		for i, line := range lines[:min(len(lines), detailLines-1)] {
			p.Put(in.X, in.Y+rows+1+i, in.W, line, style.Text)
		}
	}
}

// Sheet is an overlay of labelled lines: what is inside a message.
type Sheet struct {
	Title  string
	Packet uint64 // the ID of the message
	Rows   []SheetRow
	Note   string // on its lower edge
	Aside  bool   // it lies at the right edge, so that the ring stays visible
}

// SheetRow is a labelled text. Its key shows more about it.
type SheetRow struct {
	Label, Text, Key string
	Style            style.Style
}

const (
	// sheetWidth is how wide the text of a sheet is at most.
	sheetWidth = 64
	// sheetLabel is the width of the labels of a sheet.
	sheetLabel = 9
	// sheetKey is the width of the keys of a sheet, with the gap before them.
	sheetKey = 2
	// asideMinWidth is the least width of a screen with room for a sheet beside the ring.
	asideMinWidth = 112
)

// drawSheet draws the sheet at the bottom of the screen, or at its right edge. Texts that do not
// fit a line go on below.
func (p *Painter) drawSheet() {
	if p.Sheet == nil {
		return
	}
	width := min(sheetWidth, p.W-6-sheetLabel-sheetKey)
	aside := p.Sheet.Aside && p.W >= asideMinWidth
	if aside {
		width = min(width, p.W/2-6-sheetLabel-sheetKey)
	}
	texts, high := make([][]string, len(p.Sheet.Rows)), 0
	for i, row := range p.Sheet.Rows {
		texts[i] = canvas.Wrap(canvas.Sanitize(row.Text), width)
		high += max(len(texts[i]), 1)
	}
	w, h := sheetLabel+width+sheetKey, min(high, p.H-6)
	r := canvas.Rect((p.W-w-4)/2, max(p.H-h-5, 1), w+4, h+2)
	if aside {
		r.X, r.Y = p.W-r.W-1, max((p.H-h-2)/2-1, 1)
	}
	in := p.framed(r, p.Sheet.Title, style.Accent)
	if note := " " + p.Sheet.Note + " "; p.Sheet.Note != "" {
		p.PutRight(in.X+in.W, r.Y+r.H-1, in.W, note, style.Dim)
	}
	y := in.Y
	for i, row := range p.Sheet.Rows {
		lines := max(len(texts[i]), 1)
		if y+lines > in.Y+in.H {
			return
		}
		p.Put(in.X, y, sheetLabel, row.Label, style.Dim)
		for j, line := range texts[i] {
			p.Put(in.X+sheetLabel, y+j, width, line, row.Style)
		}
		if row.Key != "" {
			p.hitKey(canvas.Rect(in.X, y, in.W, lines), row.Key)
			p.PutRight(in.X+in.W, y, 1, row.Key, style.Accent|style.Bold)
		}
		y += lines
	}
}
