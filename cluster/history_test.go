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

// TestHistoryReproducesPastStates lets random things happen, looks at the cluster at random
// moments, and finds each of them again in its history, and in its recording.
func TestHistoryReproducesPastStates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.trace.gz")
	record, err := recording.Create(file, 1)
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
		t.Errorf("missing in the recording: %s", missing)
	}
	tc.compareStates(read, live)
	tc.compareEvents(tc.History(), read)
}

// compareEvents compares the events of two histories.
func (tc *testCluster) compareEvents(a, b *history.History) {
	tc.t.Helper()
	first, last := a.Span()
	next, stop := iter.Pull(func(yield func(*trace.Event) bool) { b.Events(first.Seq, last.Seq, yield) })
	defer stop()
	a.Events(first.Seq, last.Seq, func(e *trace.Event) bool {
		if other, ok := next(); !ok || !reflect.DeepEqual(e, other) {
			tc.t.Errorf("event %d is\n%+v in one, and in the other\n%+v", e.Seq, e, other)
			return false
		}
		return true
	})
}

// runRandomly has random things happen for so long, and returns the states at moments
// in between.
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

// compareStates compares states with what a history says of those moments.
func (tc *testCluster) compareStates(h *history.History, live []trace.State) {
	tc.t.Helper()
	var past trace.State
	for _, i := range rand.Perm(len(live)) {
		if !h.StateAt(live[i].Seq, &past) {
			tc.t.Fatalf("the moment after event %d is not held", live[i].Seq)
		}
		if d := firstDifference("state", reflect.ValueOf(past), reflect.ValueOf(live[i])); d != "" {
			tc.t.Fatalf("after event %d of %d the state is remembered otherwise than it was: %s", live[i].Seq, live[len(live)-1].Seq, d)
		}
	}
}

// firstDifference returns where two values differ first, and how, "" if they do not. A
// list that is empty is like one that is not there: a copy may have it of an earlier
// state.
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
					return fmt.Sprintf("%s has no %v", path, k)
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
	return fmt.Sprintf("%s: %#v, not %#v", path, a, b)
}
