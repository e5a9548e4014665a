package source

import (
	"os"
	"runtime/debug"

	"capsize/cluster/engine"
)

// Besides the histories, the process uses memoryOverhead or, with many nodes, memoryPerNode
// for each, in bytes. The program's own pages, which the collector does not count,
// add some 20 MB.
const (
	memoryOverhead = 80 << 20
	memoryPerNode  = 4 << 20
	// memoryExact is for an exact cluster: the memory of its guest, and the snapshots to branch
	// from.
	memoryExact = 200 << 20
)

// LimitMemory limits the memory of the process to a number of histories, each of historyMB
// megabytes (0 means HistoryMB), plus 100 MB, or 300 MB if it is exact. Without a limit, the garbage collector lets
// the heap grow to twice what is in use. GOMEMLIMIT in the environment overrides it.
func LimitMemory(histories int, historyMB int64, nodes int, mode engine.Mode) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(memoryLimit(histories, historyMB, nodes, mode))
}

func memoryLimit(histories int, historyMB int64, nodes int, mode engine.Mode) int64 {
	if historyMB == 0 {
		historyMB = HistoryMB
	}
	limit := int64(histories)*historyMB<<20 + int64(max(memoryOverhead, nodes*memoryPerNode))
	if mode == engine.ExactMode {
		limit += memoryExact
	}
	return limit
}
