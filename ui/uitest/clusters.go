package uitest

import (
	"strings"
	"time"

	"capsize/cluster/trace"
)

// Healthy is n nodes, led by the third (or the only one), with a bit of work done.
func Healthy(n int) *Sample {
	w := newSample(numbered(n)...)
	names := numbered(n)
	leader := names[min(2, n-1)]
	var others []string
	for _, name := range names {
		if name != leader {
			others = append(others, name)
		}
	}
	w.Advance(1400 * time.Millisecond)
	w.elect(leader, 2, others[:n/2]...)
	for _, id := range others {
		w.Emit(trace.Event{Kind: trace.KindTerm, Node: id, Term: 2})
	}
	w.Append([]trace.Entry{{Term: 2, Kind: trace.EntryNoop}}, others...)
	w.heartbeat(leader, others...)
	work := append(Increments(2, 40, 1), Increments(2, 1, 10)...)
	work = append(work, Increments(2, 85, 1)...)
	w.Advance(30 * time.Second)
	w.Append(work, names...)
	w.commit(126, names...)
	w.heartbeat(leader, others...)
	for i := range 2298 {
		w.Emit(trace.Event{Kind: trace.KindInvoked})
		w.Emit(trace.Event{Kind: trace.KindReturned, Op: &trace.Op{ID: uint64(i), Kind: trace.EntryAdd, Outcome: trace.OK}})
	}
	w.Advance(120 * time.Millisecond)
	return w
}

// DeadLeader is five nodes whose first leader was killed, with a second in its place.
func DeadLeader() *Sample {
	w := Healthy(5)
	w.Emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Killed})
	w.Advance(1800 * time.Millisecond)
	w.elect("n5", 3, "n1", "n2")
	w.Emit(trace.Event{Kind: trace.KindTerm, Node: "n4", Term: 3})
	w.Append([]trace.Entry{{Term: 3, Kind: trace.EntryNoop}}, "n1", "n2", "n4")
	w.heartbeat("n5", "n1", "n2", "n4")
	w.Advance(5 * time.Second)
	w.Append(Increments(3, 3, 1), "n1", "n2", "n5")
	w.Append(Increments(3, 2, 1), "n4")
	w.commit(130, "n1", "n5")
	w.commit(129, "n2", "n4")
	w.heartbeat("n5", "n1", "n2", "n4")
	w.Advance(80 * time.Millisecond)
	return w
}

// Partitioned is five nodes cut in two and three, whose logs went apart.
func Partitioned() *Sample {
	w := Healthy(5)
	for _, a := range []string{"n3", "n4"} {
		for _, b := range []string{"n1", "n2", "n5"} {
			w.CutLinks(a, b)
		}
	}
	w.Emit(trace.Event{Kind: trace.KindShape, Text: "the network is cut in two: n3 n4 | n1 n2 n5"})
	w.Append(Increments(2, 3, 2), "n3", "n4")
	w.Emit(trace.Event{Kind: trace.KindInvoked})
	w.Emit(trace.Event{Kind: trace.KindReturned, Op: &trace.Op{Client: "c2", Kind: trace.EntryAdd, Delta: 2, Node: "n3", Outcome: trace.Unknown, Why: "leadership lost while committing"}})
	w.Advance(600 * time.Millisecond)
	w.Emit(trace.Event{Kind: trace.KindRole, Node: "n3", Role: trace.Follower, Term: 2})
	w.Advance(1200 * time.Millisecond)
	w.elect("n5", 3, "n1", "n2")
	w.Append([]trace.Entry{{Term: 3, Kind: trace.EntryNoop}}, "n1", "n2")
	w.heartbeat("n5", "n1", "n2")
	w.Append(Increments(3, 5, 1), "n5", "n1", "n2")
	w.commit(131, "n5", "n1")
	w.commit(130, "n2")
	w.Advance(700 * time.Millisecond)
	w.heartbeat("n5", "n1", "n2")
	w.Emit(trace.Event{Kind: trace.KindRole, Node: "n4", Role: trace.Candidate, Term: 2})
	w.Emit(trace.Event{Kind: trace.KindTerm, Node: "n4", Term: 3})
	w.Emit(trace.Event{Kind: trace.KindVote, Node: "n4", Term: 3, Peer: "n4"})
	w.Advance(90 * time.Millisecond)
	return w
}

