package view

import (
	"fmt"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/style"
)

// columnSpans are how much time a cell of the time view may stand for.
var columnSpans = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
}

const (
	// columnSpanFirst is the place in columnSpans that is shown at first.
	columnSpanFirst = 6
	// labelWidth is how wide the labels before the lanes are.
	labelWidth = 18
	// lanePitchMax is how far apart lanes are at most.
	lanePitchMax = 10
	// storyRows is how many rows the story has below the lanes.
	storyRows = 3
)

// Time shows who did what when: a lane for each node, and the messages between
// them.
type Time struct {
	Screen
	Window
}

// Window is the stretch of time that the time view shows.
type Window struct {
	zoom     int           // index into columnSpans
	End      time.Duration // at its right
	Scrolled bool          // it stays where it is
	Chart    *chart
}

func newTime(s Screen) *Time {
	return &Time{Screen: s, Window: Window{zoom: columnSpanFirst}}
}

func (v *Time) Name() string { return "time" }

func (v *Time) Keys() []keymap.Binding {
	return []keymap.Binding{keymap.BindKey("time view", "left right", "scroll", v.scroll, "left", "right")}
}

func (v *Time) Reset() bool { return false }

func (v *Time) Draw(p *pane.Painter, l *pane.Layout) {
	(&timePainter{Painter: p, chart: v.Chart, cell: columnSpans[v.zoom], to: v.End}).draw(p.Body(l))
}

// laneArea is where so many lanes are drawn on a screen of that size.
func laneArea(width, height, count int) canvas.Rectangle {
	h := height - 5 - 2 - 3
	if count <= h-storyRows {
		h -= storyRows
	} else {
		h-- // one line of the story is enough
	}
	if count > 0 && count <= h {
		h = count * min(h/count, lanePitchMax) // the story has the rest
	}
	return canvas.Rect(1+labelWidth, 4, max(width-2-labelWidth-2, 1), max(h, 1))
}

// timePainter paints the time view.
type timePainter struct {
	*pane.Painter
	chart    *chart
	r        canvas.Rectangle // of the lanes, without their labels
	from, to time.Duration
	cell     time.Duration
	shown    []lane
	pitch    int
}

// column returns the column of a moment.
func (l *timePainter) column(t time.Duration) int { return l.r.X + int((t-l.from)/l.cell) }

// row returns the row of a lane.
func (l *timePainter) row(i int) int { return l.r.Y + i*l.pitch + max((l.pitch-1)/3, 0) }

// contains says whether a moment is shown.
func (l *timePainter) contains(t time.Duration) bool { return t >= l.from && t < l.to }

// draw draws a lane for each node, from left to right: what it was, what
// happened to it, and the messages between them.
func (l *timePainter) draw(r canvas.Rectangle) {
	if l.chart == nil {
		return
	}
	l.r = laneArea(l.Width, l.Height, len(l.chart.lanes))
	l.from = l.to - time.Duration(l.r.W)*l.cell
	l.chooseLanes()
	l.Put(r.X+2, r.Y, labelWidth, "time", style.Dim)
	l.PutRight(r.X+r.W, r.Y, r.W-labelWidth, fmt.Sprintf("a column is %s  [ ] zoom  left right scroll  , . events", l.cell), style.Dim)
	l.Hits = append(l.Hits, pane.HitBox{X: l.r.X, Y: l.r.Y - 1, W: l.r.W, H: l.r.H + 3, From: l.from, Cell: l.cell})
	l.drawAxis()
	l.drawCursor()
	l.drawMessages()
	for i := range l.shown {
		l.drawLane(i)
	}
	y := l.r.Y + l.r.H
	l.drawNetwork(y)
	l.drawClients(y + 1)
	l.drawAnswerRate(y + 1)
	l.Story(canvas.Rect(r.X, y+3, r.W, max(r.Y+r.H-y-3, 1)))
}

// chooseLanes chooses the lanes for which there is room: those round the cursor.
func (l *timePainter) chooseLanes() {
	all := l.chart.lanes
	l.shown = all
	l.pitch = min(max(l.r.H/max(len(all), 1), 1), lanePitchMax)
	if len(all) <= l.r.H {
		return
	}
	first := 0
	for i := range all {
		if all[i].node == l.Frame.Cursor {
			first = min(max(i-l.r.H/2, 0), len(all)-l.r.H)
		}
	}
	l.shown = all[first : first+l.r.H]
}

