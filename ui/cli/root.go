package cli

import (
	"context"
	"errors"
	"fmt"
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
	"capsize/ui/plain"
	"capsize/ui/source"
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

// Main runs the program with the arguments of a command line, and returns its exit
// status.
func Main(args []string) int {
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
	if errors.As(err, &usageError{}) || errors.As(err, &source.RecordingError{}) {
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
		if err := configureFlags(cmd.Flags()); err != nil {
			return usageError{err}
		}
		return nil
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	cmd.SetVersionTemplate("capsize {{.Version}}\n")
	defaults := cluster.DefaultSettings()
	fs := cmd.Flags()
	fs.IntVarP(&f.nodes, "nodes", "n", 5, "how many nodes, 1 to 99")
	fs.StringVar(&f.storage, "storage", defaults.Storage, "where nodes keep their data: bolt or memory")
	fs.StringVar(&f.dir, "data", "", "keep the nodes' files in this directory (default: a temporary one)")
	fs.Int64Var(&f.seed, "seed", defaults.Seed, "what all chance of capsize itself is drawn from")
	f.addTrace(fs)
	fs.StringArrayVar(&f.set, "set", nil, "KEY=VALUE: "+strings.Join(cluster.SettingKeys(), ", "))
	f.addScreen(fs)
	complete(cmd)
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(playCommand(), replayCommand(), recordCommand(), runCommand(), soakCommand(), exportCommand(), scenariosCommand(), commandsCommand())
	return cmd
}

// addScreen adds the flags of a screen that somebody sits at.
func (f *flags) addScreen(fs *pflag.FlagSet) {
	addOptions(&f.screen, fs)
	f.screen.ConfigDir = configDir()
	fs.BoolVar(&f.plain, "plain", false, "one line per event instead of a screen")
}

// addTrace adds the flag of a recording of what a screen shows.
func (f *flags) addTrace(fs *pflag.FlagSet) {
	fs.StringVar(&f.screen.Trace, "trace", "", "write all that happens to this file, for capsize replay, but for branches and scenarios opened later; compressed if its name ends in .gz")
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
	f.addTrace(cmd.Flags())
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
			isPlain := f.isPlain()
			if err := f.screen.Prepare(isPlain); err != nil {
				return usageError{err}
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP, syscall.SIGTERM, os.Interrupt)
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
	isPlain := f.isPlain()
	if err := f.screen.Prepare(isPlain); err != nil {
		return usageError{err}
	}
	cfg.HistoryBudget = f.screen.HistoryMB << 20
	if cfg.Record, err = f.screen.Record(cfg.Settings.Seed); err != nil {
		return usageError{err}
	}
	if cfg.Record != nil {
		defer func() { err = errors.Join(err, cfg.Record.Close()) }()
	}
	c, err := cluster.Open(cfg)
	if err != nil {
		return usageError{err}
	}
	defer func() { err = errors.Join(err, c.CloseWithin(closeWithin)) }()
	if cfg.Record != nil {
		// The last verdicts are of its history; how the cluster is taken down is not.
		defer func() {
			c.AwaitVerdicts()
			err = errors.Join(err, cfg.Record.Close())
		}()
	}
	if isPlain {
		err := plain.Run(ctx, c, plain.Options{Speed: f.screen.Speed, Lang: f.screen.Lang, Script: f.screen.Script}, cmd.InOrStdin(), cmd.OutOrStdout())
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
	cfg := cluster.Config{Nodes: f.nodes, Dir: f.dir, Settings: cluster.DefaultSettings()}
	cfg.Settings.Storage, cfg.Settings.Seed = f.storage, f.seed
	if f.nodes < 1 || f.nodes > cluster.NodesMax {
		return cfg, fmt.Errorf("--nodes %d: a cluster has 1 to %d nodes", f.nodes, cluster.NodesMax)
	}
	if f.dir != "" && f.storage != cluster.Bolt {
		return cfg, fmt.Errorf("--data %s: only --storage %s keeps files", f.dir, cluster.Bolt)
	}
	if err := cluster.ApplySettings(&cfg.Settings, f.set); err != nil {
		return cfg, fmt.Errorf("--set %w", err)
	}
	if err := cluster.ValidateSettings(cfg.Settings); err != nil {
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
