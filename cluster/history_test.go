package cluster

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
)

// TestHistoryReproducesPastStates keeps states of a random run and compares each of
// them with the state that the history, and a recording read back, give for its event.
func TestHistoryReproducesPastStates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.trace.gz")
	record, err := recording.Create(file, recording.Header{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	tc := open(t, 5, func(cfg *Config) {
		cfg.HistoryBudget, cfg.Record = history.DefaultBudget, record
		cfg.Settings.SnapshotThreshold, cfg.Settings.TrailingLogs = 100, 50
		cfg.Settings.Jitter = 3 * time.Millisecond
	})
	live := tc.runRandomly(3 * time.Minute)
	tc.compareStates(tc.History(), live)
	if err := record.Close(); err != nil {
		t.Fatal(err)
	}
	read := history.New(history.DefaultBudget)
	r, _, err := recording.Open(file, read, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if missing := r.Missing(); missing != "" {
		t.Errorf("recording: got missing part %q, want none", missing)
	}
	tc.compareStates(read, live)
	tc.compareEvents(tc.History(), read)
}

// compareEvents checks that histories a and b hold the same events.
func (tc *testCluster) compareEvents(a, b *history.History) {
	tc.t.Helper()
	first, last := a.Span()
	next, stop := iter.Pull(func(yield func(*trace.Event) bool) { b.Events(first.Seq, last.Seq, yield) })
	defer stop()
	a.Events(first.Seq, last.Seq, func(e *trace.Event) bool {
		if other, ok := next(); !ok || !reflect.DeepEqual(e, other) {
			tc.t.Errorf("event %d: got\n%+v, want\n%+v", e.Seq, other, e)
			return false
		}
		return true
	})
}

// runRandomly runs the cluster under the nemesis until virtual time d and returns the
// states at random moments.
func (tc *testCluster) runRandomly(d time.Duration) (live []trace.State) {
	tc.t.Helper()
	seed := rand.Uint64()
	tc.t.Logf("seed %d", seed)
	n := nemesis{tc: tc, rng: rand.New(rand.NewPCG(seed, 0))}
	tc.must(func() error { return tc.Load(20, 5, RouteRandom) })
	for tc.clock.Now() < d {
		n.inject()
		tc.pass(time.Duration(n.rng.IntN(1500)) * time.Millisecond)
		live = append(live, tc.Trace().State())
	}
	return live
}

// compareStates checks that the history h reproduces each of the live states.
func (tc *testCluster) compareStates(h *history.History, live []trace.State) {
	tc.t.Helper()
	var past trace.State
	for _, i := range rand.Perm(len(live)) {
		if !h.StateAt(live[i].Seq, &past) {
			tc.t.Fatalf("got no state after event %d, want the history to hold it", live[i].Seq)
		}
		if d := firstDifference("state", reflect.ValueOf(past), reflect.ValueOf(live[i])); d != "" {
			tc.t.Fatalf("event %d of %d: the history's state differs from the live one: %s",
				live[i].Seq, live[len(live)-1].Seq, d)
		}
	}
}

// firstDifference describes the first difference between a and b, "" if there is none.
// Nil and empty slices and maps are equal, because a reused state may keep an empty
// slice of an earlier one.
func firstDifference(path string, a, b reflect.Value) string {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if d := firstDifference(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Slice:
		if a.Len() == b.Len() {
			for i := range a.Len() {
				if d := firstDifference(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); d != "" {
					return d
				}
			}
			return ""
		}
	case reflect.Map:
		if a.Len() == b.Len() {
			for _, k := range a.MapKeys() {
				if !b.MapIndex(k).IsValid() {
					return fmt.Sprintf("%s: got no key %v, want one", path, k)
				}
				if d := firstDifference(fmt.Sprintf("%s[%v]", path, k), a.MapIndex(k), b.MapIndex(k)); d != "" {
					return d
				}
			}
			return ""
		}
	default:
		if a.Equal(b) {
			return ""
		}
	}
	return fmt.Sprintf("%s: got %#v, want %#v", path, a, b)
}
