package cluster

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
)

// eventsOf reads a recording.
func eventsOf(t *testing.T, name string) (events []trace.Event) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	decoder := json.NewDecoder(file)
	var header recording.Header
	if err := decoder.Decode(&header); err != nil {
		t.Fatal(err)
	}
	for {
		var e trace.Event
		if err := decoder.Decode(&e); errors.Is(err, io.EOF) {
			return events
		} else if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
}

// judged returns what the checks say of events.
func judged(events []trace.Event) map[string]trace.Event {
	c := check.New(nil)
	defer c.Close()
	verdicts := map[string]trace.Event{}
	for i := range events {
		for _, v := range c.Observe(&events[i]) {
			verdicts[v.Check] = v
		}
	}
	c.Await()
	last := trace.Event{Seq: events[len(events)-1].Seq + 1, At: events[len(events)-1].At, Kind: trace.KindCaption}
	for _, v := range c.Observe(&last) {
		verdicts[v.Check] = v
	}
	return verdicts
}

func record(t *testing.T, name string) *recording.Writer {
	t.Helper()
	w, err := recording.Create(name, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// The checks say of a recording what they said while it was made; of one that begins
// in the middle, what they can vouch for; and of one without its beginning nothing.
func TestARecordingIsJudgedAsTheRunWas(t *testing.T) {
	dir := t.TempDir()
	whole, later := filepath.Join(dir, "whole.jsonl"), filepath.Join(dir, "later.jsonl")
	fromStart := record(t, whole)
	w := open(t, 5, func(cfg *Config) {
		cfg.Record = fromStart
		cfg.Settings.SnapshotThreshold, cfg.Settings.TrailingLogs = 100, 50
	})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	n := &nemesis{w: w, rng: rand.New(rand.NewPCG(seed, 0))}
	w.must(func() error { return w.Load(20, 5, RouteLeader) })
	harm := func(d time.Duration) {
		for end := w.clock.Now() + d; w.clock.Now() < end; {
			strikes(w, n)
		}
	}
	harm(time.Minute)
	// What is still under way when a recording begins may leave its check undecided.
	w.mend()
	w.must(func() error { w.StopLoad(); return nil })
	w.until("every operation has ended", func(s *trace.State) bool { return s.Clients.InFlight == 0 })
	w.until("all nodes agree", converged)
	fromHere := record(t, later)
	w.Trace().AddSink(fromHere)
	w.must(func() error { return w.Load(20, 5, RouteLeader) })
	harm(2 * time.Minute)
	w.mend()
	w.pass(10 * time.Second)
	w.verdicts()
	state := w.Trace().State()
	if err := errors.Join(w.Close(), fromStart.Close(), fromHere.Close()); err != nil {
		t.Fatal(err)
	}

	events := eventsOf(t, whole)
	all := judged(events)
	for _, name := range check.Names() {
		live, again := state.Check(name), all[name]
		if again.Verdict != live.Verdict || again.Text != live.Text || name == check.Linearizable && again.Count < live.Count {
			t.Errorf("%s said %s of %d live (%s), and says %s of %d of the recording (%s)", name, live.Verdict, live.Count, live.Text, again.Verdict, again.Count, again.Text)
		}
	}
	for name, v := range judged(eventsOf(t, later)) {
		if v.Verdict != trace.VerdictOK || !strings.HasPrefix(v.Text, "from ") {
			t.Errorf("from the middle on, %s is %s: %q", name, v.Verdict, v.Text)
		}
	}
	for name, v := range judged(events[len(events)/2:]) {
		if v.Verdict == trace.VerdictOK {
			t.Errorf("without a beginning, %s is ok", name)
		}
	}
}

// A branch begins with logs that hold what its clients did not ask for. What they
// are told is judged all the same.
func TestABranchIsJudgedFromItsBeginning(t *testing.T) {
	w := open(t, 3)
	for range 5 {
		w.add(1, RouteLeader)
	}
	w.untilAll(5)
	state := w.Trace().State()
	b := open(t, 0, func(cfg *Config) { cfg.From = &state })
	for range 5 {
		b.add(1, RouteLeader)
	}
	b.verdicts()
	old := b.leaderName()
	b.must(func() error { return b.Isolate(old) })
	b.until("another one leads", func(s *trace.State) bool { return s.LeaderNode() != nil && s.LeaderNode().ID != old })
	b.must(func() error { b.Add(1, b.leaderName()); return nil })
	b.must(func() error { b.Read(LevelNone, old); return nil })
	b.AwaitVerdicts()
	after := b.Trace().State()
	if c := after.Check(check.Linearizable); c.Verdict != trace.VerdictViolated || !strings.Contains(c.Text, "read 10 from "+old) || !strings.Contains(c.Text, "although 11 had been acknowledged") {
		t.Errorf("%+v", c)
	}
}

// To wait for the verdicts takes no virtual time, and may be done inside of it.
func TestTimeStandsStillWhileVerdictsAreAwaited(t *testing.T) {
	w := open(t, 3)
	w.add(1, RouteLeader)
	var before, after time.Duration
	var count uint64
	w.must(func() error {
		w.Read(LevelStrong, RouteLeader)
		before = w.Now()
		w.AwaitVerdicts()
		after = w.Now()
		w.Trace().Read(func(s *trace.State) { count = s.Check(check.Linearizable).Count })
		return nil
	})
	if before != after || count != 2 {
		t.Errorf("from %s to %s, %d operations were judged", before, after, count)
	}
}

func TestAnUncheckedClusterHasNoVerdicts(t *testing.T) {
	w := open(t, 3, func(cfg *Config) { cfg.Unchecked = true })
	w.add(1, RouteLeader)
	w.AwaitVerdicts()
	if state := w.Trace().State(); len(state.Checks) > 0 {
		t.Errorf("%+v", state.Checks)
	}
}
