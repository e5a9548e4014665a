package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
)

func soakCommand() *cobra.Command {
	soak := headless.SoakConfig{Settings: cluster.DefaultSettings()}
	soak.Settings.Storage = cluster.Memory
	var asJSON, isExact bool
	var set []string
	cmd := &cobra.Command{
		Use:   "soak",
		Short: "Run random faults under load, headless, and check every safety property",
		Args:  from(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cluster.ApplySettings(&soak.Settings, set); err != nil {
				return usageError{fmt.Errorf("--set %w", err)}
			}
			if err := soak.Validate(); err != nil {
				return usageError{err}
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			engines, err := openEngines(ctx, isExact, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { _ = engines.close() }() // the run has ended
			soak.Open, soak.Exact, soak.Terminal = engines.open, engines.version, terminal()
			headless.TuneRuntime(1)
			result, err := headless.Soak(ctx, soak)
			if err != nil && !errors.Is(err, headless.ErrInterrupted) {
				return report(cmd, asJSON, nil, err)
			}
			return report(cmd, asJSON, []headless.Result{result}, err)
		},
	}
	fs := cmd.Flags()
	fs.DurationVar(&soak.For, "for", time.Hour, "duration in virtual time")
	fs.IntVar(&soak.Nodes, "nodes", 5, "number of nodes, 1 to 99")
	fs.Int64Var(&soak.Settings.Seed, "seed", cluster.DefaultSettings().Seed, "seed of the faults")
	fs.StringArrayVar(&set, "set", nil, "KEY=VALUE: "+strings.Join(cluster.SettingKeys(), ", "))
	fs.StringSliceVar(&soak.Chaos, "chaos", scenario.ChaosKinds(), "kinds of faults, none if empty")
	fs.BoolVar(&asJSON, "json", false, "print one JSON object")
	fs.StringVar(&soak.Trace, "trace", "", "record every event in this file, as JSON lines; .gz compresses")
	addExact(&isExact, fs)
	complete(cmd)
	return cmd
}
