package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

// byHand runs a command by hand while the clock stands still, and returns how much virtual time it
// took.
func (tc *testCluster) byHand(f func() error) (time.Duration, error) {
	tc.t.Helper()
	before := tc.clock.Now()
	err := tc.DoUntil(time.Hour, "by hand", func(*Inside) error { return f() })
	return tc.clock.Now() - before, err
}

// campaigns returns the nodes that started elections since an event, in order.
func (tc *testCluster) campaigns(since uint64) (nodes []string) {
	tc.history.Events(since+1, tc.state().Seq, func(e *trace.Event) bool {
		if e.Kind == trace.KindReason && (e.Reason.Decision == trace.StartPreVote || e.Reason.Decision == trace.StartElection && e.Reason.Cause != trace.PreVoteWon) {
			nodes = append(nodes, e.Node+" "+e.Reason.Other)
		}
		return true
	})
	return nodes
}

// holdAll holds every link.
func (tc *testCluster) holdAll() {
	tc.t.Helper()
	if _, err := tc.byHand(func() error { return tc.Hold(tc.AllLinks(), faults.Hold{}) }); err != nil {
		tc.t.Fatal(err)
	}
}

func withHistory(cfg *Config) { cfg.HistoryBudget = 16 << 20 }

func TestFiredElectionIsTheOnlyOne(t *testing.T) {
	tc := open(t, 5, withHistory)
	tc.holdAll()
	node := tc.followers()[0]
	before := map[string]timeouts{}
	for _, name := range tc.Names() {
		before[name] = tc.raftTimeouts(name)
	}
	since := tc.state().Seq
	for range 3 { // first as a follower, then as a candidate
		took, err := tc.byHand(func() error { return tc.FireElection(node) })
		if err != nil || took > firedMax+settleTime {
			t.Fatalf("it took %s: %v", took, err)
		}
	}
	if got, want := fmt.Sprint(tc.campaigns(since)), fmt.Sprint(slices.Repeat([]string{node + " " + trace.FiredByHand}, 3)); got != want {
		tc.fatal("elections: %s, want %s", got, want)
	}
	for _, name := range tc.Names() {
		if got := tc.raftTimeouts(name); got != before[name] {
			t.Errorf("%s has timeouts %+v afterwards, want %+v", name, got, before[name])
		}
	}
	requests := 0
	for _, f := range tc.state().Waiting {
		if f.Kind == "prevote" && f.From == node && !f.Reply {
			requests++
		}
	}
	if requests != 12 {
		t.Errorf("%d pre-vote requests wait, want 3 for each of 4 nodes", requests)
	}
	// The next timer is one of full length again.
	since = tc.state().Seq
	tc.pass(900 * time.Millisecond)
	for _, campaign := range tc.campaigns(since) {
		if strings.HasPrefix(campaign, node) {
			t.Errorf("%s starts another election within 900ms", node)
		}
	}
}

func TestFiredElectionWithoutAHoldElects(t *testing.T) {
	tc := open(t, 3, withHistory, func(cfg *Config) { cfg.Settings.PreVote, cfg.Settings.Latency = false, 0 })
	tc.must(func() error { return tc.Kill(tc.leaderName()) })
	survivor := ""
	for _, name := range tc.Names() {
		if tc.nodeState(name).Process == trace.Up {
			survivor = name
		}
	}
	tc.until("the dead leader is missed", func(s *trace.State) bool {
		return s.Node(survivor).Role == trace.Leader || s.Node(survivor).Leader == ""
	})
	if tc.nodeState(survivor).Role != trace.Leader {
		if _, err := tc.byHand(func() error { return tc.FireElection(survivor) }); err != nil {
			t.Fatal(err)
		}
	}
	tc.until("a leader", func(s *trace.State) bool { return s.HasLeader() })
	tc.pass(5 * time.Second)
	if n := len(tc.state().LeaderTerms); n > 3 {
		t.Errorf("%d terms: the leader's heartbeats stopped", n)
	}
	tc.expectNoViolation()
}

