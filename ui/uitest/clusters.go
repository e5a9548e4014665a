package uitest

import (
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
)

// Healthy returns n nodes, led by the third or the last, with 2,298 operations done.
func Healthy(n int) *Sample {
	s := newSample(numbered(n)...)
	names := numbered(n)
	leader := names[min(2, n-1)]
	var others []string
	for _, name := range names {
		if name != leader {
			others = append(others, name)
		}
	}
	s.Advance(1400 * time.Millisecond)
	s.elect(leader, 2, others[:n/2]...)
	for _, id := range others {
		s.Emit(trace.Event{Kind: trace.KindTerm, Node: id, Term: 2})
	}
	s.Append([]trace.Entry{{Term: 2, Kind: trace.EntryNoop}}, others...)
	s.heartbeat(leader, others...)
	work := append(Increments(2, 40, 1), Increments(2, 1, 10)...)
	work = append(work, Increments(2, 85, 1)...)
	s.Advance(30 * time.Second)
	s.Append(work, names...)
	s.commit(126, names...)
	s.heartbeat(leader, others...)
	for i := range 2298 {
		s.Emit(trace.Event{Kind: trace.KindInvoked})
		s.Emit(trace.Event{Kind: trace.KindReturned, Op: &trace.Op{ID: uint64(i), Kind: trace.EntryAdd, Outcome: trace.OK}})
	}
	s.Advance(120 * time.Millisecond)
	return s
}

// DeadLeader returns five nodes whose first leader was killed; n5 leads instead.
func DeadLeader() *Sample {
	s := Healthy(5)
	s.Emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Killed})
	s.Advance(1800 * time.Millisecond)
	s.elect("n5", 3, "n1", "n2")
	s.Emit(trace.Event{Kind: trace.KindTerm, Node: "n4", Term: 3})
	s.Append([]trace.Entry{{Term: 3, Kind: trace.EntryNoop}}, "n1", "n2", "n4")
	s.heartbeat("n5", "n1", "n2", "n4")
	s.Advance(5 * time.Second)
	s.Append(Increments(3, 3, 1), "n1", "n2", "n5")
	s.Append(Increments(3, 2, 1), "n4")
	s.commit(130, "n1", "n5")
	s.commit(129, "n2", "n4")
	s.heartbeat("n5", "n1", "n2", "n4")
	s.Advance(80 * time.Millisecond)
	return s
}

// Partitioned returns five nodes split two to three, with diverged logs.
func Partitioned() *Sample {
	s := Healthy(5)
	for _, a := range []string{"n3", "n4"} {
		for _, b := range []string{"n1", "n2", "n5"} {
			s.CutLinks(a, b)
		}
	}
	s.Emit(trace.Event{Kind: trace.KindShape, Text: "the network is partitioned: n3 n4 | n1 n2 n5"})
	s.Append(Increments(2, 3, 2), "n3", "n4")
	s.Emit(trace.Event{Kind: trace.KindInvoked})
	s.Emit(trace.Event{Kind: trace.KindReturned, Op: &trace.Op{Client: "c2", Kind: trace.EntryAdd, Delta: 2, Node: "n3", Outcome: trace.Unknown, Why: "leadership lost while committing"}})
	s.Advance(600 * time.Millisecond)
	s.Emit(trace.Event{Kind: trace.KindRole, Node: "n3", Role: trace.Follower, Term: 2, Reason: &trace.Reason{
		Decision: trace.StepDown, Cause: trace.LostQuorum, Silence: 500 * time.Millisecond, Count: 2, Total: 5,
	}})
	s.Advance(1200 * time.Millisecond)
	s.elect("n5", 3, "n1", "n2")
	s.Append([]trace.Entry{{Term: 3, Kind: trace.EntryNoop}}, "n1", "n2")
	s.heartbeat("n5", "n1", "n2")
	s.Append(Increments(3, 5, 1), "n5", "n1", "n2")
	s.commit(131, "n5", "n1")
	s.commit(130, "n2")
	s.Advance(700 * time.Millisecond)
	s.heartbeat("n5", "n1", "n2")
	s.stand("n4", 3, 3)
	s.Emit(trace.Event{Kind: trace.KindTerm, Node: "n4", Term: 3})
	s.Emit(trace.Event{Kind: trace.KindVote, Node: "n4", Term: 3, Peer: "n4"})
	s.Advance(90 * time.Millisecond)
	return s
}

