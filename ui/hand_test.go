package ui

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
	"capsize/ui/pane"
	"capsize/ui/source"
	"capsize/ui/view"
)

// holdAll presses M, and waits until the links are held.
func (s *stage) holdAll() {
	s.t.Helper()
	s.press("M")
	for range 20 {
		if s.state.HoldsAny() {
			return
		}
		s.settle()
		s.tick()
	}
	s.t.Fatalf("no link is held:\n%s", s.screen())
}

func (s *stage) shows(want string) {
	s.t.Helper()
	if text := s.plain(); !strings.Contains(text, want) {
		s.t.Errorf("no %q on the screen:\n%s", want, text)
	}
}

func TestHoldStopsTheClockAndReleaseLetsItRunOn(t *testing.T) {
	for _, ran := range []bool{true, false} {
		s := newStage(t, 3)
		s.paused = !ran
		s.setSpeed()
		s.showView(s.views.Log)
		s.holdAll()
		if s.view() != s.views.Hand || !s.paused || s.Engine.Speed() != 0 {
			t.Errorf("clock ran: %t; while links are held: %s view, speed %g", ran, s.view().Name(), s.Engine.Speed())
		}
		if s.command != "hold all" {
			t.Errorf("M stands for %q", s.command)
		}
		s.press("M")
		s.settle()
		s.tick()
		if s.view() != s.views.Log || s.paused == ran || s.state.HoldsAny() || s.command != "release" {
			t.Errorf("clock ran: %t; after the release: %s view, paused %t, command %q", ran, s.view().Name(), s.paused, s.command)
		}
		s.paused = true
		s.setSpeed()
	}
}

// run submits commands, and waits until the cluster has taken them.
func (s *stage) run(commands ...string) {
	s.t.Helper()
	for _, command := range commands {
		s.submit(command, "done")
	}
	s.settle()
	s.tick()
}

func TestElectionByHand(t *testing.T) {
	s := newStage(t, 3)
	s.pass(time.Second) // all logs are equal: each node can win
	leader := s.state.LeaderNode().ID
	s.press("k")
	s.pass(time.Millisecond)
	s.holdAll()
	others := slices.DeleteFunc(s.nodes(), func(id string) bool { return id == leader })
	// The other node must have given up on the old leader before it votes for a new one.
	s.run("fire "+others[1]+" election", "drop all", "fire "+others[0]+" election")
	for range 30 {
		if n := s.state.LeaderNode(); n != nil {
			return
		}
		s.press("enter")
	}
	t.Errorf("nobody leads after everything was delivered by hand:\n%s", s.plain())
}

func TestIncrementByHandGoesToTheLeader(t *testing.T) {
	s := newStage(t, 3)
	s.pass(time.Second)
	leader := s.state.LeaderNode().ID
	last := s.state.Node(leader).LastIndex()
	s.holdAll()
	if s.press("i"); s.command != "increment via "+leader {
		t.Errorf("i stands for %q", s.command)
	}
	s.run("fire " + leader + " heartbeat")
	for range 10 {
		if s.state.Node(leader).LastIndex() > last && strings.Contains(s.plain(), "append request") {
			return
		}
		s.press("enter")
	}
	t.Errorf("no append waits:\n%s", s.plain())
}

func TestHandViewIsShownWhenLinksBecomeHeld(t *testing.T) {
	s := newStage(t, 3)
	s.press(":")
	for _, r := range "hold n1 -> n2" {
		s.Update(keyPress(string(r)))
	}
	s.press("enter")
	s.settle()
	s.tick()
	if s.view() != s.views.Hand {
		t.Errorf("after a typed hold: the %s view", s.view().Name())
	}
	s.press("tab")
	s.run("release")
	if s.view() == s.views.Hand || s.hand.holds {
		t.Errorf("after the release: the %s view", s.view().Name())
	}
}

func TestHandInThePastIsForLookingOnly(t *testing.T) {
	s := newStage(t, 3)
	s.holdAll()
	s.run("fire leader heartbeat")
	held := len(s.state.Waiting)
	if held == 0 {
		t.Fatalf("nothing waits:\n%s", s.plain())
	}
	at := s.state.Seq
	s.press("M")
	s.settle()
	s.paused = true
	s.setSpeed()
	s.pass(10 * time.Millisecond)
	s.showEvent(at)
	s.tick()
	if s.view() != s.views.Hand || len(s.state.Waiting) != held {
		t.Errorf("in the past: the %s view, %d packets", s.view().Name(), len(s.state.Waiting))
	}
	for _, k := range []string{"enter", "x", "2"} {
		if s.press(k); !s.toast.Bad || !strings.Contains(s.toast.Text, "read-only") {
			t.Errorf("%s in the past says %q", k, s.toast.Text)
		}
	}
	if s.press("M"); s.view() != s.views.Hand || s.toast.Bad {
		t.Errorf("M in the past: the %s view, %q", s.view().Name(), s.toast.Text)
	}
}

