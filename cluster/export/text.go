package export

import (
	"bufio"
	"fmt"
	"io"

	"capsize/cluster/trace"
)

// mergedWithin is how many of the latest lines of the story may still change: a
// sentence that is told again moves to the end, with a count.
const mergedWithin = 4

// Text writes the story: one line for each thing that matters, with its time and,
// if it happened several times in a row, how often.
func Text(w io.Writer, from Source, span Span) error {
	t := teller{w: bufio.NewWriter(w), span: span}
	s := from.state()
	if told := len(s.Story); told > 0 {
		t.last = s.Story[told-1]
	}
	for e := range from.Events {
		if span.after(e.At) {
			break
		}
		s.Apply(e)
		t.tell(s.Story, mergedWithin)
	}
	t.tell(s.Story, 0)
	if t.lines == 0 {
		return ErrEmpty
	}
	return t.w.Flush()
}

// teller writes lines of a story that goes on.
type teller struct {
	w     *bufio.Writer
	span  Span
	last  trace.StoryLine // the last one that was dealt with
	lines int
}

// tell writes the lines that are new, but for so many at the end.
func (t *teller) tell(story []trace.StoryLine, keep int) {
	first := len(story)
	for first > 0 && t.isNew(story[first-1]) {
		first--
	}
	for ; first < len(story)-keep; first++ {
		line := story[first]
		t.last = line
		if t.span.before(line.At) {
			continue
		}
		t.lines++
		text := trace.Sanitize(line.Text)
		if line.Count > 1 {
			text += fmt.Sprintf(" (%d times)", line.Count)
		}
		_, _ = fmt.Fprintf(t.w, "%s  %s\n", trace.ClockMillis(line.At), text) // an error stays until Flush
	}
}

// isNew says whether a line comes after the last one that was dealt with. One
// event may tell several.
func (t *teller) isNew(line trace.StoryLine) bool {
	return line.Seq > t.last.Seq || line.Seq == t.last.Seq && line.Text != t.last.Text
}
