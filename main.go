// Capsize is an interactive terminal playground for Raft: real hashicorp/raft
// nodes in one process, in virtual time, over a network and disks that break at
// the press of a key.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/vtime"
	"capsize/ui"
)

// Exit statuses.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a reason not to start at all: a mistake on the command line, or
// a directory that cannot be used.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errFailed says that an expectation or a check did not hold.
var errFailed = errors.New("a run failed")

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	cmd := newCommand()
	cmd.SetArgs(args)
	err := cmd.Execute()
	if err == nil {
		return 0
	}
	// What failed stands in the results already.
	if errors.Is(err, errFailed) {
		return exitFailed
	}
	fmt.Fprintf(os.Stderr, "capsize: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	// A panic is a mistake of ours: whoever reports it needs to say where it was.
	var panicked *vtime.PanicError
	if errors.As(err, &panicked) {
		fmt.Fprintf(os.Stderr, "%s", panicked.Stack)
	}
	if errors.As(err, &usageError{}) || errors.As(err, &ui.RecordingError{}) {
		return exitUsage
	}
	return exitFailed
}

// flags are the command line's.
type flags struct {
	nodes   int
	dir     string
	storage string
	seed    int64
	set     []string
	plain   bool
	screen  ui.Options
}

func newCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:           "capsize",
		Short:         "Try to capsize a Raft cluster, from your keyboard",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			hint := ""
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				hint = fmt.Sprintf(" (did you mean %s?)", near[0])
			}
			return usageError{fmt.Errorf("%q is no command%s: capsize --help shows what there is", args[0], hint)}
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := f.config(cmd)
			if err != nil {
				return usageError{err}
			}
			return playground(cmd, cfg, f)
		},
	}
	cmd.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		// Only what has a screen looks as its user likes it.
		if cmd.Flags().Lookup("plain") == nil {
			return nil
		}
		if err := ui.Configure(cmd.Flags()); err != nil {
			return usageError{err}
		}
		return nil
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	cmd.SetVersionTemplate("capsize {{.Version}}\n")
	defaults := cluster.Defaults()
	fs := cmd.Flags()
	fs.IntVarP(&f.nodes, "nodes", "n", 5, "how many nodes, 1 to 99")
	fs.StringVar(&f.storage, "storage", defaults.Storage, "where nodes keep their data: bolt or memory")
	fs.StringVar(&f.dir, "data", "", "keep the nodes' files in this directory (default: a temporary one)")
	fs.Int64Var(&f.seed, "seed", defaults.Seed, "what all chance of capsize itself is drawn from")
	fs.StringVar(&f.screen.Trace, "trace", "", "write all that happens to this file, for capsize replay; compressed if its name ends in .gz")
	fs.StringArrayVar(&f.set, "set", nil, "KEY=VALUE: "+strings.Join(cluster.SettingKeys(), ", "))
	f.addScreen(fs)
	complete(cmd)
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(playCommand(), replayCommand(), recordCommand(), runCommand(), soakCommand(), exportCommand(), scenariosCommand(), commandsCommand())
	return cmd
}

// addScreen adds the flags of a screen that somebody sits at.
func (f *flags) addScreen(fs *pflag.FlagSet) {
	f.screen.AddFlags(fs)
	f.screen.AddScreenFlags(fs)
	fs.BoolVar(&f.plain, "plain", false, "one line per event instead of a screen")
}

// isPlain says whether there is no screen: because nobody wants one, or because
// there is no terminal that could show it.
func (f *flags) isPlain() bool {
	return f.plain || os.Getenv("TERM") == "dumb" || !term.IsTerminal(os.Stdout.Fd())
}

func playCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:               "play SCENARIO",
		Short:             "The playground, with a scenario on stage",
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
	cmd.Flags().BoolVar(&f.screen.Autoplay, "autoplay", false, "steps go on by themselves, once they can have been read")
	return cmd
}

func replayCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "The playground over a recording that --trace has written, also while it is being written",
		Args:  from(1, 1, "a recording"),
		RunE: func(cmd *cobra.Command, args []string) error {
			plain := f.isPlain()
			if err := f.screen.Prepare(plain); err != nil {
				return usageError{err}
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP, syscall.SIGTERM, os.Interrupt)
			defer stop()
			if plain {
				return ui.ReplayPlain(args[0], cmd.OutOrStdout())
			}
			return ui.Replay(ctx, args[0], f.screen)
		},
	}
	f.addScreen(cmd.Flags())
	complete(cmd)
	return cmd
}

