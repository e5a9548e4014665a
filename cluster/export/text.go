package export

import (
	"bufio"
	"fmt"
	"io"

	"capsize/cluster/trace"
)

// mergeWindow is how many of the latest lines of the story may still change: a repeated
// line moves to the end, with a count.
const mergeWindow = 4

// Text writes the story: one line for each significant event, with its time and, if it was
// repeated, how often. It returns [ErrEmpty] and the errors of w.
func Text(w io.Writer, from Source, span Span) error {
	t := storyWriter{w: bufio.NewWriter(w), span: span}
	s := from.state()
	if told := len(s.Story); told > 0 {
		t.lastSeen = s.Story[told-1]
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

// storyWriter writes the lines of a growing story.
type storyWriter struct {
	w        *bufio.Writer
	span     Span
	lastSeen trace.StoryLine // the last line written or skipped
	lines    int
}

// write writes the lines that are new, except the last keep ones.
func (t *storyWriter) write(story []trace.StoryLine, keep int) {
	first := len(story)
	for first > 0 && t.isNew(story[first-1]) {
		first--
	}
	for ; first < len(story)-keep; first++ {
		line := story[first]
		t.lastSeen = line
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

// isNew reports whether a line comes after the last one written. One event may add
// several lines.
func (t *storyWriter) isNew(line trace.StoryLine) bool {
	return line.Seq > t.lastSeen.Seq || line.Seq == t.lastSeen.Seq && line.Text != t.lastSeen.Text
}