func TestMessageIsLookedIntoAndItsEventsShown(t *testing.T) {
	s := newStage(t, 3)
	s.holdAll()
	s.run("fire leader heartbeat")
	s.press("e")
	if !s.hand.look.open || s.sheet() == nil {
		t.Fatalf("e opens nothing: %q\n%s", s.toast.Text, s.plain())
	}
	s.shows("its link is held")
	id := s.hand.look.id
	s.press("e")
	if s.hand.look.id == id && len(s.state.Waiting) > 1 {
		t.Error("e does not go on to the next message")
	}
	// Other keys work as always, so that one sees what they do to the message.
	for _, f := range s.state.Waiting {
		if !f.Reply {
			id = f.ID
		}
	}
	s.lookInto(id)
	s.press("enter")
	s.shows("arrived")
	s.press("r")
	if s.hand.look.id == id {
		t.Errorf("r shows no reply: %q", s.toast.Text)
	}
	s.press("s")
	if !s.hand.look.open || !s.travel.past {
		t.Error("s does not jump to the sending, or closes the message")
	}
	sent, _ := s.History.Event(s.moment().Seq)
	if sent.Packet == nil || sent.Packet.Status != trace.Sent || !sent.Packet.Reply {
		t.Errorf("s jumps to %+v", sent.Packet)
	}
	s.press("r", "a") // the reply has not arrived, its request has
	if arrived, _ := s.History.Event(s.moment().Seq); !s.hand.look.open || arrived.Packet == nil || arrived.Packet.Status != trace.Delivered || arrived.Packet.Reply {
		t.Errorf("a jumps to %+v", arrived)
	}
	s.press("esc", "end")
	if s.hand.look.open || s.travel.past {
		t.Error("the message is still open")
	}
}

func TestLookingIntoAMessageStopsTheClock(t *testing.T) {
	s := newStage(t, 3)
	s.run("delay all <-> all 200ms")
	s.until("a message in flight", func(st *trace.State) bool { return len(st.PacketsInFlight()) > 0 })
	s.paused = false
	s.setSpeed()
	s.press("e")
	if !s.hand.look.open || s.Engine.Speed() != 0 || !s.isFrozen() {
		t.Errorf("open %t, speed %g: %q", s.hand.look.open, s.Engine.Speed(), s.toast.Text)
	}
	s.press("esc")
	if s.hand.look.open || s.Engine.Speed() == 0 {
		t.Errorf("after esc: open %t, speed %g", s.hand.look.open, s.Engine.Speed())
	}
	s.paused = true
	s.setSpeed()
}

// clickOn clicks what is drawn last of what is meant, and reports whether there was anything.
func (s *stage) clickOn(meant func(pane.HitBox) bool) bool {
	s.tick()
	s.View()
	for _, h := range slices.Backward(s.lastFrame.hits) {
		if meant(h) {
			s.Update(tea.MouseClickMsg{X: h.X + min(h.W-1, 1), Y: h.Y, Button: tea.MouseLeft})
			return true
		}
	}
	return false
}

func TestClickOnAMessageLooksIntoIt(t *testing.T) {
	s := newStage(t, 3)
	s.run("delay all <-> all 200ms")
	s.until("a message in flight", func(st *trace.State) bool { return len(st.PacketsInFlight()) > 0 })
	isPacket := func(h pane.HitBox) bool { return h.Packet != 0 }
	for _, v := range []view.View{s.views.Stage, s.views.Time} {
		if s.showView(v); !s.clickOn(isPacket) || !s.hand.look.open {
			t.Errorf("%s view: no click looks into a message", v.Name())
		}
		s.closeLook()
	}
	s.holdAll()
	if !s.clickOn(isPacket) || !s.hand.look.open || s.views.Hand.Packet().ID != s.hand.look.id {
		t.Error("hand view: no click looks into a message")
	}
	if !s.clickOn(func(h pane.HitBox) bool { return h.Key == "s" }) || !s.travel.past {
		t.Error("a click on the sending does not show it")
	}
	s.showLive()
	s.tick()
	s.showView(s.views.Hand)
	if !s.clickOn(func(h pane.HitBox) bool { return h.Timer == 2 }) {
		t.Fatalf("no timer can be clicked:\n%s", s.plain())
	}
	want := s.state.Upcoming()[1].Command
	if s.press("enter"); s.command != want {
		t.Errorf("enter after a click on the second timer stands for %q, want %q", s.command, want)
	}
}

