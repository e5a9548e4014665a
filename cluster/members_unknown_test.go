package cluster

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// expectUnknown checks that a membership change has an unknown outcome.
func (tc *testCluster) expectUnknown(err error) {
	tc.t.Helper()
	if !errors.Is(err, ErrUnknown) {
		tc.fatal("got error %v, want an unknown outcome", err)
	}
}

// changes are the membership changes that can be lost: n4 is added, or n3 is removed.
var changes = []struct {
	name, node string
	do         func(*testCluster) error
	lost, done trace.ProcessState // of the node, once the change is decided
	members    string             // after the change
}{
	{"add", "n4", func(tc *testCluster) error { return tc.AddNode("n4", true) }, trace.Removed, trace.Up, "n1 n2 n3 n4"},
	{"remove", "n3", func(tc *testCluster) error { return tc.RemoveNode("n3") }, trace.Up, trace.Removed, "n1 n2"},
}

// leadBy makes a node the leader.
func (tc *testCluster) leadBy(name string) {
	tc.t.Helper()
	tc.must(func() error { return tc.Transfer(name) })
	tc.until(name+" leads", func(s *trace.State) bool { return s.HasLeader() && s.LeaderNode().ID == name })
	tc.pass(time.Second)
}

// newLeader waits until a leader of a later term than n1's has committed an entry of that term.
func (tc *testCluster) newLeader() {
	tc.t.Helper()
	before := uint64(0)
	tc.Trace().Read(func(s *trace.State) {
		e, _ := s.Node("n1").Entry(s.Node("n1").LastIndex())
		before = e.Term
	})
	tc.until("the next leader commits", func(s *trace.State) bool {
		leader := s.LeaderNode()
		if leader == nil || leader.Term <= before {
			return false
		}
		e, ok := leader.Entry(leader.Commit)
		return ok && e.Term == leader.Term
	})
	tc.pass(2 * pollEvery)
}

func TestMemberChangeLostWithItsLeaderIsUndone(t *testing.T) {
	for _, change := range changes {
		t.Run(change.name, func(t *testing.T) {
			tc := open(t, 3)
			tc.leadBy("n1")
			tc.must(func() error { return tc.Isolate("n1") })
			tc.expectUnknown(tc.do(func() error { return change.do(tc) }))
			tc.pass(2 * pollEvery)
			tc.expectProcess(change.node, trace.Up) // no leader has decided yet
			tc.newLeader()
			tc.expectProcess(change.node, change.lost)
			tc.must(tc.Heal)
			tc.pass(15 * time.Second)
			tc.expectProcess(change.node, change.lost)
			tc.expectMembers("n1 n2 n3", "")
			if change.lost == trace.Removed {
				tc.expectStory("n4 stops: it did not become a member")
				tc.must(func() error { return tc.AddNode("n4", true) }) // the name is free
			}
			tc.expectNoViolation()
		})
	}
}

func TestMemberChangeThatTheNextLeaderCommitsIsCarriedOut(t *testing.T) {
	for _, change := range changes {
		t.Run(change.name, func(t *testing.T) {
			tc := open(t, 3)
			tc.leadBy("n1")
			// n2 stores the entry, but n1 never hears of it and n3 never sees it.
			tc.setDisk("n2", faults.Slow{Latency: 200 * time.Millisecond})
			for _, link := range [][2]string{{"n1", "n3"}, {"n3", "n1"}} {
				tc.must(func() error { return tc.SetLink(link[0], link[1], faults.Cut{}) })
			}
			done := make(chan error, 1)
			tc.inBubble(func() { tc.bubble.Go(func() { done <- change.do(tc) }) })
			tc.pass(100 * time.Millisecond)
			tc.must(func() error { return tc.SetLink("n2", "n1", faults.Cut{}) })
			tc.pass(time.Second)
			tc.setDisk("n2", nil)
			tc.expectUnknown(<-done)
			tc.expectProcess(change.node, trace.Up)
			tc.inBubble(func() { tc.healLink("n2", "n1") })
			tc.newLeader()
			tc.expectProcess(change.node, change.done)
			tc.must(tc.Heal)
			tc.expectMembers(change.members, "")
			tc.pass(15 * time.Second)
			tc.expectProcess(change.node, change.done)
			tc.expectNoViolation()
		})
	}
}

