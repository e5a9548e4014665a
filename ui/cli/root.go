// Package cli is the command line of capsize: one file a command, the flags, the
// configuration file, and the exit status. It opens a cluster or a recording and hands
// it to the screen (ui), to plain output (ui/plain) or to a headless run.
//
// Everything a user got wrong is found before anything starts, and is reported as one
// line on standard error. Two tests of the whole project live here, because this
// package stands above all others: arrows_test.go holds which package may import
// which, tidy_test.go the sizes of the code and the names at the top level.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"capsize/cluster"
	"capsize/cluster/machines"
	"capsize/cluster/vtime"
	"capsize/ui/source"
)

// Exit statuses.
const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is a reason not to start: a mistake on the command line, a bad file or a
// directory that cannot be used. Its exit status is exitUsage.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errFailed says that an expectation or a check did not hold.
var errFailed = errors.New("a run failed")

// Main runs the program with the arguments of a command line, and returns its exit
// status.
func Main(args []string) int {
	if machines.IsChild() {
		return exitOf(machines.RunChild())
	}
	cmd := newCommand()
	cmd.SetArgs(args)
	return exitOf(cmd.Execute())
}

// exitOf tells the user about an error, and returns the exit status.
func exitOf(err error) int {
	if err == nil {
		return 0
	}
	// The results have named the failures already.
	if errors.Is(err, errFailed) {
		return exitFailed
	}
	fmt.Fprintf(os.Stderr, "capsize: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	// A panic is a bug in capsize: the stack belongs in the bug report.
	var panicked *vtime.PanicError
	if errors.As(err, &panicked) {
		fmt.Fprintf(os.Stderr, "%s", panicked.Stack)
	}
	if errors.As(err, &usageError{}) || errors.As(err, &source.RecordingError{}) {
		return exitUsage
	}
	return exitFailed
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
			return usageError{fmt.Errorf("unknown command %q%s; run \"capsize --help\" for the list", args[0], hint)}
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := f.config(cmd)
			if err != nil {
				return usageError{err}
			}
			return playground(cmd, cfg, f)
		},
	}
	cmd.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		// A recording may hold captions in any language.
		if name := cmd.Name(); name == "capsize" || name == "play" || name == "learn" {
			if err := checkLanguage(cmd.Flags(), strings.Join(args, "")); err != nil {
				return usageError{err}
			}
		}
		// The configuration only applies to commands that draw a screen.
		if cmd.Flags().Lookup("plain") == nil {
			return nil
		}
		if err := configureFlags(cmd.Flags()); err != nil {
			return usageError{err}
		}
		return nil
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{flagError(err)} })
	cmd.SetVersionTemplate("capsize {{.Version}}\n")
	defaults := cluster.DefaultSettings()
	fs := cmd.Flags()
	fs.IntVarP(&f.nodes, "nodes", "n", 5, "number of nodes, 1 to 99")
	fs.StringVar(&f.storage, "storage", defaults.Storage, "where nodes keep their data: bolt or memory")
	fs.StringVar(&f.dir, "data", "", "keep the nodes' files in this directory (default: a temporary one)")
	fs.Int64Var(&f.seed, "seed", defaults.Seed, "seed of capsize's own random choices")
	f.addTrace(fs)
	f.add(fs)
	fs.StringArrayVar(&f.set, "set", nil, "KEY=VALUE: "+strings.Join(cluster.SettingKeys(), ", "))
	f.addScreen(fs)
	f.addRoom(fs)
	complete(cmd)
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(playCommand(), learnCommand(), attachCommand(), replayCommand(), recordCommand(), runCommand(), soakCommand(), shrinkCommand(), huntCommand(), exportCommand(), scenariosCommand(), commandsCommand(), nodeCommand())
	return cmd
}

// from returns a check of the number of arguments; what names the first missing one.
func from(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usageError{fmt.Errorf("missing %s: %s", what, cmd.UseLine())}
		case len(args) > most:
			return usageError{fmt.Errorf("unexpected argument %q: %s", args[most], cmd.UseLine())}
		}
		return nil
	}
}

// interruptGrace is how much real time a command gets to end after an interrupt.
const interruptGrace = 10 * time.Second

// interruptible returns a context that the first interrupt cancels, so a command can
// finish cleanly. A second interrupt kills the program, and so does a command that does
// not finish within interruptGrace. The caller calls ended when the command has ended.
func interruptible(cmd *cobra.Command) (ctx context.Context, ended context.CancelFunc) {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP, syscall.SIGTERM, os.Interrupt)
	return ctx, endWithGrace(ctx, stop, func() {
		fmt.Fprintf(os.Stderr, "capsize: interrupted, but still busy after %s: giving up\n", interruptGrace)
		os.Exit(exitFailed)
	})
}

// endWithGrace stops handling signals when ctx ends. If ended is not called within
// interruptGrace after that, it calls giveUp.
func endWithGrace(ctx context.Context, stop, giveUp func()) (ended context.CancelFunc) {
	done := make(chan struct{})
	context.AfterFunc(ctx, func() {
		stop()
		select {
		case <-done:
		case <-time.After(interruptGrace):
			giveUp()
		}
	})
	return sync.OnceFunc(func() {
		close(done)
		stop()
	})
}

// version returns the version that the program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
