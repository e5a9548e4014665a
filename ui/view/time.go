package view

import (
	"fmt"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/spacetime"
	"capsize/ui/canvas"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/style"
)

// columnSpans are the zoom levels of the time view: how much time one column covers.
var columnSpans = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
}

const (
	// columnSpanFirst is the index in columnSpans of the initial zoom level.
	columnSpanFirst = 6
	// labelWidth is the width of the lanes' labels, in cells.
	labelWidth = 18
	// lanePitchMax is the largest distance between two lanes, in rows.
	lanePitchMax = 10
	// storyRows is the least number of rows for the story below the lanes.
	storyRows = 3
	// tickApart is the least distance between two times on the axis, in columns.
	tickApart = 16
)

// timeTicks are the intervals at which the axis of the time view shows a time.
var timeTicks = []time.Duration{
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
}

// Time is a space-time diagram: a lane for each node, from left to right, and the
// messages between the lanes.
type Time struct {
	Screen
	Window
}

// Window is the stretch of time that the time view shows.
type Window struct {
	zoom     int                // index into columnSpans
	End      time.Duration      // the time at its right edge
	Scrolled bool               // the user has scrolled it: it no longer follows the moment shown
	Diagram  *spacetime.Diagram // what happened in it and around it
}

func newTime(s Screen) *Time {
	return &Time{Screen: s, Window: Window{zoom: columnSpanFirst}}
}

// Name implements [View].
func (v *Time) Name() string { return "time" }

// Keys implements [View].
func (v *Time) Keys() []keymap.Binding {
	return []keymap.Binding{keymap.BindKey("time view", "left right", "scroll", v.scroll, "left", "right")}
}

// Reset implements [View].
func (v *Time) Reset() bool { return false }

// Draw implements [View].
func (v *Time) Draw(p *pane.Painter, l *pane.Layout) {
	(&timePainter{Painter: p, diagram: v.Diagram, cell: columnSpans[v.zoom], to: v.End}).draw(p.Body(l))
}

// laneArea returns the rectangle of count lanes on a screen of a given size.
func laneArea(width, height, count int) canvas.Rectangle {
	h := height - 5 - 2 - 3
	if count <= h-storyRows {
		h -= storyRows
	} else {
		h-- // a single line of the story must do
	}
	if count > 0 && count <= h {
		h = count * min(h/count, lanePitchMax) // the story gets the rest
	}
	return canvas.Rect(1+labelWidth, 4, max(width-2-labelWidth-2, 1), max(h, 1))
}

// timePainter paints the time view.
type timePainter struct {
	*pane.Painter
	diagram  *spacetime.Diagram
	r        canvas.Rectangle // the lanes, without their labels
	from, to time.Duration    // the window: from is in it, to is not
	cell     time.Duration    // how much time one column covers
	shown    []spacetime.Lane
	pitch    int // rows from one lane to the next
}

// column returns the column of a time.
func (p *timePainter) column(t time.Duration) int { return p.r.X + int((t-p.from)/p.cell) }

// row returns the row of a lane.
func (p *timePainter) row(i int) int { return p.r.Y + i*p.pitch + max((p.pitch-1)/3, 0) }

// contains reports whether the window contains a time.
func (p *timePainter) contains(t time.Duration) bool { return t >= p.from && t < p.to }

// draw draws, from top to bottom: the axis, the lanes with the messages between them,
// the network, the clients and the story.
func (p *timePainter) draw(r canvas.Rectangle) {
	if p.diagram == nil {
		return
	}
	p.r = laneArea(p.Width, p.Height, len(p.diagram.Lanes))
	p.from = p.to - time.Duration(p.r.W)*p.cell
	p.chooseLanes()
	p.Put(r.X+2, r.Y, labelWidth, "time", style.Dim)
	p.PutRight(r.X+r.W, r.Y, r.W-labelWidth, fmt.Sprintf("%s per column  [ ] zoom  left right scroll  , . step", p.cell), style.Dim)
	p.Hits = append(p.Hits, pane.HitBox{X: p.r.X, Y: p.r.Y - 1, W: p.r.W, H: p.r.H + 3, From: p.from, Cell: p.cell})
	p.drawAxis()
	p.drawCursor()
	p.drawMessages()
	for i := range p.shown {
		p.drawLane(i)
	}
	y := p.r.Y + p.r.H
	p.drawNetwork(y)
	p.drawClients(y + 1)
	p.drawAnswerRate(y + 1)
	p.Story(canvas.Rect(r.X, y+3, r.W, max(r.Y+r.H-y-3, 1)))
}

