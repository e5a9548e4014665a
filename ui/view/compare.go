package view

import (
	"fmt"

	"capsize/cluster/trace"
	"capsize/cluster/trace/compare"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
)

// Comparison shows two branches side by side from where they part: their stories and, at the
// foot, what differs at their ends. It lies over the views and has no keys of its own.
type Comparison struct {
	*compare.Result
	Names [2]string
	row   int // the first row of the stories on the screen
}

const (
	// compareGap is the width of the border between the columns.
	compareGap = 3
	// compareHead is the number of lines above the stories.
	compareHead = 5
	// compareLabel is the width of the names of values.
	compareLabel = 8
	// fullTimeWidth is the width of a column from which times show milliseconds.
	fullTimeWidth = 48
)

// CompareHints is the footer of a comparison.
var CompareHints = []pane.HelpKey{
	{Key: "esc", Text: "close"},
	{Key: "enter", Text: "show where they part"},
	{Key: "down", Text: "scroll"},
	{Key: "pgdn", Text: "page"},
	{Key: "home", Text: "top"},
	{Key: "end", Text: "bottom"},
}

// comparePainter paints a comparison.
type comparePainter struct {
	*pane.Painter
	*Comparison
	columns [2]canvas.Rectangle // for the stories
	foot    []difference
	hidden  int // differences without room in the foot
}

// Draw implements [Drawer].
func (c *Comparison) Draw(p *pane.Painter, l *pane.Layout) {
	body := p.Body(l)
	c.layout(p, body).draw(body)
}

// layout divides the body into two columns between head and foot.
func (c *Comparison) layout(p *pane.Painter, r canvas.Rectangle) *comparePainter {
	cp := &comparePainter{Painter: p, Comparison: c, foot: differences(p.Glyphs, &c.Ends[0], &c.Ends[1])}
	if room := max(r.H/2-2, 1); len(cp.foot) > room {
		cp.hidden = len(cp.foot) - room + 1
		cp.foot = cp.foot[:room-1]
	}
	below := 2 + max(len(cp.foot), 1)
	if cp.hidden > 0 {
		below = 3 + len(cp.foot)
	}
	w, h := (r.W-compareGap)/2, max(r.H-compareHead-below, 0)
	cp.columns[0] = canvas.Rect(r.X, r.Y+compareHead, w, h)
	cp.columns[1] = canvas.Rect(r.X+w+compareGap, r.Y+compareHead, r.W-w-compareGap, h)
	return cp
}

// draw draws, from top to bottom: where the branches part, their names, the first event of
// each, their stories, and what differs at the end.
func (p *comparePainter) draw(r canvas.Rectangle) {
	p.headline(p.Pen(r.X, r.Y, r.X+r.W))
	for y := r.Y + 2; y < r.Y+r.H; y++ {
		p.Set(p.columns[1].X-2, y, p.Glyphs.PaneBorder, style.Faint)
	}
	for i, in := range p.columns {
		p.Put(in.X, r.Y+2, in.W, p.Names[i], style.Accent|style.Bold)
		first := "nothing more happens"
		if p.First[i] != "" {
			first = "first: " + p.First[i]
		}
		p.Put(in.X, r.Y+3, in.W, first, style.Dim)
	}
	p.stories()
	y := p.columns[0].Y + p.columns[0].H + 1
	for i, in := range p.columns {
		p.Put(in.X, y, in.W, "at the end, "+trace.ClockMillis(p.Ends[i].At), style.Dim)
	}
	y++
	for _, d := range p.foot {
		for i, in := range p.columns {
			pen := p.Pen(in.X, y, in.X+in.W)
			pen.Write(d.label, style.Dim)
			pen.X = in.X + compareLabel
			pen.WriteSpans(d.values[i])
		}
		y++
	}
	switch {
	case p.hidden > 0:
		p.Put(r.X, y, p.columns[0].W, fmt.Sprintf("%d more values differ", p.hidden), style.Dim)
	case len(p.foot) == 0:
		p.Put(r.X, y, p.columns[0].W, "same leader, values and verdicts", style.Dim)
	}
}

// headline says where the branches part.
func (p *comparePainter) headline(pen *canvas.Pen) {
	both := p.Names[0] + " and " + p.Names[1]
	at := trace.ClockMillis(p.At.At)
	switch {
	case p.Dropped:
		pen.Write(both+" part before "+at, style.Text|style.Bold)
		pen.Write("   earlier events were dropped to save memory", style.Dim)
	case p.Parted && p.At.Seq > 0:
		pen.Write(both+" part at event "+canvas.Thousands(p.At.Seq)+", "+at, style.Text|style.Bold)
	case p.Parted:
		pen.Write(both+" part at "+at, style.Text|style.Bold)
	default:
		pen.Write(both+": no difference up to "+at, style.Text|style.Bold)
	}
}

// stories draws as many rows of the stories as fit, and how many there are above and below.
func (p *comparePainter) stories() {
	in := p.columns[0]
	first := min(p.row, p.lastFirst())
	y, row := in.Y, first
	for ; row < len(p.Rows) && y+p.rowHeight(row) <= in.Y+in.H; row++ {
		p.storyRow(p.Rows[row], y)
		y += p.rowHeight(row)
	}
	if row < len(p.Rows) && y < in.Y+in.H { // only its beginning fits
		p.storyRow(p.Rows[row], y)
	}
	if len(p.Rows) == 0 {
		p.Put(in.X, in.Y, in.W, "no story from here on", style.Dim)
	}
	text := ""
	if first > 0 {
		text = fmt.Sprintf("%s %d above   ", p.Glyphs.Arrows[3], first)
	}
	if more := len(p.Rows) - row; more > 0 {
		text += fmt.Sprintf("%s %d more below", p.Glyphs.Arrows[1], more)
	}
	p.Put(in.X, in.Y+in.H, in.W, text, style.Dim)
}

