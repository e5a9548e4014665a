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

// events returns the events of the course, each with its stretch, and valid until the next one.
func (c Course) events() iter.Seq2[int, *trace.Event] {
	return func(yield func(int, *trace.Event) bool) {
		for i, s := range c {
			if s.From >= s.To.Seq {
				continue
			}
			stopped := false
			s.History.Events(s.From+1, s.To.Seq, func(e *trace.Event) bool {
				stopped = !yield(i, e)
				return !stopped
			})
			if stopped {
				return
			}
		}
	}
}

// after returns what comes after an event of a stretch.
func (c Course) after(stretch int, seq uint64) Course {
	rest := slices.Clone(c[stretch:])
	rest[0].From = seq
	return rest
}

// start returns the state before the first event of the course.
func (c Course) start() (state trace.State) {
	for i, s := range c {
		if s.From < s.To.Seq || i == len(c)-1 {
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
// they share, which takes one to two seconds for a million events.
func Courses(a, b Course, describe Describe) *Result {
	a, b = withoutShared(a, b)
	dropped := skipDropped(a, b)
	r := &Result{}
	restA, restB, equal := r.part(a, b)
	r.Dropped = r.Parted && dropped && !equal
	var stories [2][]trace.StoryLine
	for i, c := range []Course{restA, restB} {
		r.First[i], stories[i], r.Ends[i] = c.replay(describe)
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
	from := min(a[shared-1].To.Seq, b[shared-1].To.Seq)
	return a.after(shared-1, from), b.after(shared-1, from)
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

// part finds where two courses part, and returns what comes after their last equal events, if
// there are any.
func (r *Result) part(a, b Course) (restA, restB Course, equal bool) {
	nextA, stopA := iter.Pull2(a.events())
	defer stopA()
	nextB, stopB := iter.Pull2(b.events())
	defer stopB()
	var inA, inB int
	var last uint64
	var lines lines
	for {
		i, one, hasOne := nextA()
		j, other, hasOther := nextB()
		switch {
		case hasOne && hasOther && lines.same(one, other):
			inA, inB, last, equal = i, j, one.Seq, true
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
		if !equal {
			return a, b, false
		}
		return a.after(inA, last), b.after(inB, last), true
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
