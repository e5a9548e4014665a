package ui

import (
	"time"

	"capsize/cluster/trace"
)

// windowSpan returns how much time the time view shows.
func (v *timeView) windowSpan() time.Duration {
	width, height := v.size()
	return time.Duration(laneArea(width, height, len(v.state().Nodes)).W) * laneCells[v.zoom]
}

// keepWindow has the time view show the moment that is looked at, unless it was
// scrolled, and know what happened there.
func (v *timeView) keepWindow() {
	w := &v.window
	cell, span := laneCells[w.zoom], v.windowSpan()
	first, now := v.span()
	at := v.moment().At
	switch {
	case w.scrolled:
	case !v.inPast():
		// By whole cells, so that nothing trembles.
		w.end = max((at + cell).Truncate(cell), first.At.Truncate(cell)+span)
	case at < w.end-span:
		w.end = at + span - span/4
	case at >= w.end:
		w.end = at + span/4
	}
	from := w.end - span
	if w.chart == nil || w.chart.from > from || w.chart.from < from-10*span {
		w.chart = newChart(v.history(), from-span)
	}
	to := now
	if !v.inPast() {
		to.Seq = max(v.state().Seq, w.chart.last.Seq)
	}
	// Not much more than is seen: the past may be long.
	if ahead := w.end + span; ahead < to.At {
		to = trace.Position{Seq: v.history().SeqAt(ahead), At: ahead}
	}
	w.chart.goOn(v.history(), to)
}

// zoomBy makes the cells of the time view stand for less time or more, round the
// moment that is looked at.
func (v *timeView) zoomBy(by int) {
	w := &v.window
	before := laneCells[w.zoom]
	w.zoom = min(max(w.zoom+by, 0), len(laneCells)-1)
	cell := laneCells[w.zoom]
	if at := v.moment().At; v.inPast() && !w.scrolled {
		w.end = at + time.Duration(float64(w.end-at)*float64(cell)/float64(before))
	}
	w.end, w.chart = w.end.Truncate(cell), nil
	v.say("a column is "+cell.String()+" now", false)
}

// scrollBy moves the window by a part of its width.
func (v *timeView) scrollBy(by time.Duration) {
	w := &v.window
	span := v.windowSpan()
	first, latest := v.span()
	now := latest.At
	w.scrolled = true
	w.end = min(max(w.end+by*span/8, first.At+span/8), now.Truncate(laneCells[w.zoom])+laneCells[w.zoom])
	if w.end > now && !v.inPast() {
		w.scrolled = false
	}
}

// scroll moves the window by an eighth of its width.
func (v *timeView) scroll(pressed string) {
	if pressed == "left" {
		v.scrollBy(-1)
		return
	}
	v.scrollBy(1)
}

// restart forgets what was known of another past, and keeps the scale.
func (v *timeView) restart() { v.window = window{zoom: v.zoom} }
