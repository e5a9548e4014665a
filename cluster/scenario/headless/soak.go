package headless

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
)

// SoakConfig describes a soak.
type SoakConfig struct {
	scenario.Soak
	Open     engine.Opener // starts the cluster
	Exact    string        // the version of the exact engine that Open starts, otherwise ""
	Nodes    int
	Settings trace.Settings // the seed among them; the storage is memory
	Trace    string         // the file to write the events to, "" for none
	Terminal io.Writer      // shows the progress; may be nil
}

// Validate returns an error if an option is out of range.
func (cfg SoakConfig) Validate() error {
	if err := cfg.Soak.Validate(); err != nil {
		return err
	}
	if cfg.Nodes < 1 || cfg.Nodes > cluster.NodesMax {
		return fmt.Errorf("--nodes %d: must be from 1 to %d", cfg.Nodes, cluster.NodesMax)
	}
	return cluster.ValidateSettings(cfg.Settings)
}

// setup returns the lines of the script that describe the cluster, without the seed.
func (cfg SoakConfig) setup() []string {
	lines := []string{fmt.Sprintf("nodes %d", cfg.Nodes)}
	for _, kv := range cluster.NonDefaultSettings(cfg.Settings) {
		lines = append(lines, fmt.Sprintf("set %s %s", kv[0], kv[1]))
	}
	return lines
}

// Script returns the soak with a seed as a scenario, below a comment, which may be "".
func (cfg SoakConfig) Script(name string, seed int64, comment string) (*scenario.Script, error) {
	lines := append(cfg.setup(), fmt.Sprintf("seed %d", seed), cfg.Command())
	return scenario.Parse(name, []byte(comment+"title Soak\n"+strings.Join(lines, "\n")+"\n"))
}

// Soak injects random faults into a cluster under load, heals them, and requires
// every check to be ok. When ctx ends it heals and checks at once, and returns the
// result with [ErrInterrupted]. Any other error says why the soak did not start or
// did not end by itself.
func Soak(ctx context.Context, cfg SoakConfig) (Result, error) {
	if err := cfg.Validate(); err != nil {
		return Result{}, err
	}
	script, err := cfg.Script("soak", cfg.Settings.Seed, "")
	if err != nil {
		return Result{}, err
	}
	var running atomic.Pointer[engine.Engine]
	o := observers{engine: &running, judged: true}
	if cfg.Trace != "" {
		if o.record, err = recording.Create(cfg.Trace, header(cfg.Settings.Seed, cfg.Exact, cfg.Nodes)); err != nil {
			return Result{}, scenario.FileError(cfg.Trace, err)
		}
		defer func() { _ = o.record.Close() }() // closed already, unless there is another error
	}
	started := time.Now()
	stop := ShowProgress(cfg.Terminal, func() string {
		if e := running.Load(); e != nil {
			now := (*e).Now()
			return fmt.Sprintf("soak: %s of %s, %.0fx real time", now.Round(time.Second), cfg.For, now.Seconds()/time.Since(started).Seconds())
		}
		return "soak: starting"
	})
	defer stop()
	r, err := run(ctx, cfg.Open, script, o)
	if err == nil && ctx.Err() != nil {
		r.OK, r.Interrupted = false, true
		err = ErrInterrupted
	}
	return r, err
}
