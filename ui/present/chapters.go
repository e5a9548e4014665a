package present

import (
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// Chapters returns where the chapters of a presentation begin or, if it has none,
// where its captions do.
func Chapters(h *history.History) []trace.Position {
	var chapters, captions []trace.Position
	first, last := h.Span()
	h.Significant(first.Seq, last.Seq, func(e *trace.Event) bool {
		at := trace.Position{Seq: e.Seq, At: e.At}
		switch {
		case e.Kind == trace.KindChapter && e.Peer == "":
			chapters = append(chapters, at)
		case e.Kind == trace.KindCaption && e.Peer == "":
			captions = append(captions, at)
		case e.Kind == trace.KindCaption && len(captions) > 0:
			captions[len(captions)-1] = at // a caption begins after its translations
		}
		return true
	})
	if len(chapters) > 0 {
		return chapters
	}
	return captions
}

// NextStep returns the first step or question of a scenario after event after and no later than
// event last, and whether there is one.
func NextStep(h *history.History, after, last uint64) (step trace.Position, found bool) {
	h.Significant(after+1, last, func(e *trace.Event) bool {
		// A question stands still while it waits, and once it is judged.
		asks := e.Question != nil && (e.Question.Waits() || e.Question.Judged)
		if asks || e.Kind == trace.KindCommand && scenario.SplitCommand(e.Text).IsStep() {
			step, found = trace.Position{Seq: e.Seq, At: e.At}, true
		}
		return !found
	})
	return step, found
}
