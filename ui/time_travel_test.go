package ui

import (
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/trace"
	"capsize/ui/pane"
	"capsize/ui/source"
	"capsize/ui/style"
	"capsize/ui/view"
)

// killed returns a stage whose first leader was killed and replaced.
func killed(t *testing.T) (s *stage, old string) {
	t.Helper()
	s = newStage(t, 3)
	old = s.cursor
	s.press("i")
	s.pass(time.Second)
	s.press("k")
	s.until("another leads", func(st *trace.State) bool { return st.LeaderNode() != nil && st.LeaderNode().ID != old })
	s.press()
	return s, old
}

// notes are the live states after each significant event.
type notes struct {
	mu     sync.Mutex // checks judge on goroutines of their own
	events []trace.Event
	state  trace.State // after those of the events that are no longer there
	states map[uint64]trace.State
}

func (n *notes) at(seq uint64) (trace.State, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.events {
		if e.Seq <= n.state.Seq {
			continue // it had happened when the state was copied
		}
		n.state.Apply(&e)
		if trace.IsSignificant(&e) {
			n.states[e.Seq] = n.state.Clone()
		}
	}
	n.events = nil
	s, ok := n.states[seq]
	return s, ok
}

// recorded notes the state after each significant event from now on, and returns the
// last event before.
func recorded(s *stage) (live *notes, before uint64) {
	n := &notes{states: map[uint64]trace.State{}}
	s.Engine.Subscribe(func(e trace.Event) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.events = append(n.events, e)
	})
	s.Engine.CopyTo(&n.state)
	return n, n.state.Seq
}

func TestStepsVisitEverySignificantEvent(t *testing.T) {
	s := newStage(t, 3)
	live, start := recorded(s)
	s.press("i")
	s.pass(time.Second)
	s.press("k")
	s.until("nobody leads", func(st *trace.State) bool { return st.LeaderNode() == nil })
	s.until("one leads", func(st *trace.State) bool { return st.LeaderNode() != nil })
	now := s.Engine.Now()
	var back []uint64
	for {
		s.press(",")
		if !s.travel.past {
			t.Fatal("not in the past")
		}
		seq := s.state.Seq
		if seq <= start {
			break
		}
		want, ok := live.at(seq)
		if !ok {
			t.Fatalf("event %d is shown, which does not matter", seq)
		}
		sameNodes(t, &s.state, &want)
		back = append([]uint64{seq}, back...)
	}
	if len(back) < 20 {
		t.Fatalf("only %d events were shown", len(back))
	}
	for _, want := range back {
		s.press(".")
		if s.state.Seq != want {
			t.Fatalf("on leads to event %d, not %d", s.state.Seq, want)
		}
	}
	if went := s.Engine.Now(); went != now {
		t.Fatalf("the cluster ran from %v to %v while its past was shown", now, went)
	}
}

// sameNodes compares the pictures of two states.
func sameNodes(t *testing.T, got, want *trace.State) {
	t.Helper()
	draw := func(state *trace.State) string {
		c, _ := view.Paint(&pane.Frame{State: state, Width: 120, Height: 36, Theme: style.Mono, Glyphs: style.Unicode, Playback: pane.Playback{Now: want.At}}, &view.Stage{})
		return c.Render(style.Mono)
	}
	if x, y := draw(got), draw(want); x != y {
		t.Fatalf("at event %d, recorded:\n%s\nlive:\n%s", got.Seq, x, y)
	}
}

