package compare

import (
	"slices"
	"time"

	"capsize/cluster/trace"
)

// Row is a line of the story of each course, nil where one has no more lines here.
type Row struct {
	Lines [2]*trace.StoryLine
	// Common says that the other story has that line, too, at the same time.
	Common [2]bool
	// Same says that both lines are the same one. In another order within one instant, common
	// lines are on different rows.
	Same bool
}

const (
	// storyFull is how many lines of the story a state may gather: fewer than make it forget the
	// oldest. storyMoved is how many then move out. The latest lines stay, because a line that
	// repeats one of them is merged into it.
	storyFull  = 300
	storyMoved = 200
)

// replay replays the course: it returns its first event in words, its story, and the state at
// its end.
func (c Course) replay(describe Describe) (first string, story []trace.StoryLine, s trace.State) {
	s = c.start()
	s.Story = nil
	for _, e := range c.events() {
		s.Apply(e)
		// An order repeats the command that follows it.
		if first == "" && e.Kind != trace.KindOrder {
			first = describe(&s, e)
		}
		if len(s.Story) >= storyFull {
			story = append(story, s.Story[:storyMoved]...)
			s.Story = slices.Delete(s.Story, 0, storyMoved)
		}
	}
	s.At = c.end().At
	return first, append(story, s.Story...), s
}

// lineKey is what is equal in two lines that tell the same.
type lineKey struct {
	at    time.Duration
	text  string
	count int
}

// keysOf returns the keys of all lines.
func keysOf(story []trace.StoryLine) map[lineKey]bool {
	keys := make(map[lineKey]bool, len(story))
	for i := range story {
		keys[keyOf(&story[i])] = true
	}
	return keys
}

// align puts two stories next to each other. What lies between two rows of the same line
// fills its rows from the top.
func align(a, b []trace.StoryLine) []Row {
	places := map[lineKey][]int{} // of the lines of b, in order
	for i := range b {
		key := keyOf(&b[i])
		places[key] = append(places[key], i)
	}
	inA, inB := keysOf(a), keysOf(b)
	var rows []Row
	doneA, doneB := 0, 0
	fill := func(toA, toB int) {
		for ; doneA < toA || doneB < toB; doneA, doneB = min(doneA+1, toA), min(doneB+1, toB) {
			var row Row
			if doneA < toA {
				row.Lines[0], row.Common[0] = &a[doneA], inB[keyOf(&a[doneA])]
			}
			if doneB < toB {
				row.Lines[1], row.Common[1] = &b[doneB], inA[keyOf(&b[doneB])]
			}
			rows = append(rows, row)
		}
	}
	for i := range a {
		key := keyOf(&a[i])
		where := places[key]
		// Lines before the last row are used up.
		for len(where) > 0 && where[0] < doneB {
			where = where[1:]
		}
		if places[key] = where; len(where) == 0 {
			continue
		}
		fill(i, where[0])
		rows = append(rows, Row{Lines: [2]*trace.StoryLine{&a[i], &b[where[0]]}, Common: [2]bool{true, true}, Same: true})
		doneA, doneB = i+1, where[0]+1
	}
	fill(len(a), len(b))
	return rows
}

func keyOf(l *trace.StoryLine) lineKey { return lineKey{l.At, l.Text, l.Count} }
