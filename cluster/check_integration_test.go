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

// readEvents returns the events of a recording.
func readEvents(t *testing.T, name string) (events []trace.Event) {
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

// verdictsOf runs the checks over events and returns the last verdict of each, by name.
func verdictsOf(events []trace.Event) map[string]trace.Event {
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

// createRecording creates a recording file that is closed at the end of the test.
func createRecording(t *testing.T, name string) *recording.Writer {
	t.Helper()
	w, err := recording.Create(name, recording.Header{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// A full recording gets the verdicts of the live run. A recording that starts mid-run
// gets verdicts from its start onwards. A trace without its first events gets no OK.
func TestRecordingGetsTheSameVerdictsAsTheRun(t *testing.T) {
	dir := t.TempDir()
	full, partial := filepath.Join(dir, "full.jsonl"), filepath.Join(dir, "partial.jsonl")
	fromStart := createRecording(t, full)
	tc := open(t, 5, func(cfg *Config) {
		cfg.Record = fromStart
		cfg.Settings.SnapshotThreshold, cfg.Settings.TrailingLogs = 100, 50
	})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	n := &nemesis{tc: tc, rng: rand.New(rand.NewPCG(seed, 0))}
	tc.must(func() error { return tc.Load(20, 5, RouteLeader) })
	injectFor := func(d time.Duration) {
		for end := tc.clock.Now() + d; tc.clock.Now() < end; {
			injectFault(tc, n)
		}
	}
	injectFor(time.Minute)
	// An operation in flight when a recording starts may leave a check undecided.
	tc.healAll()
	tc.must(func() error { tc.StopLoad(); return nil })
	tc.until("every operation has ended", func(s *trace.State) bool { return s.Clients.InFlight == 0 })
	tc.until("all nodes agree", converged)
	fromHere := createRecording(t, partial)
	tc.Trace().AddSink(fromHere)
	tc.must(func() error { return tc.Load(20, 5, RouteLeader) })
	injectFor(2 * time.Minute)
	tc.healAll()
	tc.pass(10 * time.Second)
	tc.expectAllOK()
	state := tc.Trace().State()
	if err := errors.Join(tc.Close(), fromStart.Close(), fromHere.Close()); err != nil {
		t.Fatal(err)
	}

	events := readEvents(t, full)
	all := verdictsOf(events)
	for _, name := range check.Names() {
		live, again := state.Check(name), all[name]
		if again.Verdict != live.Verdict || again.Text != live.Text ||
			name == check.Linearizable && again.Count < live.Count {
			t.Errorf("check %s of the recording: got %s, count %d (%s); want as live: %s, count %d (%s)",
				name, again.Verdict, again.Count, again.Text, live.Verdict, live.Count, live.Text)
		}
	}
	for name, v := range verdictsOf(readEvents(t, partial)) {
		if v.Verdict != trace.VerdictOK || !strings.HasPrefix(v.Text, "checked from ") {
			t.Errorf("check %s of the recording from mid-run: got %s (%q), want %s (\"checked from ...\")",
				name, v.Verdict, v.Text, trace.VerdictOK)
		}
	}
	for name, v := range verdictsOf(events[len(events)/2:]) {
		if v.Verdict == trace.VerdictOK {
			t.Errorf("check %s without the first events: got %s, want any other verdict", name, v.Verdict)
		}
	}
}

// A fork starts with log entries that its own clients did not write. Its checks judge
// the replies to its clients all the same.
func TestForkIsCheckedFromItsStart(t *testing.T) {
	tc := open(t, 3)
	for range 5 {
		tc.add(1, RouteLeader)
	}
	tc.untilValue(5)
	state := tc.Trace().State()
	b := open(t, 0, func(cfg *Config) { cfg.From = &state })
	for range 5 {
		b.add(1, RouteLeader)
	}
	b.expectAllOK()
	old := b.leaderName()
	b.must(func() error { return b.Isolate(old) })
	b.until("another node leads", func(s *trace.State) bool { return s.LeaderNode() != nil && s.LeaderNode().ID != old })
	b.must(func() error { b.Add(1, b.leaderName()); return nil })
	b.must(func() error { b.Read(LevelNone, old); return nil })
	b.AwaitVerdicts()
	after := b.Trace().State()
	if c := after.Check(check.Linearizable); c.Verdict != trace.VerdictViolated ||
		!strings.Contains(c.Text, "read 10 from "+old) || !strings.Contains(c.Text, "but 11 was already acknowledged") {
		t.Errorf("after a stale read: got %+v, want %s naming the stale read", c, trace.VerdictViolated)
	}
}

// AwaitVerdicts takes no virtual time and may be called inside the bubble.
func TestAwaitVerdictsTakesNoVirtualTime(t *testing.T) {
	for _, inline := range []bool{false, true} {
		tc := open(t, 3, func(cfg *Config) { cfg.InlineChecks = inline })
		tc.add(1, RouteLeader)
		var before, after time.Duration
		var count uint64
		tc.must(func() error {
			tc.Read(LevelStrong, RouteLeader)
			before = tc.Now()
			tc.AwaitVerdicts()
			after = tc.Now()
			tc.Trace().Read(func(s *trace.State) { count = s.Check(check.Linearizable).Count })
			return nil
		})
		if before != after || count != 2 {
			t.Errorf("inline %t: got %s before, %s after, %d operations checked; want equal times, 2 operations", inline, before, after, count)
		}
	}
}

// Inline checks keep up with a cluster under load and faults, and follow the clock of the
// cluster: nobody asks for their verdict on a stale read.
func TestInlineChecksJudgeARunningCluster(t *testing.T) {
	tc := open(t, 5, func(cfg *Config) { cfg.InlineChecks = true })
	tc.must(func() error { return tc.Load(20, 5, RouteLeader) })
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	n := &nemesis{tc: tc, rng: rand.New(rand.NewPCG(seed, 0))}
	for range 20 {
		injectFault(tc, n)
	}
	tc.healAll()
	tc.expectAllOK()
	tc.must(func() error { tc.StopLoad(); return nil })
	old := tc.leaderName()
	tc.must(func() error { return tc.Isolate(old) })
	tc.until("another node leads", func(s *trace.State) bool { return s.LeaderNode() != nil && s.LeaderNode().ID != old })
	tc.must(func() error { tc.Add(1, tc.leaderName()); return nil })
	tc.must(func() error { tc.Read(LevelNone, old); return nil })
	tc.until("the stale read is found", func(s *trace.State) bool {
		return s.Check(check.Linearizable).Verdict == trace.VerdictViolated
	})
}

func TestUncheckedClusterHasNoVerdicts(t *testing.T) {
	tc := open(t, 3, func(cfg *Config) { cfg.Unchecked = true })
	tc.add(1, RouteLeader)
	tc.AwaitVerdicts()
	if state := tc.Trace().State(); len(state.Checks) > 0 {
		t.Errorf("got verdicts %+v, want none", state.Checks)
	}
}
