package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/engine/exact"
	"capsize/cluster/engine/processes"
	"capsize/cluster/trace/recording"
	"capsize/ui/pane"
)

// addExact adds --exact.
func addExact(exact *bool, fs *pflag.FlagSet) {
	fs.BoolVar(exact, "exact", false, "one seed, one run, byte for byte, on every machine")
}

// processesFlag is the flag that runs the nodes as processes.
const processesFlag = "processes"

// engineFlags say how the nodes of a cluster run: by default in virtual time.
type engineFlags struct {
	exact     bool // in virtual time that repeats
	processes bool // as processes of the operating system, in real time
}

// add adds the flags.
func (f *engineFlags) add(fs *pflag.FlagSet) {
	addExact(&f.exact, fs)
	fs.BoolVar(&f.processes, processesFlag, false, "run each node as a process of its own, over TCP and in real time")
}

// check rejects flags that exclude each other.
func (f *engineFlags) check() error {
	if f.exact && f.processes {
		return errors.New("--exact and --processes exclude each other: an exact run needs virtual time; leave one out")
	}
	return nil
}

// checkSpeed rejects the speed of a clock that is real.
func (f *engineFlags) checkSpeed(fs *pflag.FlagSet, speed float64) error {
	if f.processes && fs.Changed(speedFlagName) && speed != 1 {
		return fmt.Errorf("--%s %s: over processes time is real, so its speed is always 1; leave it out", speedFlagName, pane.SpeedWord(speed))
	}
	return nil
}

// isRealTime reports whether flags choose nodes that are processes.
func isRealTime(fs *pflag.FlagSet) bool {
	flag := fs.Lookup(processesFlag)
	return flag != nil && flag.Value.String() == "true"
}

// engines is what starts clusters: native ones, over processes or, with a version, exact ones.
type engines struct {
	open    engine.Opener
	version string // of the exact engine, "" for others
	close   func() error
}

// openEngines returns the engines. The exact one may have to be built first, which shows on
// progress. The caller closes it.
func openEngines(ctx context.Context, how engineFlags, progress io.Writer) (engines, error) {
	if err := how.check(); err != nil {
		return engines{}, usageError{err}
	}
	if !how.exact {
		open := engine.OpenNative
		if how.processes {
			open = processes.Open
		}
		return engines{open: open, close: func() error { return nil }}, nil
	}
	p, err := exact.Load(ctx, progress)
	if err != nil {
		return engines{}, stopped(err)
	}
	return engines{open: p.Open, version: p.Version(), close: p.Close}, nil
}

// header returns the header of a cluster's recording.
func (e engines) header(cfg cluster.Config, attended bool) recording.Header {
	h := recording.Header{Seed: cfg.Settings.Seed}
	if e.version != "" {
		h.Exact = &recording.Exact{Version: e.version, Nodes: cmp.Or(cfg.Nodes, cfg.DefaultNodes), Attended: attended}
	}
	return h
}
