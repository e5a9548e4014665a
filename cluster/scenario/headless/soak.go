package headless

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace/recording"
)

// SoakConfig describes a soak.
type SoakConfig struct {
	scenario.Soak
	Open     engine.Opener // starts the cluster
	Exact    string        // the version of the exact engine that Open starts, otherwise ""
	Nodes    int
	Seed     int64
	Trace    string    // the file to write the events to, "" for none
	Terminal io.Writer // shows the progress; may be nil
}

// Validate returns an error if an option is out of range.
func (cfg SoakConfig) Validate() error {
	if err := cfg.Soak.Validate(); err != nil {
		return err
	}
	if cfg.Nodes < 1 || cfg.Nodes > cluster.NodesMax {
		return fmt.Errorf("--nodes %d: must be from 1 to %d", cfg.Nodes, cluster.NodesMax)
	}
	return nil
}

// Soak injects random faults into a cluster under load, heals them, and requires
// every check to be ok. When ctx ends it heals and checks at once, and returns the
// result with [ErrInterrupted]. Any other error says why the soak did not start or
// did not end by itself.
func Soak(ctx context.Context, cfg SoakConfig) (Result, error) {
	if err := cfg.Validate(); err != nil {
		return Result{}, err
	}
	var running atomic.Pointer[engine.Engine]
	o := observers{engine: &running}
	if cfg.Trace != "" {
		var err error
		if o.record, err = recording.Create(cfg.Trace, header(cfg.Seed, cfg.Exact, cfg.Nodes)); err != nil {
			return Result{}, scenario.FileError(cfg.Trace, err)
		}
		defer func() { _ = o.record.Close() }() // closed already, unless there is another error
	}
	started := time.Now()
	stop := showProgress(cfg.Terminal, func() string {
		if e := running.Load(); e != nil {
			now := (*e).Now()
			return fmt.Sprintf("soak: %s of %s, %.0fx real time", now.Round(time.Second), cfg.For, now.Seconds()/time.Since(started).Seconds())
		}
		return "soak: starting"
	})
	defer stop()
	settings := cluster.DefaultSettings()
	settings.Storage, settings.Seed = cluster.Memory, cfg.Seed
	r, err := perform(ctx, cfg.Open, cluster.Config{Nodes: cfg.Nodes, Settings: settings}, o, engine.Order{Soak: &cfg.Soak})
	if err == nil && ctx.Err() != nil {
		r.OK, r.Interrupted = false, true
		err = ErrInterrupted
	}
	return r, err
}
