package compare

import (
	"bytes"
	"iter"
	"slices"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
)

// Stretch is a part of a history: the events after event number From, up to a moment.
type Stretch struct {
	History *history.History
	From    uint64
	To      trace.Position
}

// Course is all that led to the end of a branch: the histories of its ancestors, each up to
// the start of the history after it, then its own. Each history has event numbers of its own.
type Course []Stretch

// end returns the last moment of the course.
func (c Course) end() trace.Position { return c[len(c)-1].To }

// events returns the events of the course. Each is valid until the next one.
func (c Course) events() iter.Seq[*trace.Event] {
	return func(yield func(*trace.Event) bool) {
		for _, s := range c {
			if s.From >= s.To.Seq {
				continue
			}
			stopped := false
			s.History.Events(s.From+1, s.To.Seq, func(e *trace.Event) bool {
				stopped = !yield(e)
				return !stopped
			})
			if stopped {
				return
			}
		}
	}
}

// start returns the state before the first event of the course.
func (c Course) start() (state trace.State) {
	for _, s := range c {
		if s.From < s.To.Seq {
			s.History.StateAt(s.From, &state)
			break
		}
	}
	return state
}

// Result is what differs between two courses.
type Result struct {
	// Parted is false if the courses are equal as long as both last.
	Parted bool
	// At is the first event that one of them does not have; its number is 0 if the two count
	// from different starts. If they have not parted, it is the last moment that both have.
	At trace.Position
	// Dropped says that they parted before At: their histories no longer hold the events.
	Dropped bool
	// First is the first event of each that differs, in words, "" for none.
	First [2]string
	// Rows are the lines of both stories from At on, next to each other.
	Rows []Row
	// Ends are the states in which they end.
	Ends [2]trace.State
}

// Describe returns an event in words, given the state after it.
type Describe func(*trace.State, *trace.Event) string

// Courses compares two courses, neither of them empty. It reads every event after those that
// they share, which takes some seconds for a million events.
func Courses(a, b Course, describe Describe) *Result {
	a, b = withoutShared(a, b)
	dropped := skipDropped(a, b)
	r := &Result{}
	equal := r.part(a, b)
	r.Dropped = r.Parted && dropped && equal == 0
	var stories [2][]trace.StoryLine
	for i, c := range []Course{a, b} {
		r.First[i], stories[i], r.Ends[i] = c.replay(equal, describe)
	}
	r.Rows = align(stories[0], stories[1])
	return r
}

// withoutShared returns what two courses do not share.
func withoutShared(a, b Course) (restA, restB Course) {
	shared := 0
	for shared < min(len(a), len(b)) && a[shared].History == b[shared].History {
		shared++
	}
	if shared == 0 {
		return a, b
	}
	restA, restB = slices.Clone(a[shared-1:]), slices.Clone(b[shared-1:])
	from := min(restA[0].To.Seq, restB[0].To.Seq)
	restA[0].From, restB[0].From = from, from
	return restA, restB
}

// skipDropped makes two courses start where their histories do, and reports whether events are
// missing before that.
func skipDropped(a, b Course) (dropped bool) {
	for _, pair := range [][2]Course{{a, b}, {b, a}} {
		for i := range pair[0] {
			s := &pair[0][i]
			first, _ := s.History.Span()
			if s.From >= s.To.Seq || s.From >= first.Seq || s.History.Dropped() == 0 {
				continue
			}
			dropped = true
			for j := range pair[1] { // leave out the same events of the other one
				if other := &pair[1][j]; other.From == s.From {
					other.From = first.Seq
				}
			}
			s.From = first.Seq
		}
	}
	return dropped
}

// part finds where two courses part, and returns the number of events before that.
func (r *Result) part(a, b Course) (equal int) {
	nextA, stopA := iter.Pull(a.events())
	defer stopA()
	nextB, stopB := iter.Pull(b.events())
	defer stopB()
	var lines lines
	for {
		one, hasOne := nextA()
		other, hasOther := nextB()
		switch {
		case hasOne && hasOther && lines.same(one, other):
			equal++
			continue
		case hasOne && hasOther:
			r.Parted, r.At = true, trace.Position{At: min(one.At, other.At)}
			if one.Seq == other.Seq {
				r.At.Seq = one.Seq
			}
		case hasOne:
			r.outlast(one, b.end())
		case hasOther:
			r.outlast(other, a.end())
		default:
			r.At.At = min(a.end().At, b.end().At)
		}
		return equal
	}
}

// outlast compares the next event of one course with the end of the other. They part only if
// the other has seen that nothing happens at the moment of the event.
func (r *Result) outlast(next *trace.Event, end trace.Position) {
	r.At.At = end.At
	if next.At < end.At {
		r.Parted, r.At = true, trace.Position{Seq: next.Seq, At: next.At}
	}
}

// lines compares events by their lines in a recording, which hold all of an event.
type lines struct {
	encoder *recording.Lines
	buf     []byte
}

// same reports whether two events are equal.
func (l *lines) same(a, b *trace.Event) bool {
	if a.Seq != b.Seq || a.At != b.At || a.Kind != b.Kind {
		return false
	}
	if l.encoder == nil {
		l.encoder = recording.NewLines(func(line []byte) { l.buf = append(l.buf, line...) })
	}
	l.buf = l.buf[:0]
	l.encoder.Add(a, nil)
	n := len(l.buf)
	l.encoder.Add(b, nil)
	return bytes.Equal(l.buf[:n], l.buf[n:])
}
