package pane

import (
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

const (
	// TimelineCell is the virtual time of one cell of the timeline.
	TimelineCell = 500 * time.Millisecond
	// timelineLabelWidth is the width of the label before the timeline.
	timelineLabelWidth = 6
	// timelineScale is the time between two labels below the timeline.
	timelineScale = 10 * time.Second
)

// TimelineCells returns the column of the first cell of the timeline, and how many there are.
func TimelineCells(r canvas.Rectangle) (x, w int) {
	return r.X + 2 + timelineLabelWidth, r.W - 2 - timelineLabelWidth - 5
}

// Timeline draws who led when and what happened, with the moment shown. The latest moment is at
// the right end.
func (p *Painter) Timeline(r canvas.Rectangle) {
	if r.Empty() {
		return
	}
	p.Put(r.X+2, r.Y, timelineLabelWidth, "time", style.Dim)
	x, w := TimelineCells(r)
	if w < 1 {
		return
	}
	from := p.TimelineEnd - time.Duration(w)*TimelineCell
	cellAt := func(t time.Duration) int {
		if t < from {
			return -1
		}
		return min(int((t-from)/TimelineCell), w-1)
	}
	p.LeaderSpans(x, r.Y, w, cellAt)
	p.TimelineMarks(x, r.Y, w, cellAt)
	p.LeaderNames(x, r.Y, w, cellAt)
	p.Hits = append(p.Hits, HitBox{X: x, Y: r.Y, W: w + 1, H: r.H, From: from, Cell: TimelineCell})
	if p.TimelineEnd >= p.Latest {
		p.Set(x+w, r.Y, p.Glyphs.Now, style.Accent)
		word := "now"
		if p.Recorded {
			word = "end"
		}
		p.Put(x+w+2, r.Y, 3, word, style.Dim)
	} else {
		p.Put(x+w+1, r.Y, 3, p.Glyphs.Ellipsis, style.Dim)
	}
	if at := cellAt(p.Now); p.Past && at >= 0 {
		p.Set(x+at, r.Y, p.Glyphs.Playhead, style.Accent|style.Bold)
	}
	if r.H < 2 {
		return
	}
	for t := p.TimelineEnd.Truncate(timelineScale); t >= max(from, 0); t -= timelineScale {
		text, _, _ := strings.Cut(trace.Clock(t), ".")
		if at := cellAt(t); at >= 0 && at+len(text) < w {
			p.Put(x+at, r.Y+1, len(text), text, style.Dim)
		}
	}
}

// LeaderSpans draws a line in the colour of the term wherever there is a leader.
func (p *Painter) LeaderSpans(x, y, w int, cellAt func(time.Duration) int) {
	if at := max(cellAt(p.Earliest), 0); p.TimelineEnd > 0 {
		for i := at; i < w; i++ {
			p.Set(x+i, y, p.Glyphs.Leaderless, style.Faint)
		}
	}
	for _, term := range p.TimelineState.LeaderTerms {
		a, b := p.leaderSpanCells(term, cellAt)
		for i := a; i <= b; i++ {
			p.Set(x+i, y, p.Glyphs.Leading, style.Term(term.Term))
		}
	}
}

// leaderSpanCells returns the first and the last cell in which a leader leads. The last is
// before the first if none is shown.
func (p *Painter) leaderSpanCells(term trace.LeaderTerm, cellAt func(time.Duration) int) (first, last int) {
	until := p.TimelineEnd
	if term.To != 0 {
		until = term.To
	}
	return max(cellAt(term.From), 0), cellAt(until)
}

// LeaderNames writes who leads into lines that are long enough, between the marks.
func (p *Painter) LeaderNames(x, y, w int, cellAt func(time.Duration) int) {
	for _, term := range p.TimelineState.LeaderTerms {
		text := " " + canvas.Truncate(canvas.Sanitize(term.Node), LogNameWidth, p.Glyphs.Ellipsis) + " leads "
		a, b := p.leaderSpanCells(term, cellAt)
		free := 0 // cells of the line since the last mark
		for i := a; i <= min(b, w-1); i++ {
			if p.Cells[y*p.W+x+i].Text != p.Glyphs.Leading {
				free = 0
				continue
			}
			if free++; free == canvas.Width(text)+2 {
				p.Put(x+i-canvas.Width(text), y, canvas.Width(text), text, style.Term(term.Term))
				break
			}
		}
	}
}

// TimelineGlyph returns the mark of a story line on the timeline, "" for none.
func TimelineGlyph(g *style.Glyphs, line trace.StoryLine) (string, style.Style) {
	switch line.Topic {
	case trace.TopicElection:
		return g.Candidate, style.Warn
	case trace.TopicDeath:
		return g.Killed, style.Bad
	case trace.TopicStart:
		return g.Start, style.Good
	case trace.TopicPause:
		return g.Paused, style.Warn
	case trace.TopicUnreachable:
		return g.Unreachable, style.Warn
	case trace.TopicNetwork:
		return g.CutLink, style.Bad
	case trace.TopicHealing:
		return g.Heal, style.Good
	case trace.TopicDisk:
		return g.Disk, style.Warn
	case trace.TopicClock:
		return g.Clock, style.Warn
	case trace.TopicMembers:
		return g.Members, style.Accent
	case trace.TopicPresentation:
		return g.Caption, style.Accent
	case trace.TopicLeader:
		return g.Leader, style.Accent
	case trace.TopicCheck:
		return g.Alarm, style.Alarm
	case trace.TopicRefusal, trace.TopicStepDown, trace.TopicLog, trace.TopicClient:
	}
	return "", 0
}

// TimelineMarks draws a mark for each significant event, with the node's name if there is room.
func (p *Painter) TimelineMarks(x, y, w int, cellAt func(time.Duration) int) {
	free := w // the later marks start here
	for i := len(p.TimelineState.Story) - 1; i >= 0; i-- {
		line := p.TimelineState.Story[i]
		at := cellAt(line.At)
		if at < 0 {
			break
		}
		glyph, st := TimelineGlyph(p.Glyphs, line)
		if glyph == "" || at >= free {
			// Of several marks in one cell the latest wins.
			continue
		}
		p.Set(x+at, y, glyph, st|style.Bold)
		name := canvas.Sanitize(line.Node)
		if line.Topic != trace.TopicLeader && name != "" && at+2+canvas.Width(name)+2 <= free && canvas.Width(name) <= 6 {
			p.Put(x+at+1, y, canvas.Width(name)+2, " "+name+" ", st)
		}
		free = at
	}
}
