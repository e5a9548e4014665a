package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/ui/pane"
	"capsize/ui/source"
	"capsize/ui/view"
)

// TestAutoSpeedSlowsDownAtEvents advances the clock itself, and only reads the speed
// that the screen requests.
func TestAutoSpeedSlowsDownAtEvents(t *testing.T) {
	s := newStage(t, 3)
	old := s.cursor
	s.pass(time.Second)
	s.press("a")
	s.wants("speed auto")
	speed := func() float64 { return s.Engine.Speed() }
	if speed() != 0 {
		t.Fatalf("a paused cluster runs at %v", speed())
	}
	// The clock runs, but only the test advances it: no frame comes between.
	s.paused, s.speed = false, len(speeds)-2
	s.setSpeed()
	if speed() != 100 {
		t.Fatalf("nothing happens, and time runs at %v", speed())
	}
	s.Update(keyPress("k"))
	s.settle()
	if speed() != source.AutoSlow {
		t.Fatalf("%s is killed, and time runs at %v", old, speed())
	}
	s.Engine.Run(0)
	s.tick()
	s.wants("auto 1/10x")
	s.Engine.Run(0)
	s.pass(source.AutoHold + time.Millisecond)
	s.wants("auto 100x")
	s.press("a", "space")
	if s.auto || s.Watch.Auto.Load() {
		t.Error("a does not switch it off")
	}
}

func TestAutoSpeedSlowsDownPlayback(t *testing.T) {
	s, old := killed(t)
	s.speed = len(speeds) - 1
	if speeds[s.speed] != vtime.Max {
		t.Fatal("not at full speed")
	}
	s.press("a", "home", "space")
	frames, died, led := 0, false, false
	for s.travel.past && frames < 10_000 {
		s.tick()
		frames++
		n := s.state.Node(old)
		died = died || n.Process == trace.Killed && s.state.At == n.Since
		if leader := s.state.LeaderNode(); leader != nil && leader.ID != old && s.state.At == leader.RoleAt {
			led = true
		}
	}
	// Both stay slow for three seconds, which are 90 frames.
	if !died || !led || frames < 100 {
		t.Errorf("after %d frames: saw it die %t, saw the other lead %t", frames, died, led)
	}
	s.Engine.Run(0)
}

// scrubEvents is the length of the history to scrub through.
const scrubEvents = 1_000_000

// BenchmarkScrub drags through a million events: over the timeline of the stage,
// from one end of the past to the other on the stage, and in the time view. A
// picture must take less than 33 ms for 30 frames a second.
func BenchmarkScrub(b *testing.B) {
	s := newStage(b, 5)
	s.press("l", "L", "L")
	for s.History.SeqAt(s.Now().At) < scrubEvents {
		s.pass(time.Minute)
	}
	s.press("l")
	first, last := s.History.Span()
	steps := 0
	anywhere := func(v view.View) func() {
		return func() {
			s.showView(v)
			steps++
			s.showTime(first.At + time.Duration(steps*97%1000)*(last.At-first.At)/1000)
		}
	}
	for _, how := range []struct {
		name string
		move func()
	}{
		{"on-the-timeline", func() {
			s.showView(s.views.Stage)
			steps++
			s.Update(tea.MouseMotionMsg{X: 10 + steps%100, Y: 28})
		}},
		{"anywhere-on-the-stage", anywhere(s.views.Stage)},
		{"anywhere-in-the-time-view", anywhere(s.views.Time)},
	} {
		b.Run(how.name, func(b *testing.B) {
			s.showView(s.views.Stage)
			s.dragging = true
			s.tick()
			s.View()
			worst := time.Duration(0)
			for b.Loop() {
				start := time.Now()
				how.move()
				s.tick()
				s.View()
				worst = max(worst, time.Since(start))
			}
			if !s.travel.past {
				b.Fatal("the past is not shown")
			}
			b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
			b.ReportMetric(float64(last.Seq), "events")
		})
	}
}

