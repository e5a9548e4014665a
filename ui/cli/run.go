package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/vtime"
)

func runCommand() *cobra.Command {
	var batch scenario.Batch
	var f flags
	var asJSON, verbose bool
	cmd := &cobra.Command{
		Use:   "run SCENARIO...",
		Short: "Run scenarios without a screen, in virtual time, as fast as it goes",
		Long: `Run scenarios, built-in ones by name or files, without a screen, in virtual
time, as fast as it goes, and side by side.

The exit status is 0 if all expectations hold and no check is violated but those
that a scenario announces, 1 if not, and 2 if a file has a mistake or a run cannot
start.`,
		Args:              from(1, math.MaxInt, "a scenario"),
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := batch.Validate(); err != nil {
				return usageError{err}
			}
			// A mistake in the last file is found before the first one runs.
			for _, name := range args {
				script, err := f.load(cmd, name)
				if err != nil {
					return err
				}
				batch.Scripts = append(batch.Scripts, script)
			}
			if verbose {
				batch.Steps = cmd.ErrOrStderr()
			} else {
				batch.Terminal = terminal()
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			scenario.TuneRuntime(len(batch.Scripts) * batch.Repeat)
			results, err := batch.Run(ctx)
			return report(cmd, asJSON, results, err)
		},
	}
	fs := cmd.Flags()
	fs.BoolVar(&asJSON, "json", false, "print one JSON object for each run")
	fs.IntVar(&batch.Repeat, "repeat", 1, "run each of them so often: with its seed, and the ones after it")
	f.addSeed(cmd)
	fs.StringVar(&batch.Trace, "trace", "", "write all that happens to this file, as lines of JSON; compressed if its name ends in .gz")
	fs.BoolVarP(&verbose, "verbose", "v", false, "tell of each step as it is carried out")
	return cmd
}

func soakCommand() *cobra.Command {
	var soak scenario.SoakConfig
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "soak",
		Short: "Do random harm to a cluster under load, without a screen, and verify what it told its clients",
		Args:  from(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := soak.Validate(); err != nil {
				return usageError{err}
			}
			soak.Terminal = terminal()
			ctx, stop := interruptible(cmd)
			defer stop()
			scenario.TuneRuntime(1)
			result, err := scenario.Soak(ctx, soak)
			if err != nil && !errors.Is(err, scenario.ErrInterrupted) {
				return report(cmd, asJSON, nil, err)
			}
			return report(cmd, asJSON, []scenario.Result{result}, err)
		},
	}
	fs := cmd.Flags()
	fs.DurationVar(&soak.For, "for", time.Hour, "how long, in virtual time")
	fs.IntVar(&soak.Nodes, "nodes", 5, "how many nodes, 1 to 99")
	fs.Int64Var(&soak.Seed, "seed", cluster.DefaultSettings().Seed, "what chance is drawn from")
	fs.StringSliceVar(&soak.Chaos, "chaos", scenario.ChaosKinds(), "which kinds of harm are done, none if empty")
	fs.BoolVar(&asJSON, "json", false, "print a JSON object")
	fs.StringVar(&soak.Trace, "trace", "", "write all that happens to this file, as lines of JSON; compressed if its name ends in .gz")
	complete(cmd)
	return cmd
}

// report prints what came of runs, and turns it into how the program ends.
func report(cmd *cobra.Command, asJSON bool, results []scenario.Result, err error) error {
	write := scenario.WriteTable
	if asJSON {
		write = scenario.WriteJSON
	}
	if wrong := write(cmd.OutOrStdout(), results); wrong != nil {
		return usageError{fmt.Errorf("writing the results: %w", wrong)}
	}
	if err == nil && !scenario.AllOK(results) {
		return errFailed
	}
	return stopped(err)
}

// stopped says why something ended that ran without a screen: all but what it was
// itself, or whoever started it, is a reason not to have started it.
func stopped(err error) error {
	var panicked *vtime.PanicError
	var failed *scenario.Failure
	if err == nil || errors.Is(err, scenario.ErrInterrupted) || errors.As(err, &panicked) || errors.As(err, &failed) {
		return err
	}
	return usageError{err}
}

func scenariosCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "scenarios [NAME]",
		Short:             "List the built-in scenarios, or print one",
		Args:              from(0, 1, ""),
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return scenario.WriteList(cmd.OutOrStdout())
			}
			text, err := scenario.Print(args[0])
			if err != nil {
				return usageError{err}
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}

func commandsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "commands",
		Short: "Print the reference of the commands of scenarios and of the prompt",
		Args:  from(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return scenario.WriteReference(cmd.OutOrStdout())
		},
	}
}

// terminal returns the terminal that progress is shown on, nil if there is none.
func terminal() io.Writer {
	if !term.IsTerminal(os.Stderr.Fd()) {
		return nil
	}
	return os.Stderr
}
