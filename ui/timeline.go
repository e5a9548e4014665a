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

// timeline draws who led when, and what happened, up to now at its right end.
func (p *painter) timeline(r rect) {
	if r.empty() {
		return
	}
	p.put(r.x+2, r.y, timeLabel, "time", inkDim)
	x, w := r.x+2+timeLabel, r.w-2-timeLabel-5
	if w < 1 {
		return
	}
	from := p.now - time.Duration(w)*timeCell
	cellAt := func(t time.Duration) int {
		if t < from {
			return -1
		}
		return min(int((t-from)/timeCell), w-1)
	}
	p.reigns(x, r.y, w, cellAt)
	p.marks(x, r.y, w, cellAt)
	p.set(x+w, r.y, p.glyphs.now, inkAccent)
	p.put(x+w+2, r.y, 3, "now", inkDim)
	if r.h < 2 {
		return
	}
	for t := p.now.Truncate(scaleEvery); t >= max(from, 0); t -= scaleEvery {
		text, _, _ := strings.Cut(clockTime(t), ".")
		if at := cellAt(t); at >= 0 && at+len(text) < w {
			p.put(x+at, r.y+1, len(text), text, inkFaint)
		}
	}
}

// reigns draws a line while someone leads, with the name at its start.
func (p *painter) reigns(x, y, w int, cellAt func(time.Duration) int) {
	if at := max(cellAt(0), 0); p.now > 0 {
		for i := at; i < w; i++ {
			p.set(x+i, y, p.glyphs.unled, inkFaint)
		}
	}
	for _, reign := range p.state.Reigns {
		until := p.now
		if reign.To != 0 {
			until = reign.To
		}
		a, b := max(cellAt(reign.From), 0), cellAt(until)
		if b < a {
			continue
		}
		for i := a; i <= b; i++ {
			p.set(x+i, y, p.glyphs.led, termInk(reign.Term))
		}
		if text := " " + truncate(clean(reign.Node), logName, p.glyphs.more) + " leads "; b-a > width(text)+2 {
			p.put(x+a+2, y, w-a-2, text, termInk(reign.Term))
		}
	}
}

// markOf returns the mark of a line of the story on the timeline, "" for none.
func (g *glyphs) markOf(line trace.Line) (string, ink) {
	switch line.Topic {
	case trace.AboutElection:
		return g.candidate, inkWarn
	case trace.AboutDeath:
		return g.killed, inkBad
	case trace.AboutStart:
		return g.start, inkGood
	case trace.AboutPause:
		return g.paused, inkWarn
	case trace.AboutNetwork:
		return g.cutLink, inkBad
	case trace.AboutHealing:
		return g.heal, inkGood
	case trace.AboutDisk:
		return g.disk, inkWarn
	case trace.AboutClock:
		return g.clock, inkWarn
	case trace.AboutMembers:
		return g.members, inkAccent
	case trace.AboutWords:
		return g.words, inkAccent
	case trace.AboutLeader:
		return g.leader, inkAccent
	case trace.AboutRefusal, trace.AboutStepDown, trace.AboutLog, trace.AboutClient:
	}
	return "", 0
}

// marks draws what happened, with the node's name where there is room.
func (p *painter) marks(x, y, w int, cellAt func(time.Duration) int) {
	free := w // from here on the later marks stand
	for i := len(p.state.Story) - 1; i >= 0; i-- {
		line := p.state.Story[i]
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
		if line.Topic != trace.AboutLeader && name != "" && at+2+width(name)+2 <= free && width(name) <= 6 {
			p.put(x+at+1, y, width(name)+2, " "+name+" ", k)
		}
		free = at
	}
}
