package headless

import (
	"os"
	"runtime"
	"runtime/debug"
)

// TuneRuntime prepares the program for a number of runs and nothing else, unless the
// environment says how it is to be (GOMAXPROCS, GOGC).
func TuneRuntime(runs int) {
	// A run does one thing at a time, mostly: to hand it from core to core costs
	// more than a second core brings.
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(min(runtime.GOMAXPROCS(0), max(runs, 1)))
	}
	// It needs little memory and leaves much behind: collecting that less often
	// costs some MB.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}
