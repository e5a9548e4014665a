package cluster

import (
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

// A node that is removed while isolated still believes that it is a voter. Without pre-vote it
// starts one election after another; the others deny it their votes, because it is not in their
// configuration, and keep working.
func TestRemovedNodeThatRunsOnDisturbs(t *testing.T) {
	tc := open(t, 3, func(cfg *Config) { cfg.Settings.PreVote = false })
	tc.add(1, RouteLeader)
	tc.untilValue(1)
	leader, name := tc.leaderName(), tc.followers()[0]
	term := tc.nodeState(leader).Term
	tc.must(func() error { return tc.Isolate(name) })
	tc.must(func() error { return tc.ExpelNode(name) })
	tc.pass(5 * time.Second) // the leader's last attempt to tell it has failed
	tc.must(tc.Heal)
	healed := tc.nodeState(name).Term
	tc.pass(20 * time.Second)
	n := tc.nodeState(name)
	if n.Process != trace.Up || n.Term < healed+3 {
		tc.fatal("%s is %s in term %d, want it up and in a later term than %d", name, n.Process, n.Term, healed)
	}
	denied := false
	for _, line := range tc.state().Story {
		denied = denied || strings.Contains(line.Text, " denies "+name+" its vote")
	}
	if !denied {
		tc.fatal("nobody denies %s its vote", name)
	}
	if l := tc.nodeState(leader); l.Role != trace.Leader || l.Term != term || len(l.Servers) != 2 {
		tc.fatal("%s is %s in term %d with %d members, want it leader in term %d with 2", leader, l.Role, l.Term, len(l.Servers), term)
	}
	tc.expectOutcome(tc.add(1, RouteLeader), trace.OK, "")
	// A restart does not tell it either.
	tc.must(func() error { return tc.Kill(name) })
	tc.must(func() error { return tc.Restart(name) })
	tc.pass(10 * time.Second)
	if got := tc.nodeState(name).Term; got <= n.Term {
		tc.fatal("%s starts no election after a restart: its term is %d", name, got)
	}
	tc.expectNoViolation()
	// An ordinary removal cleans up the rest.
	tc.must(func() error { return tc.RemoveNode(name) })
	tc.expectProcess(name, trace.Removed)
	tc.must(func() error { return tc.AddNode(name, true) })
	tc.untilValue(2)
}

// A node that has the entry that removes it knows that it is no voter, and starts no election.
func TestRemovedNodeThatKnowsKeepsQuiet(t *testing.T) {
	tc := open(t, 3, func(cfg *Config) { cfg.Settings.PreVote = false })
	tc.add(1, RouteLeader)
	tc.untilValue(1)
	name := tc.followers()[0]
	tc.must(func() error { return tc.ExpelNode(name) })
	tc.pass(20 * time.Second)
	if n, l := tc.nodeState(name), tc.nodeState(tc.leaderName()); n.Process != trace.Up || n.Term != l.Term || len(l.Servers) != 2 {
		tc.fatal("%s is %s in term %d, and %s has %d members in term %d", name, n.Process, n.Term, l.ID, len(l.Servers), l.Term)
	}
	for _, other := range tc.followers() {
		if other != name {
			tc.must(func() error { return tc.ExpelNode(other) })
		}
	}
	leader := tc.leaderName()
	tc.expectRefused(tc.do(func() error { return tc.ExpelNode(leader) }), leader, "the last voter")
}

// A node that was kept is there until it is removed again, and every refusal says so.
func TestKeptNodeIsInTheWay(t *testing.T) {
	tc := open(t, 3)
	name := tc.followers()[0]
	tc.must(func() error { return tc.ExpelNode(name) })
	tc.pass(time.Second)
	hint := "remove-node " + name + " discards it"
	tc.expectRefused(tc.do(func() error { return tc.AddNode(name, true) }), "node "+name+" already exists: it is not a member but still runs", hint)
	tc.expectRefused(tc.do(func() error { return tc.Promote(name) }), "it is not a member", hint)
	tc.expectRefused(tc.do(func() error { return tc.ExpelNode(name) }), "cannot remove "+name+": it is not a member", hint)
	tc.must(func() error { return tc.Kill(name) })
	tc.expectRefused(tc.do(func() error { return tc.AddNode(name, true) }), "it is not a member but is still there", hint)
	tc.must(func() error { return tc.RemoveNode(name) })
	tc.must(func() error { return tc.AddNode(name, true) })
}

// A removal whose outcome is unknown would discard the node once it is decided. The operator who
// then says that the node is to be kept is the last to have asked.
func TestKeptNodeOutlivesAnEarlierRemoval(t *testing.T) {
	for _, test := range []struct {
		then []string
		want trace.ProcessState
	}{{nil, trace.Removed}, {[]string{"keep"}, trace.Up}, {[]string{"keep", "remove"}, trace.Removed}} {
		tc := open(t, 3)
		tc.leadBy("n1")
		tc.setDisk("n1", faults.Stall{})
		tc.expectUnknown(tc.do(func() error { return tc.RemoveNode("n3") }))
		for _, command := range test.then {
			do := map[string]func(string) error{"keep": tc.ExpelNode, "remove": tc.RemoveNode}[command]
			if err := tc.do(func() error { return do("n3") }); err == nil {
				tc.fatal("%s n3: got no error, want one: the leader's disk stalls", command)
			}
		}
		tc.setDisk("n1", nil)
		tc.pass(5 * time.Second)
		tc.expectMembers("n1 n2", "")
		tc.expectProcess("n3", test.want)
	}
}
