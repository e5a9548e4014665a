package ui

import (
	"os"
	"strings"
	"testing"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/trace"
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
