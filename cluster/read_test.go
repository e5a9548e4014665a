package cluster

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

func TestReadLevelNoneIsStaleOnIsolatedFollower(t *testing.T) {
	tc := open(t, 3)
	follower := tc.followers()[0]
	tc.must(func() error { return tc.Isolate(follower) })
	tc.add(5, RouteLeader)
	if op := tc.read(LevelNone, follower); op.Outcome != trace.OK || op.Value != 0 {
		tc.fatal("want the old value: %+v", op)
	}
	for _, level := range []string{LevelWeak, LevelLinearizable, LevelStrong} {
		tc.expectOutcome(tc.read(level, follower), trace.Failed, "not the leader")
	}
}

// TestReplyFromBeforeReadDoesNotConfirmLeadership lets another be elected while the
// last answer to the old leader's heartbeats is still under way: raft itself takes
// it for a confirmation. A weak read does not ask for one.
func TestReplyFromBeforeReadDoesNotConfirmLeadership(t *testing.T) {
	tc := open(t, 3)
	tc.add(1, RouteLeader)
	tc.untilValue(1)
	old := tc.leaderName()
	to, third := tc.followers()[0], tc.followers()[1]
	tc.must(func() error { return tc.SetLink(to, old, faults.Delay{Mean: 300 * time.Millisecond}) })
	tc.must(func() error { return tc.SetLink(third, old, faults.Cut{}) })
	tc.pass(150 * time.Millisecond) // now a heartbeat's answer is under way
	// A leader that hands over does not wait until it is out of its lease.
	tc.inBubble(func() { tc.bubble.Go(func() { _ = tc.Transfer(to) }) })
	tc.until("the other leads", func(s *trace.State) bool { return s.Node(to).Role == trace.Leader })
	tc.expectOutcome(tc.add(5, to), trace.OK, "")
	if op := tc.read(LevelWeak, old); op.Outcome != trace.OK || op.Value != 1 {
		tc.fatal("want the old value: %+v", op)
	}
	tc.expectOutcome(tc.read(LevelLinearizable, old), trace.Failed, "")
	tc.must(tc.Heal)
	tc.untilValue(6)
}

func TestConfirmedReadsFailOnIsolatedLeader(t *testing.T) {
	for _, level := range []string{LevelLinearizable, LevelStrong} {
		tc := open(t, 3)
		old := tc.isolateLeader()
		if op := tc.read(LevelWeak, old); op.Outcome != trace.OK {
			tc.fatal("within its lease it thinks it leads: %+v", op)
		}
		tc.expectOutcome(tc.read(level, old), trace.Failed, "")
	}
}

func TestStrongReadAppendsAnEntry(t *testing.T) {
	tc := open(t, 3)
	tc.add(4, RouteLeader)
	leader := tc.leaderName()
	for _, level := range Levels {
		before := tc.nodeState(leader).LastIndex()
		op := tc.read(level, leader)
		tc.expectOutcome(op, trace.OK, "")
		if op.Value != 4 {
			tc.fatal("%s: read %d", level, op.Value)
		}
		appended := tc.nodeState(leader).LastIndex() - before
		if want := level == LevelStrong; (appended == 1) != want || appended > 1 {
			t.Errorf("%s: %d entries appended", level, appended)
		}
	}
	if e, ok := tc.nodeState(leader).Entry(tc.nodeState(leader).LastIndex()); !ok || e.Kind != trace.EntryRead {
		t.Errorf("the last entry is %+v", e)
	}
}

// TestLeaderServesNoReadBeforeItsTermCommits elects a leader whose
// first entry cannot be committed: it leads, and knows nothing for certain.
func TestLeaderServesNoReadBeforeItsTermCommits(t *testing.T) {
	tc := open(t, 3)
	tc.add(3, RouteLeader)
	tc.untilValue(3)
	old := tc.leaderName()
	for _, from := range tc.Names() {
		for _, to := range tc.Names() {
			if from != to {
				// Entries do not arrive, but heartbeats and votes do.
				tc.must(func() error {
					return tc.SetLink(from, to, faults.Only(faults.Cut{}, faults.KindAppend))
				})
			}
		}
	}
	tc.must(func() error { return tc.Kill(old) })
	tc.until("another node leads", func(s *trace.State) bool { return s.LeaderNode() != nil })
	leader := tc.leaderName()
	tc.pass(50 * time.Millisecond)
	if op := tc.read(LevelWeak, leader); op.Outcome != trace.OK {
		tc.fatal("weak: %+v", op)
	}
	tc.expectOutcome(tc.read(LevelLinearizable, leader), trace.Failed, "")
	tc.must(tc.Heal)
	tc.until("someone leads for certain", func(s *trace.State) bool {
		l := s.LeaderNode()
		return l != nil && l.Commit == l.LastIndex() && l.LastTerm() == l.Term
	})
	if op := tc.read(LevelLinearizable, RouteLeader); op.Outcome != trace.OK || op.Value != 3 {
		tc.fatal("linearizable: %+v", op)
	}
}

// TestLinearizableReadSeesAcknowledgedIncrements is the property the level
// promises, under random faults that Raft survives: a read returns at least every
// increment acknowledged before it was invoked, and at most every one invoked
// before it returned.
func TestLinearizableReadSeesAcknowledgedIncrements(t *testing.T) {
	for _, level := range []string{LevelLinearizable, LevelStrong} {
		tc := open(t, 5)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		var mu sync.Mutex
		var acknowledged, invoked int64
		floor := map[uint64]int64{} // by operation: what was acknowledged when it was invoked
		reads := 0
		tc.Trace().Subscribe(func(e trace.Event) {
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
		tc.must(func() error { return tc.Load(20, 4, RouteRandom) })
		n := nemesis{tc: tc, rng: rand.New(rand.NewPCG(seed, 0))}
		for i := range 120 {
			n.inject()
			if i%10 == 0 {
				tc.healAll()
			}
			tc.inBubble(func() {
				for _, route := range []string{RouteLeader, RouteRandom, "n1", "n2", "n3", "n4", "n5"} {
					tc.bubble.Go(func() { tc.Read(level, route) })
				}
			})
			tc.pass(time.Duration(n.rng.IntN(1000)) * time.Millisecond)
		}
		mu.Lock()
		if reads < 50 {
			t.Errorf("only %d reads were answered: the test tests too little", reads)
		}
		mu.Unlock()
	}
}
