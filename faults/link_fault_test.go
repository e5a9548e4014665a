package faults_test

import (
	"strings"
	"testing"
	"time"

	"capsize/faults"
)

func TestLinkFaultsHaveTheirCommandsText(t *testing.T) {
	for want, f := range map[string]faults.LinkFault{
		"cut":                      faults.Cut{},
		"refuse":                   faults.Refuse{},
		"delay 200ms":              faults.Delay{Mean: 200 * time.Millisecond},
		"delay 200ms jitter 50ms":  faults.Delay{Mean: 200 * time.Millisecond, Jitter: 50 * time.Millisecond},
		"lose 30%":                 faults.Lose{Percent: 30},
		"lose 0.5% only vote":      faults.Only(faults.Lose{Percent: 0.5}, faults.KindVote),
		"duplicate 10%":            faults.Duplicate{Percent: 10},
		"duplicate 10% after 1s":   faults.Duplicate{Percent: 10, After: time.Second},
		"reorder 10%":              faults.Reorder{Percent: 10},
		"jam only timeout-now":     faults.Only(faults.Only(faults.Jam{}, faults.KindAppend), faults.KindTimeoutNow),
		"jam":                      faults.Only(faults.Only(faults.Jam{}, faults.KindAppend)),
		"bandwidth 64KB":           faults.Bandwidth{BytesPerSecond: 64_000},
		"cut only append,prevote":  faults.Only(faults.Cut{}, faults.KindPreVote, faults.KindAppend, faults.KindAppend),
		"hold":                     faults.Hold{},
		"hold only vote":           faults.Only(faults.Hold{}, faults.KindVote),
		"bandwidth 1500B":          faults.Bandwidth{BytesPerSecond: 1500},
		"cut only snapshot":        faults.Only(faults.Cut{}, faults.KindSnapshot),
		"cut only heartbeat,vote":  faults.Only(faults.Cut{}, faults.KindHeartbeat, faults.KindVote),
		"delay 1m0s only snapshot": faults.Only(faults.Delay{Mean: time.Minute}, faults.KindSnapshot),
	} {
		if f.String() != want || f.Name() != strings.Fields(want)[0] {
			t.Errorf("%T has text %q and name %q, want %q", f, f, f.Name(), want)
		}
	}
	names := map[string]bool{}
	for _, f := range faults.LinkFaults() {
		if f.Meaning() == "" || names[f.Name()] || !strings.HasPrefix(f.String(), f.Name()) {
			t.Errorf("%T: name %q is taken or not the first word of %q, or meaning %q is empty", f, f.Name(), f, f.Meaning())
		}
		names[f.Name()] = true
	}
	for _, k := range faults.Kinds() {
		if got, err := faults.ParseKind(k.String()); got != k || err != nil {
			t.Errorf("%v parses as %v, %v", k, got, err)
		}
	}
	if _, err := faults.ParseKind("kind(0)"); err == nil || !strings.Contains(err.Error(), "timeout-now") {
		t.Errorf("got %v, want an error that lists the kinds", err)
	}
}
