package cli

import (
	"github.com/spf13/cobra"

	"capsize/cluster/scenario"
	"capsize/ui/record"
)

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
			engines, err := openEngines(ctx, f.exact, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { _ = engines.close() }() // the run has ended
			return stopped(r.Record(ctx, engines.open, args[0], func() (*scenario.Script, error) { return f.load(cmd, args[0]) }))
		},
	}
	addRecording(&r, cmd.Flags())
	f.addSeed(cmd)
	addExact(&f.exact, cmd.Flags())
	complete(cmd)
	return cmd
}
