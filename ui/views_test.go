package ui

import (
	"fmt"
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
