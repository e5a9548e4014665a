package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/vtime"
	"capsize/ui/source"
)

func runCommand() *cobra.Command {
	var batch headless.Batch
	var f flags
	var asJSON, verbose, open bool
	var until string
	cmd := &cobra.Command{
		Use:   "run SCENARIO...",
		Short: "Run scenarios headless, as fast as virtual time allows",
		Long: `Run scenarios headless, in parallel, as fast as virtual time allows. A scenario is
the name of a built-in one or a file.

With --processes, each node is a process of its own. The scenarios run one after the
other, because time is real then. A scenario with a command that needs virtual time is
refused before any runs: see "capsize commands".

The exit status is 0 if every expectation holds and every check is ok, or violated
where the scenario has "expect violation". It is 1 otherwise, even if a check is only
undecided, and 2 if a file has a mistake or a run cannot start.`,
		Args:              from(1, math.MaxInt, "a scenario"),
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(batch.Validate(), f.check()); err != nil {
				return usageError{err}
			}
			if err := f.loadAll(cmd, args, &batch); err != nil {
				return err
			}
			if verbose {
				batch.Steps = cmd.ErrOrStderr()
			} else {
				batch.Terminal = terminal()
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			engines, err := openEngines(ctx, f.engineFlags, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { _ = engines.close() }() // the runs have ended
			batch.Open, batch.Exact = engines.open, engines.version
			if cmd.Flags().Changed("until") || open {
				return runUntil(ctx, cmd, batch, until, open, asJSON)
			}
			headless.TuneRuntime(len(batch.Scripts) * batch.Repeat)
			results, err := batch.Run(ctx)
			return report(cmd, asJSON, results, err)
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&asJSON, "json", false, "print one JSON object per run")
	fs.IntVar(&batch.Repeat, "repeat", 1, "how often to run each scenario: with its seed, and the following ones; with --exact, always with its seed")
	f.addSeed(cmd)
	f.add(fs)
	fs.StringVar(&until, "until", "", "stop right after an event: its number, a time, violation, or words of the story; needs --exact")
	fs.BoolVar(&open, "open", false, "with --until, open the playground where the run stops")
	fs.StringVar(&batch.Trace, "trace", "", "record every event in this file, as JSON lines; .gz compresses")
	fs.BoolVarP(&verbose, "verbose", "v", false, "report each step as it runs")
	return cmd
}

// loadAll loads the scenarios of a batch: a mistake in the last one is found before the first one
// runs.
func (f *flags) loadAll(cmd *cobra.Command, names []string, batch *headless.Batch) error {
	for _, name := range names {
		script, err := f.load(cmd, name)
		if err != nil {
			return err
		}
		batch.Scripts = append(batch.Scripts, script)
	}
	if f.processes { // time is real, and they would take each other's
		batch.Jobs = 1
	}
	return nil
}

// runUntil runs one scenario until an event, and opens the playground there if open is set.
func runUntil(ctx context.Context, cmd *cobra.Command, b headless.Batch, until string, open, asJSON bool) error {
	event, err := headless.ParseUntil(until)
	switch {
	case !cmd.Flags().Changed("until"):
		return usageError{errors.New("--open needs --until: it opens the playground where the run stops")}
	case err != nil:
		return usageError{err}
	case open && (&flags{}).isPlain():
		return usageError{errors.New("--open needs a terminal: leave it out")}
	case b.Exact == "":
		return usageError{errors.New("--until needs --exact: only an exact run can stop right after an event")}
	case len(b.Scripts) != 1 || b.Repeat != 1:
		return usageError{errors.New("--until stops one run: name one scenario, without --repeat")}
	}
	budget := int64(0)
	if open {
		budget = source.HistoryMB << 20
	}
	e, result, err := b.RunUntil(ctx, event, budget)
	if err != nil {
		return stopped(err)
	}
	if e != nil && open {
		return openStopped(ctx, cmd, e, b)
	}
	if e != nil {
		err = e.Close()
	}
	return report(cmd, asJSON, []headless.Result{result}, err)
}

// openStopped opens the playground on an engine that has stopped, with the user's configuration.
func openStopped(ctx context.Context, cmd *cobra.Command, e engine.Engine, b headless.Batch) error {
	var f flags
	screen := pflag.NewFlagSet(cmd.Name(), pflag.ContinueOnError)
	f.addScreen(screen)
	if err := errors.Join(configureFlags(screen), f.screen.Prepare(f.isPlain())); err != nil {
		return usageError{errors.Join(err, e.Close())}
	}
	f.screen.Open, f.screen.Speed = b.Open, 0
	return show(ctx, cmd, e, f, f.isPlain())
}

// report prints what came of runs, and turns it into how the program ends.
func report(cmd *cobra.Command, asJSON bool, results []headless.Result, err error) error {
	write := headless.WriteTable
	if asJSON {
		write = headless.WriteJSON
	}
	if wrong := write(cmd.OutOrStdout(), results); wrong != nil {
		return usageError{fmt.Errorf("writing the results: %w", wrong)}
	}
	if err == nil && !headless.AllOK(results) {
		return errFailed
	}
	return stopped(err)
}

// stopped maps the error of a headless run to an exit status: interruptions, panics and
// failed expectations pass through, anything else is a usage error.
func stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return headless.ErrInterrupted
	}
	var panicked *vtime.PanicError
	var failed *scenario.Failure
	if err == nil || errors.Is(err, headless.ErrInterrupted) || errors.As(err, &panicked) || errors.As(err, &failed) {
		return err
	}
	return usageError{err}
}

// terminal returns the terminal to show progress on, nil if there is none.
func terminal() io.Writer {
	if !term.IsTerminal(os.Stderr.Fd()) {
		return nil
	}
	return os.Stderr
}
