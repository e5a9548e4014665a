package engine_test

import (
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"capsize/cluster/engine"
	"capsize/cluster/engine/enginetest"
	"capsize/cluster/trace/recording"
)

// TestMain fails if a test leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNativeConforms(t *testing.T) {
	enginetest.Run(t, engine.NativeMode, func(tb testing.TB) engine.Engine {
		tb.Helper()
		e, err := engine.OpenNative(enginetest.Config(), engine.Options{Attended: true})
		if err != nil {
			tb.Fatal(err)
		}
		return e
	})
}

func TestRecordingConforms(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.trace")
	record, err := recording.Create(name, recording.Header{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	cfg := enginetest.Config()
	cfg.Record = record
	e, err := engine.OpenNative(cfg, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	engine.AwaitLeader(e, engine.FirstElection)
	if err := e.Advance(time.Second); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	enginetest.Run(t, engine.RecordingMode, func(tb testing.TB) engine.Engine {
		tb.Helper()
		r, err := engine.OpenRecording(name, cfg.HistoryBudget, engine.Options{}, nil)
		if err != nil {
			tb.Fatal(err)
		}
		return r
	})
}
