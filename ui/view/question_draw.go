package view

import (
	"fmt"
	"strings"

	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
)

// draw draws the panel.
func (d *questionPanel) draw() {
	d.Fill(d.r, " ", style.Caption)
	d.Hits = append(d.Hits, pane.HitBox{X: d.r.X, Y: d.r.Y, W: d.r.W, H: d.r.H}) // what is covered cannot be clicked
	x, y := d.r.X+4, d.r.Y
	d.title(x, y)
	y += 1 + d.space()
	for _, line := range d.question() {
		d.Set(x-2, y, d.Glyphs.Cursor, style.Chapter)
		d.Put(x, y, d.width(), line, style.Caption|style.Bold)
		y++
	}
	y += d.space()
	for i := range d.q.Choices {
		d.choice(i, x, y)
		y += d.choiceHeight(i) + d.level.gap
	}
	y -= d.level.gap
	verdict, because := d.reason()
	if verdict != "" {
		y += d.space()
		d.Put(x-2, y, d.width()+2, verdict, style.Caption|style.Bold)
		y++
	}
	if len(because) > 0 {
		y += d.space()
	}
	for _, line := range because {
		d.Set(x-2, y, d.Glyphs.Cursor, style.Chapter)
		d.Put(x, y, d.width(), line, style.Caption|style.Bold)
		y++
	}
	d.hint(x, d.r.Y+d.r.H-1)
}

// title draws the first row: which question it is, and of what.
func (d *questionPanel) title(x, y int) {
	text := fmt.Sprintf("%s %d", d.word("question"), d.q.Number)
	of := d.State.ChapterIn.In(d.Language, d.State.Chapter)
	if of == "" {
		of = d.ScenarioTitle
	}
	if of != "" {
		text += " " + d.Glyphs.Dot + " " + of
	}
	d.Put(x, y, d.width(), text, style.Chapter)
}

// choice draws a choice: its number, its text, its votes and, once it is judged, whether it is true.
func (d *questionPanel) choice(i, x, y int) {
	h, rows := d.choiceHeight(i), d.choiceRows(i)
	mark, plain, text := "", style.Caption|style.Bold, style.Caption|style.Bold
	switch {
	case !d.q.Judged:
	case d.q.Choices[i].True:
		mark, plain, text = d.Glyphs.Good, plain|style.Reverse, text|style.Reverse
		d.Fill(canvas.Rect(x-3, y, d.width()+4, h), " ", plain)
	default:
		mark, plain, text = d.Glyphs.Killed, style.Caption, style.Caption|style.Strike
	}
	top := y + max(h-len(rows)-d.bars(), 0)/2
	if mark != "" {
		d.Set(x-2, top, mark, plain|style.Bold)
	}
	if number := fmt.Sprint(i + 1); d.level.big {
		d.PutBig(x, y+(h-canvas.BigHeight)/2, number, plain)
	} else {
		d.Put(x, top, 2, number, plain)
	}
	left := x + d.numberWidth()
	for row, line := range rows {
		d.Put(left, top+row, d.width()-d.numberWidth(), line, text)
	}
	d.PutRight(x+d.width(), top, d.tagWidth(), d.tag(i), plain|style.Bold)
	for row := range d.bars() {
		d.bar(i, left, top+len(rows)+row, row == d.bars()-1, plain)
	}
	if d.q.Waits() && d.Asking != nil && !d.Asking.Room {
		d.Hits = append(d.Hits, pane.HitBox{X: d.r.X, Y: y, W: d.r.W, H: h, Key: fmt.Sprint(i + 1)})
	}
}

// tag says that a single person has picked a choice or, otherwise, that it is the true one.
func (d *questionPanel) tag(i int) string {
	switch {
	case d.q.Judged && d.q.Pick() == i:
		return d.word("your answer")
	case d.q.Judged && d.q.Choices[i].True:
		return d.word("true")
	}
	return ""
}

// countWidth is the room for the number of votes behind a bar.
const countWidth = 16

// bar draws the votes of a choice, with their number in the last row.
func (d *questionPanel) bar(i, x, y int, last bool, st style.Style) {
	most := 1
	for _, n := range d.votes {
		most = max(most, n)
	}
	w := d.width() - d.numberWidth() - countWidth
	full := d.vote(i) * w / most
	if d.vote(i) > 0 {
		full = max(full, 1)
	}
	block := d.Glyphs.Sparkline[len(d.Glyphs.Sparkline)-1]
	d.Put(x, y, w, strings.Repeat(block, full), st)
	if !last {
		return
	}
	if full > 0 {
		x += full + 1
	}
	d.Put(x, y, countWidth, fmt.Sprintf("%d  %d%%", d.vote(i), (d.vote(i)*100+d.all/2)/max(d.all, 1)), st|style.Bold)
}

// hint draws the last row: which keys answer.
func (d *questionPanel) hint(x, y int) {
	keys := ""
	switch a := d.Asking; {
	case a == nil && d.StepWaiting:
		keys = strings.TrimSpace(canvas.Sanitize(d.StepText) + "  " + d.Glyphs.Play + " n")
	case a == nil:
		return
	case a.Problem != "":
		keys = d.Glyphs.Alarm + " " + a.Problem
	case a.Typed != "":
		keys = a.Typed + "_   enter"
	case a.Votes != nil:
		keys = d.Glyphs.Play + " n " + d.word("go on")
	case a.Room:
		keys = d.word("votes, like 1:12 2:30") + "   enter     n " + d.word("skip")
	default:
		keys = fmt.Sprintf("1-%d %s     n %s", len(d.q.Choices), d.word("answer"), d.word("skip"))
	}
	d.PutRight(x+d.width(), y, d.width(), keys+d.GoesOn(), style.Chapter|style.Bold)
}

// compact draws the question on the band, while the cluster runs on.
func (d *questionPanel) compact(band canvas.Rectangle) {
	d.Fill(band, " ", style.Caption)
	x, w := band.X+4, d.width()
	d.Put(x, band.Y, w, fmt.Sprintf("%s %d %s %s", d.word("question"), d.q.Number, d.Glyphs.Dot, d.in(d.q.In, d.q.Text)), style.Chapter)
	rows := min(len(d.q.Choices), band.H-1)
	columns := (len(d.q.Choices) + rows - 1) / rows
	cell := w / columns
	for i := range d.q.Choices {
		c := &d.q.Choices[i]
		left, y, st := x+i/rows*cell, band.Y+1+i%rows, style.Caption
		text := fmt.Sprintf("%d  %s", i+1, d.in(c.In, c.Text))
		if i < len(d.q.Picked) && d.q.Picked[i] > 0 {
			st |= style.Bold
			d.Set(left-2, y, d.Glyphs.Cursor, style.Chapter)
			if d.q.Votes() > 1 {
				text = fmt.Sprintf("%d  (%d) %s", i+1, d.q.Picked[i], d.in(c.In, c.Text))
			}
		}
		d.Put(left, y, cell-3, text, st)
	}
}
