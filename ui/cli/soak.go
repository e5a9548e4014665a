package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
)

// soakFlags are the flags of soak.
type soakFlags struct {
	one          headless.SoakConfig
	many         headless.SeedsConfig
	seeds, shard string
	set          []string
	json, merge  bool
	engineFlags
}

func soakCommand() *cobra.Command {
	var f soakFlags
	f.one.Settings = cluster.DefaultSettings()
	f.one.Settings.Storage = cluster.Memory
	cmd := &cobra.Command{
		Use:   "soak",
		Short: "Run random faults under load, headless, and check every safety property",
		Long: `Run random faults under load, headless, then heal and check every safety property. A
soak is the command "soak" of a scenario, so a file repeats it.

With --seeds, one run for each seed, --jobs at a time. --json prints a result as soon
as its seed has ended. Each failing seed N leaves in --found its scenario (N.capsize),
its events (N.trace.gz) and its result (N.json). An interrupt keeps what was found.

--shard I/M runs the seeds n with n mod M = I-1, so M machines share a range:
  capsize soak --seeds 1-10000 --shard 3/8 --exact --for 10m --json > 3.jsonl
  capsize soak --merge *.jsonl
--merge adds up the results of all shards, and refuses seeds that are missing, there
twice, or of another soak.

The exit status is 0 if every check of every run is ok, 1 if not or after an interrupt,
2 for a usage error or a file that cannot be used.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.merge {
				return from(1, math.MaxInt, "a file with the results of a shard")(cmd, args)
			}
			return from(0, 0, "")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch err := f.check(cmd.Flags()); {
			case err != nil:
				return usageError{err}
			case f.merge:
				return f.mergeFiles(cmd, args)
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			engines, err := openEngines(ctx, f.engineFlags, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { _ = engines.close() }() // the runs have ended
			f.one.Open, f.one.Exact, f.one.Terminal = engines.open, engines.version, terminal()
			if f.seeds != "" {
				return f.soakSeeds(ctx, cmd)
			}
			headless.TuneRuntime(1)
			result, err := headless.Soak(ctx, f.one)
			if err != nil && !errors.Is(err, headless.ErrInterrupted) {
				return report(cmd, f.json, nil, err)
			}
			return report(cmd, f.json, []headless.Result{result}, err)
		},
	}
	f.add(cmd.Flags())
	complete(cmd)
	return cmd
}

// add adds the flags.
func (f *soakFlags) add(fs *pflag.FlagSet) {
	fs.DurationVar(&f.one.For, "for", time.Hour, "duration in virtual time, for each seed; in real time with --processes")
	fs.IntVar(&f.one.Nodes, "nodes", 5, "number of nodes, 1 to 99")
	fs.Int64Var(&f.one.Settings.Seed, "seed", cluster.DefaultSettings().Seed, "seed of the faults")
	fs.StringArrayVar(&f.set, "set", nil, "KEY=VALUE: "+strings.Join(cluster.SettingKeys(), ", "))
	fs.StringSliceVar(&f.one.Chaos, "chaos", scenario.ChaosKinds(), "kinds of faults, none if empty")
	fs.BoolVar(&f.json, "json", false, "print one JSON object per run")
	fs.StringVar(&f.one.Trace, "trace", "", "record every event in this file, as JSON lines; .gz compresses")
	fs.StringVar(&f.seeds, "seeds", "", "run a range of seeds instead of one, like 1-1000")
	fs.IntVar(&f.many.Jobs, "jobs", runtime.GOMAXPROCS(0), "with --seeds, how many runs at a time; 1 with --processes")
	fs.StringVar(&f.shard, "shard", "", "with --seeds, only this share of them, like 3/8")
	fs.StringVar(&f.many.Found.Dir, "found", "found", "with --seeds, the directory that keeps failing runs; none if empty")
	fs.BoolVar(&f.merge, "merge", false, "add up the results of shards: files that --seeds --json has written")
	f.engineFlags.add(fs)
}

// check validates the flags before anything starts.
func (f *soakFlags) check(fs *pflag.FlagSet) error {
	if f.merge {
		var other string
		fs.Visit(func(flag *pflag.Flag) {
			if flag.Name != "merge" && flag.Name != "json" {
				other = flag.Name
			}
		})
		if other != "" {
			return fmt.Errorf("--merge and --%s exclude each other: --merge only reads results; leave one out", other)
		}
		return nil
	}
	if err := f.engineFlags.check(); err != nil {
		return err
	}
	if f.processes && !fs.Changed("jobs") {
		f.many.Jobs = 1 // time is real, and the seeds would take each other's
	}
	if err := cluster.ApplySettings(&f.one.Settings, f.set); err != nil {
		return fmt.Errorf("--set %w", err)
	}
	if err := f.one.Validate(); err != nil {
		return err
	}
	if !fs.Changed("seeds") {
		for _, name := range []string{"jobs", "shard", "found"} {
			if fs.Changed(name) {
				return fmt.Errorf("--%s needs --seeds: a single run has no use for it", name)
			}
		}
		return nil
	}
	for _, name := range []string{"seed", "trace"} {
		if fs.Changed(name) {
			return fmt.Errorf("--%s and --seeds exclude each other: --%s is for one run; leave one out", name, name)
		}
	}
	if fs.Changed("shard") && f.shard == "" {
		return errors.New("--shard: needs a share of the seeds, like 3/8")
	}
	var err error
	if f.many.Seeds, err = headless.ParseSeeds(f.seeds, f.shard); err != nil {
		return err
	}
	f.many.SoakConfig = f.one
	return f.many.Validate()
}

// soakSeeds runs the soak for each seed.
func (f *soakFlags) soakSeeds(ctx context.Context, cmd *cobra.Command) error {
	f.many.SoakConfig, f.many.Version = f.one, f.one.Exact
	if f.one.Exact == "" {
		f.many.Version = version()
		headless.LimitMemory(f.many.Jobs)
	}
	if f.json {
		f.many.Each = func(r headless.Result) error {
			return headless.WriteJSON(cmd.OutOrStdout(), []headless.Result{r})
		}
	}
	headless.TuneRuntime(f.many.Jobs)
	summary, err := headless.SoakSeeds(ctx, f.many)
	return f.conclude(cmd, summary, err)
}

// mergeFiles adds up the results of shards.
func (f *soakFlags) mergeFiles(cmd *cobra.Command, files []string) error {
	merged, err := headless.Merge(files, f.json)
	if err != nil {
		return usageError{err}
	}
	if f.json {
		if err := merged.WriteJSON(cmd.OutOrStdout()); err != nil {
			return usageError{fmt.Errorf("writing the results: %w", err)}
		}
	}
	return f.conclude(cmd, &merged.Summary, nil)
}

// conclude prints a summary, and turns it into how the program ends. Beside JSON it is a message.
func (f *soakFlags) conclude(cmd *cobra.Command, summary *headless.Summary, err error) error {
	to := cmd.OutOrStdout()
	if f.json {
		to = cmd.ErrOrStderr()
	}
	if wrong := summary.WriteText(to); wrong != nil {
		return usageError{fmt.Errorf("writing the summary: %w", wrong)}
	}
	if err == nil && !summary.OK() {
		return errFailed
	}
	return stopped(err)
}
