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
	"capsize/ui/pane"
	"capsize/ui/uitest"
)

// onStage returns the screen with a scenario on stage, run up to its first step.
func onStage(t *testing.T, text string, options Options) *stage {
	t.Helper()
	script, err := scenario.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := newStageFor(t, script.Nodes, script)
	options.Speed, options.Theme, options.Script = 0, "dark", script
	s.options, s.glyphs = options, options.GlyphsOf()
	go s.perform(script)()
	return s
}

const twoSteps = "title A tale\nnodes 3\nsay first things first\nsay.zh 先来后到\nstep think of it\nincrement\nchapter The end\nchapter.zh 结局\nsay that was all\nstep"

// However long the screen takes to start, a scenario starts when the clock does.
func TestClockStandsStillUntilTheScenarioStarts(t *testing.T) {
	script, err := scenario.Parse("test", []byte("nodes 3\nwait 1s\nstep"))
	if err != nil {
		t.Fatal(err)
	}
	s := newStageFor(t, script.Nodes, script)
	s.paused = false
	at := s.Engine.Now()
	for range 3 {
		s.tick()
	}
	if s.Engine.Speed() != 0 || s.Engine.Now() != at {
		t.Fatalf("the clock runs at %g, from %s to %s", s.Engine.Speed(), at, s.Engine.Now())
	}
	go s.perform(script)()
	if s.Engine.Speed() == 0 {
		t.Error("the clock stands still although the scenario has started")
	}
}