// NoLeader returns five nodes of which three are down: off, killed and crashed.
func NoLeader() *Sample {
	s := Healthy(5)
	s.Emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Off})
	s.Emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Killed})
	s.Advance(300 * time.Millisecond)
	s.Emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Crashed, Text: "its disk is full"})
	s.Advance(1600 * time.Millisecond)
	s.campaign("n5", 3, "n4")
	s.Advance(400 * time.Millisecond)
	return s
}

// Faulty returns five nodes with one fault of every kind.
func Faulty() *Sample {
	s := Healthy(5)
	s.Emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Paused})
	s.Emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Wiped})
	s.Emit(trace.Event{Kind: trace.KindDiskFault, Node: "n4", Text: "slow 50ms"})
	s.Emit(trace.Event{Kind: trace.KindClockFault, Node: "n5", Factor: 3})
	s.Emit(trace.Event{Kind: trace.KindLinkFault, Node: "n3", Peer: "n5", Faults: []string{"cut"}})
	s.Emit(trace.Event{Kind: trace.KindLinkFault, Node: "n3", Peer: "n4", Faults: []string{"delay 100ms"}})
	s.Emit(trace.Event{Kind: trace.KindLinkFault, Node: "n5", Peer: "n4", Faults: []string{"lose 30%"}})
	s.Emit(trace.Event{Kind: trace.KindLinkFault, Node: "n4", Peer: "n5", Faults: []string{"lose 30%"}})
	s.Emit(trace.Event{Kind: trace.KindSnapshot, Node: "n3", Index: 118, Term: 2})
	s.Emit(trace.Event{Kind: trace.KindCompacted, Node: "n3", Index: 1, Last: 116})
	s.Advance(700 * time.Millisecond)
	return s
}

// Unreachable returns five nodes that are processes on other hosts: one is killed, one does not
// answer, and the events of one may be missing.
func Unreachable() *Sample {
	s := Healthy(5)
	s.Emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Killed})
	s.Advance(900 * time.Millisecond)
	s.Emit(trace.Event{Kind: trace.KindProcess, Node: "n5", Process: trace.Unreachable, Text: "connection reset by peer"})
	s.Emit(trace.Event{Kind: trace.KindGap, Node: "n4", Text: "what it reports comes late"})
	s.Advance(400 * time.Millisecond)
	s.Append(Increments(2, 2, 1), "n2", "n3", "n4")
	s.commit(129, "n2", "n3", "n4")
	s.heartbeat("n3", "n2", "n4")
	s.Advance(700 * time.Millisecond)
	return s
}

// huge returns nodes with the largest values and terms, and the longest names.
func huge() *Sample {
	names := []string{"alpha-0123456789-0123456789-abcd", "beta.example.internal_0123456789", "n3"}
	s := newSample(names...)
	s.Advance(100 * time.Hour)
	s.elect(names[0], 1<<63, names[1])
	for i, name := range names {
		s.Emit(trace.Event{Kind: trace.KindCommitted, Node: name, Index: 1<<64 - 2})
		s.Emit(trace.Event{Kind: trace.KindApplied, Node: name, Index: 1<<64 - 2, Value: -1 << 63 >> i})
	}
	return s
}

