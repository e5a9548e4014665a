package processes_test

import (
	"cmp"
	"slices"
	"testing"

	"capsize/cluster/engine"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// tale is a story with one possible outcome in each act: who leads is chosen, not left to chance.
const tale = `title A tale of two worlds
nodes 5
storage memory

wait leader
transfer n1
wait leader n1
increment
wait converged
chapter begin
increment 3
wait converged
transfer n2
wait leader n2
wait converged
remove-node n5
wait converged
isolate n2
wait leader n1,n3,n4 within 20s
wait 2s
read strong
increment
heal
wait converged
kill leader
wait leader n1,n2,n3,n4 within 20s
increment 2
restart down
wait converged
expect checks ok
`

// acts returns what happened after the chapter: that a node became leader, that one stepped down
// and why, and what was committed, each when it first was. Chance decides which node wins an
// election, so the acts name none.
func acts(past *history.History, until uint64) (all []string) {
	var s trace.State
	begun, committed := false, uint64(0)
	roles := map[string]trace.Role{}
	past.Events(1, until, func(e *trace.Event) bool {
		s.Apply(e)
		switch {
		case e.Kind == trace.KindChapter:
			begun = true
		case e.Kind == trace.KindProcess && !e.Process.Running():
			delete(roles, e.Node)
		case e.Kind == trace.KindRole:
			was := roles[e.Node]
			roles[e.Node] = e.Role
			switch {
			case !begun:
			case e.Role == trace.Leader:
				all = append(all, "a leader is elected")
			case was == trace.Leader && e.Role == trace.Follower:
				cause := trace.LaterTerm // which raft says afterwards
				if e.Reason != nil {
					cause = e.Reason.Cause
				}
				all = append(all, "a leader steps down: "+string(cause))
			}
		case e.Kind == trace.KindCommitted && e.Index > committed:
			for i := committed + 1; i <= e.Index && begun; i++ {
				all = append(all, "committed: "+kindOf(&s, e.Node, i))
			}
			committed = e.Index
		}
		return true
	})
	return all
}

// kindOf returns the kind of an entry of a node, or, once that is removed, of the first that has it.
func kindOf(s *trace.State, node string, index uint64) string {
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if entry, ok := n.Entry(index); ok && (n.ID == node || s.Node(node) == nil) {
			return string(entry.Kind)
		}
	}
	return "nowhere"
}

// The same scenario tells the same story in virtual time and over processes.
func TestSameStoryInBothWorlds(t *testing.T) {
	leaveNothing(t)
	script := parse(t, "tale", tale)
	past, r, err := headless.RunRecorded(t.Context(), engine.OpenNative, script)
	if err != nil || !r.OK {
		t.Fatal(err, r.Failures)
	}
	virtual := acts(past, r.Events)
	succeed(t, script, func(past *history.History, r headless.Result) bool {
		lived := acts(past, r.Events)
		if slices.Equal(virtual, lived) {
			return true
		}
		t.Log("virtual time (left) and processes (right) tell two stories:")
		for i := range max(len(virtual), len(lived)) {
			t.Logf("%-40s %s", at(virtual, i), at(lived, i))
		}
		return false
	})
	if len(virtual) < 15 {
		t.Errorf("a story of %d acts is too short: %q", len(virtual), virtual)
	}
}

func at(all []string, i int) string {
	if i < len(all) {
		return cmp.Or(all[i], "?")
	}
	return ""
}