func TestFireRefusesWhatANodeHasNot(t *testing.T) {
	tc := open(t, 3)
	leader, follower := tc.leaderName(), tc.followers()[0]
	tc.must(func() error { return tc.AddNode("n4", true) })
	tc.must(func() error { return tc.Kill(tc.followers()[1]) })
	down := ""
	for _, name := range tc.Names() {
		if tc.nodeState(name).Process == trace.Killed {
			down = name
		}
	}
	for _, c := range []struct {
		fire func() error
		want string
	}{
		{func() error { return tc.FireElection(leader) }, leader + " leads: a leader has no election timer"},
		{func() error { return tc.FireElection("n4") }, "n4 is not a voter: it starts no election"},
		{func() error { return tc.FireElection(down) }, down + " is down: its timers do not run; restart it first"},
		{func() error { return tc.FireHeartbeat(follower) }, follower + " does not lead: only a leader sends heartbeats"},
		{func() error { return tc.FireLease(follower) }, follower + " does not lead: only a leader has a lease"},
		{func() error { return tc.FireLease(leader) }, leader + " keeps its lease: a quorum has replied within 500ms"},
		{func() error { return tc.Expire(trace.Link{From: follower, To: leader}) }, follower + " is not waiting for a reply from " + leader},
	} {
		if _, err := tc.byHand(c.fire); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestFiredLeaseEndsOneLeadershipOnly(t *testing.T) {
	tc := open(t, 5, withHistory)
	tc.pass(time.Second)
	tc.holdAll()
	leader, since := tc.leaderName(), tc.state().Seq
	for range 3 { // even when followers have heard nothing for long
		if tc.nodeState(leader).Role == trace.Leader {
			took, err := tc.byHand(func() error { return tc.FireLease(leader) })
			if err != nil || took > 600*time.Millisecond {
				t.Fatalf("it took %s: %v", took, err)
			}
		}
	}
	if got := tc.campaigns(since); len(got) > 0 {
		tc.fatal("elections of %s started meanwhile", got)
	}
	if got := tc.nodeState(leader).Role; got != trace.Follower {
		tc.fatal("%s is %s after its lease has ended, want follower", leader, got)
	}
}

func TestFiredHeartbeatsAreAllThatHappens(t *testing.T) {
	tc := open(t, 3, withHistory)
	tc.pass(time.Second)
	tc.holdAll()
	for range 3 { // an RPC in flight keeps its follower from the next heartbeat
		for _, f := range tc.state().Waiting {
			_, _ = tc.byHand(func() error { return tc.Deliver(trace.Link{From: f.From, To: f.To}, f.ID, false) })
		}
	}
	waits := func() (all []string) {
		for _, f := range tc.state().Waiting {
			all = append(all, f.From+" "+f.Kind)
		}
		return all
	}
	leader, before := tc.leaderName(), waits()
	took, err := tc.byHand(func() error { return tc.FireHeartbeat(leader) })
	if err != nil || took > time.Microsecond {
		t.Fatalf("it took %s: %v", took, err)
	}
	if want := append(before, slices.Repeat([]string{leader + " heartbeat"}, 2)...); !slices.Equal(waits(), want) {
		t.Errorf("%q wait, want %q", waits(), want)
	}
}

func TestHandMovesPacketsWhileTheClockStandsStill(t *testing.T) {
	tc := open(t, 3)
	tc.pass(time.Second) // every node knows the leader
	tc.holdAll()
	done := make(chan trace.Op, 1)
	tc.inBubble(func() { tc.bubble.Go(func() { done <- tc.Add(1, RouteLeader) }) })
	at := tc.clock.Now()
	for round := 0; len(done) == 0; round++ {
		if round == 10 {
			tc.fatal("the increment has no outcome although everything was delivered")
		}
		for _, f := range tc.state().Waiting {
			if _, err := tc.byHand(func() error { return tc.Deliver(trace.Link{From: f.From, To: f.To}, f.ID, false) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if op := <-done; op.Outcome != trace.OK || op.Value != 1 {
		t.Errorf("the increment: %+v", op)
	}
	if passed := tc.clock.Now() - at; passed > time.Microsecond {
		t.Errorf("%s passed meanwhile", passed)
	}
	_, err := tc.byHand(func() error { return tc.Deliver(trace.Link{From: "n1", To: "n2"}, 1, false) })
	if want := "#1: it is not waiting: it was delivered or dropped before, or its link is not held"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := tc.byHand(tc.Release); err != nil {
		t.Error(err)
	}
	tc.untilValue(1)
	if _, err := tc.byHand(tc.Release); err == nil {
		t.Error("releasing twice succeeds")
	}
	tc.expectNoViolation()
}

func TestNewNodeIsHeldWhenAllLinksAre(t *testing.T) {
	tc := open(t, 3)
	tc.must(func() error { return tc.AddNode("n4", true) })
	if tc.state().HoldsAny() {
		t.Error("a node that is added without a hold is held")
	}
	tc.holdAll()
	tc.inBubble(func() { tc.bubble.Go(func() { _ = tc.AddNode("n5", true) }) })
	tc.pass(100 * time.Millisecond)
	if s := tc.state(); !s.Holds(trace.Link{From: "n5", To: "n1"}) || !s.Holds(trace.Link{From: "n4", To: "n5"}) {
		t.Errorf("the links of n5 have the faults %v", s.Faults)
	}
	if _, err := tc.byHand(tc.Release); err != nil || tc.state().HoldsAny() {
		t.Errorf("after the release: %v, %v", err, tc.state().Faults)
	}
}

func TestHealLeavesWhatIsHeld(t *testing.T) {
	tc := open(t, 3)
	tc.holdAll()
	tc.must(func() error { return tc.Isolate("n1") })
	held := func() (links int, other []string) {
		for _, set := range tc.state().Faults {
			for _, f := range set {
				if f == (faults.Hold{}).String() {
					links++
				} else {
					other = append(other, f)
				}
			}
		}
		return links, other
	}
	if links, other := held(); links != 6 || len(other) != 4 {
		t.Fatalf("%d links are held, and there are %q", links, other)
	}
	for _, heal := range []func() error{tc.Heal, tc.HealEverything, func() error { return tc.HealLinks([]trace.Link{{From: "n1", To: "n2"}}) }} {
		tc.must(heal)
		if links, other := held(); links != 6 || len(other) > 0 {
			t.Errorf("after a heal, %d links are held, and there are %q", links, other)
		}
	}
}