func TestStepPausesTheClockAndWaitsForAKey(t *testing.T) {
	s := onStage(t, twoSteps, Options{})
	s.paused = false
	s.untilAStepWaits()
	s.tick()
	if !s.paused || s.Engine.Speed() != 0 {
		t.Fatalf("paused is %t, the clock runs at %g", s.paused, s.Engine.Speed())
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
	if s.paused || s.scenarioStage.Waits() {
		t.Fatal("it still waits")
	}
	s.setSpeedTo(0)
	s.untilAStepWaits()
	s.wants("The end")
	s.press("n")
	if s.scenarioStage.Waits() {
		t.Fatal("it still waits")
	}
}

// setSpeedTo sets the speed behind the screen's back.
func (s *stage) setSpeedTo(speed float64) { s.Engine.Run(speed) }

// untilAStepWaits advances the clock until a step of the scenario waits, and shows the
// frame after it.
func (s *stage) untilAStepWaits() {
	s.t.Helper()
	s.until("a step waits", func(*trace.State) bool { return s.scenarioStage.Waits() })
	s.tick()
}

func TestCaptionsFollowTheLanguage(t *testing.T) {
	for language, want := range map[string]string{"": "first things first", "en": "first things first", "zh": "先来后到", "zh_TW": "先来后到"} {
		s := onStage(t, twoSteps, Options{Look: pane.Look{Lang: language}})
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
	s.updatePresenter(now)
	need := pane.ReadingTime("first things first")
	s.updatePresenter(now.Add(need - 200*time.Millisecond))
	if !s.scenarioStage.Waits() {
		t.Errorf("it does not leave %s to read", need)
	}
	s.updatePresenter(now.Add(need + 10*time.Millisecond))
	if s.scenarioStage.Waits() {
		t.Errorf("it waits for more than %s", need)
	}
}

func TestReadingTimeGrowsWithTheText(t *testing.T) {
	short, long, chinese := pane.ReadingTime("n1 dies"), pane.ReadingTime(strings.Repeat("n1 dies and ", 8)), pane.ReadingTime("先来后到")
	if pane.ReadingTime("") != 0 || short < time.Second || long < 4*time.Second || long > 10*time.Second || chinese <= pane.ReadingTime("abcd") {
		t.Errorf("%s, %s, %s", short, long, chinese)
	}
}

func TestPressedKeysAppearAndGo(t *testing.T) {
	s := newStage(t, 3)
	s.options.Keys = true
	s.press("i", "right")
	for _, want := range []string{"│ i │ │ → │", "╭───╮ ╭───╮"} {
		s.wants(want)
	}
	s.updatePresenter(time.Now().Add(keyShownFor + time.Second))
	s.updatePresenter(time.Now().Add(keyShownFor + time.Second))
	if strings.Contains(s.screen(), "│ i │") {
		t.Error("they stay")
	}
	s.options.Keys = false
	s.press("i")
	if len(s.presenter.pressed) != 0 {
		t.Error("keys are noted that nobody is to see")
	}
}

func TestKeysControlTheClusterAfterAScenario(t *testing.T) {
	s := onStage(t, "nodes 3\nsay soon over\nincrement", Options{})
	s.until("it is over", func(now *trace.State) bool { return now.Clients.OK == 1 })
	s.onPerformed(performedMsg{})
	if !s.presents() {
		t.Fatal("the last caption is gone at once")
	}
	s.press("n")
	s.wants("soon over")
	s.press("i")
	s.wants("i increment")
}

// A presenter who hears "once more, please" goes back and plays the chapter again.
func TestBackReplaysTheChapter(t *testing.T) {
	s := onStage(t, "nodes 3\nchapter One\nsay one\nincrement\nstep\nwait 1s\nchapter Two\nsay two\nincrement\nstep\nsay three\nstep", Options{})
	for range 2 {
		s.untilAStepWaits()
		s.Update(keyPress("n"))
		s.Engine.Run(0)
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
	now := s.Engine.Now()
	for _, want := range []string{"one", "two", "three"} {
		s.press("n", "n") // the second one does not wait for it to play
		if s.state.Caption != want {
			t.Errorf("it says %q, wanted %q", s.state.Caption, want)
		}
		s.wants("▶ n")
	}
	if s.Engine.Now() != now || !s.scenarioStage.Waits() {
		t.Error("the cluster ran while its past was shown")
	}
	s.press("n") // plays what is left, and then it is now
	for range 100 {
		s.tick()
	}
	if s.travel.past || !s.paused {
		t.Errorf("past is %t, paused %t: the step still waits, so time must stand still", s.travel.past, s.paused)
	}
}

// The built-in scenarios speak English and Chinese, and their captions fit on an 80x24
// screen.
func TestBuiltInCaptionsFitInBothLanguages(t *testing.T) {
	const room = 80 - 8 // of the band
	for _, name := range scenario.Names() {
		checkQuestionsFit(t, name)
		own := "" // what is still to be translated
		builtin, _ := scenario.Builtin(name)
		for line := range strings.Lines(string(builtin)) {
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
			if lines := canvas.Wrap(canvas.Sanitize(text), room); len(lines) > pane.CaptionLines {
				t.Errorf("%s: it takes %d lines: %q", name, len(lines), text)
			}
		}
		if own != "" {
			t.Errorf("%s: there is no Chinese for %q", name, own)
		}
	}
}

// checkQuestionsFit checks that the questions of a built-in scenario speak both languages and are
// shown in full on an 80x24 screen.
func checkQuestionsFit(t *testing.T, name string) {
	t.Helper()
	builtin, _ := scenario.Builtin(name)
	script, err := scenario.Parse(name, builtin)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range script.Questions() {
		check := func(own string, in trace.Localized, width, rows int) {
			t.Helper()
			if in["zh"] == "" {
				t.Errorf("%s: there is no Chinese for %q", name, own)
			}
			for _, text := range []string{own, in["zh"]} {
				if lines := canvas.Wrap(canvas.Sanitize(text), width); len(lines) > rows {
					t.Errorf("%s: it takes %d lines: %q", name, len(lines), text)
				}
			}
		}
		check(q.Text, q.In, 72, 2)
		check(q.Because, q.BecauseIn, 72, 3)
		for i := range q.Choices {
			check(q.Choices[i].Text, q.Choices[i].In, 72-3-len("your answer")-3, 2)
		}
	}
}

// Between two frames, at full speed, much could happen before the screen stops a clock.
func TestStepPausesTheClockItself(t *testing.T) {
	s := onStage(t, "nodes 3\nwait 1s\nstep\nwait 1h", Options{})
	s.Engine.Run(1000)
	for !s.scenarioStage.Waits() {
		runtime.Gosched()
	}
	if err := s.native().Do(func() {}); err != nil { // whatever it set off is done
		t.Fatal(err)
	}
	if speed := s.Engine.Speed(); speed != 0 {
		t.Errorf("the clock runs on at %g", speed)
	}
	if now := s.Engine.Now(); now > 30*time.Second {
		t.Errorf("it is %s already", now)
	}
}

// The end of a replaced scenario is no news.
func TestReplacedScenarioReportsNoEnd(t *testing.T) {
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

// TestViolationDoesNotStopAPresentation: the scenario has announced it, so a line above
// the caption names it, and the next key continues.
func TestViolationDoesNotStopAPresentation(t *testing.T) {
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
	if s.press("n"); s.scenarioStage.Waits() {
		t.Error("the step still waits")
	}
}

func TestWindowTitleIsSanitized(t *testing.T) {
	m := &model{staging: staging{script: &scenario.Script{Title: uitest.HostileText}}}
	uitest.CheckPrintable(t, "the title", m.title())
	if !strings.HasPrefix(m.title(), "capsize: ") || !strings.Contains(m.title(), "世") {
		t.Errorf("the title is %q", m.title())
	}
}
