package cli

import (
	"github.com/spf13/cobra"

	"capsize/cluster/scenario"
)

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
		Short: "Print the reference of the command language",
		Args:  from(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return scenario.WriteReference(cmd.OutOrStdout())
		},
	}
}
