package cli

import (
	"github.com/spf13/cobra"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/ui/record"
)

func recordCommand() *cobra.Command {
	var f flags
	var r record.Options
	cmd := &cobra.Command{
		Use:               "record SCENARIO|TRACE -o FILE",
		Short:             "Record a scenario, or what --trace has written, without a screen, as an asciicast (.cast) or a moving picture (.svg)",
		Args:              from(1, 1, "a scenario or a trace"),
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.Validate(); err != nil {
				return usageError{err}
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			return stopped(r.Record(ctx, args[0], func() (*scenario.Script, error) { return f.load(cmd, args[0]) }))
		},
	}
	addRecording(&r, cmd.Flags())
	f.addSeed(cmd)
	complete(cmd)
	return cmd
}

// complete has the shell complete the values of a command's flags.
func complete(cmd *cobra.Command) {
	all := flagValues()
	all["storage"], all["chaos"] = []string{cluster.Bolt, cluster.Memory}, scenario.ChaosKinds()
	for name, values := range all {
		if cmd.Flags().Lookup(name) != nil {
			_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
	}
	if cmd.Flags().Lookup("set") != nil {
		_ = cmd.RegisterFlagCompletionFunc("set", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			keys := cluster.SettingKeys()
			for i := range keys {
				keys[i] += "="
			}
			return keys, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		})
	}
}