// chooseLanes chooses the lanes that fit, around the one under the cursor.
func (p *timePainter) chooseLanes() {
	all := p.diagram.Lanes
	p.shown = all
	p.pitch = min(max(p.r.H/max(len(all), 1), 1), lanePitchMax)
	if len(all) <= p.r.H {
		return
	}
	first := 0
	for i := range all {
		if all[i].Node == p.Cursor {
			first = min(max(i-p.r.H/2, 0), len(all)-p.r.H)
		}
	}
	p.shown = all[first : first+p.r.H]
}

// drawAxis draws the times above the lanes, and the chapters.
func (p *timePainter) drawAxis() {
	step := tick(timeTicks, tickApart*p.cell)
	for t := max(p.from, 0).Truncate(step); t < p.to; t += step {
		text := trace.ClockMillis(t)
		if step >= time.Second {
			text, _, _ = strings.Cut(text, ".")
		}
		if t >= p.from && p.column(t)+len(text) <= p.r.X+p.r.W {
			p.Put(p.column(t), p.r.Y-1, len(text), text, style.Dim)
		}
	}
	for _, m := range p.diagram.Chapters {
		if p.contains(m.At) {
			p.Put(p.column(m.At), p.r.Y-1, p.r.X+p.r.W-p.column(m.At), p.Glyphs.Caption+" "+m.Text+" ", style.Accent)
		}
	}
}

// drawCursor draws a vertical line at the moment shown.
func (p *timePainter) drawCursor() {
	if !p.contains(p.Now) {
		return
	}
	for y := p.r.Y; y < p.r.Y+p.r.H+2; y++ {
		p.Set(p.column(p.Now), y, p.Glyphs.PaneBorder, style.Accent)
	}
}

// markCursor marks where the moment shown crosses a lane, while that is a past one.
func (p *timePainter) markCursor(y int) {
	if p.Past && p.contains(p.Now) {
		at := &p.Cells[y*p.W+p.column(p.Now)]
		at.Style |= style.Reverse
	}
}

// drawLane draws a node's lane.
func (p *timePainter) drawLane(i int) {
	of, y := &p.shown[i], p.row(i)
	if n := p.State.Node(of.Node); n != nil {
		p.drawLabel(n, y)
	} else {
		p.Put(p.r.X-labelWidth+2, y, labelWidth-3, canvas.Sanitize(of.Node), style.Dim)
	}
	for _, s := range of.Spans {
		p.drawSpan(s, y)
	}
	p.drawMarks(of.Marks, y)
	p.markCursor(y)
}

// drawLabel draws the node of a lane and its state at the moment shown.
func (p *timePainter) drawLabel(n *trace.Node, y int) {
	x := p.r.X - labelWidth
	look := pane.StyleOfNode(p.Glyphs, n)
	p.HitNode(canvas.Rect(x, y, labelWidth, 1), n.ID)
	p.MarkNode(n, x, y)
	p.Set(x+2, y, look.Glyph, look.Style)
	p.Put(x+4, y, labelWidth-10, n.ID, p.NameStyle(n))
	if value, k := p.ValueOf(n); value != "" {
		p.PutRight(x+labelWidth-1, y, 5, canvas.Compact(n.Value, 5), k)
	}
}

// drawSpan draws the state that a node was in for a time.
func (p *timePainter) drawSpan(s spacetime.RoleSpan, y int) {
	until := min(p.Latest+1, p.to)
	if s.To != 0 {
		until = min(s.To, p.to)
	}
	if until <= p.from || s.From >= p.to {
		return
	}
	glyph, k := p.Glyphs.BarEmpty, style.Term(s.Term)
	switch {
	case s.Process == trace.Paused:
		glyph, k = p.Glyphs.Dot, style.Warn
	case s.Process == trace.Unreachable:
		glyph, k = p.Glyphs.Leaderless, style.Dim
	case !s.Process.Running():
		if look := pane.StyleOfNode(p.Glyphs, &trace.Node{Process: s.Process}); s.From < p.from {
			// The mark that says so is left of the window.
			p.Put(p.r.X, y, p.column(until-1)-p.r.X, look.Glyph+" "+look.Word, style.Dim)
		}
		return
	case s.Role == trace.Leader:
		glyph, k = p.Glyphs.Leading, style.TermFill(s.Term)|style.Bold
	case s.Role == trace.Candidate:
		glyph, k = p.Glyphs.Candidacy, style.Warn
	}
	a, b := p.column(max(s.From, p.from)), p.column(until-1)
	for x := a; x <= b; x++ {
		p.Set(x, y, glyph, k)
	}
	if text := fmt.Sprintf(" term %s ", canvas.Thousands(s.Term)); s.Role == trace.Leader && s.Process == trace.Up && b-a > len(text)+6 {
		p.Put(a+3, y, len(text), text, k)
	}
}

