package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"capsize/cluster/check"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/scenario/shrink"
)

func shrinkCommand() *cobra.Command {
	var f flags
	var output string
	var cfg shrink.Config
	cmd := &cobra.Command{
		Use:   "shrink SCENARIO",
		Short: "Reduce a failing scenario to the few commands that matter",
		Long: `Reduce a failing scenario to the few commands that matter. Each candidate is an exact
run, and must fail with the same check. Random faults (soak, chaos) become the commands
that set them; then commands, nodes, operands and durations go as far as they can.

The check is the first one that is violated without an "expect violation", or else the
first one with it. If none is violated, the command that fails must keep failing.

The result expects the violation, so "run" and "play" pass with it. A comment says with
how many of 20 seeds it fails. An interrupt writes the shortest scenario so far,
which may violate more than it expects.

The exit status is 0 if the result is as short as it gets, 1 if the scenario does not fail
or after an interrupt, and 2 for a usage error or a file that cannot be used.`,
		Example: `  capsize shrink heartbeat-divergence
  capsize shrink found/17.capsize -o 17.capsize && capsize play 17.capsize --exact`,
		Args:              from(1, 1, "a scenario"),
		ValidArgsFunction: completeScenario,
		RunE: func(cmd *cobra.Command, args []string) error {
			script, err := f.load(cmd, args[0])
			if err != nil {
				return err
			}
			if err := checkShrink(cfg, args[0], output); err != nil {
				return usageError{err}
			}
			ctx, stop := interruptible(cmd)
			defer stop()
			engines, err := openEngines(ctx, engineFlags{exact: true}, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { _ = engines.close() }() // the runs have ended
			headless.TuneRuntime(cfg.Jobs)
			cfg.Run, cfg.Terminal = shrink.Exact(engines.open), terminal()
			result, err := shrink.Shrink(ctx, cfg, script)
			if err != nil {
				return shrinkError(args[0], err)
			}
			return writeShrunk(cmd, result, args[0], output)
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&output, "output", "o", "", "the file to write (default: standard output)")
	f.addSeed(cmd)
	fs.IntVar(&cfg.Jobs, "jobs", runtime.GOMAXPROCS(0), "how many candidates to run at once")
	fs.StringVar(&cfg.Check, "check", "", "the check whose violation to keep (default: the first one)")
	_ = cmd.RegisterFlagCompletionFunc("check", cobra.FixedCompletions(check.Names(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// checkShrink validates the flags, and the file to write, before anything runs.
func checkShrink(cfg shrink.Config, input, output string) error {
	if cfg.Jobs < 1 || cfg.Jobs > headless.JobsMax {
		return fmt.Errorf("--jobs %d: must be from 1 to %d", cfg.Jobs, headless.JobsMax)
	}
	if cfg.Check != "" && !slices.Contains(check.Names(), cfg.Check) {
		return fmt.Errorf("--check %s: unknown check; use %s", cfg.Check, strings.Join(check.Names(), ", "))
	}
	if output == "" {
		return nil
	}
	read, err := os.Stat(input)
	there, wrong := os.Stat(output)
	switch {
	case err == nil && wrong == nil && os.SameFile(read, there):
		return fmt.Errorf("-o %s: is the scenario itself; choose another file", output)
	case wrong == nil && there.IsDir():
		return fmt.Errorf("-o %s: is a directory; choose a file", output)
	}
	probe, err := os.CreateTemp(filepath.Dir(output), ".capsize-*")
	if err != nil {
		return fmt.Errorf("-o %w", scenario.FileError(output, err))
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// shrinkError turns the error of a reduction into how the program ends.
func shrinkError(name string, err error) error {
	if errors.Is(err, shrink.ErrPasses) || errors.Is(err, shrink.ErrFixed) {
		return fmt.Errorf("%s: %w", name, err)
	}
	return stopped(err)
}

// writeShrunk writes a result, to standard output or a file. A file is complete or as it was.
func writeShrunk(cmd *cobra.Command, r *shrink.Result, input, output string) error {
	var err error
	if output == "" {
		_, err = fmt.Fprint(cmd.OutOrStdout(), r.Text)
	} else {
		err = replaceFile(output, r.Text)
	}
	if err != nil {
		return usageError{fmt.Errorf("writing the scenario: %w", err)}
	}
	_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", input, r)
	if r.Interrupted {
		return fmt.Errorf("%w: the scenario is the shortest so far", headless.ErrInterrupted)
	}
	return nil
}

// replaceFile writes a file by way of another one, so that an error leaves what was there. What is
// no file, such as a pipe, it writes to.
func replaceFile(name, text string) error {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		if err := os.WriteFile(name, []byte(text), 0); err != nil {
			return scenario.FileError(name, err)
		}
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".capsize-*")
	if err != nil {
		return scenario.FileError(name, err)
	}
	_, err = file.WriteString(text)
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(scenario.FileError(name, err), os.Remove(file.Name()))
	}
	return nil
}
