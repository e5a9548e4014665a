package plain

import (
	"fmt"
	"slices"
	"sync"

	"capsize/cluster/trace"
)

// linesMax is how many lines may wait to be written, while a slow reader holds up the output.
const linesMax = 100_000

// story collects the lines of a story as they are told. It follows the events, because the
// story of the state merges lines that read the same. It is a [trace.Sink].
type story struct {
	mu      sync.Mutex
	lines   []trace.StoryLine
	missing int    // lines dropped since the last take
	seq     uint64 // of the latest event
}

// Start takes the lines told so far.
func (t *story) Start(s *trace.State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines, t.seq = slices.Clone(s.Story), s.Seq
}

// Add takes the lines of an event.
func (t *story) Add(e *trace.Event, s *trace.State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq = e.Seq
	switch {
	case e.Kind == trace.KindReason && e.Reason != nil && e.Reason.Decision == trace.StepDown:
		t.amend(s, trace.TopicStepDown, e.Node)
	case (e.Kind == trace.KindCaption || e.Kind == trace.KindChapter) && e.Peer != "":
		t.amend(s, trace.TopicPresentation, "")
	}
	for _, line := range told(s, e) {
		if len(t.lines) < linesMax {
			t.lines = append(t.lines, line)
		} else {
			t.missing++
		}
	}
}

// AddPacket records the event of a packet, which adds no line.
func (t *story) AddPacket(_ *trace.Packet, s *trace.State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq = s.Seq
}

// amend repeats in the latest line of a topic and a node what a later event has changed in
// the story: the reason of a step-down, the translation of a caption.
func (t *story) amend(s *trace.State, topic trace.StoryTopic, node string) {
	isMeant := func(line trace.StoryLine) bool { return line.Topic == topic && line.Node == node }
	for i, waiting := range slices.Backward(t.lines) {
		if !isMeant(waiting) {
			continue
		}
		for _, line := range slices.Backward(s.Story) {
			if isMeant(line) {
				t.lines[i] = line
				return
			}
		}
	}
}

// take returns the lines since the last call in their order, how many are missing after
// them, and the latest event.
func (t *story) take() (lines []trace.StoryLine, missing int, seq uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines, missing, seq = t.lines, t.missing, t.seq
	t.lines, t.missing = nil, 0
	return lines, missing, seq
}

// told returns the lines of an event that has just been applied to a state: also a line
// that reads the same as an earlier one is the last of the story.
// The choices of a question follow it.
func told(s *trace.State, e *trace.Event) []trace.StoryLine {
	first := len(s.Story)
	for first > 0 && s.Story[first-1].Seq == e.Seq {
		first--
	}
	lines := s.Story[first:]
	if q := e.Question; q != nil && q.Waits() {
		lines = slices.Clip(lines)
		for i, c := range q.Choices {
			line := trace.StoryLine{At: e.At, Seq: e.Seq, Topic: trace.TopicPresentation, Text: fmt.Sprintf("%d: %s", i+1, c.Text), In: trace.Localized{}}
			for language, text := range c.In {
				line.In[language] = fmt.Sprintf("%d: %s", i+1, text)
			}
			lines = append(lines, line)
		}
	}
	return lines
}
