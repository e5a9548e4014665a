package cluster

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

func TestAReadOfLevelNoneIsStaleOnACutOffFollower(t *testing.T) {
	w := open(t, 3)
	one := w.followers()[0]
	w.must(func() error { return w.Isolate(one) })
	w.add(5, RouteLeader)
	if op := w.read(LevelNone, one); op.Outcome != trace.OK || op.Value != 0 {
		w.fatal("want the old value: %+v", op)
	}
	for _, level := range []string{LevelWeak, LevelLinearizable, LevelStrong} {
		w.wants(w.read(level, one), trace.Failed, "not the leader")
	}
}

// TestAnAnswerFromBeforeTheReadConfirmsNothing lets another be elected while the
// last answer to the old leader's heartbeats is still under way: raft itself takes
// it for a confirmation. A weak read does not ask for one.
func TestAnAnswerFromBeforeTheReadConfirmsNothing(t *testing.T) {
	w := open(t, 3)
	w.add(1, RouteLeader)
	w.untilAll(1)
	old := w.leaderName()
	to, third := w.followers()[0], w.followers()[1]
	w.must(func() error { return w.SetLink(to, old, faults.Delay{Mean: 300 * time.Millisecond}) })
	w.must(func() error { return w.SetLink(third, old, faults.Cut{}) })
	w.pass(150 * time.Millisecond) // now a heartbeat's answer is under way
	// A leader that hands over does not wait until it is out of its lease.
	w.clockDo(func() { w.bubble.Go(func() { _ = w.Transfer(to) }) })
	w.until("the other leads", func(s *trace.State) bool { return s.Node(to).Role == trace.Leader })
	w.wants(w.add(5, to), trace.OK, "")
	if op := w.read(LevelWeak, old); op.Outcome != trace.OK || op.Value != 1 {
		w.fatal("want the old value: %+v", op)
	}
	w.wants(w.read(LevelLinearizable, old), trace.Failed, "")
	w.must(w.Heal)
	w.untilAll(6)
}

func TestReadsThatMakeSureFailOnACutOffLeader(t *testing.T) {
	for _, level := range []string{LevelLinearizable, LevelStrong} {
		w := open(t, 3)
		old := w.cutOffLeader()
		if op := w.read(LevelWeak, old); op.Outcome != trace.OK {
			w.fatal("within its lease it thinks it leads: %+v", op)
		}
		w.wants(w.read(level, old), trace.Failed, "")
	}
}

func TestAStrongReadIsAnEntryOfTheLog(t *testing.T) {
	w := open(t, 3)
	w.add(4, RouteLeader)
	leader := w.leaderName()
	for _, level := range Levels {
		before := w.at(leader).LastIndex()
		op := w.read(level, leader)
		w.wants(op, trace.OK, "")
		if op.Value != 4 {
			w.fatal("%s: read %d", level, op.Value)
		}
		appended := w.at(leader).LastIndex() - before
		if want := level == LevelStrong; (appended == 1) != want || appended > 1 {
			t.Errorf("%s: %d entries appended", level, appended)
		}
	}
	if e, ok := w.at(leader).Entry(w.at(leader).LastIndex()); !ok || e.Kind != trace.EntryRead {
		t.Errorf("the last entry is %+v", e)
	}
}

// TestALeaderThatHasCommittedNothingOfItsTermDoesNotAnswer elects a leader whose
// first entry cannot be committed: it leads, and knows nothing for certain.
func TestALeaderThatHasCommittedNothingOfItsTermDoesNotAnswer(t *testing.T) {
	w := open(t, 3)
	w.add(3, RouteLeader)
	w.untilAll(3)
	old := w.leaderName()
	for _, from := range w.Names() {
		for _, to := range w.Names() {
			if from != to {
				// Entries do not arrive, but heartbeats and votes do.
				w.must(func() error {
					return w.SetLink(from, to, faults.Only(faults.Cut{}, faults.KindAppend))
				})
			}
		}
	}
	w.must(func() error { return w.Kill(old) })
	w.until("another leads", func(s *trace.State) bool { return s.LeaderNode() != nil })
	leader := w.leaderName()
	w.pass(50 * time.Millisecond)
	if op := w.read(LevelWeak, leader); op.Outcome != trace.OK {
		w.fatal("weak: %+v", op)
	}
	w.wants(w.read(LevelLinearizable, leader), trace.Failed, "")
	w.must(w.Heal)
	w.until("someone leads for certain", func(s *trace.State) bool {
		l := s.LeaderNode()
		return l != nil && l.Commit == l.LastIndex() && l.LastTerm() == l.Term
	})
	if op := w.read(LevelLinearizable, RouteLeader); op.Outcome != trace.OK || op.Value != 3 {
		w.fatal("linearizable: %+v", op)
	}
}

// TestALinearizableReadReturnsAllThatWasAcknowledged is the property the level
// promises, under random faults that Raft survives: a read returns at least every
// increment acknowledged before it was invoked, and at most every one invoked
// before it returned.
func TestALinearizableReadReturnsAllThatWasAcknowledged(t *testing.T) {
	for _, level := range []string{LevelLinearizable, LevelStrong} {
		w := open(t, 5)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		var mu sync.Mutex
		var acknowledged, invoked int64
		floor := map[uint64]int64{} // by operation: what was acknowledged when it was invoked
		reads := 0
		w.Trace().Subscribe(func(e trace.Event) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case e.Kind == trace.KindInvoked && e.Op.Kind == trace.EntryAdd:
				invoked++
			case e.Kind == trace.KindInvoked:
				floor[e.Op.ID] = acknowledged
			case e.Kind == trace.KindReturned && e.Op.Outcome == trace.OK && e.Op.Kind == trace.EntryAdd:
				acknowledged++
			case e.Kind == trace.KindReturned && e.Op.Outcome == trace.OK:
				reads++
				if e.Op.Value < floor[e.Op.ID] || e.Op.Value > invoked {
					t.Errorf("%s read of %d at %v, when %d to %d were due", level, e.Op.Value, e.At, floor[e.Op.ID], invoked)
				}
			}
		})
		w.must(func() error { return w.Load(20, 4, RouteRandom) })
		n := nemesis{w: w, rng: rand.New(rand.NewPCG(seed, 0))}
		for i := range 120 {
			n.strike()
			if i%10 == 0 {
				w.mend()
			}
			w.clockDo(func() {
				for _, route := range []string{RouteLeader, RouteRandom, "n1", "n2", "n3", "n4", "n5"} {
					w.bubble.Go(func() { w.Read(level, route) })
				}
			})
			w.pass(time.Duration(n.rng.IntN(1000)) * time.Millisecond)
		}
		mu.Lock()
		if reads < 50 {
			t.Errorf("only %d reads were answered: the test tests too little", reads)
		}
		mu.Unlock()
	}
}
