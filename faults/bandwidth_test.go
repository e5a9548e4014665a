package faults_test

import (
	"testing"

	"pgregory.net/rapid"

	"capsize/faults"
)

func TestParseRateReadsBackFormatRate(t *testing.T) {
	for s, want := range map[string]int64{"500B": 500, "64KB": 64_000, "1.5mb": 1_500_000, "2GB": 2_000_000_000} {
		if got, err := faults.ParseRate(s); got != want || err != nil {
			t.Errorf("%s parses as %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "B", "64", "KB", "-1KB", "0B", "0.5B", "NaNB", "InfMB", "1e300GB", "1 KB/s"} {
		if got, err := faults.ParseRate(s); err == nil {
			t.Errorf("%q parses as %d, want an error", s, got)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		rate := rapid.Int64Range(1, 1e15).Draw(rt, "rate")
		if got, err := faults.ParseRate(faults.FormatRate(rate)); got != rate || err != nil {
			rt.Fatalf("%d is formatted as %s, which parses as %d, %v", rate, faults.FormatRate(rate), got, err)
		}
	})
}
