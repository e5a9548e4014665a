package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/engine/exact"
	"capsize/cluster/scenario/headless"
	"capsize/ui"
	"capsize/ui/plain"
	"capsize/ui/source"
)

func playCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:               "play SCENARIO",
		Short:             "Open the playground with a scenario on stage",
		Args:              from(1, 1, "a scenario"),
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			script, err := f.load(cmd, args[0])
			if err != nil {
				return err
			}
			f.screen.Script = script
			return playground(cmd, cluster.Config{Nodes: script.Nodes, Settings: script.Settings}, f)
		},
	}
	f.addScreen(cmd.Flags())
	complete(cmd)
	f.addSeed(cmd)
	f.addTrace(cmd.Flags())
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&f.screen.Autoplay, "autoplay", false, "continue steps and skip questions automatically, once people have had time to read")
	f.addRoom(cmd.Flags())
	f.addAnswers(cmd.Flags())
	return cmd
}

// playground opens a cluster and shows it.
func playground(cmd *cobra.Command, cfg cluster.Config, f flags) error {
	return onScreen(cmd, f, func(ctx context.Context) (engines, cluster.Config, error) {
		if f.exact && (cfg.Dir != "" || cfg.Settings.Storage != cluster.Memory) {
			return engines{}, cfg, usageError{exact.ErrStorage}
		}
		engines, err := openEngines(ctx, f.engineFlags, cmd.ErrOrStderr())
		return engines, cfg, err
	})
}

// onScreen opens the cluster that prepare returns, and shows it.
func onScreen(cmd *cobra.Command, f flags, prepare func(context.Context) (engines, cluster.Config, error)) (err error) {
	// A closed terminal sends SIGHUP. Bubble Tea handles the other signals, but only
	// once it runs.
	ctx, stop := interruptible(cmd)
	defer stop()
	// A closed pipe must end capsize with EPIPE, which lets it remove its directory.
	signal.Ignore(syscall.SIGPIPE)
	isPlain := f.isPlain()
	if err := errors.Join(f.check(), f.checkSpeed(cmd.Flags(), f.screen.Speed)); err != nil {
		return usageError{err}
	}
	if err := f.screen.Prepare(isPlain); err != nil {
		return usageError{err}
	}
	engines, cfg, err := prepare(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engines.close()) }()
	cfg.HistoryBudget = f.screen.HistoryMB << 20
	if cfg.Record, err = f.screen.Record(engines.header(cfg, !isPlain)); err != nil {
		return usageError{err}
	}
	if cfg.Record != nil {
		defer func() { err = errors.Join(err, cfg.Record.Close()) }()
	}
	f.screen.Open, f.screen.Processes = engines.open, f.processes && cfg.Machines == nil // attached nodes run one cluster only
	e, err := engines.open(cfg, engine.Options{Attended: !isPlain, Ends: isPlain && f.screen.Script != nil})
	if err != nil {
		return usageError{err}
	}
	if e.Mode() == engine.ProcessesMode {
		headless.TuneRuntime(1) // the nodes are what needs the processor
	}
	source.LimitMemory(1, f.screen.HistoryMB, cmp.Or(cfg.Nodes, cfg.DefaultNodes), e.Mode())
	return show(ctx, cmd, e, f, isPlain)
}

// show shows a running cluster until the user quits, and closes it.
func show(ctx context.Context, cmd *cobra.Command, e engine.Engine, f flags, isPlain bool) (err error) {
	defer func() {
		err = engine.JoinClose(err, engine.CloseWithin(e, closeWithin))
		if remark := e.Remark(); remark != "" {
			_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "capsize: %s\n", remark)
		}
	}()
	if isPlain {
		err := plain.Run(ctx, e, plain.Options{Speed: f.screen.Speed, Lang: f.screen.Lang, Script: f.screen.Script}, cmd.InOrStdin(), cmd.OutOrStdout())
		if errors.Is(err, syscall.EPIPE) {
			return nil
		}
		return err
	}
	return ui.Run(ctx, e, f.screen)
}

// closeWithin is how much real time a cluster gets to shut down when the user quits.
const closeWithin = 8 * time.Second
