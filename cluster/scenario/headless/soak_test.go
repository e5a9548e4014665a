package headless

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

func TestASoakIsRightAboutItself(t *testing.T) {
	for _, kinds := range [][]string{nil, {"network", "nodes"}, scenario.ChaosKinds()} {
		t.Run(strings.Join(kinds, " "), func(t *testing.T) {
			t.Parallel()
			r, err := Soak(t.Context(), SoakConfig{For: 3 * time.Minute, Nodes: 5, Seed: 1, Chaos: kinds})
			if err != nil || !r.OK || r.Scenario != "soak" || r.VirtualSeconds < 180 || r.VirtualSeconds > 180+firstElection.Seconds()+soakSettle.Seconds() {
				t.Errorf("%+v, %v", r, err)
			}
			if len(r.Faults) != len(kinds) {
				t.Errorf("it tells of faults %v", r.Faults)
			}
			if ops := r.Ops; ops.OK < 1000 || kinds == nil && (ops.OK != 1801 || r.Value != 1440) {
				t.Errorf("too little was done: %+v, value %d", ops, r.Value)
			}
		})
	}
}

func TestAnInterruptedSoakIsVerifiedToo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := Soak(ctx, SoakConfig{For: 1000 * time.Hour, Nodes: 3, Seed: 1, Chaos: []string{"network"}})
	if !errors.Is(err, ErrInterrupted) || !r.OK || r.VirtualSeconds > 60 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestASoakRefusesWhatMakesNoSense(t *testing.T) {
	sound := SoakConfig{For: time.Second, Nodes: 1}
	for why, change := range map[string]func(*SoakConfig){
		"--for 0s":           func(c *SoakConfig) { c.For = 0 },
		"--for 10000h0m1s":   func(c *SoakConfig) { c.For = 10_000*time.Hour + time.Second },
		"1 to 99":            func(c *SoakConfig) { c.Nodes = 100 },
		"did you mean nodes": func(c *SoakConfig) { c.Chaos = []string{"network", "node"} },
		"no such file":       func(c *SoakConfig) { c.Trace = "/nowhere/trace" },
	} {
		cfg := sound
		change(&cfg)
		if _, err := Soak(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%v, which does not say %q", err, why)
		}
	}
}

func TestASoakWaitsUntilAllNodesAgree(t *testing.T) {
	leader := trace.Node{ID: "n1", Process: trace.Up, Role: trace.Leader}
	for _, other := range []trace.Node{{ID: "n2", Process: trace.Paused}, {ID: "n3", Process: trace.Up}, {ID: "n2", Process: trace.Up, First: 1, Value: 1}} {
		if unsettled(&trace.State{Nodes: []trace.Node{leader, other}}, []string{"n1", "n2"}) == "" {
			t.Errorf("with %+v all is well", other)
		}
	}
}
