package ui

import (
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

const (
	// timeCell is how much virtual time a cell of the timeline stands for.
	timeCell = 500 * time.Millisecond
	// timeLabel is how wide the label before the timeline is.
	timeLabel = 6
	// scaleEvery is how far apart the times below the timeline are.
	scaleEvery = 10 * time.Second
)

// timeCells returns where the cells of the timeline are, and how many.
func timeCells(r canvas.Rectangle) (x, w int) { return r.X + 2 + timeLabel, r.W - 2 - timeLabel - 5 }

// timeline draws who led when, and what happened, with the moment that is shown
// and, at its right end, now.
func (p *painter) timeline(r canvas.Rectangle) {
	if r.Empty() {
		return
	}
	p.Put(r.X+2, r.Y, timeLabel, "time", style.Dim)
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
	p.reigns(x, r.Y, w, cellAt)
	p.marks(x, r.Y, w, cellAt)
	p.reignNames(x, r.Y, w, cellAt)
	p.hits = append(p.hits, hit{x: x, y: r.Y, w: w + 1, h: r.H, from: from, cell: timeCell})
	if p.lineEnd >= p.latest {
		p.Set(x+w, r.Y, p.glyphs.Now, style.Accent)
		word := "now"
		if p.recorded {
			word = "end"
		}
		p.Put(x+w+2, r.Y, 3, word, style.Dim)
	} else {
		p.Put(x+w+1, r.Y, 3, p.glyphs.More, style.Dim)
	}
	if at := cellAt(p.now); p.past && at >= 0 {
		p.Set(x+at, r.Y, p.glyphs.Here, style.Accent|style.Bold)
	}
	if r.H < 2 {
		return
	}
	for t := p.lineEnd.Truncate(scaleEvery); t >= max(from, 0); t -= scaleEvery {
		text, _, _ := strings.Cut(canvas.Clock(t), ".")
		if at := cellAt(t); at >= 0 && at+len(text) < w {
			p.Put(x+at, r.Y+1, len(text), text, style.Dim)
		}
	}
}

// reigns draws a line while someone leads.
func (p *painter) reigns(x, y, w int, cellAt func(time.Duration) int) {
	if at := max(cellAt(p.remembered), 0); p.lineEnd > 0 {
		for i := at; i < w; i++ {
			p.Set(x+i, y, p.glyphs.Unled, style.Faint)
		}
	}
	for _, reign := range p.line.LeaderTerms {
		a, b := p.reignCells(reign, cellAt)
		for i := a; i <= b; i++ {
			p.Set(x+i, y, p.glyphs.Led, style.Term(reign.Term))
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
		text := " " + canvas.Truncate(canvas.Sanitize(reign.Node), logName, p.glyphs.More) + " leads "
		a, b := p.reignCells(reign, cellAt)
		free := 0 // cells of the line up to here
		for i := a; i <= min(b, w-1); i++ {
			if p.Cells[y*p.W+x+i].Text != p.glyphs.Led {
				free = 0
				continue
			}
			if free++; free == canvas.Width(text)+2 {
				p.Put(x+i-canvas.Width(text), y, canvas.Width(text), text, style.Term(reign.Term))
				break
			}
		}
	}
}

// timelineGlyph returns the mark of a line of the story on the timeline, "" for none.
func timelineGlyph(g *style.Glyphs, line trace.StoryLine) (string, style.Style) {
	switch line.Topic {
	case trace.TopicElection:
		return g.Candidate, style.Warn
	case trace.TopicDeath:
		return g.Killed, style.Bad
	case trace.TopicStart:
		return g.Start, style.Good
	case trace.TopicPause:
		return g.Paused, style.Warn
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
		return g.Words, style.Accent
	case trace.TopicLeader:
		return g.Leader, style.Accent
	case trace.TopicCheck:
		return g.Loud, style.Loud
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
		glyph, k := timelineGlyph(p.glyphs, line)
		if glyph == "" || at >= free {
			// Of several in one cell the latest is seen.
			continue
		}
		p.Set(x+at, y, glyph, k|style.Bold)
		name := canvas.Sanitize(line.Node)
		if line.Topic != trace.TopicLeader && name != "" && at+2+canvas.Width(name)+2 <= free && canvas.Width(name) <= 6 {
			p.Put(x+at+1, y, canvas.Width(name)+2, " "+name+" ", k)
		}
		free = at
	}
}
