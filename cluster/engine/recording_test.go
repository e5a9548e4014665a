package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
)

// memoryConfig configures a cluster of three nodes that keeps a history.
func memoryConfig() cluster.Config {
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	return cluster.Config{Nodes: 3, Settings: settings, HistoryBudget: history.DefaultBudget}
}

// openNative opens a cluster and waits for its leader.
func openNative(t *testing.T, cfg cluster.Config) *Native {
	t.Helper()
	n, err := Open(cfg, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	if !AwaitLeader(n, time.Minute) {
		t.Fatal("no leader within a minute")
	}
	return n
}

// record records a counter that reaches 10.
func record(t *testing.T) (name string, last trace.Position) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "run.trace")
	w, err := recording.Create(name, recording.Header{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	cfg := memoryConfig()
	cfg.Record = w
	n := openNative(t, cfg)
	n.Run(1000)
	for _, line := range []string{"increment 10", "wait converged"} {
		if end := Do(n, Order{Line: line}).End; end.Err != nil {
			t.Fatalf("%s: %v", line, end.Err)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	past := history.New(history.DefaultBudget)
	file, _, err := recording.Open(name, past, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	_, last = past.Span()
	return name, last
}

// counts reports whether a node has counted to a value.
func counts(e Engine, value int64) (found bool) {
	e.Read(func(s *trace.State) {
		for i := range s.Nodes {
			found = found || s.Nodes[i].Value == value
		}
	})
	return found
}

func TestRecordingShowsItsEndAndRefusesOrders(t *testing.T) {
	name, last := record(t)
	r, err := OpenRecording(name, history.DefaultBudget, Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Mode() != RecordingMode || r.Now() != last.At || r.Missing() != "" || r.Mismatch() != nil || !counts(r, 10) {
		t.Errorf("it shows %s instead of %s; missing: %q, mismatch: %v", r.Now(), last.At, r.Missing(), r.Mismatch())
	}
	r.Run(1)
	if a := Do(r, Order{Line: "increment"}); !errors.Is(a.End.Err, ErrRecorded) || a.End.Seq != last.Seq {
		t.Errorf("an order is answered with %+v", a.End)
	}
	if err := r.Advance(time.Second); !errors.Is(err, ErrRecorded) || r.Speed() != 0 || r.Now() != last.At {
		t.Errorf("time passes: %v", err)
	}
	if _, err := r.Prompt().Parse("kill n3"); err != nil {
		t.Error(err)
	}
	if _, err := r.Prompt().Parse("kill n4"); err == nil {
		t.Error("n4 is a node of it")
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	<-r.Done()
	b, err := r.Branch(last)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	if b.Mode() != NativeMode || !AwaitLeader(b, time.Minute) || b.Advance(time.Second) != nil || !counts(b, 10) {
		t.Error("its branch does not go on from its end")
	}
	if _, err := r.Branch(trace.Position{Seq: last.Seq + 1}); err == nil {
		t.Error("a branch starts at a moment that is not in it")
	}
}

func TestGrowingRecordingPassesItsEventsOn(t *testing.T) {
	whole, last := record(t)
	text, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	growing := filepath.Join(t.TempDir(), "growing.trace")
	write := func(part []byte) {
		if err := os.WriteFile(growing, part, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(text[:len(text)/2])
	synctest.Test(t, func(t *testing.T) { // the reader waits in virtual time
		r, err := OpenRecording(growing, history.DefaultBudget, Options{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		half, seen, sink := r.Now(), uint64(0), history.New(history.DefaultBudget)
		r.Subscribe(func(e trace.Event) { seen = e.Seq })
		r.AddSink(sink)
		write(text)
		time.Sleep(time.Second)
		synctest.Wait()
		r.Follow()
		first, end := sink.Span()
		if r.Now() != last.At || seen != last.Seq || end != last || first.At != half {
			t.Errorf("it goes on from %s to %s, passes on events up to %d, and %v to %v to a sink", half, r.Now(), seen, first, end)
		}
	})
}
