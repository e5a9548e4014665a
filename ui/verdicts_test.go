package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"capsize/cluster/trace"
)

// judged lets every check say that all is well.
func (w *world) judged() *world {
	for _, p := range promises {
		w.verdict(trace.Event{Check: p.check, Verdict: trace.VerdictOK, Count: 2310})
	}
	return w
}

func (w *world) verdict(e trace.Event) {
	e.Kind = trace.KindVerdict
	w.emit(e)
}

// call has a client call and get its answer after a while, and returns the number
// of the event of the answer.
func (w *world) call(op trace.Op, took time.Duration) uint64 {
	op.ID, op.Invoked = w.state.Seq+100_000, w.at
	invoked := op
	invoked.Outcome = trace.Pending
	w.emit(trace.Event{Kind: trace.KindInvoked, Op: &invoked})
	w.pass(took)
	op.Returned = w.at
	w.emit(trace.Event{Kind: trace.KindReturned, Op: &op})
	return w.state.Seq
}

// staleRead is a cluster cut in two, whose old leader answers with a value that
// is older than what the other side said before.
func staleRead() *world {
	w := partitioned().judged()
	inc := trace.Op{Client: "c1", Kind: trace.EntryAdd, Delta: 1, Route: "leader", Node: "n5", Outcome: trace.OK, Seq: 40}
	var proof []uint64
	for i := range 3 {
		inc.Value, inc.Seq = int64(139+i), inc.Seq+1
		proof = []uint64{w.call(inc, 12*time.Millisecond)}
		w.pass(400 * time.Millisecond)
	}
	w.call(trace.Op{Client: "c2", Kind: trace.EntryAdd, Delta: 2, Route: "n3", Node: "n3", Outcome: trace.Unknown, Why: "n3: no answer in time", Seq: 9}, 700*time.Millisecond)
	w.call(trace.Op{Client: "c2", Kind: trace.EntryAdd, Delta: 2, Route: "n3", Node: "n3", Outcome: trace.Failed, Why: "n3: node is not the leader", Seq: 10}, 200*time.Millisecond)
	w.pass(100 * time.Millisecond)
	proof = append(proof, w.call(trace.Op{Client: "c3", Kind: trace.EntryRead, Level: "none", Route: "n3", Node: "n3", Outcome: trace.OK, Value: 135}, 3*time.Millisecond))
	w.verdict(trace.Event{
		Check: "linearizable", Verdict: trace.VerdictViolated, Count: 2314, Proof: proof,
		Text: "c3 read 135 from n3 at 0:00:36.8, but c1 had been told 141 at 0:00:35.4",
	})
	w.pass(200 * time.Millisecond)
	w.emit(trace.Event{Kind: trace.KindInvoked, Op: &trace.Op{ID: 1, Client: "c1", Kind: trace.EntryAdd, Delta: 1, Route: "leader", Invoked: w.at}})
	w.pass(300 * time.Millisecond)
	return w
}

// lostIncrement is a cluster that forgot three entries that clients were told are
// counted: they were on lying disks that lost power.
func lostIncrement() *world {
	w := healthy(5).judged()
	told := adds(2, 3, 1)
	for i := range told {
		told[i].Client, told[i].Seq = "c1", uint64(50+i)
	}
	w.appendTo(told, "n1", "n2", "n3")
	w.commit(130, "n1", "n2", "n3")
	for i := range told {
		w.call(trace.Op{Client: "c1", Kind: trace.EntryAdd, Delta: 1, Route: "leader", Node: "n3", Outcome: trace.OK, Value: int64(136 + i), Seq: uint64(50 + i)}, 10*time.Millisecond)
	}
	for _, id := range []string{"n2", "n3"} {
		w.emit(trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Off})
		w.emit(trace.Event{Kind: trace.KindLoaded, Node: id, Index: 1, Entries: w.state.Node(id).Entries[:127]})
		w.emit(trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
	}
	w.emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Killed})
	w.pass(2 * time.Second)
	w.elect("n4", 3, "n2", "n3")
	w.appendTo([]trace.Entry{{Term: 3, Kind: trace.EntryNoop}}, "n2", "n3", "n5")
	w.appendTo(adds(3, 3, 1), "n2", "n3", "n4", "n5")
	w.beat("n4", "n2", "n3", "n5")
	w.commit(131, "n2", "n3", "n4", "n5")
	w.verdict(trace.Event{
		Check: "acked-durable", Verdict: trace.VerdictViolated, Count: 2301, Proof: []uint64{w.state.Seq}, Index: 128, Entries: told,
		Text: "c1 was told that its +1 is counted as 138, but the log committed by n4 in term 3 has another entry at 130; 3 acknowledged increments are lost",
	})
	w.pass(300 * time.Millisecond)
	return w
}

