package ui

import (
	"fmt"
	"strings"

	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// brandWidth is from where on there is room for the program's name.
const brandWidth = 70

// header draws the first line: what the clock does, how the cluster stands, and
// on the right what the checks say or, before they do, what clients were told.
func (p *painter) header(r rect) {
	forms, urgent := [][]note{p.totals()}, false
	if len(p.state.Checks) > 0 {
		forms, urgent = p.verdicts()
	}
	at := &pen{c: p.canvas, x: r.x, y: r.y, end: r.x + r.w}
	if r.w >= brandWidth {
		at.write("capsize", inkAccent|bold)
		at.skip(2)
	}
	p.whenever(at)
	standing := p.standing()
	if seed := fmt.Sprintf("seed %d", p.state.Settings.Seed); !p.presents && at.room(width(seed)+3+widthOf(standing)+3+spread(forms[0])) {
		at.write(seed, inkDim)
		at.skip(3)
	}
	// Verdicts are worth more than the end of how the cluster stands.
	least := standing[:min(len(standing), 5)]
	if p.noLeader != "" {
		least = standing[:1]
	}
	for i, form := range forms {
		last := i == len(forms)-1 && len(p.state.Checks) > 0
		if at.room(widthOf(standing)+3+spread(form)) || last && (urgent || at.room(widthOf(least)+3+spread(form))) {
			at.end -= spread(form)
			x := at.end
			for _, n := range form {
				x = p.put(x, r.y, r.w, n.text, n.ink) + 3
			}
			at.end -= 3
			break
		}
	}
	// What does not fit goes from the end, but why nobody leads stays.
	for !at.room(widthOf(standing)) && len(standing) > 1 {
		standing = standing[:len(standing)-1]
	}
	// Neither a dot nor a label stays without what follows it.
	for last := len(standing) - 1; last > 0 && strings.HasSuffix(standing[last].text, " "); last-- {
		standing = standing[:last]
	}
	for _, s := range standing {
		at.write(s.text, s.ink)
	}
}

// standing says who leads which term and what is committed or, when nobody
// leads, why.
func (p *painter) standing() []note {
	dot := note{" " + p.glyphs.dot + " ", inkFaint}
	var term uint64
	for i := range p.state.Nodes {
		if n := &p.state.Nodes[i]; n.Process.Running() {
			term = max(term, n.Term)
		}
	}
	if p.leader != nil {
		term = p.leader.Term
	}
	parts := []note{{"term ", inkDim}, {thousands(term), termInk(term) | bold}, dot}
	switch {
	case len(p.state.Nodes) == 0:
		return []note{{"no nodes yet", inkDim}}
	case p.noLeader != "":
		why := note{"no leader: " + p.noLeader, inkWarn | bold}
		return append([]note{why, dot}, append(parts, note{"commit ", inkDim}, note{thousands(p.state.Commit), inkText})...)
	}
	parts = append(parts, note{"leader ", inkDim}, note{truncate(clean(p.leader.ID), 20, p.glyphs.more), inkAccent | bold}, dot,
		note{"commit ", inkDim}, note{thousands(p.state.Commit), inkText | bold}, dot,
		note{"quorum ", inkDim}, note{fmt.Sprintf("%d/%d", trace.Quorum(len(p.voters)), len(p.voters)), inkText})
	return parts
}

// totals are what the clients were told, by outcome.
func (p *painter) totals() []note {
	c := p.state.Clients
	totals := []note{{"ok " + thousands(c.OK), inkGood}, {"failed " + thousands(c.Failed), inkDim}, {"unknown " + thousands(c.Unknown), inkDim}}
	if c.Failed > 0 {
		totals[1].ink = inkBad
	}
	if c.Unknown > 0 {
		totals[2].ink = inkWarn
	}
	return totals
}

// speedText writes a speed as people say it: 10x, 1/100x, max.
func speedText(speed float64) string {
	switch {
	case speed >= vtime.Max:
		return "max"
	case speed >= 1:
		return fmt.Sprintf("%gx", speed)
	case speed > 0:
		return fmt.Sprintf("1/%.0fx", 1/speed)
	}
	return "0x"
}

// clients draws what the clients do, in one line or two.
func (p *painter) clients(r rect) {
	if r.empty() {
		return
	}
	c := p.state.Clients
	at := &pen{c: p.canvas, x: r.x + 2, y: r.y, end: r.x + r.w}
	at.write("clients", inkDim)
	for _, t := range p.totals() {
		at.skip(2)
		at.write(t.text, t.ink)
	}
	at.skip(2)
	at.write(fmt.Sprintf("%d in flight", c.InFlight), inkDim)

	var how []string
	if p.route != "" {
		how = append(how, "via "+p.route)
	}
	if p.level != "" {
		how = append(how, p.level+" reads")
	}
	if p.load > 0 {
		how = append(how, fmt.Sprintf("load %d/s", p.load))
	}
	rate := fmt.Sprintf("%.0f/s", p.rate)
	if r.h > 1 {
		at = &pen{c: p.canvas, x: r.x + 2, y: r.y + 1, end: r.x + r.w}
		at.skip(len("clients") + 2)
		at.write(strings.Join(how, "  "), inkDim)
		how = nil
	}
	at.skip(3)
	if !at.room(len(rate) + 1 + 8) {
		return
	}
	at.write(rate, inkText|bold)
	at.skip(1)
	at.x = p.sparkline(at.x, at.y, min(at.end-at.x, 30))
	at.skip(3)
	if text := strings.Join(how, "  "); text != "" && at.room(width(text)) {
		at.write(text, inkDim)
	}
}

// sparkline draws the latest of the history in at most w cells, and returns
// where it ended.
func (p *painter) sparkline(x, y, w int) int {
	last := p.history[max(len(p.history)-w, 0):]
	top := 1
	for _, n := range last {
		top = max(top, n)
	}
	levels := p.glyphs.spark
	for i, n := range last {
		// Nothing at all is told from a little.
		level, k := 0, inkFaint
		if n > 0 {
			level, k = min(n*len(levels)/(top+1), len(levels)-1), inkAccent
		}
		p.set(x+i, y, levels[level], k)
	}
	return x + len(last)
}
