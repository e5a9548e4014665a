package headless

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
)

// soakConfig is a native soak with seed 1 and the default settings.
func soakConfig(nodes int, soak scenario.Soak) SoakConfig {
	settings := cluster.DefaultSettings()
	settings.Seed = 1
	return SoakConfig{Soak: soak, Open: engine.OpenNative, Nodes: nodes, Settings: settings}
}

func TestSoakReportsItsFaultsAndOperations(t *testing.T) {
	for _, kinds := range [][]string{nil, {"network", "nodes"}, scenario.ChaosKinds()} {
		t.Run(strings.Join(kinds, " "), func(t *testing.T) {
			t.Parallel()
			r, err := Soak(t.Context(), soakConfig(5, scenario.Soak{For: 3 * time.Minute, Chaos: kinds}))
			if err != nil || !r.OK || r.Scenario != "soak" || r.VirtualSeconds < 180 || r.VirtualSeconds > 180+engine.FirstElection.Seconds()+120 {
				t.Errorf("%+v, %v", r, err)
			}
			if len(r.Faults) != len(kinds) {
				t.Errorf("got faults %v, want %d kinds", r.Faults, len(kinds))
			}
			if ops := r.Ops; ops.OK < 1000 || kinds == nil && (ops.OK != 1801 || r.Value != 1440) {
				t.Errorf("too few operations: %+v, value %d", ops, r.Value)
			}
		})
	}
}

func TestInterruptedSoakStillChecks(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := Soak(ctx, soakConfig(3, scenario.Soak{For: 1000 * time.Hour, Chaos: []string{"network"}}))
	if !errors.Is(err, ErrInterrupted) || r.OK || !r.Interrupted || len(r.Failures) > 0 || r.Checks["linearizable"] != "ok" || r.VirtualSeconds > 60 {
		t.Errorf("%+v, %v", r, err)
	}
	var text bytes.Buffer
	if err := errors.Join(WriteJSON(&text, []Result{r}), WriteTable(&text, []Result{r})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"ok":false,"interrupted":true`, "\nsoak      interrupted  "} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("there is no %q in\n%s", want, &text)
		}
	}
}

func TestSoakAlwaysReportsFaults(t *testing.T) {
	r, err := Soak(t.Context(), soakConfig(1, scenario.Soak{For: time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := WriteJSON(&text, []Result{r}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), `"faults":{}`) || strings.Contains(text.String(), "interrupted") {
		t.Errorf("got %s, want no faults and no interruption", &text)
	}
}

func TestSoakRejectsBadOptions(t *testing.T) {
	valid := soakConfig(1, scenario.Soak{For: time.Second})
	for why, change := range map[string]func(*SoakConfig){
		"--for 0s":           func(c *SoakConfig) { c.For = 0 },
		"--for 10000h0m1s":   func(c *SoakConfig) { c.For = 10_000*time.Hour + time.Second },
		"1 to 99":            func(c *SoakConfig) { c.Nodes = 100 },
		"did you mean nodes": func(c *SoakConfig) { c.Chaos = []string{"network", "node"} },
		"no such file":       func(c *SoakConfig) { c.Trace = "/nowhere/trace" },
	} {
		cfg := valid
		change(&cfg)
		if _, err := Soak(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, want an error with %q", err, why)
		}
	}
}