// A leader whose disk hangs still leads when it hears from its disk again, so the change is
// committed in the term in which it was asked for.
func TestMemberChangeWithoutReplyIsDecidedInItsOwnTerm(t *testing.T) {
	for _, change := range changes {
		t.Run(change.name, func(t *testing.T) {
			tc := open(t, 3)
			tc.leadBy("n1")
			term := tc.nodeState("n1").Term
			tc.setDisk("n1", faults.Stall{})
			err := tc.do(func() error { return change.do(tc) })
			tc.expectUnknown(err)
			tc.expectRefused(err, "outcome unknown ("+change.name+" "+change.node+"): n1: no reply in time")
			tc.expectProcess(change.node, trace.Up)
			tc.setDisk("n1", nil)
			tc.pass(time.Second)
			tc.expectProcess(change.node, change.done)
			if got := tc.nodeState("n1").Term; got != term || tc.leaderName() != "n1" {
				t.Fatalf("got term %d, want %d: the test is about one term", got, term)
			}
			tc.expectMembers(change.members, "")
		})
	}
}

func TestMemberChangeIsDecidedByTheCommittedConfiguration(t *testing.T) {
	servers := func(names ...string) (all []trace.Server) {
		for _, name := range names {
			all = append(all, trace.Server{ID: name, Voter: true})
		}
		return all
	}
	config := func(term uint64, names ...string) trace.Entry {
		return trace.Entry{Term: term, Kind: trace.EntryConfig, Servers: servers(names...)}
	}
	add := func(term uint64) trace.Entry { return trace.Entry{Term: term, Kind: trace.EntryAdd} }
	with, without := config(2, "n1", "n2", "n3"), config(2, "n1", "n2")
	for _, test := range []struct {
		name              string
		add               bool
		commitBefore      uint64
		nodes             []trace.Node
		isMember, decided bool
	}{
		{"no node knows anything", true, 0, []trace.Node{{First: 1}}, false, false},
		{"no node knows anything of a removal", false, 0, []trace.Node{{First: 1}}, false, false},
		{"added, not committed", true, 1, []trace.Node{{First: 1, Commit: 1, Entries: []trace.Entry{without, with}}}, false, false},
		{"added and committed", true, 1, []trace.Node{{First: 1, Commit: 2, Entries: []trace.Entry{without, with}}}, true, true},
		{"added, then an increment", true, 1, []trace.Node{{First: 1, Commit: 3, Entries: []trace.Entry{without, with, add(2)}}}, true, true},
		{"add lost, same term", true, 1, []trace.Node{{First: 1, Commit: 2, Entries: []trace.Entry{without, add(2)}}}, false, false},
		{"add lost, later term", true, 1, []trace.Node{{First: 1, Commit: 2, Entries: []trace.Entry{without, add(3)}}}, false, true},
		{"later term, not committed", true, 1, []trace.Node{{First: 1, Commit: 1, Entries: []trace.Entry{without, add(3)}}}, false, false},
		{"the node that knows most decides", true, 1, []trace.Node{
			{First: 1, Commit: 1, Entries: []trace.Entry{config(3, "n1")}},
			{First: 1, Commit: 2, Entries: []trace.Entry{without, with}},
			{First: 1, Commit: 1, Entries: []trace.Entry{without}},
		}, true, true},
		{"removed and committed", false, 1, []trace.Node{{First: 1, Commit: 2, Entries: []trace.Entry{with, without}}}, false, true},
		{"removal lost", false, 1, []trace.Node{{First: 1, Commit: 2, Entries: []trace.Entry{with, add(3)}}}, true, true},
		{"removal pending", false, 1, []trace.Node{{First: 1, Commit: 1, Entries: []trace.Entry{with, without}}}, true, false},
		{"nodes that know less than the leader did", false, 3, []trace.Node{{First: 1, Commit: 2, Entries: []trace.Entry{add(1), without}}}, false, false},
		{"only a snapshot", false, 1, []trace.Node{{First: 6, Commit: 5, SnapshotIndex: 5, SnapshotTerm: 3, SnapshotServers: servers("n1", "n3")}}, true, true},
		{"snapshot of the change's term", true, 1, []trace.Node{{First: 6, Commit: 5, SnapshotIndex: 5, SnapshotTerm: 2, SnapshotServers: servers("n1")}}, false, false},
		{"a change after the snapshot", false, 1, []trace.Node{{
			First: 6, Commit: 6, SnapshotIndex: 5, SnapshotTerm: 2, SnapshotServers: servers("n1", "n3"), Entries: []trace.Entry{without},
		}}, false, true},
	} {
		change := memberChange{node: &node{name: "n3"}, add: test.add, term: 2, commit: test.commitBefore}
		isMember, decided := change.outcome(&trace.State{Nodes: test.nodes})
		if decided != test.decided || decided && isMember != test.isMember {
			t.Errorf("%s: got member %t, decided %t; want %t, %t", test.name, isMember, decided, test.isMember, test.decided)
		}
	}
}

