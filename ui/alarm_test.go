package ui

import (
	"strings"
	"testing"

	"capsize/cluster/trace"
	"capsize/ui/view"
)

// violate emits a violated verdict of a check.
func (s *stage) violate(check string, proof ...uint64) {
	s.native().Emit(trace.Event{
		Kind: trace.KindVerdict, At: s.Engine.Now(), Check: check, Verdict: trace.VerdictViolated, Text: "c1 was told 5 and now 3", Proof: proof,
	})
	s.tick()
}

func TestViolationStopsTheClockOnce(t *testing.T) {
	s := newStage(t, 3)
	s.press("space")
	if s.paused {
		t.Fatal("time does not pass")
	}
	s.violate("log-matching")
	s.wants("violated: log-matching")
	s.wants("c1 was told 5 and now 3")
	if !s.paused {
		t.Error("time does not stand still")
	}
	s.press("space")
	if s.paused || strings.Contains(s.screen(), "✗ violated:") {
		t.Error("space does not let time go on")
	}
	s.violate("log-matching")
	if s.paused {
		t.Error("the same violation stops the clock again")
	}
	s.violate("linearizable")
	if !s.paused {
		t.Error("another violation does not stop the clock")
	}
	s.press("esc", "space", "V")
	s.violate("vote-once")
	if s.paused || !strings.Contains(s.screen(), "✗ violated: vote-once") {
		t.Error("when it is not to stop, time does not go on")
	}
}

func TestWorstViolationComesFirst(t *testing.T) {
	s := newStage(t, 3)
	s.violate("state-machine-safety")
	s.wants("violated: state-machine-safety")
	s.violate("acked-durable")
	s.wants("violated: acked-durable")
	s.wants("also      state-machine-safety violated")
	s.press("tab")
	s.wants("violated: acked-durable") // in any view, until it is closed
	s.press("esc")
	if strings.Contains(s.screen(), "✗ violated: ") {
		t.Error("esc does not close it")
	}
}

func TestEvidenceOfAViolationIsShown(t *testing.T) {
	s := newStage(t, 3)
	s.press("i", "r")
	s.settle()
	s.pass(1e9)
	ops := view.Operations(&s.state)
	if len(ops) != 2 || ops[1].ReturnSeq == 0 {
		t.Fatalf("operations: %v", ops)
	}
	s.violate("linearizable", ops[0].ReturnSeq, ops[1].ReturnSeq)
	s.press("j")
	s.wants("evidence 1 of 2")
	if s.view() != s.views.Clients || s.views.Clients.Op != ops[0].ID {
		t.Errorf("the %s view, operation %d", s.view().Name(), s.views.Clients.Op)
	}
	s.press("j")
	s.wants("evidence 2 of 2")
	s.wants("STALE")
	s.press("j")
	s.wants("evidence 1 of 2")
	other := newStage(t, 1)
	other.press("j")
	other.wants("no check is violated")
}