// drawMarks draws what happened on a lane and, where there is room, a text below it.
func (p *timePainter) drawMarks(marks []spacetime.Mark, y int) {
	best := map[int]spacetime.Mark{}
	for _, m := range marks {
		if p.contains(m.At) && m.Weight >= best[p.column(m.At)].Weight {
			best[p.column(m.At)] = m
		}
	}
	free := p.r.X // the first column that is free for a text
	for x := p.r.X; x < p.r.X+p.r.W; x++ {
		m, ok := best[x]
		if !ok {
			continue
		}
		glyph, k := markGlyph(p.Glyphs, m)
		p.Set(x, y, glyph, k|style.Bold)
		next := p.r.X + p.r.W
		for i := x + 1; i < min(x+canvas.Width(m.Text)+2, next); i++ {
			if other, ok := best[i]; ok && other.Weight > m.Weight {
				next = i
			}
		}
		if p.pitch > 1 && x >= free && x+canvas.Width(canvas.Sanitize(m.Text)) < next {
			free = p.Put(x, y+1, next-x, m.Text+" ", k)
		}
	}
}

// markGlyph returns the glyph of a mark.
func markGlyph(g *style.Glyphs, m spacetime.Mark) (string, style.Style) {
	switch m.Topic {
	case trace.TopicMembers:
		return g.Voted, style.PacketVote
	case trace.TopicLog:
		return g.Snapshot, style.Accent
	case trace.TopicClient:
		return g.Bad, style.Warn
	case trace.TopicRefusal:
		return g.Bad, style.Bad
	case trace.TopicStepDown:
		return g.Unvoted, style.Warn
	default:
		return pane.TimelineGlyph(g, trace.StoryLine{Topic: m.Topic})
	}
}

// drawNetwork draws when links had faults, and which.
func (p *timePainter) drawNetwork(y int) {
	p.Put(p.r.X-labelWidth+2, y, labelWidth-3, "network", style.Dim)
	for _, r := range p.diagram.Outages {
		until := r.To
		if until == 0 {
			until = p.Latest + 1
		}
		if until <= p.from || r.From >= p.to {
			continue
		}
		a, b := p.column(max(r.From, p.from)), p.column(min(until, p.to)-1)
		for x := a; x <= b; x++ {
			p.Set(x, y, p.Glyphs.Leaderless, style.Bad)
		}
		p.Set(a, y, p.Glyphs.CutLink, style.Bad|style.Bold)
		if b-a > 8 {
			p.Put(a+2, y, b-a-3, r.Text+" ", style.Bad)
		}
		if r.To != 0 && p.contains(r.To) {
			p.Set(p.column(r.To), y, p.Glyphs.Heal, style.Good|style.Bold)
		}
	}
}

// drawClients marks the operations that failed or whose outcome is unknown.
func (p *timePainter) drawClients(y int) {
	p.Put(p.r.X-labelWidth+2, y, labelWidth-3, "clients", style.Dim)
	for i, m := range p.diagram.Clients {
		if !p.contains(m.At) {
			continue
		}
		glyph, k := markGlyph(p.Glyphs, m)
		x, room := p.column(m.At), p.r.X+p.r.W-p.column(m.At)
		p.Set(x, y, glyph, k|style.Bold)
		if i+1 < len(p.diagram.Clients) && p.contains(p.diagram.Clients[i+1].At) {
			room = p.column(p.diagram.Clients[i+1].At) - x
		}
		if room > canvas.Width(canvas.Sanitize(m.Text))+2 {
			p.Put(x+2, y, room-2, m.Text, k)
		}
	}
}

// drawAnswerRate draws a sparkline of successful operations, between the marks.
func (p *timePainter) drawAnswerRate(y int) {
	counts, most := make([]int, p.r.W), 1
	for _, at := range p.diagram.OKAt {
		if p.contains(at) {
			i := p.column(at) - p.r.X
			counts[i]++
			most = max(most, counts[i])
		}
	}
	for i, n := range counts {
		if at := p.Cells[y*p.W+p.r.X+i]; n > 0 && (at.Text == "" || at.Text == p.Glyphs.PaneBorder) {
			p.Set(p.r.X+i, y, sparkGlyph(p.Glyphs, n, most), style.Good)
		}
	}
}
