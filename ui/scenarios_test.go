package ui

import (
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/trace"
	"capsize/ui/course"
	"capsize/ui/pane"
)

// typeText types a text, letter by letter.
func (s *stage) typeText(text string) {
	s.t.Helper()
	for _, r := range text {
		s.Update(keyPress(string(r)))
	}
	s.tick()
}

func TestCommandCanBeTyped(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	s := newStage(t, 5)
	s.press(":")
	s.typeText("isol")
	s.press("tab")
	s.typeText("n2,n")
	s.wants(": isolate n2,n")
	s.wants("n2,n5") // what may follow
	s.typeText("3")
	s.press("enter")
	s.wants("isolate n2,n3")
	if !s.state.Isolated("n2") || !s.state.Isolated("n3") {
		t.Fatal("n2 and n3 are not cut off")
	}
	s.press(":", "up")
	s.wants(": isolate n2,n3")
}

func TestMistypedCommandStaysWithItsError(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	s := newStage(t, 3)
	s.press(":")
	s.typeText("kil n1")
	s.press("enter")
	s.wants(": kil n1")
	s.wants("did you mean kill?")
	s.press("esc")
	s.wants("i increment")
	if n := s.state.Node("n1"); n.Process != trace.Up {
		t.Fatalf("n1 is %s", n.Process)
	}
}

// TestKeysOnlyTypeWhileThePromptIsOpen: an input that lets keys through is a trap.
func TestKeysOnlyTypeWhileThePromptIsOpen(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	s := newStage(t, 3)
	s.press(":")
	s.typeText("kkkqqq123ppp")
	s.press("esc")
	for i := range s.state.Nodes {
		if n := &s.state.Nodes[i]; n.Process != trace.Up {
			t.Errorf("%s is %s", n.ID, n.Process)
		}
	}
}

// TestSavedSessionRunsHeadless compares the value and the stopped nodes of a session
// with those of its saved scenario.
func TestSavedSessionRunsHeadless(t *testing.T) {
	t.Chdir(t.TempDir())
	s := newStage(t, 5)
	s.press("I")
	s.until("the counter shows 10", everyValue(10))
	s.press("5", "k")
	s.pass(5 * time.Second)
	s.press("i")
	s.until("the counter shows 11", everyValue(11))
	saved, ok := s.save()().(savedMsg)
	if !ok || saved.bad {
		t.Fatalf("cannot save: %+v", saved)
	}
	text, err := os.ReadFile("session-1.capsize")
	if err != nil {
		t.Fatal(err)
	}
	script, err := scenario.Parse("session-1.capsize", append(text, "wait value 11\nexpect role n5 down\n"...))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	_, result, err := headless.RunRecorded(t.Context(), engine.OpenNative, script)
	if err != nil || !result.OK {
		t.Fatalf("%+v, %v\n%s", result, err, text)
	}
}

