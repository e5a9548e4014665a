package ui

import (
	"fmt"
	"strings"
	"time"

	"capsize/cluster/trace"
)

// laneCells are how much time a cell of the time view may stand for.
var laneCells = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
}

const (
	// laneCellFirst is the place in laneCells that is shown at first.
	laneCellFirst = 6
	// laneLabel is how wide the labels before the lanes are.
	laneLabel = 18
	// laneApart is how far apart lanes are at most.
	laneApart = 10
	// laneStory is how many rows the story has below the lanes.
	laneStory = 3
)

// window is the stretch of time that the time view shows.
type window struct {
	zoom     int           // index into laneCells
	end      time.Duration // at its right
	scrolled bool          // it stays where it is
	chart    *chart
}

// laneArea is where so many lanes are drawn on a screen of that size.
func laneArea(width, height, count int) rect {
	h := height - 5 - 2 - 3
	if count <= h-laneStory {
		h -= laneStory
	} else {
		h-- // one line of the story is enough
	}
	if count > 0 && count <= h {
		h = count * min(h/count, laneApart) // the story has the rest
	}
	return rect{1 + laneLabel, 4, max(width-2-laneLabel-2, 1), max(h, 1)}
}

// windowSpan returns how much time the time view shows.
func (m *model) windowSpan() time.Duration {
	return time.Duration(laneArea(m.width, m.height, len(m.state.Nodes)).w) * laneCells[m.window.zoom]
}

// keepWindow has the time view show the moment that is looked at, unless it was
// scrolled, and know what happened there.
func (m *model) keepWindow() {
	w := &m.window
	cell, span := laneCells[w.zoom], m.windowSpan()
	first := m.first()
	now, at := m.now(), m.moment().At
	switch {
	case w.scrolled:
	case !m.travel.past:
		// By whole cells, so that nothing trembles.
		w.end = max((at + cell).Truncate(cell), first.At.Truncate(cell)+span)
	case at < w.end-span:
		w.end = at + span - span/4
	case at >= w.end:
		w.end = at + span/4
	}
	from := w.end - span
	if w.chart == nil || w.chart.from > from || w.chart.from < from-10*span {
		w.chart = newChart(m.history, from-span)
	}
	to := now
	if !m.travel.past {
		to.Seq = max(m.state.Seq, w.chart.last.Seq)
	}
	// Not much more than is seen: the past may be long.
	if ahead := w.end + span; ahead < to.At {
		to = trace.Position{Seq: m.history.SeqAt(ahead), At: ahead}
	}
	w.chart.goOn(m.history, to)
}

func (m *model) zoomIn()  { m.zoomBy(-1) }
func (m *model) zoomOut() { m.zoomBy(1) }

// zoomBy makes the cells of the time view stand for less time or more, round the
// moment that is looked at.
func (m *model) zoomBy(by int) {
	w := &m.window
	m.view = viewTime
	before := laneCells[w.zoom]
	w.zoom = min(max(w.zoom+by, 0), len(laneCells)-1)
	cell := laneCells[w.zoom]
	if at := m.moment().At; m.travel.past && !w.scrolled {
		w.end = at + time.Duration(float64(w.end-at)*float64(cell)/float64(before))
	}
	w.end, w.chart = w.end.Truncate(cell), nil
	m.say("", "a column is "+cell.String()+" now", false)
}

// scrollBy moves the window by a part of its width.
func (m *model) scrollBy(by time.Duration) {
	w := &m.window
	span := m.windowSpan()
	first := m.first()
	now := m.now().At
	w.scrolled = true
	w.end = min(max(w.end+by*span/8, first.At+span/8), now.Truncate(laneCells[w.zoom])+laneCells[w.zoom])
	if w.end > now && !m.travel.past {
		w.scrolled = false
	}
}

// pressInTime does what a key means in the time view alone.
func (m *model) pressInTime(pressed string) bool {
	switch pressed {
	case "left":
		m.scrollBy(-1)
	case "right":
		m.scrollBy(1)
	default:
		return false
	}
	return true
}

// lanes is the time view being drawn.
type lanes struct {
	*painter
	r        rect // of the lanes, without their labels
	from, to time.Duration
	cell     time.Duration
	shown    []lane
	apart    int
}

// at returns the column of a moment.
func (l *lanes) at(t time.Duration) int { return l.r.x + int((t-l.from)/l.cell) }

// row returns the row of a lane.
func (l *lanes) row(i int) int { return l.r.y + i*l.apart + max((l.apart-1)/3, 0) }

// has says whether a moment is shown.
func (l *lanes) has(t time.Duration) bool { return t >= l.from && t < l.to }

