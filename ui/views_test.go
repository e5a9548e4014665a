package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/view"
)

func TestZoomAndItsWaysBack(t *testing.T) {
	s := newStage(t, 3)
	for _, way := range []string{"z", "esc", "tab"} {
		s.showView(s.views.Stage)
		s.press("z", "s")
		if s.views.Stage.Zoom != view.ZoomStory {
			t.Fatalf("zoom is %q", s.views.Stage.Zoom)
		}
		if text := s.screen(); strings.Contains(text, "clients") || !strings.Contains(text, "becomes leader of term 2") {
			t.Errorf("not the story alone:\n%s", text)
		}
		if s.press(way); s.views.Stage.Zoom != "" {
			t.Errorf("%s does not lead back", way)
		}
	}
	s.press("z", "z")
	if s.views.Stage.Zoom != "" || s.menu != nil {
		t.Error("z does not leave its own question")
	}
}

func TestStoryIsFiltered(t *testing.T) {
	s := newStage(t, 3)
	leader := s.state.LeaderNode().ID
	s.press("/")
	for _, r := range "BECOMES x" {
		s.press(string(r))
	}
	s.press("backspace", "backspace")
	s.wants("/ BECOMES")
	s.wants("1 of ")
	s.wants(leader + " becomes leader of term 2")
	if text := s.screen(); strings.Contains(text, "starts an election") {
		t.Errorf("the rest is still there:\n%s", text)
	}
	if s.press("enter", "k"); s.state.Node(leader).Process != trace.Killed {
		t.Error("after enter keys do not mean what they did")
	}
	s.press("esc")
	if s.filter.text != "" {
		t.Error("esc does not show all again")
	}
	s.press("/", "q", "esc")
	s.wants(leader + " is killed")
}

func TestTabVisitsEveryView(t *testing.T) {
	s := newStage(t, 3)
	for range 2 {
		for _, v := range s.views.All {
			if s.view() != v {
				t.Fatalf("the %s view, not the %s view", s.view().Name(), v.Name())
			}
			s.press("tab")
		}
	}
	s.press("shift+tab")
	if last := s.views.All[len(s.views.All)-1]; s.view() != last {
		t.Errorf("shift+tab on the stage shows the %s view, want the %s view", s.view().Name(), last.Name())
	}
}

func TestViewsShowALiveCluster(t *testing.T) {
	s := newStage(t, 3)
	s.press("i", "i", "r")
	s.pass(time.Second)
	leader := s.state.LeaderNode().ID
	s.press("tab")
	s.wants("term 2; committed; acknowledged to c")
	s.wants(" with value 2")
	s.press("left")
	s.wants(" with value 1")
	s.showView(s.views.Clients)
	s.press("left", "left", "right", "right", "left")
	s.wants("'s +1 via leader")
	s.press("tab")
	s.wants("entering leader state")
	s.wants("voted for " + leader)
	if got := s.state.Clients.Pending; len(got) != 0 {
		t.Errorf("still pending: %v", got)
	}
}

func TestZoomAndScrollKeepTheMomentInSight(t *testing.T) {
	s, _ := killed(t)
	s.press("tab", "tab", "[", "[", "[")
	s.wants("10ms per column")
	for _, k := range []string{",", ",", "home", ")", ".", "[", "]", "]", "end"} {
		s.press(k)
		s.screen()
		from := s.views.Time.End - s.views.Time.WindowSpan()
		if at := s.moment().At; at < from || at > s.views.Time.End {
			t.Errorf("after %s %s is not between %s and %s", k, at, from, s.views.Time.End)
		}
	}
	s.press("[", "[", ",")
	s.screen()
	before := s.views.Time.End
	s.press("left")
	s.screen()
	if s.views.Time.End >= before || s.travel.at != s.moment().At || !s.views.Time.Scrolled {
		t.Errorf("left leads from %s to %s", before, s.views.Time.End)
	}
	s.press("right", ".")
	s.screen()
	if s.views.Time.Scrolled {
		t.Error("it stays scrolled away from where one goes")
	}
}

// BenchmarkTimeView measures a frame of the time view over a busy cluster, in the past.
func BenchmarkTimeView(b *testing.B) {
	for _, nodes := range []int{5, 25} {
		b.Run(fmt.Sprint(nodes), func(b *testing.B) {
			s := newStage(b, nodes)
			s.press("l")
			for range 20 {
				s.pass(time.Second)
			}
			s.press("tab", "tab", ",", ",")
			for b.Loop() {
				view.Paint(s.frame(), s.view())
			}
		})
	}
}

// However long the history is, the time view reads little more than it shows.
func TestTimeViewReadsOnlyNearbyHistory(t *testing.T) {
	s := newStage(t, 3)
	s.pass(5 * time.Minute)
	s.press("home")
	s.showView(s.views.Time)
	s.View()
	if known, seen := s.views.Time.Diagram.Last.At, s.views.Time.End+s.views.Time.WindowSpan(); known > seen || known < s.views.Time.End {
		t.Errorf("it knows all until %s and shows all until %s", known, s.views.Time.End)
	}
	s.press("end")
	s.View()
	if s.views.Time.Diagram.Last.Seq < s.state.Seq {
		t.Errorf("it knows all until event %d of %d", s.views.Time.Diagram.Last.Seq, s.state.Seq)
	}
}

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

// TestClientsViewShowsOldOperationsWithTheirAge waits until no operation is recent.
func TestClientsViewShowsOldOperationsWithTheirAge(t *testing.T) {
	s := newStage(t, 3)
	s.press("i", "r")
	s.pass(2 * time.Minute)
	s.showView(s.views.Clients)
	for _, zoom := range []string{"", "]", "]"} { // fits the operations, then 500ms, then 2s
		if zoom != "" {
			s.press(zoom)
		}
		s.wants("ends 1m ago")
		s.wants(" 1 from n")
	}
}

// TestOnlyNodesThatAreCutOffAreMarked cuts off two nodes of many.
func TestOnlyNodesThatAreCutOffAreMarked(t *testing.T) {
	s := newStage(t, 25)
	s.submit("partition n3,n7 | others", "partitioned")
	s.press()
	table, _, _ := strings.Cut(s.screen(), "clients")
	cut := s.glyphs.CutLink
	if marks, told := strings.Count(table, cut), strings.Count(table, cut+" 23 nodes"); marks != 2 || told != 2 {
		t.Errorf("%d nodes are marked, %d as cut off from 23 nodes, want 2:\n%s", marks, told, table)
	}
}
