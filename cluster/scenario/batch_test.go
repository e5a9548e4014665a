package scenario

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// script parses a script that must be without mistakes.
func script(t *testing.T, name, text string) *Script {
	t.Helper()
	s, err := Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRunsSideBySideKeepTheirOrder(t *testing.T) {
	var scripts []*Script
	for i := range 7 {
		// The first ones take the longest.
		scripts = append(scripts, script(t, fmt.Sprint(i), fmt.Sprintf("nodes 1\nseed %d\nincrement %d\nwait %dms\n", i*10, i+1, 500-50*i)))
	}
	results, err := Batch{Scripts: scripts, Repeat: 3}.Run(t.Context())
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

func TestARunEndsWhereItsScriptDoes(t *testing.T) {
	r, err := runAlone(script(t, "a", "nodes 1\nwait 100s"))
	if err != nil || r.VirtualSeconds < 100 || r.VirtualSeconds > 100+firstElection.Seconds() {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestACommandThatTakesForEverIsGivenUp(t *testing.T) {
	r, err := runAlone(script(t, "a", "nodes 3\nkill n2\ndisk n2 stall\nwait 1s\nrestart n2\nincrement"))
	if err != nil || r.OK || len(r.Failures) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if f := r.Failures[0]; f.Line != 5 || f.Text != "restart n2" || !strings.Contains(f.Want, "2h0m0s") || !strings.Contains(f.Got, "under way") {
		t.Errorf("it says %+v", f)
	}
}

func TestManyIncrementsWithoutALeaderAreNotGivenUp(t *testing.T) {
	s := step{text: "increment 100000 via random"}
	settings := cluster.DefaultSettings()
	if least := 100_000 * settings.ClientTimeout; s.longest(&settings) <= least {
		t.Errorf("they are given up after %s, and may take %s", s.longest(&settings), least)
	}
}

func TestAnInterruptedBatchEndsAtOnceAndSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	steps := writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("wait 1h")) {
			cancel()
		}
		return len(p), nil
	})
	long := strings.Repeat("wait 1h\n", 1000)
	results, err := Batch{Scripts: []*Script{script(t, "a", long), script(t, "b", long), script(t, "c", long)}, Steps: steps}.Run(ctx)
	if !errors.Is(err, ErrInterrupted) || err.Error() != ErrInterrupted.Error() || len(results) != 0 {
		t.Errorf("%d results, %v", len(results), err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestATraceIsOfOneRun(t *testing.T) {
	s := script(t, "a", "increment")
	for _, b := range []Batch{{Scripts: []*Script{s, s}}, {Scripts: []*Script{s}, Repeat: 2}} {
		b.Trace = t.TempDir() + "/trace"
		if _, err := b.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "of one run") {
			t.Errorf("%v", err)
		}
	}
}

func TestTheTableTellsWhatFailed(t *testing.T) {
	good := Result{Scenario: "good", OK: true, Seed: 1, VirtualSeconds: 12.34, WallSeconds: 0.5, Ops: Ops{OK: 3}, Value: 3, Term: 2}
	bad := Result{Scenario: "bad.capsize", Seed: 2, Ops: Ops{1, 2, 3}, Failures: []Failure{
		{Line: 7, Text: "expect value 3", Want: "value 3", Got: "2 on n1"}, {Text: "settle", Want: "this", Got: "that"},
	}}
	soaked := Result{Scenario: "soak", OK: true, Faults: map[string]int{"nodes": 2, "disk": 1}}
	var table bytes.Buffer
	if err := WriteTable(&table, []Result{good, bad, soaked}); err != nil {
		t.Fatal(err)
	}
	want := `SCENARIO     RESULT  VIRTUAL  WALL   OPS                        VALUE  TERM
good         ok      12.3s    0.50s  3 ok                       3      2
bad.capsize  failed  0.0s     0.00s  1 ok, 2 failed, 3 unknown  0      0
soak         ok      0.0s     0.00s  0 ok                       0      0

bad.capsize:7: expect value 3: wanted value 3, got 2 on n1
bad.capsize: settle: wanted this, got that
soak: chaos struck: disk 1, nodes 2
`
	if table.String() != want {
		t.Errorf("the table is\n%s\nnot\n%s", &table, want)
	}
	table.Reset()
	if err := WriteTable(&table, []Result{bad, bad}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table.String(), "SEED") || !strings.Contains(table.String(), "got 2 on n1 (seed 2)") {
		t.Errorf("repeats do not tell their seeds:\n%s", &table)
	}
	if AllOK([]Result{good, bad}) || !AllOK([]Result{good, soaked}) {
		t.Error("AllOK does not say whether all is ok")
	}
}

func TestTheReferenceFitsEightyColumns(t *testing.T) {
	var text bytes.Buffer
	if err := WriteReference(&text); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text.String()) {
		if line = strings.TrimRight(line, "\n"); len([]rune(line)) > 80 || strings.TrimSpace(line) == "" {
			t.Errorf("%q", line)
		}
	}
	flat := strings.Join(strings.Fields(text.String()), " ")
	for _, r := range References() {
		if !strings.Contains(flat, strings.Join(strings.Fields(r.Syntax+" "+r.Help), " ")) {
			t.Errorf("it does not tell of %s", r.Name)
		}
	}
}

func TestProgressIsOneLineThatGoesAway(t *testing.T) {
	var terminal bytes.Buffer
	told := make(chan struct{}, 100)
	stop := showProgress(&terminal, func() string {
		told <- struct{}{}
		return strings.Repeat("é", 200)
	})
	<-told
	<-told
	stop()
	text := terminal.String()
	if strings.Contains(text, "\n") || !strings.HasSuffix(text, "\r\x1b[K") || strings.Count(text, "é")%79 != 0 {
		t.Errorf("it wrote %q", text)
	}
	stop = showProgress(&terminal, func() string { return "" })
	terminal.Reset()
	stop()
	if terminal.Len() > 0 {
		t.Errorf("what is quick wrote %q", terminal.String())
	}
}

func TestASoakIsRightAboutItself(t *testing.T) {
	for _, kinds := range [][]string{nil, {"network", "nodes"}, ChaosKinds()} {
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
