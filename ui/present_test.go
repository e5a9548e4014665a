package ui

import (
	"runtime"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/ui/canvas"
)

// onStage is the screen with a scenario on it that has been performed as far as
// it goes without a key, for so much virtual time.
func onStage(t *testing.T, text string, options Options) *stage {
	t.Helper()
	script, err := scenario.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := newStageFor(t, script.Nodes, script)
	options.Speed, options.Theme, options.Script = 0, "dark", script
	s.options, s.glyphs = options, options.glyphsOf()
	go s.perform(script)()
	return s
}

const twoSteps = "title A tale\nnodes 3\nsay first things first\nsay.zh 先来后到\nstep think of it\nincrement\nchapter The end\nchapter.zh 结局\nsay that was all\nstep"

func TestAStepStopsTimeAndWaitsForAKey(t *testing.T) {
	s := onStage(t, twoSteps, Options{})
	s.paused = false
	s.untilAStepWaits()
	s.tick()
	if !s.paused || s.cluster.Clock().Speed() != 0 {
		t.Fatalf("paused is %t, the clock runs at %g", s.paused, s.cluster.Clock().Speed())
	}
	for _, want := range []string{"first things first", "A tale", "think of it  ▶ n"} {
		s.wants(want)
	}
	for _, other := range []string{"i increment", "seed"} { // nothing that the audience need not see
		if strings.Contains(s.screen(), other) {
			t.Errorf("the audience sees %q:\n%s", other, s.screen())
		}
	}
	s.Update(keyPress("pgdown")) // as a presenter's remote sends
	if s.paused || s.podium.waits() {
		t.Fatal("it still waits")
	}
	s.setSpeedTo(0)
	s.untilAStepWaits()
	s.wants("The end")
	s.press("n")
	if s.podium.waits() {
		t.Fatal("it still waits")
	}
}

// setSpeedTo has the test alone let time pass again.
func (s *stage) setSpeedTo(speed float64) { s.cluster.Clock().Run(speed) }

// untilAStepWaits lets virtual time pass until a step of the scenario waits, and
// shows what it has said: that may have happened since the last picture.
func (s *stage) untilAStepWaits() {
	s.t.Helper()
	s.until("a step waits", func(*trace.State) bool { return s.podium.waits() })
	s.tick()
}

func TestCaptionsComeInTheLanguageAskedFor(t *testing.T) {
	for language, want := range map[string]string{"": "first things first", "en": "first things first", "zh": "先来后到", "zh_TW": "先来后到"} {
		s := onStage(t, twoSteps, Options{Lang: language})
		s.untilAStepWaits()
		if !strings.Contains(s.screen(), want) {
			t.Errorf("%q: it does not say %q:\n%s", language, want, s.screen())
		}
	}
}

func TestAutoplayLeavesTimeToRead(t *testing.T) {
	s := onStage(t, twoSteps, Options{Autoplay: true})
	s.untilAStepWaits()
	if strings.Contains(s.screen(), "▶ n") {
		t.Error("it asks for a key that nobody has to press")
	}
	now := time.Now()
	s.presentOn(now)
	need := readingTime("first things first")
	s.presentOn(now.Add(need - 200*time.Millisecond))
	if !s.podium.waits() {
		t.Errorf("it does not leave %s to read", need)
	}
	s.presentOn(now.Add(need + 10*time.Millisecond))
	if s.podium.waits() {
		t.Errorf("it waits for more than %s", need)
	}
}

func TestALongerTextTakesLongerToRead(t *testing.T) {
	short, long, chinese := readingTime("n1 dies"), readingTime(strings.Repeat("n1 dies and ", 8)), readingTime("先来后到")
	if readingTime("") != 0 || short < time.Second || long < 4*time.Second || long > 10*time.Second || chinese <= readingTime("abcd") {
		t.Errorf("%s, %s, %s", short, long, chinese)
	}
}

func TestKeysThatArePressedAreShownAndGo(t *testing.T) {
	s := newStage(t, 3)
	s.options.Keys = true
	s.press("i", "right")
	for _, want := range []string{"│ i │ │ → │", "╭───╮ ╭───╮"} {
		s.wants(want)
	}
	s.presentOn(time.Now().Add(pressedTime + time.Second))
	s.presentOn(time.Now().Add(pressedTime + time.Second))
	if strings.Contains(s.screen(), "│ i │") {
		t.Error("they stay")
	}
	s.options.Keys = false
	s.press("i")
	if len(s.presenter.pressed) != 0 {
		t.Error("keys are noted that nobody is to see")
	}
}

func TestAfterAScenarioTheKeysAreForTheCluster(t *testing.T) {
	s := onStage(t, "nodes 3\nsay soon over\nincrement", Options{})
	s.until("it is over", func(now *trace.State) bool { return now.Clients.OK == 1 })
	s.performed(performedMsg{})
	if !s.presents() {
		t.Fatal("the last caption is gone at once")
	}
	s.press("n")
	s.wants("soon over")
	s.press("i")
	s.wants("i increment")
}

// Captions stand below all that they may speak of, at most two lines of them.
func TestTheBandIsBelowEverything(t *testing.T) {
	w := partitioned()
	w.emit(trace.Event{Kind: trace.KindChapter, Text: "A chapter"})
	w.emit(trace.Event{Kind: trace.KindCaption, Text: strings.Repeat("much to say ", 40)})
	for _, size := range []Size{{60, 18}, {80, 24}, {120, 36}, {200, 60}} {
		f := full(w.frame(size.Width, size.Height))
		f.presents, f.heading, f.menu, f.prompt, f.help, f.toast = true, "A tale", nil, nil, nil, toast{}
		checkFits(t, f)
		lines := strings.Split(plain(f), "\n")
		band := lines[size.Height-bandHeight:]
		if !strings.Contains(band[0], "A chapter") || !strings.Contains(band[1], "much to say") || !strings.HasSuffix(strings.TrimSpace(band[2]), f.glyphs.More) {
			t.Errorf("%v: the band is\n%s", size, strings.Join(band, "\n"))
		}
		for _, view := range f.views.all {
			f.view = view
			text := plain(f)
			if !strings.Contains(text, "much to say") {
				t.Errorf("%v: there is no caption in the %s view", size, view.name())
			}
		}
	}
}