func TestScenarioOnStageWaitsForAKey(t *testing.T) {
	script, err := scenario.Parse("talk", []byte(strings.Join([]string{
		"nodes 3", "chapter One", "say Now something happens.", "step Ready?", "increment 2", "say That was it.",
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	s := newStageFor(t, 3, script)
	done := make(chan any, 1)
	ended := s.perform(script)
	go func() { done <- ended() }()
	s.until("the step waits", func(*trace.State) bool { return s.scenarioStage.Waits() })
	s.tick() // the wait may begin between two pictures
	s.wants("Now something happens.")
	s.wants("Ready?")
	s.pass(5 * time.Second)
	if s.state.Commit > 2 {
		t.Fatal("the scenario went on by itself")
	}
	s.press("n")
	s.until("the counter shows 2", everyValue(2))
	s.wants("That was it.")
	s.Update(<-done)
	s.wants("scenario ended")
}

func TestOpenedScenarioReplacesTheCluster(t *testing.T) {
	s := newStage(t, 3)
	before := s.Engine
	s.press("o")
	s.wants("leader-crash")
	cmd := s.handleMenuKey("enter")
	if cmd == nil {
		t.Fatal("choosing a scenario does nothing")
	}
	msg, ok := cmd().(openedMsg)
	if !ok || msg.err != nil {
		t.Fatalf("%+v", msg)
	}
	s.Update(msg)
	t.Cleanup(func() { _ = s.Engine.Close() })
	if s.Engine == before || s.script == nil {
		t.Fatal("the scenario's cluster is not the one shown")
	}
	if err := before.Close(); err != nil {
		t.Errorf("the cluster before: %v", err)
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
	for _, key := range []string{"n", "pgdown"} {
		s := asked(t, Options{})
		if s.press("enter"); !s.scenarioStage.Waits() || !strings.Contains(s.toast.Text, "n skips") {
			t.Errorf("enter: %q", s.toast.Text)
		}
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
	if s.state.Clients.InFlight != killed.InFlight || !strings.Contains(s.screen(), "1:12 4:3i: write CHOICE:VOTES") {
		t.Errorf("a letter does what it does elsewhere:\n%s", s.screen())
	}
	s.press("backspace", "backspace", "backspace", "backspace", "2", ":", "3", "0", "enter")
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

// inCourse returns the screen with the menu of a course of two short lessons.
func inCourse(t *testing.T) *stage {
	t.Helper()
	store, problem := course.Open(t.TempDir())
	if problem != nil {
		t.Fatal(problem)
	}
	menu := &course.Menu{Store: store}
	for i, title := range []string{"Sums", "Products"} {
		script, err := scenario.Parse(title, []byte("title "+title+"\nnodes 3\nask 1 + 1?\nchoice 2 when value 2\nchoice 3 when value 3\nincrement 2\nbecause so\nstep\nsay the end"))
		if err != nil {
			t.Fatal(err)
		}
		menu.Lessons = append(menu.Lessons, course.Lesson{Number: i + 1, Script: script})
	}
	s := newStage(t, 1)
	s.options.Course = menu
	s.beginCourse()
	s.paused = false
	s.setSpeed()
	return s
}

func TestCourseBeginsWithItsMenu(t *testing.T) {
	s := inCourse(t)
	s.wants("Raft in ten lessons")
	s.wants("Products")
	if speed := s.Engine.Speed(); speed != 0 {
		t.Errorf("the clock behind the menu runs at %g", speed)
	}
	s.press("k", "i", "down") // neither kills nor increments
	if s.lessons.Cursor != 1 || s.state.Clients.OK > 0 || s.state.Nodes[0].Process != trace.Up {
		t.Errorf("the cursor is on %d, the cluster at %d increments", s.lessons.Cursor, s.state.Clients.OK)
	}
	for _, key := range []string{"q", "esc"} {
		if cmd := s.handleKey(keyPress(key)); cmd == nil || cmd() != tea.Quit() {
			t.Errorf("%s does not leave the course", key)
		}
	}
}

// A wrong answer stays wrong in the learner's progress, and a lesson left early is not done.
func TestLessonLeadsBackToTheMenu(t *testing.T) {
	s := inCourse(t)
	for right, key := range []string{"2", "1"} {
		s.lessons.Cursor = 0
		start := s.handleKey(keyPress("enter"))
		if again := s.handleKey(keyPress("enter")); again != nil {
			t.Fatal("a second key starts the lesson twice")
		}
		s.wants("Raft in ten lessons") // until the cluster has started
		opened, ok := start().(openedMsg)
		if !ok || opened.err != nil {
			t.Fatalf("%+v", opened)
		}
		ended := s.onOpened(opened)
		t.Cleanup(func() { _ = opened.source.Engine.Close() })
		done := make(chan tea.Msg, 1)
		go func() { done <- ended() }()
		s.untilAStepWaits()
		if r := s.lessons.Store.Result("Sums"); r.Visited.IsZero() || r.Done != (right > 0) {
			t.Errorf("kept %+v at the beginning", r)
		}
		s.press(key)
		s.until("the answer is judged", func(now *trace.State) bool {
			return now.Question != nil && now.Question.Judged && s.scenarioStage.Waits()
		})
		s.tick()
		s.press("n")
		s.Update(<-done)
		s.tick()
		s.wants("the end")
		s.wants("to the lessons  ▶ n")
		if r := s.lessons.Store.Result("Sums"); !r.Done || r.Right != right || r.Asked != 1 {
			t.Errorf("%q gave %+v, want %d of 1 right", key, r, right)
		}
		s.press("n")
		s.wants("Raft in ten lessons")
		if s.lessons.Cursor != 1 || s.Engine.Speed() != 0 {
			t.Errorf("the cursor is on lesson %d, the clock runs at %g", s.lessons.Cursor+1, s.Engine.Speed())
		}
	}
}

func TestQuittingALessonShowsTheMenu(t *testing.T) {
	s := inCourse(t)
	s.lessons.open = false
	if cmd := s.handleKey(keyPress("q")); cmd != nil || !s.coursed() {
		t.Error("q does not go back to the menu")
	}
	s.lessons = nil
	if cmd := s.handleKey(keyPress("q")); cmd == nil || cmd() != tea.Quit() {
		t.Error("q does not quit without a course")
	}
}