// drawAxis draws the times over the lanes, and the chapters.
func (l *timePainter) drawAxis() {
	step := time.Duration(0)
	for _, unit := range []time.Duration{
		10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond,
		500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
	} {
		if step = unit; unit/l.cell >= 16 {
			break
		}
	}
	for t := max(l.from, 0).Truncate(step); t < l.to; t += step {
		text := canvas.ClockMillis(t)
		if step >= time.Second {
			text, _, _ = strings.Cut(text, ".")
		}
		if t >= l.from && l.column(t)+len(text) <= l.r.X+l.r.W {
			l.Put(l.column(t), l.r.Y-1, len(text), text, style.Dim)
		}
	}
	for _, m := range l.chart.chapter {
		if l.contains(m.at) {
			l.Put(l.column(m.at), l.r.Y-1, l.r.X+l.r.W-l.column(m.at), l.Glyphs.Words+" "+m.text+" ", style.Accent)
		}
	}
}

// drawCursor draws the moment that is shown.
func (l *timePainter) drawCursor() {
	if !l.contains(l.Now) {
		return
	}
	for y := l.r.Y; y < l.r.Y+l.r.H+2; y++ {
		l.Set(l.column(l.Now), y, l.Glyphs.Split, style.Accent)
	}
}

// markCursor marks where the moment that is shown crosses a lane.
func (l *timePainter) markCursor(y int) {
	if l.Past && l.contains(l.Now) {
		at := &l.Cells[y*l.W+l.column(l.Now)]
		at.Style |= style.Reverse
	}
}

// drawLane draws a node's lane.
func (l *timePainter) drawLane(i int) {
	of, y := &l.shown[i], l.row(i)
	if n := l.State.Node(of.node); n != nil {
		l.drawLabel(n, y)
	} else {
		l.Put(l.r.X-labelWidth+2, y, labelWidth-3, canvas.Sanitize(of.node), style.Dim)
	}
	for _, s := range of.spans {
		l.drawSpan(s, y)
	}
	l.drawMarks(of.marks, y)
	l.markCursor(y)
}

// drawLabel draws who the lane is of, and what it is at the moment that is shown.
func (l *timePainter) drawLabel(n *trace.Node, y int) {
	x := l.r.X - labelWidth
	look := pane.StyleOfNode(l.Glyphs, n)
	l.HitNode(canvas.Rect(x, y, labelWidth, 1), n.ID)
	l.MarkNode(n, x, y)
	l.Set(x+2, y, look.Glyph, look.Ink)
	l.Put(x+4, y, labelWidth-10, n.ID, l.NameInk(n))
	if value, k := l.ValueOf(n); value != "" {
		l.PutRight(x+labelWidth-1, y, 5, canvas.Compact(n.Value, 5), k)
	}
}

// drawSpan draws what a node was for a time.
func (l *timePainter) drawSpan(s span, y int) {
	until := min(l.Latest+1, l.to)
	if s.to != 0 {
		until = min(s.to, l.to)
	}
	if until <= l.from || s.from >= l.to {
		return
	}
	glyph, k := l.Glyphs.Empty, style.Term(s.term)
	switch {
	case s.life == trace.Paused:
		glyph, k = l.Glyphs.Dot, style.Warn
	case !s.life.Running():
		if look := pane.StyleOfNode(l.Glyphs, &trace.Node{Process: s.life}); s.from < l.from {
			// What is seen of it began before: nothing else says so.
			l.Put(l.r.X, y, l.column(until-1)-l.r.X, look.Glyph+" "+look.Word, style.Dim)
		}
		return
	case s.role == trace.Leader:
		glyph, k = l.Glyphs.Led, style.Fill(s.term)|style.Bold
	case s.role == trace.Candidate:
		glyph, k = l.Glyphs.Stands, style.Warn
	}
	a, b := l.column(max(s.from, l.from)), l.column(until-1)
	for x := a; x <= b; x++ {
		l.Set(x, y, glyph, k)
	}
	if text := fmt.Sprintf(" term %s ", canvas.Thousands(s.term)); s.role == trace.Leader && s.life == trace.Up && b-a > len(text)+6 {
		l.Put(a+3, y, len(text), text, k)
	}
}