// TestTimeStandsStillWhileStopped stops the program as its shell would, with a scenario
// on stage whose step waits.
func TestTimeStandsStillWhileStopped(t *testing.T) {
	s := newStageFor(t, 3, leaderCrash(t))
	s.paused, s.starting, s.speed = false, false, slices.Index(speeds, 1.0)
	s.setSpeed()
	speed := func() float64 { return s.Engine.Speed() }
	if speed() != 1 {
		t.Fatalf("time runs at %v", speed())
	}
	waits, caption := time.Now(), time.Now().Add(-time.Second)
	s.presenter.waitsSince, s.presenter.captionAt = waits, caption
	stopped := false
	s.stop = func() error { return nil }
	if s.suspend() == nil {
		t.Fatal("it does not stop")
	}
	job := &away{m: s.model, until: func() error { stopped = true; s.syncSpeed(); return nil }}
	if err := job.Run(); err != nil || !stopped || speed() != 0 {
		t.Errorf("stopped %t, %v: time runs at %v", stopped, err, speed())
	}
	s.Update(continuedMsg{after: time.Hour})
	if speed() != 1 {
		t.Errorf("after it, time runs at %v", speed())
	}
	if p := s.presenter; p.waitsSince != waits.Add(time.Hour) || p.captionAt != caption.Add(time.Hour) {
		t.Error("people read while the program was stopped")
	}
}

// realTime is a cluster in virtual time that looks like one over processes: nothing stops its clock,
// and only the test advances it.
type realTime struct{ *engine.Native }

func (realTime) Mode() engine.Mode { return engine.ProcessesMode }
func (realTime) Run(float64)       {}
func (realTime) Speed() float64    { return 1 }

// overProcesses makes the screen's cluster look like processes.
func overProcesses(s *stage) *stage {
	e := realTime{s.native()}
	e.Prompt().OverProcesses()
	s.Engine, s.branches[0].Engine, s.paused, s.options.Processes = e, e, false, true
	s.tick()
	return s
}

func TestRealTimeNeitherStopsNorChangesItsSpeed(t *testing.T) {
	s := overProcesses(newStage(t, 3))
	header := func() string { line, _, _ := strings.Cut(s.plain(), "\n"); return line }
	for _, key := range []string{"space", "<", ">", "a", "."} {
		s.press(key)
		s.wants("time is real over processes")
		if s.paused || s.auto || s.travel.past || strings.Contains(header(), "paused") {
			t.Fatalf("%s stops it", key)
		}
	}
	if head := header(); !strings.Contains(head, "processes") || strings.Contains(head, "1x") {
		t.Error(head)
	}
	if s.hand.look.open = true; s.isFrozen() {
		t.Error("a look into a message stops it")
	}
	s.hand.look.open = false
	// The past is there all the same, at any speed.
	s.pass(3 * time.Second)
	s.press("i")
	s.pass(time.Second)
	s.press(",")
	if !s.travel.past || !strings.Contains(header(), "past") {
		t.Fatal("there is no past")
	}
	s.press(">", "home", "space")
	if s.pace() != 3 || !s.travel.playing || !strings.Contains(header(), "3x") {
		t.Errorf("the past plays at %v: %s", s.pace(), header())
	}
	s.press("end")
	if s.travel.past || s.pace() != 1 {
		t.Errorf("now runs at %v", s.pace())
	}
	// Stepping on ends at now, because the clock does not wait there.
	s.press(",", ".", ".", ".", ".", ".", ".", ".", ".", ".")
	if s.travel.stepped || s.paused {
		t.Error("the cluster steps")
	}
}

