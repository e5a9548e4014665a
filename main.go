// Capsize is an interactive terminal playground for Raft: real hashicorp/raft
// nodes in one process, in virtual time, over a network and disks that break at
// the press of a key.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"capsize/cluster"
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
	fmt.Fprintf(os.Stderr, "capsize: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	// A panic is a mistake of ours: whoever reports it needs to say where it was.
	var panicked *vtime.PanicError
	if errors.As(err, &panicked) {
		fmt.Fprintf(os.Stderr, "%s", panicked.Stack)
	}
	if errors.As(err, &usageError{}) {
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
	speed   string
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
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("%q is no command: capsize --help shows what there is", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return play(cmd, f)
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	cmd.SetVersionTemplate("capsize {{.Version}}\n")
	defaults := cluster.Defaults()
	fs := cmd.Flags()
	fs.IntVarP(&f.nodes, "nodes", "n", 5, "how many nodes, 1 to 99")
	fs.StringVar(&f.storage, "storage", defaults.Storage, "where nodes keep their data: bolt or memory")
	fs.StringVar(&f.dir, "data", "", "keep the nodes' files in this directory (default: a temporary one)")
	fs.Int64Var(&f.seed, "seed", defaults.Seed, "what all chance of capsize itself is drawn from")
	fs.StringVar(&f.speed, "speed", "1", "how fast time runs: a factor, a fraction like 1/10, 0 to start paused, or max")
	fs.StringArrayVar(&f.set, "set", nil, "KEY=VALUE: "+strings.Join(cluster.SettingKeys(), ", "))
	fs.StringVar(&f.screen.Theme, "theme", "", strings.Join(ui.ThemeNames(), ", ")+" (default: by the terminal's background)")
	fs.BoolVar(&f.screen.ASCII, "ascii", false, "draw with ASCII characters only")
	fs.BoolVar(&f.plain, "plain", false, "one line per event instead of a screen")
	return cmd
}

// play runs the playground.
func play(cmd *cobra.Command, f flags) (err error) {
	cfg, err := f.config(cmd)
	if err != nil {
		return usageError{err}
	}
	// A closed terminal hangs up; Bubble Tea looks after the other signals, but
	// only once it runs.
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP, syscall.SIGTERM, os.Interrupt)
	defer stop()
	// Whoever reads what this writes may have had enough: that is a reason to
	// quit, and not to die with a directory left behind.
	signal.Ignore(syscall.SIGPIPE)
	c, err := cluster.Open(cfg)
	if err != nil {
		return usageError{err}
	}
	defer func() { err = errors.Join(err, closeCluster(c)) }()
	// The first election runs as fast as it goes, so that there is something to see.
	c.AwaitLeader(firstElection)
	if f.plain || !term.IsTerminal(os.Stdout.Fd()) {
		err := ui.RunPlain(ctx, c, f.screen, cmd.OutOrStdout())
		if errors.Is(err, syscall.EPIPE) {
			return nil
		}
		return err
	}
	return ui.Run(ctx, c, f.screen)
}

// firstElection is the virtual time within which the screen starts, with a
// leader or without.
const firstElection = 10 * time.Second

// closeWithin is the real time a cluster gets to end: whoever quits wants to
// have quit.
const closeWithin = 4 * time.Second

func closeCluster(c *cluster.Cluster) error {
	closed := make(chan error, 1)
	go func() { closed <- c.Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(closeWithin):
		return fmt.Errorf("the cluster did not end within %s", closeWithin)
	}
}

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
	for _, s := range f.set {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return cfg, fmt.Errorf("--set %s: it must be KEY=VALUE, like election=2s", s)
		}
		if err := cluster.Set(&cfg.Settings, strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
			return cfg, fmt.Errorf("--set %s: %w", s, err)
		}
	}
	if err := cluster.Check(cfg.Settings); err != nil {
		return cfg, err
	}
	var err error
	if f.screen.Speed, err = parseSpeed(f.speed); err != nil {
		return cfg, fmt.Errorf("--speed %s: %w", f.speed, err)
	}
	if err := f.screen.Check(); err != nil {
		return cfg, fmt.Errorf("--theme: %w", err)
	}
	if !cmd.Flags().Changed("nodes") {
		cfg.Nodes, cfg.DefaultNodes = 0, f.nodes
	}
	return cfg, nil
}

// parseSpeed reads a speed: a factor, a fraction, or max.
func parseSpeed(s string) (float64, error) {
	if s == "max" {
		return vtime.Max, nil
	}
	numerator, denominator, isFraction := strings.Cut(s, "/")
	speed, err := strconv.ParseFloat(numerator, 64)
	if err == nil && isFraction {
		var divisor float64
		divisor, err = strconv.ParseFloat(denominator, 64)
		speed /= divisor
	}
	if err != nil || !(speed >= 0 && speed <= 10_000) || (speed > 0 && speed < 1e-4) {
		return 0, errors.New("it must be 0, a factor from 0.0001 to 10000, a fraction like 1/10, or max")
	}
	return speed, nil
}

// version returns the version this program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