// timeView draws a lane for each node, from left to right: what it was, what
// happened to it, and the messages between them.
func (p *painter) timeView(r rect) {
	if p.chart == nil {
		return
	}
	area := laneArea(p.width, p.height, len(p.chart.lanes))
	l := &lanes{painter: p, r: area, cell: p.laneCell, to: p.laneEnd}
	l.from = l.to - time.Duration(area.w)*l.cell
	l.choose()
	p.put(r.x+2, r.y, laneLabel, "time", inkDim)
	p.putRight(r.x+r.w, r.y, r.w-laneLabel, fmt.Sprintf("a column is %s  [ ] zoom  left right scroll  , . events", l.cell), inkDim)
	p.hits = append(p.hits, hit{x: area.x, y: area.y - 1, w: area.w, h: area.h + 3, from: l.from, cell: l.cell})
	l.axis()
	l.cursor()
	l.messages()
	for i := range l.shown {
		l.lane(i)
	}
	y := l.r.y + l.r.h
	l.network(y)
	l.clientsLane(y + 1)
	l.answers(y + 1)
	p.story(rect{r.x, y + 3, r.w, max(r.y+r.h-y-3, 1)})
}

// choose chooses the lanes for which there is room: those round the cursor.
func (l *lanes) choose() {
	all := l.chart.lanes
	l.shown = all
	l.apart = min(max(l.r.h/max(len(all), 1), 1), laneApart)
	if len(all) <= l.r.h {
		return
	}
	first := 0
	for i := range all {
		if all[i].node == l.frame.cursor {
			first = min(max(i-l.r.h/2, 0), len(all)-l.r.h)
		}
	}
	l.shown = all[first : first+l.r.h]
}

// axis draws the times over the lanes, and the chapters.
func (l *lanes) axis() {
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
		text := fineTime(t)
		if step >= time.Second {
			text, _, _ = strings.Cut(text, ".")
		}
		if t >= l.from && l.at(t)+len(text) <= l.r.x+l.r.w {
			l.put(l.at(t), l.r.y-1, len(text), text, inkDim)
		}
	}
	for _, m := range l.chart.chapter {
		if l.has(m.at) {
			l.put(l.at(m.at), l.r.y-1, l.r.x+l.r.w-l.at(m.at), l.glyphs.words+" "+m.text+" ", inkAccent)
		}
	}
}

// cursor draws the moment that is shown.
func (l *lanes) cursor() {
	if !l.has(l.now) {
		return
	}
	for y := l.r.y; y < l.r.y+l.r.h+2; y++ {
		l.set(l.at(l.now), y, l.glyphs.split, inkAccent)
	}
}

// cross marks where the moment that is shown crosses a lane.
func (l *lanes) cross(y int) {
	if l.past && l.has(l.now) {
		at := &l.cells[y*l.w+l.at(l.now)]
		at.ink |= reverse
	}
}

// lane draws a node's lane.
func (l *lanes) lane(i int) {
	of, y := &l.shown[i], l.row(i)
	if n := l.state.Node(of.node); n != nil {
		l.label(n, y)
	} else {
		l.put(l.r.x-laneLabel+2, y, laneLabel-3, clean(of.node), inkDim)
	}
	for _, s := range of.spans {
		l.bar(s, y)
	}
	l.marksOn(of.marks, y)
	l.cross(y)
}

// label draws who the lane is of, and what it is at the moment that is shown.
func (l *lanes) label(n *trace.Node, y int) {
	x := l.r.x - laneLabel
	look := l.glyphs.lookOf(n)
	l.hitNode(rect{x, y, laneLabel, 1}, n.ID)
	l.markNode(n, x, y)
	l.set(x+2, y, look.glyph, look.ink)
	l.put(x+4, y, laneLabel-10, n.ID, l.nameInk(n))
	if value, k := l.valueOf(n); value != "" {
		l.putRight(x+laneLabel-1, y, 5, fit(n.Value, 5), k)
	}
}

