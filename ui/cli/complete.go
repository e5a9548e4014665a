package cli

import (
	"github.com/spf13/cobra"

	"capsize/cluster"
	"capsize/cluster/scenario"
)

// completeScenario completes the name of a built-in scenario.
func completeScenario(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return scenario.Names(), cobra.ShellCompDirectiveDefault
}

// complete registers the completions of a command's flags.
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