// What the leader knew when it was asked counts, even if no running node knows it any more.
func TestNodeWhoseAdditionOnlyItsLeaderKnewStays(t *testing.T) {
	tc := open(t, 3)
	tc.leadBy("n1")
	tc.must(func() error { return tc.AddNode("n4", true) })
	tc.must(func() error { return tc.Isolate("n1") }) // before the others learn that it is committed
	tc.expectUnknown(tc.do(func() error { return tc.RemoveNode("n4") }))
	tc.must(func() error { return tc.Kill("n1") })
	tc.must(func() error { return tc.Restart("n1") })
	for range 100 {
		tc.pass(pollEvery)
		tc.expectProcess("n4", trace.Up)
	}
	tc.expectMembers("n1 n2 n3 n4", "")
}

// Two removals of one node with an unknown outcome end with one removed node.
func TestNodeIsDiscardedOnce(t *testing.T) {
	tc := open(t, 3)
	tc.leadBy("n1")
	stops := 0
	tc.Trace().Subscribe(func(e trace.Event) {
		if e.Kind == trace.KindProcess && e.Process == trace.Removed {
			stops++
		}
	})
	tc.must(func() error { return tc.Isolate("n1") })
	tc.expectUnknown(tc.do(func() error { return tc.AddNode("n4", true) }))
	n4 := tc.find("n4")
	tc.expectRefused(tc.do(func() error { return tc.AddNode("n4", true) }), "node n4 already exists")
	tc.must(func() error { return tc.RemoveNode("n4") })
	tc.pass(10 * time.Second)
	tc.expectProcess("n4", trace.Removed)
	tc.must(func() error { return tc.discard(n4, removed) }) // as the slower of two would
	if stops != 1 {
		tc.fatal("n4 stops %d times, want once", stops)
	}
}

// The leader that was asked last can have the entry, not one that rejected the request before.
func TestMemberChangeBelongsToTheTermOfTheLeaderAskedLast(t *testing.T) {
	tc := open(t, 3)
	tc.leadBy("n1")
	var n4 *node
	tc.must(func() (err error) {
		if n4, err = tc.newNode("n4"); err != nil {
			return err
		}
		return n4.boot(raft.Configuration{})
	})
	done := make(chan error, 1)
	tc.inBubble(func() {
		tc.bubble.Go(func() {
			done <- tc.changeMember(n4, true, func(s server, _, _ time.Duration) error {
				if s == tc.find("n1").server() {
					return raft.ErrLeadershipTransferInProgress
				}
				return raft.ErrLeadershipLost
			})
		})
	})
	tc.pass(time.Second)
	tc.leadBy("n2")
	tc.expectUnknown(<-done)
	tc.pass(time.Second)
	tc.expectProcess("n4", trace.Up) // n2 still leads in the term in which it was asked
	tc.leadBy("n3")
	tc.expectProcess("n4", trace.Removed)
}