// from returns what checks how many arguments a command has; what says of what.
func from(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usageError{fmt.Errorf("%s is missing: %s", what, cmd.UseLine())}
		case len(args) > most:
			return usageError{fmt.Errorf("%q is too much: %s", args[most], cmd.UseLine())}
		}
		return nil
	}
}

// completeScenario completes the name of a built-in scenario.
func completeScenario(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return scenario.Names(), cobra.ShellCompDirectiveDefault
}

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
			if err := batch.Check(); err != nil {
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
			scenario.Tune(len(batch.Scripts) * batch.Repeat)
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
			if err := soak.Check(); err != nil {
				return usageError{err}
			}
			soak.Terminal = terminal()
			ctx, stop := interruptible(cmd)
			defer stop()
			scenario.Tune(1)
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
	fs.Int64Var(&soak.Seed, "seed", cluster.Defaults().Seed, "what chance is drawn from")
	fs.StringSliceVar(&soak.Chaos, "chaos", scenario.ChaosKinds(), "which kinds of harm are done, none if empty")
	fs.BoolVar(&asJSON, "json", false, "print a JSON object")
	fs.StringVar(&soak.Trace, "trace", "", "write all that happens to this file, as lines of JSON; compressed if its name ends in .gz")
	complete(cmd)
	return cmd
}

// addSeed adds the flag that has chance be another than a scenario says.
func (f *flags) addSeed(cmd *cobra.Command) {
	cmd.Flags().Int64Var(&f.seed, "seed", 0, "what chance is drawn from (default: what the scenario says)")
}

// load reads a scenario.
func (f *flags) load(cmd *cobra.Command, name string) (*scenario.Script, error) {
	script, err := scenario.Load(name)
	if err != nil {
		return nil, usageError{err}
	}
	if cmd.Flags().Changed("seed") {
		script.Settings.Seed = f.seed
	}
	return script, nil
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

// interruptible makes a run without a screen ready: the first interrupt has it
// end well, a second one ends it at once.
func interruptible(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP, syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// playground opens a cluster and shows it.
func playground(cmd *cobra.Command, cfg cluster.Config, f flags) (err error) {
	// A closed terminal hangs up; Bubble Tea looks after the other signals, but
	// only once it runs.
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP, syscall.SIGTERM, os.Interrupt)
	defer stop()
	// Whoever reads what this writes may have had enough: that is a reason to
	// quit, and not to die with a directory left behind.
	signal.Ignore(syscall.SIGPIPE)
	plain := f.isPlain()
	if err := f.screen.Prepare(plain); err != nil {
		return usageError{err}
	}
	cfg.HistoryBudget = f.screen.HistoryMB << 20
	c, err := cluster.Open(cfg)
	if err != nil {
		return usageError{err}
	}
	defer func() { err = errors.Join(err, c.CloseWithin(closeWithin)) }()
	if plain {
		err := ui.RunPlain(ctx, c, f.screen, cmd.InOrStdin(), cmd.OutOrStdout())
		if errors.Is(err, syscall.EPIPE) {
			return nil
		}
		return err
	}
	return ui.Run(ctx, c, f.screen)
}

// closeWithin is the real time a cluster gets to end: whoever quits wants to
// have quit.
const closeWithin = 4 * time.Second

// config checks the flags, before anything is started.
func (f *flags) config(cmd *cobra.Command) (cluster.Config, error) {
	cfg := cluster.Config{Nodes: f.nodes, Dir: f.dir, Settings: cluster.Defaults()}
	cfg.Settings.Storage, cfg.Settings.Seed = f.storage, f.seed
	if f.nodes < 1 || f.nodes > cluster.NodesMax {
		return cfg, fmt.Errorf("--nodes %d: a cluster has 1 to %d nodes", f.nodes, cluster.NodesMax)
	}
	if f.dir != "" && f.storage != cluster.Bolt {
		return cfg, fmt.Errorf("--data %s: only --storage %s keeps files", f.dir, cluster.Bolt)
	}
	if err := cluster.SetAll(&cfg.Settings, f.set); err != nil {
		return cfg, fmt.Errorf("--set %w", err)
	}
	if err := cluster.Check(cfg.Settings); err != nil {
		return cfg, err
	}
	if !cmd.Flags().Changed("nodes") {
		cfg.Nodes, cfg.DefaultNodes = 0, f.nodes
	}
	return cfg, nil
}

// version returns the version this program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
