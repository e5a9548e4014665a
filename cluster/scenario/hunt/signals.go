package hunt

import (
	"math"
	"math/bits"
	"slices"
	"strings"

	"capsize/cluster/trace"
)

// Signals is a set of dangerous states that a cluster is in, or passes through at an event.
type Signals uint16

// The dangerous states: rare ones, close to those in which a property of Raft could break.
const (
	TwoLeaders         Signals = 1 << iota // two running nodes consider themselves leader
	TwoLeadersLong                         // and have done so for longer than elections take
	CannotCommit                           // a leader has not committed its entries for as long
	DeposedAppends                         // a leader appends although there is a later term
	Conflict                               // two logs have entries of one index and different terms
	HalfDeposed                            // a leader has stepped down, and its main loop has not noticed
	NearlyLost                             // a log is truncated down to entries that were just committed
	VoteOnBrokenDisk                       // a node votes while its disk has a fault
	SnapshotOverAppend                     // a snapshot replaces a log that was just appended to
	MemberInFlight                         // a leader's log ends in an uncommitted change of the members
)

// signalNames are the names of the signals, in their order.
var signalNames = [...]string{
	"two leaders", "two leaders for long", "leader cannot commit", "deposed leader appends", "conflicting logs",
	"half deposed leader", "truncation at a commit", "vote on a broken disk", "snapshot over appends", "member in flight",
}

// String names the signals, "none" for the empty set.
func (s Signals) String() string {
	if s&TwoLeadersLong != 0 {
		s &^= TwoLeaders // the longer time says both
	}
	var names []string
	for i, name := range signalNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, " + ")
}

// weight says how much a search wants an input that reaches the set.
func (s Signals) weight() float64 { return math.Pow(2, float64(s.count())) }

// count returns the number of signals in the set.
func (s Signals) count() int { return bits.OnesCount16(uint16(s)) }

const (
	// nearlyLost is how many entries above the highest commit index a truncation may begin to
	// count as [NearlyLost].
	nearlyLost = 2
	// justAppended is how many events after its latest append a node's log counts as just
	// appended to.
	justAppended = 50
)

// standing returns the signals of a state.
func standing(s *trace.State) (set Signals) {
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Process.Running() && n.Role == trace.Leader {
			set |= memberInFlight(n)
		}
		for j := range s.Nodes[:i] {
			if conflicting(n, &s.Nodes[j]) {
				set |= Conflict
			}
		}
	}
	return set
}

// bootstrap is the index of the first configuration, which every node has from the start.
const bootstrap = 1

func memberInFlight(leader *trace.Node) Signals {
	for i := leader.LastIndex(); i > max(leader.Commit, bootstrap); i-- {
		if e, ok := leader.Entry(i); ok && e.Kind == trace.EntryConfig {
			return MemberInFlight
		}
	}
	return 0
}

// conflicting reports whether two logs have different terms at the end of the shorter one.
func conflicting(a, b *trace.Node) bool {
	last := min(a.LastIndex(), b.LastIndex())
	x, inA := a.Entry(last)
	y, inB := b.Entry(last)
	return inA && inB && x.Term != y.Term
}

// passing returns the signals of an event. The state is the one right after it. Appended holds
// the number of the latest append of each node.
func passing(e *trace.Event, s *trace.State, appended map[string]uint64) Signals {
	n := s.Node(e.Node)
	if n == nil {
		return 0
	}
	leads := n.Role == trace.Leader && n.Process.Running()
	switch e.Kind {
	case trace.KindAppended:
		appended[e.Node] = e.Seq
		later := slices.ContainsFunc(s.Nodes, func(other trace.Node) bool { return other.Term > n.Term })
		if leads && later {
			return DeposedAppends
		}
	case trace.KindTruncated:
		if e.Index <= s.Commit+nearlyLost {
			return NearlyLost
		}
	case trace.KindVote:
		if n.DiskFault != "" {
			return VoteOnBrokenDisk
		}
	case trace.KindInstalled:
		if at, ok := appended[e.Node]; ok && e.Seq-at < justAppended {
			return SnapshotOverAppend
		}
	default:
	}
	return 0
}

// MarshalText writes the names of the signals.
func (s Signals) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
