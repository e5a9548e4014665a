package cluster

import (
	"slices"
	"sync"
	"time"

	"capsize/cluster/control"
)

// order puts what several processes and the network between them report into one order. A process
// reports in its own order, and says with each event what had come from elsewhere by then; the event
// waits until that has been told. A packet waits for what its sender had reported, and whatever a node
// does with it waits for the packet. So a cause always comes before its effect, and each node's own
// order stays. What has nothing to do with each other is in the order in which it arrived.
type order struct {
	gap func(node string) // tells that reports of a node may be missing, or come late

	mu      sync.Mutex
	sources map[string]*source
	waiting []*report // in the order of arrival
}

// source is a node, or the network between them: each reports in an order of its own.
type source struct {
	run     uint64
	events  uint64 // of that run, told so far
	added   uint64 // of that run, told or waiting
	waiting int    // reports
	ended   bool   // nothing more comes of that run
}

// report is something that is told in its place in the order.
type report struct {
	source string
	after  []control.Mark // what must be told before
	events uint64         // how many events of the source it is
	tell   func()
	since  time.Time
}

// orderPatience is how long a report waits for another process that does not report. From then on
// the order is not known.
const orderPatience = 2 * time.Second

func newOrder(gap func(node string)) *order {
	return &order{gap: gap, sources: map[string]*source{}}
}

// begin starts a new run of a node, which has had so many events before.
func (o *order) begin(node string, run, events uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.source(node)
	s.run, s.events, s.added, s.ended = run, events, events, false
	o.advance()
}

// add adds a report. It is told at once, or when its turn comes. tell must not wait. It returns how
// many events of the source there are with it.
func (o *order) add(r *report) (events uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.source(r.source)
	s.added += r.events
	events = s.added
	if s.waiting == 0 && o.isDue(r) {
		o.tell(s, r)
		o.advance()
		return events
	}
	r.since = time.Now()
	s.waiting++
	o.waiting = append(o.waiting, r)
	return events
}

// end says that a node's present run reports nothing more, after what it has reported.
func (o *order) end(node string, tell func()) {
	o.add(&report{source: node, tell: func() {
		o.source(node).ended = true
		tell()
	}})
}

// expire gives up waiting for reports that do not come.
func (o *order) expire() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.waiting) > 0 && time.Since(o.waiting[0].since) > orderPatience {
		first := o.waiting[0]
		o.waiting = o.waiting[1:]
		for _, m := range first.after {
			if s := o.sources[m.Node]; s != nil && !o.hasTold(m) {
				o.gap(m.Node)
				if s.run == m.Run { // so that the next one does not wait as long
					s.events = max(s.events, m.Events)
				}
			}
		}
		s := o.source(first.source)
		s.waiting--
		o.tell(s, first)
		o.advance()
	}
}

// advance tells all reports whose turn has come. The caller holds mu.
func (o *order) advance() {
	for again := len(o.waiting) > 0; again; {
		again = false
		blocked := map[string]bool{}
		o.waiting = slices.DeleteFunc(o.waiting, func(r *report) bool {
			if blocked[r.source] || !o.isDue(r) {
				blocked[r.source] = true
				return false
			}
			s := o.source(r.source)
			s.waiting--
			o.tell(s, r)
			again = true
			return true
		})
	}
}

// tell tells a report. The caller holds mu.
func (o *order) tell(s *source, r *report) {
	s.events += r.events
	r.tell()
}

// isDue reports whether all that a report comes after has been told. The caller holds mu.
func (o *order) isDue(r *report) bool {
	return !slices.ContainsFunc(r.after, func(m control.Mark) bool { return !o.hasTold(m) })
}

// hasTold reports whether a node has told as many events as a mark says. Of an earlier run nothing
// more comes. The caller holds mu.
func (o *order) hasTold(m control.Mark) bool {
	s := o.sources[m.Node]
	switch {
	case s == nil || s.run > m.Run: // nobody reports for it
		return true
	case s.run < m.Run:
		return false
	}
	if s.events < m.Events && s.ended {
		o.gap(m.Node)
		s.events = m.Events
	}
	return s.events >= m.Events
}

func (o *order) source(name string) *source {
	s := o.sources[name]
	if s == nil {
		s = &source{}
		o.sources[name] = s
	}
	return s
}