func TestStepRunsToExactlyTheNextEvent(t *testing.T) {
	s := newStage(t, 3)
	s.press("k")
	seen, _ := recorded(s)
	shown := []uint64{}
	for s.state.LeaderNode() == nil {
		after := s.moment().Seq
		s.press(".")
		next, ok := s.History.Next(after)
		if !ok || s.state.Seq != next {
			t.Fatalf("after event %d, %d is shown, not %d", after, s.state.Seq, next)
		}
		if want, ok := seen.at(next); ok {
			sameNodes(t, &s.state, &want)
		}
		shown = append(shown, next)
		s.wants("paused")
	}
	// The command runs at the latest moment, which is at most one step away.
	_, last := s.History.Span()
	if e, _ := s.History.Event(shown[len(shown)-1]); last.At-e.At > source.StepLength {
		t.Errorf("the cluster is %s ahead of the moment shown", last.At-e.At)
	}
	s.press("i")
	if s.travel.past {
		t.Error("a command after a step does not run now")
	}
}

func TestClusterIsPausedWhileThePastIsShown(t *testing.T) {
	s, _ := killed(t)
	s.press("space")
	if got := s.Engine.Speed(); got != 1 {
		t.Fatalf("time runs at %v", got)
	}
	s.press(",")
	if got := s.Engine.Speed(); got != 0 {
		t.Fatalf("in the past time runs at %v", got)
	}
	s.native().Pause()
	before := s.Engine.Now()
	s.press("home", ".", ")", "<", "k", "i", "p", "H")
	s.wants("the past is read-only: end returns to now")
	s.press("P", "d", "w", ":", "n")
	if s.menu != nil || s.prompt.input.Focused() {
		t.Error("a menu opens over the past")
	}
	if after := s.Engine.Now(); after != before {
		t.Errorf("the cluster ran from %v to %v", before, after)
	}
	s.press("tab", "tab", "2")
	s.press("end")
	if got := s.Engine.Speed(); got == 0 || s.travel.past {
		t.Errorf("back at now time runs at %v", got)
	}
}

func TestPausedClusterStaysPausedAtNow(t *testing.T) {
	s, _ := killed(t)
	s.press(",", "end")
	if got := s.Engine.Speed(); got != 0 {
		t.Errorf("time runs at %v", got)
	}
}

func TestPlaybackContinuesLive(t *testing.T) {
	s, old := killed(t)
	s.press("home")
	s.wants("past −")
	if n := s.state.Node(old); n.Process != trace.Up {
		t.Fatalf("at first %s is %s", old, n.Process)
	}
	s.press("space")
	var lived []trace.ProcessState
	for range 3000 {
		if !s.travel.past {
			break
		}
		if life := s.state.Node(old).Process; len(lived) == 0 || lived[len(lived)-1] != life {
			lived = append(lived, life)
		}
		s.tick()
	}
	if len(lived) != 2 || lived[1] != trace.Killed {
		t.Errorf("%s was %v", old, lived)
	}
	if got := s.Engine.Speed(); s.travel.past || got != 1 {
		t.Errorf("past: %t; time runs at %v", s.travel.past, got)
	}
}

func TestDraggingOnTheTimelineScrubs(t *testing.T) {
	s, _ := killed(t)
	s.screen()
	var line pane.HitBox
	for _, h := range s.lastFrame.hits {
		if h.Cell > 0 {
			line = h
		}
	}
	at := func(d time.Duration) int { return line.X + int((d-line.From)/line.Cell) }
	s.Update(tea.MouseClickMsg{X: at(s.state.At - 2*time.Second), Y: line.Y, Button: tea.MouseLeft})
	s.tick()
	s.wants("past −")
	first := s.state.At
	s.screen()
	s.Update(tea.MouseMotionMsg{X: at(s.Now().At) - 6, Y: 3, Button: tea.MouseLeft})
	s.tick()
	if s.state.At == first {
		t.Error("dragging does not move")
	}
	s.Update(tea.MouseMotionMsg{X: line.X + line.W + 5, Y: 3, Button: tea.MouseLeft})
	s.tick()
	if s.travel.past {
		t.Error("the right end is not now")
	}
	s.Update(tea.MouseReleaseMsg{})
	s.Update(tea.MouseMotionMsg{X: line.X, Y: line.Y})
	if s.travel.past {
		t.Error("it is dragged on without a button")
	}
}