func withAlarm(f *picture) *picture {
	if all := violated(f.state.Checks); len(all) > 0 {
		f.alarm, f.paused = &alarm{checks: all, stops: true}, true
	}
	return f
}

func TestViolationsLookAsTheyDid(t *testing.T) {
	for name, w := range map[string]*world{"stale-read": staleRead(), "lost": lostIncrement()} {
		for _, size := range []string{"80x24", "120x36"} {
			for _, v := range []string{"stage", "log", "clients"} {
				t.Run(name+"-"+v+"-"+size, func(t *testing.T) {
					f := w.frame(80, 24)
					if size == "120x36" {
						f = w.frame(120, 36)
					}
					f.turnTo(v)
					if v == "stage" {
						withAlarm(f)
					}
					golden.RequireEqual(t, plain(f))
				})
			}
		}
	}
}

func TestTheHeaderSaysWhatTheChecksSay(t *testing.T) {
	header := func(w *world, width, height int) string {
		line, _, _ := strings.Cut(plain(w.frame(width, height)), "\n")
		return line
	}
	if line := header(healthy(5).judged(), 140, 36); !strings.Contains(line, "✓ linearizable 2,310 ops   ✓ 8 checks") {
		t.Errorf("%q", line)
	}
	if line := header(healthy(5), 140, 36); strings.Contains(line, "checks") || !strings.Contains(line, "ok 2,298") {
		t.Errorf("%q", line)
	}
	open := healthy(5).judged()
	open.verdict(trace.Event{Check: "linearizable", Verdict: trace.VerdictUndecided, Text: "it takes too long"})
	if line := header(open, 140, 36); !strings.Contains(line, "? linearizable   ✓ 8 checks") {
		t.Errorf("%q", line)
	}
	// What is violated stands there at any size, whatever has to go for it.
	for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}, {200, 60}} {
		for check, w := range map[string]*world{"linearizable": staleRead(), "acked-durable": lostIncrement()} {
			if line := header(w, size[0], size[1]); !strings.Contains(line, "✗ "+check) {
				t.Errorf("%v: %q", size, line)
			}
		}
	}
}

// TestNobodyLacksWhatIsLost: entries that were committed and that the disks lost are
// gone for the leader too, so no node is behind for want of them.
func TestNobodyLacksWhatIsLost(t *testing.T) {
	s := &trace.State{Commit: 8, Nodes: []trace.Node{
		{ID: "n1", Process: trace.Up, Role: trace.Leader, Term: 4, Commit: 7, Applied: 7},
		{ID: "n2", Process: trace.Up, Role: trace.Follower, Term: 4, Commit: 6, Applied: 6},
	}}
	if got := behind(s, &s.Nodes[1]); got != 2 {
		t.Errorf("n2 is %d behind, want 2", got)
	}
	s.Lost = []trace.LostEntry{{Index: 8}}
	if one, two := behind(s, &s.Nodes[0]), behind(s, &s.Nodes[1]); one != 0 || two != 1 {
		t.Errorf("n1 is %d behind and n2 %d, want 0 and 1", one, two)
	}
}
