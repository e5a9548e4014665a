package cli

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/scenario/hunt"
)

// huntFlags are the flags of hunt.
type huntFlags struct {
	hunt.Config
	limit         time.Duration
	seeds         string
	set           []string
	json, isExact bool
}

func huntCommand() *cobra.Command {
	var f huntFlags
	cmd := &cobra.Command{
		Use:   "hunt",
		Short: "Search for faults that break the cluster",
		Long: `Search for faults that break the cluster: which ones, where, and when. Random schedules
run until a check is violated. Those that reach states none has reached before, above
all dangerous ones, are changed and run again: two leaders, a deposed leader that still
appends, conflicting entries. Faults aim at roles and at kinds of messages.

The search runs native clusters, which are fast, or with --exact exact ones: the same
seed is then the same search. Each finding is kept in --found as an exact run if one of
320 seeds fails in the same way, and as the trace of a native run if none does.
"capsize shrink" reduces it to the commands that matter.

The exit status is 0 if nothing is found, 1 if something is or after an interrupt, and 2
for a usage error.`,
		Example: `  capsize hunt --for 10m
  capsize hunt --for 1h --set heartbeats=queued --seeds 1-3
  capsize shrink found/hunt-1-log-matching.capsize`,
		Args: from(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return usageError{err}
			}
			return f.run(cmd)
		},
	}
	fs := cmd.Flags()
	fs.DurationVar(&f.limit, "for", time.Hour, "how long to search, in real time")
	fs.StringVar(&f.seeds, "seeds", "1", "where the searches start, like 1-3: one search for each")
	fs.IntVar(&f.Jobs, "jobs", runtime.GOMAXPROCS(0), "how many runs at a time")
	fs.IntVar(&f.Nodes, "nodes", 3, "number of nodes, 2 to 9: three are enough for most failures")
	fs.StringArrayVar(&f.set, "set", nil, "KEY=VALUE: "+strings.Join(cluster.SettingKeys(), ", "))
	fs.StringVar(&f.Found.Dir, "found", "found", "the directory that keeps findings; none if empty")
	fs.BoolVar(&f.json, "json", false, "print one JSON object per search")
	addExact(&f.isExact, fs)
	complete(cmd)
	return cmd
}

// check validates the flags before anything starts.
func (f *huntFlags) check() error {
	settings := cluster.DefaultSettings()
	if err := cluster.ApplySettings(&settings, f.set); err != nil {
		return fmt.Errorf("--set %w", err)
	}
	if err := cluster.ValidateSettings(settings); err != nil {
		return fmt.Errorf("--set: %w", err)
	}
	f.Settings = cluster.NonDefaultSettings(settings)
	if f.limit <= 0 {
		return fmt.Errorf("--for %s: must be longer than 0s", f.limit)
	}
	seeds, err := headless.ParseSeeds(f.seeds, "")
	if err != nil {
		return err
	}
	if err := hunt.ValidateSearches(seeds.Count()); err != nil {
		return err
	}
	for seed := seeds.First; seed <= seeds.Last; seed++ {
		f.Seeds = append(f.Seeds, seed)
	}
	return f.Validate()
}

// run hunts until the time is over.
func (f *huntFlags) run(cmd *cobra.Command) error {
	ctx, stop := interruptible(cmd)
	defer stop()
	exact, err := openEngines(ctx, engineFlags{exact: true}, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer func() { _ = exact.close() }() // the runs have ended
	f.Exact, f.Version = exact.open, exact.version
	f.Open, f.Mode = engine.OpenNative, engine.NativeMode
	if f.isExact {
		f.Open, f.Mode = exact.open, engine.ExactMode
	}
	headless.TuneRuntime(f.Jobs)
	headless.LimitMemory(f.Jobs)
	h := hunt.New(f.Config)
	stopShowing := headless.ShowProgress(terminal(), func() string {
		var text strings.Builder
		_ = h.WriteTable(&text) // a builder takes everything
		return "hunt: " + text.String()
	})
	err = h.Run(ctx, f.limit)
	stopShowing()
	write := h.WriteTable
	if f.json {
		write = h.WriteJSON
	}
	if wrong := write(cmd.OutOrStdout()); wrong != nil {
		return usageError{fmt.Errorf("writing the results: %w", wrong)}
	}
	switch {
	case err != nil:
		return stopped(err)
	case ctx.Err() != nil:
		return headless.ErrInterrupted
	case h.Failed():
		return errFailed
	case h.Schedules() == 0:
		return usageError{fmt.Errorf("--for %s: no schedule has ended in that time; search longer, or start fewer searches", f.limit)}
	}
	return nil
}