// storyRow draws a row of the stories.
func (p *comparePainter) storyRow(row compare.Row, y int) {
	if row.Same {
		p.Set(p.columns[1].X-2, y, "=", style.Dim)
	}
	for i, line := range row.Lines {
		if line == nil {
			continue
		}
		st := style.Text
		if row.Common[i] {
			st = style.Dim
		}
		in := p.columns[i]
		stamp := trace.Clock(line.At)
		if in.W >= fullTimeWidth {
			stamp = trace.ClockMillis(line.At)
		}
		p.Put(in.X, y, in.W, stamp, style.Dim)
		if glyph, mark := pane.StoryGlyph(p.Glyphs, *line); glyph != "" {
			if row.Common[i] {
				mark = style.Dim
			}
			p.Set(in.X+len(stamp)+1, y, glyph, mark)
		}
		left := p.storyMargin(i)
		for j, text := range p.wrapped(i, line) {
			if y+j < in.Y+in.H {
				p.Put(in.X+left, y+j, in.W-left, text, st)
			}
		}
	}
}

// storyMargin returns how far the text of a line starts from the left of its column.
func (p *comparePainter) storyMargin(side int) int {
	if p.columns[side].W >= fullTimeWidth {
		return len(trace.ClockMillis(0)) + 3
	}
	return len(trace.Clock(0)) + 3
}

// wrapped returns the text of a line as the rows of its column.
func (p *comparePainter) wrapped(side int, line *trace.StoryLine) []string {
	text := canvas.Sanitize(line.In.In(p.Language, line.Text))
	if line.Count > 1 {
		text += fmt.Sprintf(" (%d times)", line.Count)
	}
	return canvas.Wrap(text, p.columns[side].W-p.storyMargin(side))
}

// rowHeight returns the number of lines of a row of the stories.
func (p *comparePainter) rowHeight(row int) int {
	height := 1
	for i, line := range p.Rows[row].Lines {
		if line != nil {
			height = max(height, len(p.wrapped(i, line)))
		}
	}
	return height
}

// lastFirst returns the first row on the screen when the last one is at its bottom.
func (p *comparePainter) lastFirst() int {
	first, room := len(p.Rows), p.columns[0].H
	for first > 0 {
		if room -= p.rowHeight(first - 1); room < 0 {
			break
		}
		first--
	}
	return max(min(first, len(p.Rows)-1), 0)
}

// Scroll scrolls by a key on a frame, and reports whether the key scrolls.
func (c *Comparison) Scroll(f *pane.Frame, pressed string) bool {
	p := pane.NewPainter(f)
	l := pane.LayoutFor(f.Width, f.Height, len(f.State.Nodes))
	cp := c.layout(p, p.Body(&l))
	last := cp.lastFirst()
	page := max(cp.columns[0].H/2, 1)
	by, ok := map[string]int{
		"up": -1, "down": 1, "pgup": -page, "pgdown": page, "pgdn": page, "home": -len(c.Rows), "end": len(c.Rows),
	}[pressed]
	c.row = min(max(min(c.row, last)+by, 0), last)
	return ok
}

// difference is a value or verdict that differs between the ends of two branches.
type difference struct {
	label  string
	values [2][]canvas.Span
}

// differences returns what differs between two states: first values, then verdicts.
func differences(g *style.Glyphs, a, b *trace.State) []difference {
	var all []difference
	one, other := endValues(a), endValues(b)
	for i, label := range []string{"leader", "term", "value", "commit", "members"} {
		if one[i] != other[i] {
			all = append(all, difference{label, [2][]canvas.Span{
				{canvas.Styled(one[i], style.Text|style.Bold)}, {canvas.Styled(other[i], style.Text|style.Bold)},
			}})
		}
	}
	label := "checks"
	for _, c := range pane.MergeChecks(a.Checks, b.Checks) {
		was, is := a.Check(c.Name), b.Check(c.Name)
		if was != nil && is != nil && was.Verdict == is.Verdict {
			continue
		}
		all = append(all, difference{label, [2][]canvas.Span{verdictSpans(g, c.Name, was), verdictSpans(g, c.Name, is)}})
		label = "" // once is enough
	}
	return all
}

// endValues returns the leader, the term, the counter, the commit index and the members that
// are up, in words.
func endValues(s *trace.State) [5]string {
	var term uint64
	up, members := 0, 0
	shown := s.LeaderNode()
	leader := "none"
	if shown != nil {
		leader = shown.ID
	}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		term = max(term, n.Term)
		if n.Process == trace.Removed {
			continue
		}
		members++
		if n.Process == trace.Up {
			up++
		}
		if leader == "none" && (shown == nil || n.Applied > shown.Applied) {
			shown = n
		}
	}
	value := "none"
	if shown != nil {
		value = canvas.Thousands(shown.Value)
	}
	return [5]string{leader, fmt.Sprint(term), value, canvas.Thousands(s.Commit), fmt.Sprintf("%d of %d up", up, members)}
}

// verdictSpans returns a verdict in words, nil for none.
func verdictSpans(g *style.Glyphs, name string, c *trace.Check) []canvas.Span {
	if c == nil {
		return []canvas.Span{canvas.Styled(canvas.Sanitize(name)+": no verdict", style.Dim)}
	}
	glyph, st := pane.VerdictGlyph(g, c.Verdict)
	return []canvas.Span{canvas.Styled(fmt.Sprintf("%s %s: %s", glyph, canvas.Sanitize(name), c.Verdict), st)}
}
