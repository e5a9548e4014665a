package headless

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
)

// script parses a script without mistakes.
func script(t *testing.T, name, text string) *scenario.Script {
	t.Helper()
	s, err := scenario.Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestResultsKeepTheOrderOfTheScripts(t *testing.T) {
	var scripts []*scenario.Script
	for i := range 7 {
		// The first scripts take longest.
		scripts = append(scripts, script(t, fmt.Sprint(i), fmt.Sprintf("nodes 1\nseed %d\nincrement %d\nwait %dms\n", i*10, i+1, 500-50*i)))
	}
	results, err := Batch{Open: engine.OpenNative, Scripts: scripts, Repeat: 3}.Run(t.Context())
	if err != nil || len(results) != 21 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	for i, r := range results {
		n := i / 3
		if r.Scenario != fmt.Sprint(n) || r.Seed != int64(n*10+i%3) || r.Value != int64(n+1) || !r.OK || r.Ops.OK != uint64(n+1) {
			t.Errorf("result %d is %+v", i, r)
		}
	}
}

func TestRunEndsWithItsScript(t *testing.T) {
	r, err := runScript(t, script(t, "a", "nodes 1\nwait 100s"))
	if err != nil || r.VirtualSeconds < 100 || r.VirtualSeconds > 100+engine.FirstElection.Seconds() {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestInterruptedBatchEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	steps := writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("wait 1h")) {
			cancel()
		}
		return len(p), nil
	})
	long := strings.Repeat("wait 1h\n", 1000)
	results, err := Batch{Open: engine.OpenNative, Scripts: []*scenario.Script{script(t, "a", long), script(t, "b", long), script(t, "c", long)}, Steps: steps}.Run(ctx)
	if !errors.Is(err, ErrInterrupted) || err.Error() != ErrInterrupted.Error() || len(results) != 0 {
		t.Errorf("got %d results and %v, want none and ErrInterrupted", len(results), err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestTraceHoldsASingleRun(t *testing.T) {
	s := script(t, "a", "increment")
	for _, b := range []Batch{{Open: engine.OpenNative, Scripts: []*scenario.Script{s, s}}, {Open: engine.OpenNative, Scripts: []*scenario.Script{s}, Repeat: 2}} {
		b.Trace = t.TempDir() + "/trace"
		if _, err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "a trace holds one run") {
			t.Errorf("got %v, want an error about one run", err)
		}
	}
}