func TestTransferSucceedsIfOnlyItsAnswerIsLost(t *testing.T) {
	tc := open(t, 3, func(cfg *Config) { cfg.Settings.RPCTimeout = 100 * time.Millisecond })
	tc.leadBy("n1")
	for _, from := range []string{"n2", "n3"} {
		tc.must(func() error { return tc.SetLink(from, "n1", faults.Cut{}) })
	}
	tc.must(func() error { return tc.Transfer("n2") })
	if state := tc.state(); state.Node("n1").Role != trace.Leader || state.LeaderNode().ID != "n2" {
		tc.fatal("got leader %s, want n2, while n1 knows nothing of it", state.LeaderNode().ID)
	}
}

func TestPromotingAVoterAndDemotingANonVoterAreRefused(t *testing.T) {
	tc := open(t, 3)
	tc.must(func() error { return tc.AddNode("n4", false) })
	tc.expectRefused(tc.do(func() error { return tc.Promote("n1") }), "cannot promote n1: it is already a voter")
	tc.expectRefused(tc.do(func() error { return tc.Demote("n4") }), "cannot demote n4: it is already a non-voter")
	tc.expectMembers("n1 n2 n3", "n4")
	tc.leadBy("n1")
	tc.must(func() error { return tc.Isolate("n1") })
	tc.expectUnknown(tc.do(func() error { return tc.Promote("n4") }))
	tc.until("another leader", func(s *trace.State) bool { return s.HasLeader() && s.LeaderNode().ID != "n1" })
	tc.pass(time.Second)
	tc.must(func() error { return tc.Heal() })
	tc.leadBy("n2")
	tc.must(func() error { return tc.Isolate("n2") })
	tc.expectUnknown(tc.do(func() error { return tc.AddNode("n5", true) }))
	tc.newLeader()
	tc.expectRefused(tc.do(func() error { return tc.Promote("n5") }), `no node "n5"`)
}

// An error is certain only if no log can have the entry after it.
func TestRequestIsUncertainUnlessRaftRejectedIt(t *testing.T) {
	for err, want := range map[error]bool{
		raft.ErrLeadershipLost: true, raft.ErrRaftShutdown: true, raft.ErrAbortedByRestore: true, errNoReply: true,
		faults.ErrIO: true, faults.ErrNoSpace: true, faults.ErrDamaged: true, faults.ErrKilled: true,
		raft.ErrNotLeader: false, raft.ErrLeadershipTransferInProgress: false, raft.ErrEnqueueTimeout: false,
		errors.New("need at least one voter"): false,
	} {
		if isUncertain(fmt.Errorf("wrapped: %w", err)) != want {
			t.Errorf("%v: want uncertain %t", err, want)
		}
	}
}

// A request leaves raft's queue before its caller stops waiting.
func TestRequestInTheQueueIsCertainlyRejected(t *testing.T) {
	tc := open(t, 3)
	tc.leadBy("n1")
	tc.setDisk("n1", faults.Stall{})
	tc.inBubble(func() { tc.bubble.Go(func() { tc.Add(1, "n1") }) })
	tc.pass(10 * time.Millisecond)
	err := tc.do(func() error { return tc.AddNode("n4", true) })
	tc.expectRefused(err, "cannot add n4: n1: timed out enqueuing operation")
	if errors.Is(err, ErrUnknown) {
		t.Errorf("got %v, want a certain rejection", err)
	}
	tc.expectProcess("n4", trace.Removed)
	tc.setDisk("n1", nil)
	tc.pass(5 * time.Second)
	tc.expectMembers("n1 n2 n3", "")
}
