package ui

import (
	"reflect"
	"testing"
	"time"

	"capsize/ui/undo"
)

// TestEveryFaultKeyIsUndoneAndRedone sets many faults, then undoes and redoes them.
func TestEveryFaultKeyIsUndoneAndRedone(t *testing.T) {
	s := newStage(t, 5)
	typed := func(command string) []string {
		keys := []string{":"}
		for _, r := range command {
			keys = append(keys, map[rune]string{' ': "space"}[r])
			if r != ' ' {
				keys[len(keys)-1] = string(r)
			}
		}
		return append(keys, "enter")
	}
	steps := [][]string{
		{"2", "k"},
		{"3", "s"},
		{"4", "p"},
		{"P", "2"},
		{"5", "d", "s"},
		{"1", "w", "2", "d"},
		{"1", "w", "2", "l"},
		typed("apply n2,n3 slow 200ms"),
		{"4", "d", "p"},
		typed("duplicate n3 -> n5 40% after 300ms"),
		typed("clock n1 3"), typed("cut n1 <-> n2 only vote,prevote"),
		{"2", "k"},
		{"3", "s"},
		{"4", "K"},
		{"H"},
	}
	stood := []undo.Faults{s.faultsNow()}
	for _, keys := range steps {
		s.press(keys...)
		s.pass(100 * time.Millisecond)
		now := s.faultsNow()
		if reflect.DeepEqual(now, stood[len(stood)-1]) {
			t.Fatalf("%v breaks nothing", keys)
		}
		stood = append(stood, now)
	}
	for _, n := range s.state.Nodes {
		if n.ApplyFault != "" || n.DiskFault != "" || n.ClockFactor != 1 {
			t.Errorf("%s has faults once everything is healed: apply %q, disk %q, clock %g", n.ID, n.ApplyFault, n.DiskFault, n.ClockFactor)
		}
	}
	check := func(key string, want undo.Faults) {
		t.Helper()
		s.press(key)
		s.pass(100 * time.Millisecond)
		if got := s.faultsNow(); !reflect.DeepEqual(got, want) {
			t.Fatalf("after %s, found %+v\nwanted %+v\n%s", key, got, want, s.screen())
		}
	}
	for i := len(steps) - 1; i >= 0; i-- {
		check("u", stood[i])
	}
	s.press("u")
	s.wants("no fault to undo")
	for i := range steps {
		check("U", stood[i+1])
	}
	s.press("U")
	s.wants("nothing to redo")
	check("u", stood[len(steps)-1])
	s.press("5", "k")
	s.press("U")
	s.wants("nothing to redo")
}

// TestHealEverythingSaysWhatIsStillDown holds that no fault is left, but a node is.
func TestHealEverythingSaysWhatIsStillDown(t *testing.T) {
	s := newStage(t, 5)
	down := func(command string) { s.submit(command, ""); s.press(); s.pass(time.Second) }
	s.press("H")
	if got := s.toast.Text; got != "all faults cleared" {
		t.Errorf("H says %q", got)
	}
	down("poweroff n3")
	s.press("H")
	s.wants("all faults cleared; n3 is still off: k restarts it")
	down("pause n2")
	s.press("H")
	s.wants("n3 is still off: k restarts it; n2 is still paused: s resumes it")
	down("kill n4")
	s.press("H")
	s.wants("n3 n4 are still down: k restarts them")
}