func TestClickOnAStoryLineShowsItsEvent(t *testing.T) {
	s, _ := killed(t)
	s.Update(tea.WindowSizeMsg{Width: 200, Height: 60})
	s.screen()
	last := s.state.Story[len(s.state.Story)-1].Seq
	for _, h := range s.lastFrame.hits {
		if h.Seq == 0 || h.Seq == last {
			continue
		}
		s.Update(tea.MouseClickMsg{X: h.X, Y: h.Y, Button: tea.MouseLeft})
		s.tick()
		if story := s.state.Story; s.state.Seq != h.Seq || story[len(story)-1].Seq != h.Seq || !s.travel.past {
			t.Errorf("shown is event %d, not %d", s.state.Seq, h.Seq)
		}
		return
	}
	t.Error("no line but the last can be clicked on")
}

func TestFindShowsTheLastEventOfAKind(t *testing.T) {
	s, old := killed(t)
	s.press("i")
	s.until("2 everywhere", func(st *trace.State) bool { return st.LeaderNode().Value == 2 })
	newest := view.NewestIndex(&s.state)
	event := func() trace.Event {
		e, ok := s.History.Event(s.moment().Seq)
		if !ok || !s.travel.inPast() {
			t.Fatalf("no event of the past is shown:\n%s", s.screen())
		}
		return e
	}
	s.press("f", "a")
	if e := event(); e.Kind != trace.KindAppended || e.Index > newest || newest >= e.Index+uint64(len(e.Entries)) {
		t.Errorf("the last append of %d is %+v", newest, e)
	}
	s.press("f", "e")
	second := event()
	if second.Kind != trace.KindRole || second.Role != trace.Leader || second.Node == old {
		t.Errorf("the last election is %+v", second)
	}
	s.wants(second.Node + " becomes leader of term")
	s.press("f", "e")
	if e := event(); e.Role != trace.Leader || e.Node != old || e.Term >= second.Term {
		t.Errorf("the election before is %+v", e)
	}
	s.press("f", "e")
	s.wants("no election before")
	s.press("end", "f", "d")
	if e := event(); e.Process != trace.Killed || e.Node != old {
		t.Errorf("the last death is %+v", e)
	}
	for _, key := range []string{"u", "t", "v"} {
		before := s.moment()
		s.press("f", key)
		if s.moment() != before {
			t.Errorf("%s finds %+v", key, event())
		}
	}
}

func TestFindShowsAnUnknownReply(t *testing.T) {
	s := newStage(t, 3)
	s.press("i")
	s.pass(2 * time.Second)
	for _, op := range s.state.Clients.Recent {
		op.Outcome = trace.Unknown
		s.native().Emit(trace.Event{Kind: trace.KindReturned, At: s.Engine.Now(), Op: &op})
	}
	s.pass(5 * time.Second)
	s.press("f", "u")
	if e, ok := s.History.Event(s.moment().Seq); !ok || e.Op == nil || e.Op.Outcome != trace.Unknown {
		t.Errorf("it finds %+v", e)
	}
}

// TestCoarseStepsAreShownAndSaid draws after each message, as Bubble Tea does: no event
// lies between some of the moments.
func TestCoarseStepsAreShownAndSaid(t *testing.T) {
	s := newStage(t, 3)
	s.press("i")
	s.pass(1500 * time.Millisecond)
	press := func(key string) {
		s.Update(keyPress(key))
		s.View()
		s.tick()
		s.wants(trace.ClockMillis(s.moment().At))
	}
	for s.moment().At > coarseStep {
		press("(")
		s.wants("at " + trace.ClockMillis(s.moment().At))
	}
	press("(")
	if at := s.moment().At; at != s.First().At {
		t.Errorf("one press before the first second goes to %v", at)
	}
	s.wants("nothing happened before")
	press(")")
	s.wants("at " + trace.ClockMillis(s.moment().At))
	for s.travel.past {
		s.Update(keyPress(")"))
	}
	s.wants("back to now")
}
