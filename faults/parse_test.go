package faults

import (
	"testing"
	"time"
)

func TestParseReadsBackEveryFault(t *testing.T) {
	links := []LinkFault{
		Cut{},
		Refuse{},
		Jam{},
		Hold{},
		Delay{Mean: 20 * time.Millisecond},
		Delay{Mean: 1500 * time.Millisecond, Jitter: time.Millisecond},
		Lose{Percent: 12.5},
		Duplicate{Percent: 100},
		Duplicate{Percent: 2.5, After: 300 * time.Millisecond},
		Reorder{Percent: 0},
		Bandwidth{BytesPerSecond: 1500},
	}
	for _, f := range links {
		for _, want := range []LinkFault{f, Only(f, KindVote, KindPreVote)} {
			got, err := ParseLinkFault(want.String())
			if err != nil || got.String() != want.String() || got.Name() != want.Name() {
				t.Errorf("%q parses as %v (%v)", want, got, err)
			}
		}
	}
	for _, want := range []DiskFault{Stall{}, Fail{}, Full{}, Lie{}, Corrupt{}, CorruptSnapshot{}, Slow{Latency: 50 * time.Millisecond}} {
		if got, err := ParseDiskFault(want.String()); err != nil || got != want {
			t.Errorf("%q parses as %v (%v)", want, got, err)
		}
	}
	for _, healthy := range []string{"", "ok"} {
		if got, err := ParseDiskFault(healthy); err != nil || got != nil {
			t.Errorf("%q parses as %v (%v), want no fault", healthy, got, err)
		}
	}
}

func TestParseRejectsUnknownFaults(t *testing.T) {
	for _, s := range []string{
		"", "cut off", "cut ", "cut only", "cut only ", "cut only nothing", "cut only vote,vote", "delay", "delay 20", "delay 20ms jitter",
		"delay 20ms wobble 3ms", "lose 101%", "lose -1%", "lose NaN%", "lose 5", "bandwidth 0B", "bandwidth 1000B", "jam jam", "earthquake",
	} {
		if f, err := ParseLinkFault(s); err == nil {
			t.Errorf("%q parses as %v, want an error", s, f)
		}
	}
	for _, s := range []string{"slow", "slow 50", "slow -1s", "slow 1000ms", "stall now", "corrupt now", "earthquake"} {
		if f, err := ParseDiskFault(s); err == nil {
			t.Errorf("%q parses as %v, want an error", s, f)
		}
	}
}
