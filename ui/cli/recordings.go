package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"capsize/cluster/engine"
	"capsize/cluster/engine/exact"
	"capsize/cluster/scenario"
	"capsize/ui"
	"capsize/ui/plain"
	"capsize/ui/record"
)

func replayCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Open the playground on a recording made with --trace, even while it is being written",
		Args:  from(1, 1, "a recording"),
		RunE: func(cmd *cobra.Command, args []string) error {
			isPlain := f.isPlain()
			if err := f.screen.Prepare(isPlain); err != nil {
				return usageError{err}
			}
			f.screen.Open = engine.OpenNative
			ctx, stop := interruptible(cmd)
			defer stop()
			if f.exact {
				if done, err := repeatExactly(ctx, cmd, args[0], f, isPlain); done {
					return err
				}
			}
			if isPlain {
				return plain.Replay(args[0], cmd.OutOrStdout())
			}
			return ui.Replay(ctx, args[0], f.screen)
		},
	}
	f.addScreen(cmd.Flags())
	cmd.Flags().BoolVar(&f.exact, "exact", false, "run an exact recording anew, and compare the events")
	complete(cmd)
	return cmd
}

// repeatExactly runs a recording anew and, if all its events are the same, shows the cluster at its
// end. It is not done if the recording is of another version: then it can only be replayed.
func repeatExactly(ctx context.Context, cmd *cobra.Command, name string, f flags, isPlain bool) (done bool, err error) {
	recorded, err := exact.ReadRecorded(name, nil)
	if err != nil {
		return true, usageError{err}
	}
	program, err := exact.Load(ctx, cmd.ErrOrStderr())
	if err != nil {
		return true, stopped(err)
	}
	defer func() { err = errors.Join(err, program.Close()) }()
	again, err := program.Repeat(ctx, recorded, f.screen.HistoryMB<<20)
	switch {
	case errors.Is(err, exact.ErrOtherVersion):
		_, err = fmt.Fprintf(cmd.ErrOrStderr(), "capsize: %v: replaying the events only\n", err)
		return false, err
	case err != nil:
		return true, stopped(err)
	case again.Engine == nil:
		_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s: event %d differs: recorded was %s, now it is %s\n", name, again.Events+1, again.Recorded, again.Now)
		return true, errFailed
	}
	if isPlain {
		_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s: all %d events are the same\n", name, again.Events)
		return true, again.Engine.Close()
	}
	f.screen.Open, f.screen.Speed = program.Open, 0
	return true, show(ctx, cmd, again.Engine, f, false)
}

func recordCommand() *cobra.Command {
	var f flags
	var r record.Options
	cmd := &cobra.Command{
		Use:               "record SCENARIO|TRACE -o FILE",
		Short:             "Render a scenario or a --trace recording as an asciicast (.cast) or an animation (.svg)",
		Args:              from(1, 1, "a scenario or a trace"),
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.Validate(); err != nil {
				return usageError{err}
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			engines, err := openEngines(ctx, f.engineFlags, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { _ = engines.close() }() // the run has ended
			return stopped(r.Record(ctx, engines.open, args[0], func() (*scenario.Script, error) { return f.load(cmd, args[0]) }))
		},
	}
	addRecording(&r, cmd.Flags())
	f.addSeed(cmd)
	f.add(cmd.Flags())
	complete(cmd)
	return cmd
}