// bar draws what a node was for a time.
func (l *lanes) bar(s span, y int) {
	until := min(l.latest+1, l.to)
	if s.to != 0 {
		until = min(s.to, l.to)
	}
	if until <= l.from || s.from >= l.to {
		return
	}
	glyph, k := l.glyphs.empty, termInk(s.term)
	switch {
	case s.life == trace.Paused:
		glyph, k = l.glyphs.dot, inkWarn
	case !s.life.Running():
		if look := l.glyphs.lookOf(&trace.Node{Process: s.life}); s.from < l.from {
			// What is seen of it began before: nothing else says so.
			l.put(l.r.x, y, l.at(until-1)-l.r.x, look.glyph+" "+look.word, inkDim)
		}
		return
	case s.role == trace.Leader:
		glyph, k = l.glyphs.led, fillInk(s.term)|bold
	case s.role == trace.Candidate:
		glyph, k = l.glyphs.stands, inkWarn
	}
	a, b := l.at(max(s.from, l.from)), l.at(until-1)
	for x := a; x <= b; x++ {
		l.set(x, y, glyph, k)
	}
	if text := fmt.Sprintf(" term %s ", thousands(s.term)); s.role == trace.Leader && s.life == trace.Up && b-a > len(text)+6 {
		l.put(a+3, y, len(text), text, k)
	}
}

// marksOn draws what happened on a lane, and below it in words where there is room.
func (l *lanes) marksOn(marks []mark, y int) {
	best := map[int]mark{}
	for _, m := range marks {
		if l.has(m.at) && m.weight >= best[l.at(m.at)].weight {
			best[l.at(m.at)] = m
		}
	}
	free := l.r.x // from here on there is room for words
	for x := l.r.x; x < l.r.x+l.r.w; x++ {
		m, ok := best[x]
		if !ok {
			continue
		}
		glyph, k := l.glyphs.laneMark(m)
		l.set(x, y, glyph, k|bold)
		next := l.r.x + l.r.w
		for i := x + 1; i < min(x+width(m.text)+2, next); i++ {
			if other, ok := best[i]; ok && other.weight > m.weight {
				next = i
			}
		}
		if l.apart > 1 && x >= free && x+width(clean(m.text)) < next {
			free = l.put(x, y+1, next-x, m.text+" ", k)
		}
	}
}

// laneMark returns the glyph of a mark.
func (g *glyphs) laneMark(m mark) (string, ink) {
	switch m.topic {
	case trace.TopicMembers:
		return g.voted, inkPacketVote
	case trace.TopicLog:
		return g.snapshot, inkAccent
	case trace.TopicClient:
		return g.bad, inkWarn
	case trace.TopicRefusal:
		return g.bad, inkBad
	case trace.TopicStepDown:
		return g.unvoted, inkWarn
	default:
		return g.markOf(trace.StoryLine{Topic: m.topic})
	}
}

// network draws when links had faults, and what had been done to them.
func (l *lanes) network(y int) {
	l.put(l.r.x-laneLabel+2, y, laneLabel-3, "network", inkDim)
	for _, r := range l.chart.broken {
		until := r.to
		if until == 0 {
			until = l.latest + 1
		}
		if until <= l.from || r.from >= l.to {
			continue
		}
		a, b := l.at(max(r.from, l.from)), l.at(min(until, l.to)-1)
		for x := a; x <= b; x++ {
			l.set(x, y, l.glyphs.unled, inkBad)
		}
		l.set(a, y, l.glyphs.cutLink, inkBad|bold)
		if b-a > 8 {
			l.put(a+2, y, b-a-3, r.text+" ", inkBad)
		}
		if r.to != 0 && l.has(r.to) {
			l.set(l.at(r.to), y, l.glyphs.heal, inkGood|bold)
		}
	}
}

// clientsLane draws what clients were told: bad news as marks, and how often ok.
func (l *lanes) clientsLane(y int) {
	l.put(l.r.x-laneLabel+2, y, laneLabel-3, "clients", inkDim)
	for i, m := range l.chart.clients {
		if !l.has(m.at) {
			continue
		}
		glyph, k := l.glyphs.laneMark(m)
		x, room := l.at(m.at), l.r.x+l.r.w-l.at(m.at)
		l.set(x, y, glyph, k|bold)
		if i+1 < len(l.chart.clients) && l.has(l.chart.clients[i+1].at) {
			room = l.at(l.chart.clients[i+1].at) - x
		}
		if room > width(clean(m.text))+2 {
			l.put(x+2, y, room-2, m.text, k)
		}
	}
}

// answers draws how many clients were told ok, where nothing else stands.
func (l *lanes) answers(y int) {
	counts, most := make([]int, l.r.w), 1
	for _, at := range l.chart.okAt {
		if l.has(at) {
			i := l.at(at) - l.r.x
			counts[i]++
			most = max(most, counts[i])
		}
	}
	levels := l.glyphs.spark
	for i, n := range counts {
		if at := l.cells[y*l.w+l.r.x+i]; n > 0 && (at.text == "" || at.text == l.glyphs.split) {
			l.set(l.r.x+i, y, levels[min(n*len(levels)/(most+1), len(levels)-1)], inkGood)
		}
	}
}
