package pane

import (
	"testing"

	"capsize/cluster/trace"
)

// Committed entries that the disks lost are gone for the leader as well, so a node without
// them is not behind.
func TestLostEntriesPutNoNodeBehind(t *testing.T) {
	s := &trace.State{Commit: 8, Nodes: []trace.Node{
		{ID: "n1", Process: trace.Up, Role: trace.Leader, Term: 4, Commit: 7, Applied: 7},
		{ID: "n2", Process: trace.Up, Role: trace.Follower, Term: 4, Commit: 6, Applied: 6},
	}}
	if got := entriesBehind(s, &s.Nodes[1]); got != 2 {
		t.Errorf("n2 is %d behind, want 2", got)
	}
	s.Lost = []trace.LostEntry{{Index: 8}}
	if one, two := entriesBehind(s, &s.Nodes[0]), entriesBehind(s, &s.Nodes[1]); one != 0 || two != 1 {
		t.Errorf("n1 is %d behind and n2 %d, want 0 and 1", one, two)
	}
}
