package export

import (
	"bufio"
	"fmt"
	"io"

	"capsize/cluster/trace"
)

// mergeWindow is how many of the latest lines of the story may still change: a
// sentence that is told again moves to the end, with a count.
const mergeWindow = 4

// Text writes the story: one line for each thing that matters, with its time and,
// if it happened several times in a row, how often.
func Text(w io.Writer, from Source, span Span) error {
	t := storyWriter{w: bufio.NewWriter(w), span: span}
	s := from.state()
	if told := len(s.Story); told > 0 {
		t.lastWritten = s.Story[told-1]
	}
	for e := range from.Events {
		if span.after(e.At) {
			break
		}
		s.Apply(e)
		t.write(s.Story, mergeWindow)
	}
	t.write(s.Story, 0)
	if t.lines == 0 {
		return ErrEmpty
	}
	return t.w.Flush()
}

// storyWriter writes lines of a story that goes on.
type storyWriter struct {
	w           *bufio.Writer
	span        Span
	lastWritten trace.StoryLine // the last one that was dealt with
	lines       int
}

// write writes the lines that are new, but for so many at the end.
func (t *storyWriter) write(story []trace.StoryLine, keep int) {
	first := len(story)
	for first > 0 && t.isNew(story[first-1]) {
		first--
	}
	for ; first < len(story)-keep; first++ {
		line := story[first]
		t.lastWritten = line
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
func (t *storyWriter) isNew(line trace.StoryLine) bool {
	return line.Seq > t.lastWritten.Seq || line.Seq == t.lastWritten.Seq && line.Text != t.lastWritten.Text
}
