package cli

import (
	"github.com/spf13/cobra"

	"capsize/ui"
	"capsize/ui/plain"
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
			ctx, stop := interruptible(cmd)
			defer stop()
			if isPlain {
				return plain.Replay(args[0], cmd.OutOrStdout())
			}
			return ui.Replay(ctx, args[0], f.screen)
		},
	}
	f.addScreen(cmd.Flags())
	complete(cmd)
	return cmd
}
