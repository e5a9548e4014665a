package present

import (
	"strings"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// Chapters returns where the parts of what is presented begin: its chapters or, if it
// has none, its captions.
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
			captions[len(captions)-1] = at // its translations belong to it
		}
		return true
	})
	if len(chapters) > 0 {
		return chapters
	}
	return captions
}

// NextStep returns the first step of a scenario after an event and up to another,
// and whether there is one.
func NextStep(h *history.History, after, last uint64) (step trace.Position, found bool) {
	h.Significant(after+1, last, func(e *trace.Event) bool {
		if e.Kind == trace.KindCommand && IsStep(e.Text) {
			step, found = trace.Position{Seq: e.Seq, At: e.At}, true
		}
		return !found
	})
	return step, found
}

// IsStep says whether a command is a step of a scenario.
func IsStep(command string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(command), " ")
	return word == "step"
}