const heldStory = "title By hand\nnodes 3\nwait leader\nsay look\nstep\nwait 1s\nhold all\nfire leader heartbeat\nsay now you\nstep\ntry deliver heartbeat\nsay not you\nstep\nrelease\nsay done\nstep"

func TestHandOnStage(t *testing.T) {
	s := onStage(t, heldStory, Options{})
	s.paused = false
	s.untilAStepWaits()
	s.tick()
	s.press("n")
	// The scenario waits for the clock, which only the test advances.
	if s.press("M"); s.state.HoldsAny() || !strings.Contains(s.toast.Text, scenarioHolds) {
		t.Errorf("M while a scenario is on stage: %q", s.toast.Text)
	}
	s.untilAStepWaits()
	s.tick()
	if s.view() != s.views.Hand {
		t.Fatalf("the scenario holds all links: the %s view", s.view().Name())
	}
	s.shows("now you")
	if s.press("M"); !s.state.HoldsAny() || !strings.Contains(s.toast.Text, scenarioHolds) {
		t.Errorf("M while the scenario holds all links: %q", s.toast.Text)
	}
	first := s.views.Hand.Packet().ID
	if s.press("enter"); !strings.HasPrefix(s.command, "deliver #") || !s.scenarioStage.Waits() {
		t.Errorf("enter stands for %q, a step waits: %t", s.command, s.scenarioStage.Waits())
	}
	if slices.Contains(s.views.Hand.Messages(), first) {
		t.Errorf("#%d waits after it was delivered", first)
	}
	// At the next step the scenario moves the messages itself.
	s.press("n")
	s.untilAStepWaits()
	s.tick()
	if s.press("x"); s.toast.Text != scenarioMoves {
		t.Errorf("x where the scenario moves the messages: %q", s.toast.Text)
	}
	s.press("enter")
	s.untilAStepWaits()
	s.tick()
	if s.view() != s.views.Stage || s.state.HoldsAny() {
		t.Errorf("after the release: the %s view", s.view().Name())
	}
}

func TestHandOfARecordingIsForLookingOnly(t *testing.T) {
	s := newStage(t, 3)
	name := filepath.Join(t.TempDir(), "run.trace")
	w, err := recording.Create(name, recording.Header{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.Engine.AddSink(w)
	s.pass(time.Second)
	s.holdAll()
	s.run("fire leader heartbeat")
	waiting := len(s.state.Waiting)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	source, err := source.OpenRecording(name, source.HistoryMB, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &stage{model: newScreen(Options{Speed: 1, Look: pane.Look{Theme: "dark"}}), t: t}
	t.Cleanup(func() { r.queue.Close(); source.Close() })
	r.replay(source, "run.trace")
	r.Update(tea.WindowSizeMsg{Width: 120, Height: 36})
	if r.press("M"); !strings.Contains(r.toast.Text, "recordings are read-only") {
		t.Errorf("M where nothing is held says %q", r.toast.Text)
	}
	r.press("end")
	if r.view() != r.views.Hand || waiting == 0 || len(r.state.Waiting) != waiting {
		t.Fatalf("at the end of the recording: the %s view, %d packets wait, live %d", r.view().Name(), len(r.state.Waiting), waiting)
	}
	for _, k := range []string{"enter", "x", "2"} {
		if r.press(k); !r.toast.Bad || !strings.Contains(r.toast.Text, "recordings are read-only") {
			t.Errorf("%s says %q", k, r.toast.Text)
		}
	}
	if r.press("M"); r.toast.Bad || r.view() != r.views.Hand {
		t.Errorf("M says %q", r.toast.Text)
	}
	r.press("e")
	r.shows("its link is held")
}

// From the key that delivers a packet to the picture without it: with the vote requests of one
// candidate waiting, and with those of twenty, more than 400.
func BenchmarkKeyToPictureByHand(b *testing.B) {
	for _, candidates := range []int{1, 20} {
		b.Run(fmt.Sprintf("candidates=%d", candidates), func(b *testing.B) {
			s := newStage(b, 25)
			s.holdAll()
			followers := slices.DeleteFunc(s.nodes(), func(id string) bool { return id == s.state.LeaderNode().ID })
			for _, id := range followers[:candidates] {
				s.run("fire " + id + " election")
			}
			if waiting := len(s.state.Waiting); waiting < candidates*24 {
				b.Fatalf("%d packets wait, want %d", waiting, candidates*24)
			}
			for b.Loop() {
				s.press("2") // the answer to the copy waits in place of the packet
				_ = s.View()
			}
			b.ReportMetric(float64(len(s.state.Waiting)), "waiting")
		})
	}
}
