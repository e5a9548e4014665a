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

const twoQuestions = `title A tale
nodes 3
transfer n1
wait leader n1
ask Who leads next?
choice n1, surely when leader n1
choice n2 when leader n2
choice nobody when leader none
transfer n2
wait leader n2
because n1 hands over
ask And now?
choice n2 still when leader n2
choice n1 again when leader n1
because nothing happened
step
say that was all
step
`

// asked returns the screen with the first question of a scenario waiting.
func asked(t *testing.T, options Options) *stage {
	t.Helper()
	s := onStage(t, twoQuestions, options)
	s.untilAStepWaits()
	s.tick()
	s.wants("Who leads next?")
	return s
}

// next waits for the next time that the scenario stands still.
func (s *stage) next() {
	s.t.Helper()
	s.Engine.Run(0)
	s.untilAStepWaits()
}

func TestQuestionIsAnsweredByAKey(t *testing.T) {
	s := asked(t, Options{})
	if at := s.Engine.Now(); !s.paused || s.Engine.Speed() != 0 {
		t.Fatalf("the clock runs at %s", at)
	}
	s.wants("1-3 answer     n skip")
	s.press("9")
	if !s.scenarioStage.Waits() {
		t.Fatal("a choice that there is not answers")
	}
	s.press("1")
	if s.scenarioStage.Waits() || s.paused || s.cursor != s.state.LeaderNode().ID {
		t.Fatal("it still waits, or a node was selected")
	}
	s.next()
	for _, want := range []string{"✗  █    n1, surely", "your answer", "✓ █▀▀   n2", "✗ your answer is wrong", "n1 hands over", "▶ n"} {
		s.wants(want)
	}
	s.press("n")
	s.next()
	s.wants("And now?")
	s.press("1")
	s.next()
	s.wants("✓ your answer is right")
	if s.press("n"); s.scenarioStage.Waits() && s.state.Caption == "" {
		t.Error("the step after a question needs a key of its own")
	}
	s.next()
	s.wants("that was all")
	if strings.Contains(s.screen(), "nothing happened ") {
		t.Errorf("the question stays:\n%s", s.screen())
	}
}

func TestQuestionIsSkipped(t *testing.T) {
	for _, key := range []string{"n", "enter"} {
		s := asked(t, Options{})
		s.views.Hand.Screen = viewScreen{s.model}
		s.showView(s.views.Hand) // whose enter delivers
		s.press(key)
		if s.scenarioStage.Waits() {
			t.Fatalf("%s: it still waits", key)
		}
		s.next()
		if q := s.state.Question; !q.Judged || q.Votes() != 0 {
			t.Errorf("%s: the question is %+v", key, q)
		}
		if strings.Contains(s.screen(), "your answer") {
			t.Errorf("%s: a skipped question has an answer:\n%s", key, s.screen())
		}
	}
}

func TestRoomVotes(t *testing.T) {
	s := asked(t, Options{Asking: Asking{Room: true}})
	s.wants("votes, like 1:12 2:30")
	for _, k := range []string{"1", ":", "1", "2", "space", "4", ":", "3"} {
		s.press(k)
	}
	s.wants("1:12 4:3_")
	s.press("enter")
	s.wants("4:3: the choices are 1 to 3")
	killed := s.state.Clients
	s.press("i") // a slip must not increment
	if s.state.Clients.InFlight != killed.InFlight || !strings.Contains(s.screen(), "i: write CHOICE:VOTES") {
		t.Errorf("a letter does what it does elsewhere:\n%s", s.screen())
	}
	s.press("backspace", "backspace", "backspace", "2", ":", "3", "0", "enter")
	for _, want := range []string{"12  29%", "30  71%", "0  0%", "n go on"} {
		s.wants(want)
	}
	if !s.scenarioStage.Waits() {
		t.Fatal("it runs on before the room has seen the votes")
	}
	s.press("backspace", "1", "enter")
	s.wants("301  96%")
	s.press("backspace", "backspace", "enter", "n")
	s.next()
	s.wants("30 of 42 are right")
	s.press("n")
	s.next()
	s.wants("votes, like 1:12 2:30")
	s.press("5", "esc", "enter")
	s.next()
	if q := s.state.Question; q.Number != 2 || q.Votes() != 0 {
		t.Errorf("esc and enter give %+v", q)
	}
}

func TestAutoplaySkipsQuestions(t *testing.T) {
	s := asked(t, Options{Autoplay: true})
	if strings.Contains(s.screen(), "skip") {
		t.Error("it asks for a key that nobody has to press")
	}
	read := pane.ReadingTime("Who leads next? n1, surely n2 nobody")
	now := time.Now()
	s.updatePresenter(now.Add(read - 500*time.Millisecond))
	if !s.scenarioStage.Waits() {
		t.Errorf("it does not leave %s to read", read)
	}
	s.updatePresenter(now.Add(read + time.Second))
	if s.scenarioStage.Waits() {
		t.Errorf("it waits for more than %s", read)
	}
	s.next()
	s.wants("n1 hands over")
}

// In the past, a question is as it was then, and takes no answer.
func TestPastShowsTheQuestion(t *testing.T) {
	s := asked(t, Options{})
	s.press("home", "1", "end")
	if !s.scenarioStage.Waits() {
		t.Fatal("a key in the past answers the question that waits now")
	}
	s.press("2")
	s.next()
	s.press("home")
	s.press("n", "n")
	s.wants("Who leads next?")
	if strings.Contains(s.screen(), "answer") || s.state.Question.Judged {
		t.Errorf("the past takes an answer:\n%s", s.screen())
	}
	s.press("1")
	s.press("n", "n")
	s.wants("✓ your answer is right")
	s.press("end")
	s.wants("✓ your answer is right")
}

func TestClickAnswers(t *testing.T) {
	s := asked(t, Options{})
	s.screen()
	for _, h := range s.lastFrame.hits {
		if h.Key == "3" && h.W == s.width {
			s.Update(tea.MouseClickMsg{X: h.X + 10, Y: h.Y})
			s.next()
			if s.state.Question.Pick() != 2 {
				t.Errorf("the click gives %+v", s.state.Question)
			}
			return
		}
	}
	t.Error("the choices cannot be clicked")
}
