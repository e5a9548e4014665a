package ui

import (
	"slices"
	"strings"
	"testing"

	"capsize/cluster/trace"
	"capsize/ui/view"
)

// goTo puts the cursor of the links view on a link.
func (s *stage) goTo(from, to string) {
	nodes := s.nodes()
	s.showView(s.views.Links)
	s.views.Links.At = view.MatrixCell{Row: slices.Index(nodes, from), Col: slices.Index(nodes, to)}
}

func (s *stage) faultsOf(from, to string) string {
	return strings.Join(s.state.Faults[trace.Link{From: from, To: to}], "; ")
}

func TestLinkIsEditedInPlace(t *testing.T) {
	s := newStage(t, 3)
	for _, c := range []struct{ key, command, fault string }{
		{"c", "cut n1 -> n3", "cut"},
		{"r", "refuse n1 -> n3", "refuse"},
		{"d", "delay n1 -> n3 200ms jitter 50ms", "delay 200ms jitter 50ms"},
		{"l", "lose n1 -> n3 30%", "lose 30%"},
		{"u", "duplicate n1 -> n3 30%", "duplicate 30%"},
		{"o", "reorder n1 -> n3 30%", "reorder 30%"},
		{"j", "jam n1 -> n3", "jam"},
		{"b", "bandwidth n1 -> n3 1KB", "bandwidth 1KB"},
	} {
		s.goTo("n1", "n3")
		s.press(c.key)
		s.wants(c.command)
		if got := s.faultsOf("n1", "n3"); got != c.fault || len(s.state.Faults) != 1 {
			t.Errorf("%s: the link has %q, all links %v", c.key, got, s.state.Faults)
		}
		s.press("h")
		s.wants("heal n1 -> n3")
		if len(s.state.Faults) != 0 {
			t.Errorf("after %s and h: %v", c.key, s.state.Faults)
		}
	}
}

func TestSameKeyCyclesFaultSettings(t *testing.T) {
	s := newStage(t, 3)
	s.goTo("n2", "n1")
	var seen []string
	for range 5 {
		s.press("l")
		seen = append(seen, s.faultsOf("n2", "n1"))
	}
	if want := []string{"lose 30%", "lose 60%", "lose 90%", "lose 10%", "lose 30%"}; !slices.Equal(seen, want) {
		t.Errorf("one after the other: %v, not %v", seen, want)
	}
}

func TestRowsColumnsAndMarkedLinksAreEditedTogether(t *testing.T) {
	s := newStage(t, 4)
	for _, c := range []struct {
		name    string
		do      func()
		command string
		cut     []string
	}{
		{"row", func() { s.goTo("n2", "n1"); s.press("left") }, "cut n2 -> all", []string{"n2n1", "n2n3", "n2n4"}},
		{"column", func() { s.goTo("n1", "n3"); s.press("up") }, "cut all -> n3", []string{"n1n3", "n2n3", "n4n3"}},
		{"shift", func() { s.goTo("n1", "n3"); s.press("shift+right") }, "cut n1 -> n3,n4", []string{"n1n3", "n1n4"}},
		{"marked", func() {
			s.goTo("n1", "n3")
			s.press("space")
			s.goTo("n2", "n3")
			s.press("space")
		}, "cut n1,n2 -> n3", []string{"n1n3", "n2n3"}},
		{"here and there", func() {
			s.goTo("n1", "n3")
			s.press("space")
			s.goTo("n3", "n4")
			s.press("space")
		}, "cut n3 -> n4", []string{"n1n3", "n3n4"}},
		{"marked and unmarked", func() {
			s.goTo("n1", "n3")
			s.press("space", "space", "right")
		}, "cut n1 -> n4", []string{"n1n4"}},
		{"all", func() {
			s.showView(s.views.Links)
			s.views.Links.At = view.MatrixCell{Row: view.AllNodes, Col: view.AllNodes}
		}, "cut all -> all", nil},
	} {
		c.do()
		s.press("c")
		s.wants(c.command)
		var cut []string
		for link := range s.state.Faults {
			cut = append(cut, link.From+link.To)
		}
		slices.Sort(cut)
		if c.cut == nil && len(cut) == 12 {
			cut = nil
		}
		if !slices.Equal(cut, c.cut) {
			t.Errorf("%s: cut are %v, not %v", c.name, cut, c.cut)
		}
		s.press("h", "esc")
		if len(s.state.Faults) != 0 || len(s.views.Links.Marked) != 0 {
			t.Errorf("%s: left over are %v, marked %v", c.name, s.state.Faults, s.views.Links.Marked)
		}
	}
}

// TestLinkCursorSkipsTheDiagonal walks over the whole matrix.
func TestLinkCursorSkipsTheDiagonal(t *testing.T) {
	s := newStage(t, 3)
	s.showView(s.views.Links)
	for i := range 200 {
		s.Update(keyPress([]string{"right", "down", "left", "left", "up", "right", "down"}[i*i%7]))
		if s.views.Links.At.Row == s.views.Links.At.Col && s.views.Links.At.Row != view.AllNodes {
			t.Fatalf("at %v", s.views.Links.At)
		}
		if len(s.views.Links.TargetLinks()) == 0 {
			t.Fatalf("no link at %v", s.views.Links.At)
		}
	}
	one := newStage(t, 1)
	one.showView(one.views.Links)
	one.press("c", "right", "space", "h")
	if len(one.state.Faults) != 0 {
		t.Error("a node is cut off from itself")
	}
}
