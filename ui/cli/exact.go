package cli

import (
	"cmp"
	"context"
	"io"

	"github.com/spf13/pflag"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/engine/exact"
	"capsize/cluster/trace/recording"
)

// addExact adds --exact.
func addExact(exact *bool, fs *pflag.FlagSet) {
	fs.BoolVar(exact, "exact", false, "one seed, one run, byte for byte, on every machine")
}

// engines is what starts clusters: native ones or, with a version, exact ones.
type engines struct {
	open    engine.Opener
	version string // of the exact engine, "" for native ones
	close   func() error
}

// openEngines returns the engines. The exact one may have to be built first, which shows on
// progress. The caller closes it.
func openEngines(ctx context.Context, isExact bool, progress io.Writer) (engines, error) {
	if !isExact {
		return engines{open: engine.OpenNative, close: func() error { return nil }}, nil
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