// A presenter who is asked "once more, please" goes back and plays it again.
func TestBackGoesToTheStartOfTheChapterAndOnPlaysItAgain(t *testing.T) {
	s := onStage(t, "nodes 3\nchapter One\nsay one\nincrement\nstep\nwait 1s\nchapter Two\nsay two\nincrement\nstep\nsay three\nstep", Options{})
	for range 2 {
		s.untilAStepWaits()
		s.Update(keyPress("n"))
		s.cluster.Clock().Run(0)
	}
	s.untilAStepWaits()
	s.wants("three")
	s.press("b")
	if s.state.Chapter != "Two" || s.state.Caption != "" || s.state.Clients.OK != 1 {
		t.Fatalf("it shows %q %q with %d increments", s.state.Chapter, s.state.Caption, s.state.Clients.OK)
	}
	s.press("b")
	if s.state.Chapter != "One" || s.state.Clients.OK != 0 {
		t.Fatalf("it shows %q with %d increments", s.state.Chapter, s.state.Clients.OK)
	}
	s.wants("▶ n")
	now := s.cluster.Clock().Now()
	for _, want := range []string{"one", "two", "three"} {
		s.press("n", "n") // the second one does not wait for it to play
		if s.state.Caption != want {
			t.Errorf("it says %q, wanted %q", s.state.Caption, want)
		}
		s.wants("▶ n")
	}
	if s.cluster.Clock().Now() != now || !s.podium.waits() {
		t.Error("the world has moved while one looked at its past")
	}
	s.press("n") // plays what is left, and then it is now
	for range 100 {
		s.tick()
	}
	if s.travel.past || !s.paused {
		t.Errorf("past is %t, paused %t: the step still waits, so that time must stand still", s.travel.past, s.paused)
	}
}

// The built-in scenarios speak English and Chinese, and what they say can be read
// whole on the smallest of usual screens.
func TestCaptionsOfBuiltInScenariosFitInTwoLanguages(t *testing.T) {
	const room = 80 - 8 // of the band
	for _, name := range scenario.Names() {
		own := "" // what is still to be translated
		for line := range strings.Lines(builtin(t, name)) {
			command, text, _ := strings.Cut(strings.TrimSpace(line), " ")
			word, language, _ := strings.Cut(command, ".")
			if word != "say" && word != "chapter" {
				continue
			}
			switch {
			case language == "" && own != "":
				t.Errorf("%s: there is no Chinese for %q", name, own)
				own = text
			case language == "":
				own = text
			case language == "zh":
				own = ""
			}
			if lines := canvas.Wrap(canvas.Sanitize(text), room); len(lines) > captionLines {
				t.Errorf("%s: it takes %d lines: %q", name, len(lines), text)
			}
		}
		if own != "" {
			t.Errorf("%s: there is no Chinese for %q", name, own)
		}
	}
}

// The screen looks thirty times a second: much could happen until it stops a clock.
func TestAStepStopsTheClockBeforeTheScreenDoes(t *testing.T) {
	s := onStage(t, "nodes 3\nwait 1s\nstep\nwait 1h", Options{})
	s.cluster.Clock().Run(1000)
	for !s.podium.waits() {
		runtime.Gosched()
	}
	if err := s.cluster.Clock().Do(func() {}); err != nil { // whatever it set off is done
		t.Fatal(err)
	}
	if speed := s.cluster.Clock().Speed(); speed != 0 {
		t.Errorf("the clock runs on at %g", speed)
	}
	if now := s.cluster.Clock().Now(); now > 30*time.Second {
		t.Errorf("it is %s already", now)
	}
}

// Whoever goes on elsewhere need not be told that a scenario has ended.
func TestAScenarioThatWasLeftHasNoEnd(t *testing.T) {
	script, err := scenario.Parse("test", []byte(twoSteps))
	if err != nil {
		t.Fatal(err)
	}
	s := newStageFor(t, script.Nodes, script)
	ended := make(chan tea.Msg, 1)
	perform := s.perform(script)
	go func() { ended <- perform() }()
	s.untilAStepWaits()
	s.press("i")
	s.pass(time.Second)
	s.press(",")
	s.branchHere()
	if msg := <-ended; msg != nil {
		t.Errorf("it is told %+v", msg)
	}
}

// TestAViolationDoesNotStopAPresentation: the scenario has announced it, so it is told
// above the caption, and the next key goes on.
func TestAViolationDoesNotStopAPresentation(t *testing.T) {
	s := onStage(t, "title A lie\nnodes 3\nincrement\nwait value 1 on all\nsay All disks lie.\ndisk all lie\nincrement\nwait value 2 on all\n"+
		"poweroff all\nrestart all\nwait leader within 15s\nincrement\nwait 1s\nexpect violation acked-durable\nstep", Options{})
	s.paused = false
	s.untilAStepWaits()
	s.tick()
	if s.alarm() != nil {
		t.Error("an alarm stands before the audience")
	}
	s.wants("violated: ")
	s.wants("All disks lie.")
	if s.press("n"); s.podium.waits() {
		t.Error("the step still waits")
	}
}