// NoLeader is five nodes of which three are down, in three ways.
func NoLeader() *Sample {
	w := Healthy(5)
	w.Emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Off})
	w.Emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Killed})
	w.Advance(300 * time.Millisecond)
	w.Emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Crashed, Text: "its disk is full"})
	w.Advance(1600 * time.Millisecond)
	w.ask("n5", 3, "n4")
	w.Advance(400 * time.Millisecond)
	return w
}

// Faulty is five nodes with one of everything that can be wrong.
func Faulty() *Sample {
	w := Healthy(5)
	w.Emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Paused})
	w.Emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Wiped})
	w.Emit(trace.Event{Kind: trace.KindDiskFault, Node: "n4", Text: "slow 50ms"})
	w.Emit(trace.Event{Kind: trace.KindClockFault, Node: "n5", Factor: 3})
	w.Emit(trace.Event{Kind: trace.KindLinkFault, Node: "n3", Peer: "n5", Faults: []string{"cut"}})
	w.Emit(trace.Event{Kind: trace.KindLinkFault, Node: "n3", Peer: "n4", Faults: []string{"delay 100ms"}})
	w.Emit(trace.Event{Kind: trace.KindLinkFault, Node: "n5", Peer: "n4", Faults: []string{"lose 30%"}})
	w.Emit(trace.Event{Kind: trace.KindLinkFault, Node: "n4", Peer: "n5", Faults: []string{"lose 30%"}})
	w.Emit(trace.Event{Kind: trace.KindSnapshot, Node: "n3", Index: 118, Term: 2})
	w.Emit(trace.Event{Kind: trace.KindCompacted, Node: "n3", Index: 1, Last: 116})
	w.Advance(700 * time.Millisecond)
	return w
}

// huge has values and terms as large as they go, and names as long.
func huge() *Sample {
	names := []string{"alpha-0123456789-0123456789-abcd", "beta.example.internal_0123456789", "n3"}
	w := newSample(names...)
	w.Advance(100 * time.Hour)
	w.elect(names[0], 1<<63, names[1])
	for i, name := range names {
		w.Emit(trace.Event{Kind: trace.KindCommitted, Node: name, Index: 1<<64 - 2})
		w.Emit(trace.Event{Kind: trace.KindApplied, Node: name, Index: 1<<64 - 2, Value: -1 << 63 >> i})
	}
	return w
}

// StaleRead is a cluster cut in two, whose old leader answers with a value that
// is older than what the other side said before.
func StaleRead() *Sample {
	w := Partitioned().WithVerdicts()
	inc := trace.Op{Client: "c1", Kind: trace.EntryAdd, Delta: 1, Route: "leader", Node: "n5", Outcome: trace.OK, Seq: 40}
	var proof []uint64
	for i := range 3 {
		inc.Value, inc.Seq = int64(139+i), inc.Seq+1
		proof = []uint64{w.Call(inc, 12*time.Millisecond)}
		w.Advance(400 * time.Millisecond)
	}
	w.Call(trace.Op{Client: "c2", Kind: trace.EntryAdd, Delta: 2, Route: "n3", Node: "n3", Outcome: trace.Unknown, Why: "n3: no answer in time", Seq: 9}, 700*time.Millisecond)
	w.Call(trace.Op{Client: "c2", Kind: trace.EntryAdd, Delta: 2, Route: "n3", Node: "n3", Outcome: trace.Failed, Why: "n3: node is not the leader", Seq: 10}, 200*time.Millisecond)
	w.Advance(100 * time.Millisecond)
	proof = append(proof, w.Call(trace.Op{Client: "c3", Kind: trace.EntryRead, Level: "none", Route: "n3", Node: "n3", Outcome: trace.OK, Value: 135}, 3*time.Millisecond))
	w.Verdict(trace.Event{
		Check: "linearizable", Verdict: trace.VerdictViolated, Count: 2314, Proof: proof,
		Text: "c3 read 135 from n3 at 0:00:36.8, but c1 had been told 141 at 0:00:35.4",
	})
	w.Advance(200 * time.Millisecond)
	w.Emit(trace.Event{Kind: trace.KindInvoked, Op: &trace.Op{ID: 1, Client: "c1", Kind: trace.EntryAdd, Delta: 1, Route: "leader", Invoked: w.At}})
	w.Advance(300 * time.Millisecond)
	return w
}