// StaleRead returns a partitioned cluster whose old leader answers a read with a stale
// value.
func StaleRead() *Sample {
	s := Partitioned().WithVerdicts()
	inc := trace.Op{Client: "c1", Kind: trace.EntryAdd, Delta: 1, Route: "leader", Node: "n5", Outcome: trace.OK, Seq: 40}
	var proof []uint64
	for i := range 3 {
		inc.Value, inc.Seq = int64(139+i), inc.Seq+1
		proof = []uint64{s.Call(inc, 12*time.Millisecond)}
		s.Advance(400 * time.Millisecond)
	}
	s.Call(trace.Op{Client: "c2", Kind: trace.EntryAdd, Delta: 2, Route: "n3", Node: "n3", Outcome: trace.Unknown, Why: "n3: no reply in time", Seq: 9}, 700*time.Millisecond)
	s.Call(trace.Op{Client: "c2", Kind: trace.EntryAdd, Delta: 2, Route: "n3", Node: "n3", Outcome: trace.Failed, Why: "n3: node is not the leader", Seq: 10}, 200*time.Millisecond)
	s.Advance(100 * time.Millisecond)
	proof = append(proof, s.Call(trace.Op{Client: "c3", Kind: trace.EntryRead, Level: "none", Route: "n3", Node: "n3", Outcome: trace.OK, Value: 135}, 3*time.Millisecond))
	s.Verdict(trace.Event{
		Check: check.Linearizable, Verdict: trace.VerdictViolated, Count: 2314, Proof: proof,
		Text: "c3 read 135 from n3 at 36.8s, but 141 was already acknowledged to c1 at 35.4s",
	})
	s.Advance(200 * time.Millisecond)
	s.Emit(trace.Event{Kind: trace.KindInvoked, Op: &trace.Op{ID: 1, Client: "c1", Kind: trace.EntryAdd, Delta: 1, Route: "leader", Invoked: s.At}})
	s.Advance(300 * time.Millisecond)
	return s
}

// LostIncrement returns a cluster that lost three acknowledged entries: they were on lying
// disks that lost power.
func LostIncrement() *Sample {
	s := Healthy(5).WithVerdicts()
	acked := Increments(2, 3, 1)
	for i := range acked {
		acked[i].Client, acked[i].Seq = "c1", uint64(50+i)
	}
	s.Append(acked, "n1", "n2", "n3")
	s.commit(130, "n1", "n2", "n3")
	for i := range acked {
		s.Call(trace.Op{Client: "c1", Kind: trace.EntryAdd, Delta: 1, Route: "leader", Node: "n3", Outcome: trace.OK, Value: int64(136 + i), Seq: uint64(50 + i)}, 10*time.Millisecond)
	}
	for _, id := range []string{"n2", "n3"} {
		s.Emit(trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Off})
		s.Emit(trace.Event{Kind: trace.KindLoaded, Node: id, Index: 1, Entries: s.State.Node(id).Entries[:127]})
		s.Emit(trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
	}
	s.Emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Killed})
	s.Advance(2 * time.Second)
	s.elect("n4", 3, "n2", "n3")
	s.Append([]trace.Entry{{Term: 3, Kind: trace.EntryNoop}}, "n2", "n3", "n5")
	s.Append(Increments(3, 3, 1), "n2", "n3", "n4", "n5")
	s.heartbeat("n4", "n2", "n3", "n5")
	s.commit(131, "n2", "n3", "n4", "n5")
	s.Verdict(trace.Event{
		Check: check.AckedDurable, Verdict: trace.VerdictViolated, Count: 2301, Proof: []uint64{s.State.Seq}, Index: 128, Entries: acked,
		Text: "3 acknowledged increments (entries 128 to 130) are lost: n4 commits another entry at index 128",
	})
	s.Advance(300 * time.Millisecond)
	return s
}

// Samples returns one sample of every kind, by name.
func Samples() map[string]*Sample {
	return map[string]*Sample{
		"empty": newSample(), "one": Healthy(1), "two": Healthy(2), "five": Healthy(5), "nine": Healthy(9), "ten": Healthy(10),
		"twenty-five": Healthy(25), "ninety-nine": Healthy(99), "dead-leader": DeadLeader(), "partition": Partitioned(),
		"no-leader": NoLeader(), "faulty": Faulty(), "huge": huge(), "hostile": Hostile(),
		"stale-read": StaleRead(), "lost": LostIncrement(), "held": Held(),
		"unreachable": Unreachable(),
	}
}
