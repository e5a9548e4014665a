package scenario

import (
	"embed"
	"slices"
)

//go:embed scenarios/*.capsize
var builtinFiles embed.FS

// builtinNames are the built-in scenarios in the order in which one learns from
// them: how it works, what fails within Raft's fault model, and what leaves it.
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
	"chaos",
	"lying-disk",
	"honest-disk",
	"amnesia",
	"voter-remembers",
	"unsafe-recovery",
	"safe-recovery",
	"stuck-follower",
	"install-snapshot-livelock",
	"install-snapshot-cured",
}

// Names returns the names of the built-in scenarios, in a sensible order to learn
// from them.
func Names() []string { return slices.Clone(builtinNames) }

// Builtin returns the text of a built-in scenario, and whether there is one of
// that name.
func Builtin(name string) (data []byte, ok bool) {
	if !slices.Contains(builtinNames, name) {
		return nil, false
	}
	data, err := builtinFiles.ReadFile("scenarios/" + name + ".capsize")
	return data, err == nil
}
