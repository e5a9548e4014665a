package exact

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/engine/enginetest"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

var theProgram *Program

// TestMain loads the program once, which may build it first.
func TestMain(m *testing.M) {
	var err error
	if theProgram, err = Load(context.Background(), os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// config is a cluster of three nodes with a history.
func config(seed int64) cluster.Config {
	settings := cluster.DefaultSettings()
	settings.Storage, settings.Seed = cluster.Memory, seed
	return cluster.Config{Nodes: 3, Settings: settings, HistoryBudget: 64 << 20}
}

// open starts an engine that the end of the test closes.
func open(t *testing.T, cfg cluster.Config, o engine.Options) *Engine {
	t.Helper()
	e, err := theProgram.Open(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e.(*Engine)
}

// do carries out lines.
func do(t *testing.T, e engine.Engine, lines ...string) {
	t.Helper()
	for _, line := range lines {
		done := make(chan engine.Answer, 1)
		e.Submit(engine.Order{Line: line}, func(a engine.Answer) { done <- a })
		for len(done) == 0 {
			advance(t, e, 20*time.Millisecond)
		}
		if a := <-done; a.End.Err != nil {
			t.Fatalf("%s: %v", line, a.End.Err)
		}
	}
}

func advance(t *testing.T, e engine.Engine, d time.Duration) {
	t.Helper()
	if err := e.Advance(d); err != nil {
		t.Fatal(err)
	}
}

// events returns the events of an engine's history from one on, as text.
func events(e engine.Engine, from, to uint64) (all []string) {
	e.History().Events(from, to, func(event *trace.Event) bool {
		all = append(all, fmt.Sprintf("%d %s %s %s %s %+v", event.Seq, event.At, event.Kind, event.Node, event.Text, event.Packet))
		return true
	})
	return all
}

func perform(t *testing.T, seed int64, name string) engine.Answer {
	t.Helper()
	data, _ := scenario.Builtin(name)
	script, err := scenario.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	script.Settings.Seed = seed
	e := open(t, cluster.Config{Nodes: script.Nodes, Settings: script.Settings}, engine.Options{})
	engine.AwaitLeader(e, engine.FirstElection)
	done := make(chan engine.Answer, 1)
	e.Submit(engine.Order{Scenario: script}, func(a engine.Answer) { done <- a })
	e.Run(vtime.Max)
	a := <-done
	if a.End.Err != nil || len(a.Failures) > 0 || !strings.HasPrefix(a.Fingerprint, "sha256:") {
		t.Fatalf("%s: %+v", name, a)
	}
	return a
}

func TestOneSeedGivesOneRun(t *testing.T) {
	prints := map[string]int64{}
	for seed := range int64(3) {
		first, second := perform(t, seed, "leader-crash"), perform(t, seed, "leader-crash")
		if first.Fingerprint != second.Fingerprint {
			t.Errorf("seed %d gave %s, then %s", seed, first.Fingerprint, second.Fingerprint)
		}
		if other, known := prints[first.Fingerprint]; known {
			t.Errorf("seeds %d and %d gave the same run", other, seed)
		}
		prints[first.Fingerprint] = seed
	}
}

// How fast time passes, and how long it stands still, changes nothing.
func TestPaceChangesNothing(t *testing.T) {
	flatOut, slowly := open(t, config(7), engine.Options{}), open(t, config(7), engine.Options{})
	advance(t, flatOut, 5*time.Second)
	for range 50 {
		slowly.Run(20)
		advance(t, slowly, 70*time.Millisecond)
		slowly.Run(0)
		advance(t, slowly, 30*time.Millisecond)
	}
	if over := slowly.Now() - 5*time.Second; over < 0 {
		t.Fatalf("the clock is at %s", slowly.Now())
	}
	to := min(flatOut.State().Seq, slowly.State().Seq)
	if a, b := events(flatOut, 1, to), events(slowly, 1, to); strings.Join(a, "\n") != strings.Join(b, "\n") || len(a) < 100 {
		t.Errorf("%d events differ from %d", len(a), len(b))
	}
}

func TestBranchRepeatsTheOldFuture(t *testing.T) {
	for _, from := range []time.Duration{time.Second, 25 * time.Second} { // from the beginning, and from a snapshot
		e := open(t, config(3), engine.Options{})
		do(t, e, "load 20/s")
		advance(t, e, 3*time.Second+from)
		before := trace.Position{Seq: e.State().Seq, At: e.Now()}
		advance(t, e, time.Second)
		do(t, e, "kill leader")
		advance(t, e, 5*time.Second)
		e.snapshots.packing.Wait()
		b, err := e.Branch(before)
		if err != nil {
			t.Fatal(err)
		}
		if b.Now() != before.At || b.(*Engine).State().Seq != before.Seq {
			t.Errorf("the branch starts at event %d, %s; want %+v", b.(*Engine).State().Seq, b.Now(), before)
		}
		advance(t, b, e.Now()-b.Now())
		last := e.State().Seq
		want, got := events(e, before.Seq+1, last), events(b, before.Seq+1, last)
		if strings.Join(want, "\n") != strings.Join(got, "\n") || len(got) < 100 {
			t.Errorf("from %s: the branch has another future: %d events, want %d", before.At, len(got), len(want))
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Go keeps its stack pointer in a global. It moves with the stack of the goroutine that takes calls,
// which the collector shrinks sooner or later.
func TestSnapshotHoldsTheGlobals(t *testing.T) {
	e := open(t, config(3), engine.Options{})
	advance(t, e, time.Second)
	s, err := e.take()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.globals) < 3 || s.globals[0] == 0 {
		t.Fatalf("the globals are %v", s.globals)
	}
	if err := s.pack(); err != nil {
		t.Fatal(err)
	}
	for i := range s.globals {
		s.globals[i] += 16
	}
	b, err := theProgram.start(e.cfg, e.options)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.restore(s); err != nil {
		t.Fatal(err)
	}
	for i, g := range globalsOf(b.guest.module) {
		if got := g.Get(); got != s.globals[i] {
			t.Errorf("global %d is %d, want %d", i, got, s.globals[i])
		}
	}
	if err := b.guest.close(); err != nil {
		t.Error(err)
	}
}

func TestBranchWithAnotherOrderDiffersOnlyFromThere(t *testing.T) {
	e := open(t, config(3), engine.Options{})
	do(t, e, "load 20/s")
	advance(t, e, 3*time.Second)
	before := trace.Position{Seq: e.State().Seq, At: e.Now()}
	do(t, e, "kill leader")
	advance(t, e, 5*time.Second)
	b, err := e.Branch(before)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	do(t, b, "isolate leader")
	advance(t, b, 5*time.Second)
	first, _ := b.History().Span()
	want, got := events(e, first.Seq+1, before.Seq), events(b, first.Seq+1, before.Seq)
	if strings.Join(want, "\n") != strings.Join(got, "\n") || len(got) < 100 {
		t.Errorf("the branch has another past: %d events, want %d", len(got), len(want))
	}
	var killed bool
	b.(*Engine).Read(func(s *trace.State) {
		for i := range s.Nodes {
			killed = killed || s.Nodes[i].Process == trace.Killed
		}
	})
	if killed {
		t.Error("the branch repeats the old order although it has a new one")
	}
}

// steps reports each step that begins to wait.
type steps chan string

func (steps) RequestSpeed(float64) {}
func (s steps) Begin(step string)  { s <- step }
func (s steps) Ask(choices int)    { s <- fmt.Sprint(choices, " choices") }

// A step stands still at the very moment, so the show goes on the same however long it takes, and
// however fast time passes between two of them.
func TestStepStandsStill(t *testing.T) {
	var ends []string
	for _, speed := range []float64{100, 1000} {
		data, _ := scenario.Builtin("leader-crash")
		script, err := scenario.Parse("leader-crash", data)
		if err != nil {
			t.Fatal(err)
		}
		e := open(t, cluster.Config{Nodes: script.Nodes, Settings: script.Settings, HistoryBudget: 64 << 20}, engine.Options{Attended: true})
		begun := make(steps, 1)
		e.Stage().Mirror(begun)
		engine.AwaitLeader(e, engine.FirstElection)
		done := make(chan engine.Answer, 1)
		e.Submit(engine.Order{Scenario: script}, func(a engine.Answer) { done <- a })
		for ended := false; !ended; {
			e.Run(speed)
			select {
			case a := <-done:
				ends, ended = append(ends, a.Fingerprint), true
			case <-begun:
				at := e.Now()
				e.Run(speed) // the screen has not seen yet that a step waits
				e.mu.Lock()
				later := e.pace.now(time.Now().Add(time.Hour))
				e.mu.Unlock()
				if later != at || e.Speed() != 0 {
					t.Errorf("in an hour of waiting, time passes from %s to %s", at, later)
				}
				e.Stage().Next()
			}
		}
	}
	if ends[0] != ends[1] || ends[0] == "" {
		t.Errorf("the show was another one: %s", ends)
	}
}

func TestRejectsFiles(t *testing.T) {
	for _, change := range []func(*cluster.Config){
		func(c *cluster.Config) { c.Dir = t.TempDir() },
		func(c *cluster.Config) { c.Settings.Storage = cluster.Bolt },
	} {
		cfg := config(1)
		change(&cfg)
		if _, err := theProgram.Open(cfg, engine.Options{}); !errors.Is(err, ErrStorage) {
			t.Errorf("got %v", err)
		}
	}
}

func TestExactConforms(t *testing.T) {
	enginetest.Run(t, engine.ExactMode, func(tb testing.TB) engine.Engine {
		tb.Helper()
		e, err := theProgram.Open(enginetest.Config(), engine.Options{Attended: true})
		if err != nil {
			tb.Fatal(err)
		}
		return e
	})
}

// What was found without an audience is found in front of one, too.
func TestAudienceChangesNothing(t *testing.T) {
	script, err := scenario.Parse("test", []byte("nodes 3\nload 20/s\nkill leader\nwait 2s\nrestart down\nwait 2s"))
	if err != nil {
		t.Fatal(err)
	}
	var ends []string
	for _, attended := range []bool{false, true} {
		e := open(t, cluster.Config{Nodes: script.Nodes, Settings: script.Settings}, engine.Options{Attended: attended})
		engine.AwaitLeader(e, engine.FirstElection)
		done := make(chan engine.Answer, 1)
		e.Submit(engine.Order{Scenario: script}, func(a engine.Answer) { done <- a })
		e.Run(vtime.Max)
		ends = append(ends, (<-done).Fingerprint)
	}
	if ends[0] != ends[1] || ends[0] == "" {
		t.Errorf("the run was another one: %s", ends)
	}
}
