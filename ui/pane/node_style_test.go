package pane

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"capsize/cluster/trace"
	"capsize/ui/style"
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

// Nodes of other hosts do not show their packets, which does not mean that they are silent.
func TestUnseenHeartbeatsAreNotMissed(t *testing.T) {
	var s trace.State
	servers := []trace.Server{{ID: "n1", Voter: true}, {ID: "n2", Voter: true}}
	for _, id := range []string{"n1", "n2"} {
		s.Apply(&trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
		s.Apply(&trace.Event{Kind: trace.KindConfig, Node: id, Servers: servers})
	}
	s.Apply(&trace.Event{Kind: trace.KindRole, Node: "n1", Role: trace.Leader, Term: 2})
	drawn := func() string {
		p := NewPainter(&Frame{State: &s, Width: 60, Height: 2, Theme: style.Mono, Glyphs: style.Unicode, Playback: Playback{Now: time.Minute}})
		for i := range s.Nodes {
			p.Contact(&s.Nodes[i], 0, i, 30, 8)
		}
		return ansi.Strip(p.Render(style.Mono))
	}
	if text := drawn(); strings.Count(text, "not seen") != 2 {
		t.Errorf("%q", text)
	}
	s.Traffic.Sent = 1
	if text := drawn(); strings.Contains(text, "not seen") || !strings.Contains(text, "60s") {
		t.Errorf("%q", text)
	}
}
