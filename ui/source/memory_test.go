package source

import (
	"math"
	"runtime/debug"
	"testing"

	"capsize/cluster/engine"
)

func TestMemoryIsLimitedToTheHistories(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	for _, c := range []struct {
		histories   int
		mb          int64
		nodes       int
		wantMB      int64
		environment string
		mode        engine.Mode
	}{
		{1, 256, 5, 336, "", engine.NativeMode},
		{1, 256, 5, 536, "", engine.ExactMode},
		{1, 0, 5, HistoryMB + 80, "", engine.NativeMode},
		{3, 100, 5, 380, "", engine.NativeMode},
		{1, 1, 99, 397, "", engine.NativeMode},
		{1, 256, 5, math.MaxInt64 >> 20, "1GiB", engine.NativeMode}, // the runtime has read it already
	} {
		t.Setenv("GOMEMLIMIT", c.environment)
		debug.SetMemoryLimit(math.MaxInt64)
		LimitMemory(c.histories, c.mb, c.nodes, c.mode)
		if got := debug.SetMemoryLimit(-1) >> 20; got != c.wantMB {
			t.Errorf("%d histories of %d MB, %d nodes: the limit is %d MB, want %d", c.histories, c.mb, c.nodes, got, c.wantMB)
		}
	}
}
