package scenario

import (
	"embed"
	"slices"
)

//go:embed scenarios/*.capsize
var builtinFiles embed.FS

// lessonNames are the lessons of the course, in their order.
var lessonNames = []string{
	"lesson-1-term",
	"lesson-2-election",
	"lesson-3-commit",
	"lesson-4-unknown",
	"lesson-5-majority",
	"lesson-6-read",
	"lesson-7-pre-vote",
	"lesson-8-membership",
	"lesson-9-snapshot",
	"lesson-10-disk",
}

// builtinNames are the built-in scenarios in an order to learn from: how Raft works,
// faults within its fault model, faults outside it, and bugs of the library.
var builtinNames = []string{
	"first-steps",
	"leader-crash",
	"leadership-transfer",
	"no-quorum",
	"split-in-half",
	"minority-partition",
	"split-vote",
	"paused-leader",
	"slow-follower",
	"slow-disk-leader",
	"disk-full",
	"snapshot-catch-up",
	"rolling-restart",
	"membership",
	"stale-read",
	"weak-read",
	"linearizable-read",
	"lease-read",
	"lease-slow-clock",
	"double-count",
	"double-count-sessions",
	"one-way-cut",
	"bridge",
	"majorities-ring",
	"constrained-election",
	"flapping-link",
	"pre-vote",
	"pre-vote-off",
	"swizzle-clog",
	"figure-8",
	"figure-8-by-hand",
	"chaos",
	"lying-disk",
	"honest-disk",
	"amnesia",
	"voter-remembers",
	"unsafe-recovery",
	"safe-recovery",
	"heartbeat-divergence",
	"heartbeat-divergence-queued",
	"clock-divergence",
	"clock-divergence-queued",
	"transfer-wedge",
	"transfer-once",
	"install-snapshot-livelock",
	"install-snapshot-cured",
	"stale-pipeline",
	"stale-pipeline-off",
	"stuck-follower",
}

// Names returns the names of the built-in scenarios, the lessons first, in an order to learn from.
func Names() []string { return slices.Concat(lessonNames, builtinNames) }

// Lessons returns the names of the lessons, in their order.
func Lessons() []string { return slices.Clone(lessonNames) }

// Builtin returns the text of a built-in scenario, and whether there is one with
// that name.
func Builtin(name string) (data []byte, ok bool) {
	if !slices.Contains(builtinNames, name) && !slices.Contains(lessonNames, name) {
		return nil, false
	}
	data, err := builtinFiles.ReadFile("scenarios/" + name + ".capsize")
	return data, err == nil
}
