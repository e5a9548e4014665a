package hunt

import (
	"encoding/binary"
	"hash/fnv"
	"slices"
	"time"

	"capsize/cluster/trace"
)

// feature is a hash of something that a run passed through.
type feature uint32

// coverage is what a run passed through.
type coverage struct {
	features map[feature]float64 // each with its weight
	worst    Signals             // the first of the largest sets at one event
	violated string              // the first check that was, "" for none
}

// observer is a [trace.Sink] that notes the coverage of a run.
type observer struct {
	coverage
	stop     func() // called once a check is violated: nothing after that matters
	appended map[string]uint64
	lasting  lasting
	scratch  []uint32
}

func newObserver(stop func()) *observer {
	return &observer{coverage: coverage{features: map[feature]float64{}}, stop: stop, appended: map[string]uint64{}, lasting: newLasting()}
}

// Start implements [trace.Sink].
func (o *observer) Start(*trace.State) {}

// AddPacket implements [trace.Sink]. What packets do to the nodes are events of their own.
func (o *observer) AddPacket(*trace.Packet, *trace.State) {}

// Add implements [trace.Sink].
func (o *observer) Add(e *trace.Event, s *trace.State) {
	if o.violated != "" {
		return
	}
	if e.At > runMax {
		o.stop()
	}
	switch e.Kind {
	case trace.KindVerdict:
		if e.Verdict == trace.VerdictViolated {
			o.violated = e.Check
			o.stop()
		}
		return
	case trace.KindProcess, trace.KindRole, trace.KindTerm, trace.KindVote, trace.KindLeader, trace.KindConfig,
		trace.KindAppended, trace.KindTruncated, trace.KindCommitted, trace.KindInstalled, trace.KindSnapshot, trace.KindReturned, trace.KindInvoked:
	default:
		o.lasting.see(e, s)
		return
	}
	set := standing(s) | o.lasting.see(e, s) | passing(e, s, o.appended)
	if set.count() > o.worst.count() {
		o.worst = set
	}
	o.features[feature(set)] = set.weight() // no hash is that small, as a rule
	if e.Kind != trace.KindInvoked && e.Kind != trace.KindReturned {
		o.features[o.feature(s, set)] = stateWeight
	}
}

// feature hashes a state with its signals. Nodes have no names in it: two states that
// differ only in who is who are the same.
func (o *observer) feature(s *trace.State, set Signals) feature {
	top := summit(s)
	o.scratch = o.scratch[:0]
	for i := range s.Nodes {
		o.scratch = append(o.scratch, top.describe(&s.Nodes[i]))
	}
	slices.Sort(o.scratch)
	h := fnv.New32a()
	var number [4]byte
	for _, v := range append(o.scratch, uint32(set)) {
		binary.LittleEndian.PutUint32(number[:], v)
		_, _ = h.Write(number[:])
	}
	return feature(h.Sum32())
}

// runMax is the virtual time after which a run is given up: something in it waits for a fault that
// is never healed.
const runMax = time.Minute

// stateWeight is the weight of a feature that is no set of signals.
const stateWeight = 1.0 / 64

// heights are the highest values of any node.
type heights struct {
	term                uint64
	lastTerm, lastIndex uint64 // of the most up-to-date log
}

func summit(s *trace.State) heights {
	var h heights
	for i := range s.Nodes {
		n := &s.Nodes[i]
		h.term = max(h.term, n.Term)
		if term, index := n.LastTerm(), n.LastIndex(); term > h.lastTerm || term == h.lastTerm && index > h.lastIndex {
			h.lastTerm, h.lastIndex = term, index
		}
	}
	return h
}

// describe returns what matters about a node, relative to the others.
func (h heights) describe(n *trace.Node) uint32 {
	v, width := uint32(0), 0
	add := func(value uint32, bits int) {
		v |= value << width
		width += bits
	}
	one := func(is bool) uint32 {
		if is {
			return 1
		}
		return 0
	}
	processes := []trace.ProcessState{trace.Up, trace.Paused, trace.Removed}
	add(uint32(slices.Index(processes, n.Process)+1), 2) // 0 for every way to be down
	add(uint32(slices.Index([]trace.Role{trace.Candidate, trace.Leader}, n.Role)+1), 2)
	add(one(n.Term < h.term), 1)
	add(h.describeLog(n), 2)
	add(one(n.DiskFault != ""), 1)
	return v
}

// describeLog compares a log with the most up-to-date one (Raft paper, section 5.4.1).
func (h heights) describeLog(n *trace.Node) uint32 {
	switch term, index := n.LastTerm(), n.LastIndex(); {
	case term == h.lastTerm && index == h.lastIndex:
		return 0
	case term == h.lastTerm:
		return 1
	case index < h.lastIndex:
		return 2
	}
	return 3
}