// LostIncrement is a cluster that forgot three entries that clients were told are
// counted: they were on lying disks that lost power.
func LostIncrement() *Sample {
	w := Healthy(5).WithVerdicts()
	told := Increments(2, 3, 1)
	for i := range told {
		told[i].Client, told[i].Seq = "c1", uint64(50+i)
	}
	w.Append(told, "n1", "n2", "n3")
	w.commit(130, "n1", "n2", "n3")
	for i := range told {
		w.Call(trace.Op{Client: "c1", Kind: trace.EntryAdd, Delta: 1, Route: "leader", Node: "n3", Outcome: trace.OK, Value: int64(136 + i), Seq: uint64(50 + i)}, 10*time.Millisecond)
	}
	for _, id := range []string{"n2", "n3"} {
		w.Emit(trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Off})
		w.Emit(trace.Event{Kind: trace.KindLoaded, Node: id, Index: 1, Entries: w.State.Node(id).Entries[:127]})
		w.Emit(trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
	}
	w.Emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Killed})
	w.Advance(2 * time.Second)
	w.elect("n4", 3, "n2", "n3")
	w.Append([]trace.Entry{{Term: 3, Kind: trace.EntryNoop}}, "n2", "n3", "n5")
	w.Append(Increments(3, 3, 1), "n2", "n3", "n4", "n5")
	w.heartbeat("n4", "n2", "n3", "n5")
	w.commit(131, "n2", "n3", "n4", "n5")
	w.Verdict(trace.Event{
		Check: "acked-durable", Verdict: trace.VerdictViolated, Count: 2301, Proof: []uint64{w.State.Seq}, Index: 128, Entries: told,
		Text: "c1 was told that its +1 is counted as 138, but the log committed by n4 in term 3 has another entry at 130; 3 acknowledged increments are lost",
	})
	w.Advance(300 * time.Millisecond)
	return w
}

func Samples() map[string]*Sample {
	return map[string]*Sample{
		"empty": newSample(), "one": Healthy(1), "two": Healthy(2), "five": Healthy(5), "nine": Healthy(9), "ten": Healthy(10),
		"twenty-five": Healthy(25), "ninety-nine": Healthy(99), "dead-leader": DeadLeader(), "partition": Partitioned(),
		"no-leader": NoLeader(), "faulty": Faulty(), "huge": huge(), "hostile": Hostile(),
		"stale-read": StaleRead(), "lost": LostIncrement(),
	}
}

// Hostile is a cluster whose every text is meant to do harm.
func Hostile() *Sample {
	evil := "\x1b[2J\x1b]52;c;aGk=\x07\u202e\u200b\u0301\u009b31m\u2028e\u0301\u0301\u0301\u0301世👩\u200d👩\u200d👧\r\n\xff"
	w := newSample(evil, "a"+evil, evil+"b")
	w.elect(evil, 1, "a"+evil)
	w.Emit(trace.Event{Kind: trace.KindCaption, Text: strings.Repeat(evil, 20)})
	w.Emit(trace.Event{Kind: trace.KindProcess, Node: "a" + evil, Process: trace.Crashed, Text: evil})
	w.Emit(trace.Event{Kind: trace.KindDiskFault, Node: evil, Text: evil})
	w.Emit(trace.Event{Kind: trace.KindLinkFault, Node: evil, Peer: evil + "b", Faults: []string{evil}})
	w.Advance(time.Second)
	return w
}
