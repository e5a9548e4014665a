package check

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// A trace that is impossible or incomplete never gets the verdict ok.
func TestForgedTraceIsNeverOK(t *testing.T) {
	for _, c := range []struct {
		name string
		lie  func(*historyBuilder)
		why  string
	}{
		{"out of order", func(r *historyBuilder) { r.seq = 3; r.commit("n1", 3) }, "out of order"},
		{"time goes back", func(r *historyBuilder) { r.at = 0; r.commit("n1", 3) }, "out of order"},
		{"an impossible index", func(r *historyBuilder) { r.commit("n1", math.MaxUint64) }, "impossible"},
		{"an impossible entry", func(r *historyBuilder) { r.append("n1", math.MaxUint64, noop(1)) }, "impossible"},
		{"an impossible term", func(r *historyBuilder) { r.append("n1", 4, noop(math.MaxUint64)) }, "impossible"},
		{"committed beyond the log", func(r *historyBuilder) { r.commit("n1", 9) }, "its log ends at 3"},
		{"applied beyond the log", func(r *historyBuilder) { r.apply("n1", 9, 5) }, "its log ends at 3"},
		{"a gap in the log", func(r *historyBuilder) { r.append("n1", 9, noop(1)) }, "its log ends at 3"},
		{"a node out of nowhere", func(r *historyBuilder) { r.append("n8", 1, noop(1)) }, "does not show what its disk held"},
		{"entries that were not applied", func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3), plus(1, "c1", 4))
			r.apply("n1", 5, 4)
		}, "does not show it applying entry 4"},
		{"an operation without a name", func(r *historyBuilder) { r.emit(trace.Event{Kind: trace.KindReturned}) }, "does not name its operation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := twoIncrements(t)
			c.lie(r)
			r.settle()
			for _, name := range Names() {
				if v := r.latest[name]; v.Verdict == trace.VerdictOK || v.Verdict == trace.VerdictUndecided && !strings.Contains(v.Text, c.why) {
					t.Errorf("%s is %s: %s", name, v.Verdict, v.Text)
				}
			}
		})
	}
}

func TestReplyWithoutACallIsUndecided(t *testing.T) {
	r := twoIncrements(t)
	r.reply(trace.Op{ID: 77, Client: "c1", Kind: trace.EntryRead}, 2)
	r.settle()
	if v := r.latest[Linearizable]; v.Verdict != trace.VerdictUndecided {
		t.Errorf("%s: %s", v.Verdict, v.Text)
	}
}

func TestTraceWithoutItsStartIsUndecided(t *testing.T) {
	r := blank(t)
	r.packet(trace.Packet{Kind: "append", From: "n1", Term: 1})
	if len(r.all) > 0 {
		t.Errorf("said %v", r.all)
	}
	r.append("n1", 4, noop(1))
	r.settle()
	for _, name := range Names() {
		if v := r.latest[name]; v.Verdict != trace.VerdictUndecided || !strings.Contains(v.Text, "does not start") {
			t.Errorf("%s is %s: %s", name, v.Verdict, v.Text)
		}
	}
}

// randomEvent draws an event of any kind with any content, much of it plausible.
func randomEvent(rng *rand.Rand) trace.Event {
	kinds := []trace.Kind{
		trace.KindSettings, trace.KindProcess, trace.KindRole, trace.KindTerm, trace.KindVote, trace.KindLoaded, trace.KindAppended,
		trace.KindAppended, trace.KindTruncated, trace.KindCompacted, trace.KindCommitted, trace.KindApplied, trace.KindSnapshot,
		trace.KindInstalled, trace.KindPacket, trace.KindInvoked, trace.KindReturned, trace.KindVerdict, trace.KindCaption, "nonsense",
	}
	number := func() uint64 {
		if rng.IntN(200) == 0 {
			return rng.Uint64()
		}
		return rng.Uint64N(12)
	}
	node := func() string { return []string{"n1", "n2", "n3", ""}[rng.IntN(4)] }
	e := trace.Event{
		Seq: number(), Kind: kinds[rng.IntN(len(kinds))], Node: node(), Peer: node(), Term: number(), Index: number(), Last: number(), Value: int64(number()),
		Process: []trace.ProcessState{trace.Up, trace.Killed, trace.Wiped, trace.Removed, trace.Paused, "odd"}[rng.IntN(6)],
		Role:    []trace.Role{trace.Leader, trace.Follower, trace.Candidate}[rng.IntN(3)],
	}
	for range rng.IntN(4) {
		e.Entries = append(e.Entries, trace.Entry{
			Term: number(), Kind: []trace.EntryKind{trace.EntryAdd, trace.EntryAdd, trace.EntryNoop, trace.EntryRead, "odd"}[rng.IntN(5)],
			Delta: int64(number()), Client: node(), Seq: number(),
		})
	}
	if rng.IntN(10) > 0 {
		e.Packet = &trace.Packet{Status: trace.Sent, Kind: []string{"append", "vote", "heartbeat"}[rng.IntN(3)], From: node(), To: node(), Term: number(), Reply: rng.IntN(2) == 0, OK: true}
		e.Op = &trace.Op{ID: number(), Client: node(), Kind: []trace.EntryKind{trace.EntryAdd, trace.EntryRead}[rng.IntN(2)], Delta: int64(number()), Seq: number(), Outcome: []trace.Outcome{trace.OK, trace.Unknown, trace.Failed, ""}[rng.IntN(4)], Value: int64(number())}
		e.Settings = &trace.Settings{}
	}
	return e
}

// FuzzObserve feeds the checks any events: they must neither panic nor take back a
// violation.
func FuzzObserve(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, seed uint64, inOrder bool) {
		rng := rand.New(rand.NewPCG(seed, 0))
		c := New(nil)
		defer c.Close()
		violated := map[string]bool{}
		for i := range 200 {
			e := randomEvent(rng)
			if inOrder {
				e.Seq, e.At = uint64(i+1), time.Duration(i)
				if i == 0 {
					e.Kind, e.Settings = trace.KindSettings, &trace.Settings{}
				}
			}
			for _, v := range c.Observe(&e) {
				if v.Kind != trace.KindVerdict || v.Check == "" || violated[v.Check] && v.Verdict != trace.VerdictViolated {
					t.Fatalf("%+v", v)
				}
				violated[v.Check] = v.Verdict == trace.VerdictViolated
				if v.Verdict != trace.VerdictOK && v.Text == "" {
					t.Fatalf("no reason: %+v", v)
				}
				if _, err := json.Marshal(v); err != nil {
					t.Fatal(err)
				}
			}
		}
		c.Await()
	})
}
