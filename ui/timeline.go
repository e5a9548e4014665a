package ui

import (
	"strings"
	"time"

	"capsize/cluster/trace"
)

const (
	// timeCell is how much virtual time a cell of the timeline stands for.
	timeCell = 500 * time.Millisecond
	// timeLabel is how wide the label before the timeline is.
	timeLabel = 6
	// scaleEvery is how far apart the times below the timeline are.
	scaleEvery = 10 * time.Second
)

// timeline is the stretch of time that the stage's one row shows.
type timeline struct {
	end   time.Duration // at its right
	state trace.State   // at its end, while the past is shown
	known bool          // state is that
}

// timeCells returns where the cells of the timeline are, and how many.
func timeCells(r rect) (x, w int) { return r.x + 2 + timeLabel, r.w - 2 - timeLabel - 5 }

// keepLine has the timeline show the moment that is looked at, and move only if
// it must: whoever drags on it needs it to stay.
func (m *model) keepLine() {
	t := &m.travel
	now := m.now()
	if !t.past || m.width == 0 {
		t.line.end, t.line.known = m.state.At, false
		return
	}
	_, w := timeCells(layoutFor(m.width, m.height, len(m.state.Nodes)).time)
	span := time.Duration(max(w, 1)) * timeCell
	end := t.line.end
	switch {
	case !t.line.known:
		end = now.At
	case t.at < end-span:
		end = t.at + span - span/8
	case t.at > end:
		end = t.at + span/8
	}
	end = min(end, now.At)
	if end == t.line.end && t.line.known {
		return
	}
	t.line.end, t.line.known = end, true
	m.history.StateAt(m.history.SeqAt(end), &t.line.state)
}

// timeline draws who led when, and what happened, with the moment that is shown
// and, at its right end, now.
func (p *painter) timeline(r rect) {
	if r.empty() {
		return
	}
	p.put(r.x+2, r.y, timeLabel, "time", inkDim)
	x, w := timeCells(r)
	if w < 1 {
		return
	}
	from := p.lineEnd - time.Duration(w)*timeCell
	cellAt := func(t time.Duration) int {
		if t < from {
			return -1
		}
		return min(int((t-from)/timeCell), w-1)
	}
	p.reigns(x, r.y, w, cellAt)
	p.marks(x, r.y, w, cellAt)
	p.reignNames(x, r.y, w, cellAt)
	p.hits = append(p.hits, hit{x: x, y: r.y, w: w + 1, h: r.h, from: from, cell: timeCell})
	if p.lineEnd >= p.latest {
		p.set(x+w, r.y, p.glyphs.now, inkAccent)
		word := "now"
		if p.recorded {
			word = "end"
		}
		p.put(x+w+2, r.y, 3, word, inkDim)
	} else {
		p.put(x+w+1, r.y, 3, p.glyphs.more, inkDim)
	}
	if at := cellAt(p.now); p.past && at >= 0 {
		p.set(x+at, r.y, p.glyphs.here, inkAccent|bold)
	}
	if r.h < 2 {
		return
	}
	for t := p.lineEnd.Truncate(scaleEvery); t >= max(from, 0); t -= scaleEvery {
		text, _, _ := strings.Cut(clockTime(t), ".")
		if at := cellAt(t); at >= 0 && at+len(text) < w {
			p.put(x+at, r.y+1, len(text), text, inkDim)
		}
	}
}

// reigns draws a line while someone leads.
func (p *painter) reigns(x, y, w int, cellAt func(time.Duration) int) {
	if at := max(cellAt(p.remembered), 0); p.lineEnd > 0 {
		for i := at; i < w; i++ {
			p.set(x+i, y, p.glyphs.unled, inkFaint)
		}
	}
	for _, reign := range p.line.LeaderTerms {
		a, b := p.reignCells(reign, cellAt)
		for i := a; i <= b; i++ {
			p.set(x+i, y, p.glyphs.led, termInk(reign.Term))
		}
	}
}

// reignCells returns the first and the last cell of a reign; the last is before the
// first if it is not shown.
func (p *painter) reignCells(reign trace.LeaderTerm, cellAt func(time.Duration) int) (first, last int) {
	until := p.lineEnd
	if reign.To != 0 {
		until = reign.To
	}
	return max(cellAt(reign.From), 0), cellAt(until)
}

// reignNames says who leads, where a line is long enough for it between the marks.
func (p *painter) reignNames(x, y, w int, cellAt func(time.Duration) int) {
	for _, reign := range p.line.LeaderTerms {
		text := " " + truncate(clean(reign.Node), logName, p.glyphs.more) + " leads "
		a, b := p.reignCells(reign, cellAt)
		free := 0 // cells of the line up to here
		for i := a; i <= min(b, w-1); i++ {
			if p.cells[y*p.w+x+i].text != p.glyphs.led {
				free = 0
				continue
			}
			if free++; free == width(text)+2 {
				p.put(x+i-width(text), y, width(text), text, termInk(reign.Term))
				break
			}
		}
	}
}

// markOf returns the mark of a line of the story on the timeline, "" for none.
func (g *glyphs) markOf(line trace.StoryLine) (string, ink) {
	switch line.Topic {
	case trace.TopicElection:
		return g.candidate, inkWarn
	case trace.TopicDeath:
		return g.killed, inkBad
	case trace.TopicStart:
		return g.start, inkGood
	case trace.TopicPause:
		return g.paused, inkWarn
	case trace.TopicNetwork:
		return g.cutLink, inkBad
	case trace.TopicHealing:
		return g.heal, inkGood
	case trace.TopicDisk:
		return g.disk, inkWarn
	case trace.TopicClock:
		return g.clock, inkWarn
	case trace.TopicMembers:
		return g.members, inkAccent
	case trace.TopicPresentation:
		return g.words, inkAccent
	case trace.TopicLeader:
		return g.leader, inkAccent
	case trace.TopicCheck:
		return g.loud, inkLoud
	case trace.TopicRefusal, trace.TopicStepDown, trace.TopicLog, trace.TopicClient:
	}
	return "", 0
}

// marks draws what happened, with the node's name where there is room.
func (p *painter) marks(x, y, w int, cellAt func(time.Duration) int) {
	free := w // from here on the later marks stand
	for i := len(p.line.Story) - 1; i >= 0; i-- {
		line := p.line.Story[i]
		at := cellAt(line.At)
		if at < 0 {
			break
		}
		glyph, k := p.glyphs.markOf(line)
		if glyph == "" || at >= free {
			// Of several in one cell the latest is seen.
			continue
		}
		p.set(x+at, y, glyph, k|bold)
		name := clean(line.Node)
		if line.Topic != trace.TopicLeader && name != "" && at+2+width(name)+2 <= free && width(name) <= 6 {
			p.put(x+at+1, y, width(name)+2, " "+name+" ", k)
		}
		free = at
	}
}
