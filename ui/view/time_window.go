package view

import (
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/spacetime"
)

// WindowSpan returns the length of the window.
func (v *Time) WindowSpan() time.Duration {
	width, height := v.Size()
	return time.Duration(laneArea(width, height, len(v.State().Nodes)).W) * columnSpans[v.zoom]
}

// UpdateWindow moves the window to the moment shown, unless the user has scrolled it,
// and brings its diagram up to date. It reads a window's length ahead, not more: the past
// may be long.
func (v *Time) UpdateWindow() {
	w := &v.Window
	cell, span := columnSpans[w.zoom], v.WindowSpan()
	first, now := v.Span()
	at := v.Moment().At
	switch {
	case w.Scrolled:
	case !v.InPast():
		// By whole columns: by less, everything would flicker.
		w.End = max((at + cell).Truncate(cell), first.At.Truncate(cell)+span)
	case at < w.End-span:
		w.End = at + span - span/4
	case at >= w.End:
		w.End = at + span/4
	}
	from := w.End - span
	if w.Diagram == nil || w.Diagram.From > from || w.Diagram.From < from-10*span {
		w.Diagram = spacetime.New(v.History(), from-span)
	}
	to := now
	if !v.InPast() {
		to.Seq = max(v.State().Seq, w.Diagram.Last.Seq)
	}
	if ahead := w.End + span; ahead < to.At {
		to = trace.Position{Seq: v.History().SeqAt(ahead), At: ahead}
	}
	w.Diagram.Extend(v.History(), to)
}

// ZoomBy changes the zoom level: by -1 for less time per column, by 1 for more. A past
// moment keeps its column.
func (v *Time) ZoomBy(by int) {
	w := &v.Window
	before := columnSpans[w.zoom]
	w.zoom = min(max(w.zoom+by, 0), len(columnSpans)-1)
	cell := columnSpans[w.zoom]
	if at := v.Moment().At; v.InPast() && !w.Scrolled {
		w.End = at + time.Duration(float64(w.End-at)*float64(cell)/float64(before))
	}
	w.End, w.Diagram = w.End.Truncate(cell), nil
	v.Toast(cell.String()+" per column", false)
}

// scrollBy moves the window by eighths of its length. Scrolled back to now, it follows
// again.
func (v *Time) scrollBy(by time.Duration) {
	w := &v.Window
	span := v.WindowSpan()
	first, latest := v.Span()
	now := latest.At
	w.Scrolled = true
	w.End = min(max(w.End+by*span/8, first.At+span/8), now.Truncate(columnSpans[w.zoom])+columnSpans[w.zoom])
	if w.End > now && !v.InPast() {
		w.Scrolled = false
	}
}

// scroll moves the window by an eighth of its length.
func (v *Time) scroll(pressed string) {
	if pressed == "left" {
		v.scrollBy(-1)
		return
	}
	v.scrollBy(1)
}

// Clear forgets the diagram, when another history is shown, and keeps the zoom level.
func (v *Time) Clear() { v.Window = Window{zoom: v.zoom} }
