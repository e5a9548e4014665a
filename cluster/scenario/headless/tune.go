package headless

import (
	"os"
	"runtime"
	"runtime/debug"
)

// TuneRuntime prepares a program that does nothing but run scripts or clusters of processes, the
// given number at a time. GOMAXPROCS and GOGC in the environment take precedence.
func TuneRuntime(runs int) {
	// A run does mostly one thing at a time: moving it between cores costs more than a
	// second core brings.
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(min(runtime.GOMAXPROCS(0), max(runs, 1)))
	}
	// A run holds little memory and leaves much garbage: rarer collections cost only a
	// few MB.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// LimitMemory makes a program that runs many native soaks with their history collect garbage in
// time: collections are rare otherwise, and each finds only part of what ended runs held.
// GOMEMLIMIT in the environment takes precedence.
func LimitMemory(runs int) {
	const program, run = 64 << 20, 128 << 20
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(program + int64(runs)*run)
	}
}