func TestHelpOverProcessesLeavesOutWhatCannotBe(t *testing.T) {
	s := newStage(t, 3)
	listed := func() string {
		s.height = 60 // so that the whole help fits
		s.press("?")
		defer s.press("esc")
		return s.plain()
	}
	missing := []string{"pause or run", "slower", "faster", "slow at events", "hold or release", "stop on violations"}
	before := listed()
	overProcesses(s)
	after := listed()
	for _, text := range missing {
		if !strings.Contains(before, text) || strings.Contains(after, text) {
			t.Errorf("%q: before %t, over processes %t", text, strings.Contains(before, text), strings.Contains(after, text))
		}
	}
	s.press("M")
	s.wants("hold is not possible over processes")
	if s.paused || s.hand.stopped {
		t.Error("M stops the clock")
	}
	s.press("w", "a")
	for _, item := range s.menu.Items {
		if slices.Contains([]string{"l", "u", "o", "m"}, item.Key) {
			t.Errorf("the menu offers %s", item.Text)
		}
	}
	if len(s.menu.Items) != 6 {
		t.Errorf("%d faults", len(s.menu.Items))
	}
	s.press("esc")
	for range s.views.All {
		if s.press("tab"); s.view() == s.views.Hand {
			t.Error("the hand view is one of the views")
		}
	}
	s.showView(s.views.Links)
	s.press("l")
	s.wants("lose is not possible over processes")
	for _, hint := range s.hints() {
		if slices.Contains([]string{"lose", "duplicate", "reorder", "hold", "pause"}, hint.Text) {
			t.Errorf("the footer offers %s", hint.Text)
		}
	}
	s.showView(s.views.Stage)
	s.press("o")
	if len(s.menu.Items) == 0 || len(s.menu.Items) >= len(scenario.Names()) {
		t.Errorf("%d scenarios", len(s.menu.Items))
	}
}

// A step waits for its key, and says that nothing else does.
func TestStepOverProcessesSaysThatTimeGoesOn(t *testing.T) {
	s := onStage(t, "title A tale\nnodes 3\nsay first\nspeed 30\nstep think of it\nask Who wins?\nchoice n1 when value 0\nchoice n2 when value 1\nbecause it does\nincrement\nstep", Options{})
	overProcesses(s)
	s.Run(1)
	s.untilAStepWaits()
	s.tick()
	s.wants("think of it  (time goes on)  ▶ n")
	if s.paused || s.pace() != 1 || speeds[s.speed] != 1 {
		t.Errorf("paused %t, speed %v, later %v", s.paused, s.pace(), speeds[s.speed])
	}
	s.options.Lang, s.dirty = "zh", true
	s.wants("时间不会停")
	s.press("M")
	s.wants("hold is not possible over processes")
}

func TestViolationOverProcessesIsShown(t *testing.T) {
	s := overProcesses(newStage(t, 3))
	s.Engine.(realTime).Emit(trace.Event{Kind: trace.KindVerdict, At: s.Engine.Now(), Check: "log-matching", Verdict: trace.VerdictViolated, Text: "so"})
	s.tick()
	s.wants("violated: log-matching")
	if s.paused || strings.Contains(s.plain(), "time is real") {
		t.Error("it stops the clock")
	}
}

// A picture is left out only where nothing has happened for a while, and never two in a row.
func TestCalmClusterNeedsHalfThePictures(t *testing.T) {
	var c calm
	at := time.Unix(0, 0)
	draw := func(frames int, n news) (drawn int) {
		for range frames {
			at = at.Add(pane.FrameEvery)
			if !c.leavesOut(n, at) {
				drawn++
			}
		}
		return drawn
	}
	quiet, grown := news{story: 7, ops: 2, logs: 9}, news{story: 7, ops: 2, logs: 10}
	if got := draw(pane.FPS, quiet); got != pane.FPS {
		t.Errorf("%d pictures in the first second, want %d", got, pane.FPS)
	}
	if got := draw(10*pane.FPS, quiet); got < 5*pane.FPS || got > 5*pane.FPS+2 {
		t.Errorf("%d pictures in ten calm seconds, want half of %d", got, 10*pane.FPS)
	}
	if got := draw(pane.FPS, grown); got != pane.FPS {
		t.Errorf("%d pictures in the second after an entry, want %d", got, pane.FPS)
	}
	var s trace.State
	apply := func(e trace.Event) { e.Seq = s.Seq + 1; s.Apply(&e) }
	apply(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Up})
	before := newsOf(&s)
	apply(trace.Event{Kind: trace.KindPacket, Packet: &trace.Packet{ID: 1, From: "n1", To: "n1", Kind: "heartbeat", Status: trace.Sent}})
	if newsOf(&s) != before {
		t.Error("a heartbeat is news")
	}
	apply(trace.Event{Kind: trace.KindAppended, Node: "n1", Index: 1, Entries: []trace.Entry{{Term: 1, Kind: trace.EntryAdd}}})
	if newsOf(&s) == before {
		t.Error("an entry is no news")
	}
}
