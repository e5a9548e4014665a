package processes_test

import (
	"testing"

	"capsize/cluster/trace"
)

// Five processes and a proxy report on their own, but in the trace each cause comes before its effect:
// what a message says has happened to its sender, and who votes has been asked.
func TestCausesComeFirstInTheTrace(t *testing.T) {
	leaveNothing(t)
	past, r := run(t, parse(t, "causes", `nodes 5
storage memory

wait leader
load 200/s clients 20
wait 1s
kill leader
wait leader
wait 1s
restart down
transfer
wait 1s
load off
wait converged
`))
	if !r.OK {
		t.Fatal(r.Failures)
	}
	type ask struct {
		from, to string
		term     uint64
	}
	asked := map[ask]bool{}
	var s trace.State
	compared, longest := map[string]int{}, map[string]uint64{}
	past.Events(1, r.Events, func(e *trace.Event) bool {
		s.Apply(e)
		if n := s.Node(e.Node); n != nil {
			longest[n.ID] = max(longest[n.ID], n.LastIndex())
		}
		switch {
		case e.Kind == trace.KindVote && e.Peer != "" && e.Peer != e.Node && s.Node(e.Node).Process.Running():
			compared["votes"]++
			if !asked[ask{e.Peer, e.Node, e.Term}] {
				t.Errorf("event %d: %s votes for %s in term %d, which has not asked", e.Seq, e.Node, e.Peer, e.Term)
			}
		case e.Kind == trace.KindPacket:
			compareWithSender(t, &s, e, longest, compared)
			if p := e.Packet; p.Status == trace.Delivered && p.Kind == "vote" && !p.Reply {
				asked[ask{p.From, p.To, p.Term}] = true
			}
		}
		return true
	})
	for _, what := range []string{"votes", "vote replies", "requests", "replies"} {
		if compared[what] < 3 {
			t.Errorf("%d %s compared: too few", compared[what], what)
		}
	}
}

// compareWithSender compares what a message says with what its sender has reported: also with how
// long each log was at its longest, for raft replies with the length from before a truncation.
func compareWithSender(t *testing.T, s *trace.State, e *trace.Event, longest map[string]uint64, compared map[string]int) {
	t.Helper()
	p := e.Packet
	from := s.Node(p.From)
	if p.Status != trace.Sent || from == nil || !from.Process.Running() {
		return
	}
	switch {
	case p.Kind == "vote" && p.Reply && p.OK:
		compared["vote replies"]++
		if from.VoteTerm < p.Term || from.Term < p.Term {
			t.Errorf("event %d: %s grants its vote in term %d, but has stored one in term %d", e.Seq, p.From, p.Term, from.VoteTerm)
		}
	case p.Kind == "append" && !p.Reply && p.Entries > 0:
		compared["requests"]++
		if last := p.First + uint64(p.Entries) - 1; from.LastIndex() < last || from.Term < p.Term {
			t.Errorf("event %d: %s sends entry %d of term %d, but its log ends at %d", e.Seq, p.From, last, p.Term, from.LastIndex())
		}
	case p.Kind == "append" && p.Reply && p.OK:
		compared["replies"]++
		if longest[p.From] < p.LastIndex {
			t.Errorf("event %d: %s has entry %d, says its reply, but its log never got past %d", e.Seq, p.From, p.LastIndex, longest[p.From])
		}
	}
}