// drawMarks draws what happened on a lane, and below it in words where there is room.
func (l *timePainter) drawMarks(marks []mark, y int) {
	best := map[int]mark{}
	for _, m := range marks {
		if l.contains(m.at) && m.weight >= best[l.column(m.at)].weight {
			best[l.column(m.at)] = m
		}
	}
	free := l.r.X // from here on there is room for words
	for x := l.r.X; x < l.r.X+l.r.W; x++ {
		m, ok := best[x]
		if !ok {
			continue
		}
		glyph, k := markGlyph(l.Glyphs, m)
		l.Set(x, y, glyph, k|style.Bold)
		next := l.r.X + l.r.W
		for i := x + 1; i < min(x+canvas.Width(m.text)+2, next); i++ {
			if other, ok := best[i]; ok && other.weight > m.weight {
				next = i
			}
		}
		if l.pitch > 1 && x >= free && x+canvas.Width(canvas.Sanitize(m.text)) < next {
			free = l.Put(x, y+1, next-x, m.text+" ", k)
		}
	}
}

// markGlyph returns the glyph of a mark.
func markGlyph(g *style.Glyphs, m mark) (string, style.Style) {
	switch m.topic {
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
		return pane.TimelineGlyph(g, trace.StoryLine{Topic: m.topic})
	}
}

// drawNetwork draws when links had faults, and what had been done to them.
func (l *timePainter) drawNetwork(y int) {
	l.Put(l.r.X-labelWidth+2, y, labelWidth-3, "network", style.Dim)
	for _, r := range l.chart.broken {
		until := r.to
		if until == 0 {
			until = l.Latest + 1
		}
		if until <= l.from || r.from >= l.to {
			continue
		}
		a, b := l.column(max(r.from, l.from)), l.column(min(until, l.to)-1)
		for x := a; x <= b; x++ {
			l.Set(x, y, l.Glyphs.Unled, style.Bad)
		}
		l.Set(a, y, l.Glyphs.CutLink, style.Bad|style.Bold)
		if b-a > 8 {
			l.Put(a+2, y, b-a-3, r.text+" ", style.Bad)
		}
		if r.to != 0 && l.contains(r.to) {
			l.Set(l.column(r.to), y, l.Glyphs.Heal, style.Good|style.Bold)
		}
	}
}

// drawClients draws what clients were told: bad news as marks, and how often ok.
func (l *timePainter) drawClients(y int) {
	l.Put(l.r.X-labelWidth+2, y, labelWidth-3, "clients", style.Dim)
	for i, m := range l.chart.clients {
		if !l.contains(m.at) {
			continue
		}
		glyph, k := markGlyph(l.Glyphs, m)
		x, room := l.column(m.at), l.r.X+l.r.W-l.column(m.at)
		l.Set(x, y, glyph, k|style.Bold)
		if i+1 < len(l.chart.clients) && l.contains(l.chart.clients[i+1].at) {
			room = l.column(l.chart.clients[i+1].at) - x
		}
		if room > canvas.Width(canvas.Sanitize(m.text))+2 {
			l.Put(x+2, y, room-2, m.text, k)
		}
	}
}

// drawAnswerRate draws how many clients were told ok, where nothing else stands.
func (l *timePainter) drawAnswerRate(y int) {
	counts, most := make([]int, l.r.W), 1
	for _, at := range l.chart.okAt {
		if l.contains(at) {
			i := l.column(at) - l.r.X
			counts[i]++
			most = max(most, counts[i])
		}
	}
	levels := l.Glyphs.Spark
	for i, n := range counts {
		if at := l.Cells[y*l.W+l.r.X+i]; n > 0 && (at.Text == "" || at.Text == l.Glyphs.Split) {
			l.Set(l.r.X+i, y, levels[min(n*len(levels)/(most+1), len(levels)-1)], style.Good)
		}
	}
}
