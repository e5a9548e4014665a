package cli

import (
	"fmt"
	"os"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/ui"
)

// flags are the flags of the commands that show a screen or load a scenario.
type flags struct {
	nodes   int
	dir     string
	storage string
	seed    int64
	set     []string
	plain   bool
	screen  ui.Options
	engineFlags
}

// addScreen adds the flags of an interactive screen.
func (f *flags) addScreen(fs *pflag.FlagSet) {
	addOptions(&f.screen, fs)
	f.screen.ConfigDir = configDir()
	fs.BoolVar(&f.plain, "plain", false, "one line per event instead of a screen")
}

// addTrace adds the flag --trace of an interactive screen.
func (f *flags) addTrace(fs *pflag.FlagSet) {
	fs.StringVar(&f.screen.Trace, "trace", "", "record every event in this file, for capsize replay; not branches, nor scenarios opened later; .gz compresses")
}

// addRoom adds the flag --room of a screen that can ask questions.
func (f *flags) addRoom(fs *pflag.FlagSet) {
	fs.BoolVar(&f.screen.Room, "room", false, "answer questions for a room: type the votes, like 1:12 2:30")
}

// addAnswers adds the flag --answers of a screen that asks the questions of a scenario.
func (f *flags) addAnswers(fs *pflag.FlagSet) {
	fs.StringVar(&f.screen.Answers, "answers", "", "add the answer to each question to this file, as a line of JSON")
}

// isPlain reports whether to print lines instead of drawing a screen: on request, or
// without a terminal.
func (f *flags) isPlain() bool {
	return f.plain || os.Getenv("TERM") == "dumb" || !term.IsTerminal(os.Stdout.Fd())
}

// addSeed adds --seed, which overrides the scenario's seed.
func (f *flags) addSeed(cmd *cobra.Command) {
	cmd.Flags().Int64Var(&f.seed, "seed", 0, "seed of capsize's own random choices (default: the scenario's)")
}

// load reads a built-in scenario or a file, which must be possible with the flags.
func (f *flags) load(cmd *cobra.Command, name string) (*scenario.Script, error) {
	script, err := scenario.Load(name)
	if err != nil {
		return nil, usageError{err}
	}
	if cmd.Flags().Changed("seed") {
		script.Settings.Seed = f.seed
	}
	if f.processes {
		if err := script.CheckRealTime(); err != nil {
			return nil, usageError{err}
		}
	}
	return script, nil
}

// config validates the flags before anything starts.
func (f *flags) config(cmd *cobra.Command) (cluster.Config, error) {
	cfg := cluster.Config{Nodes: f.nodes, Dir: f.dir, Settings: cluster.DefaultSettings()}
	cfg.Settings.Storage, cfg.Settings.Seed = f.storage, f.seed
	if f.exact && !cmd.Flags().Changed("storage") {
		cfg.Settings.Storage = cluster.Memory
	}
	if f.nodes < 1 || f.nodes > cluster.NodesMax {
		return cfg, fmt.Errorf("--nodes %d: must be from 1 to %d", f.nodes, cluster.NodesMax)
	}
	if f.dir != "" && f.storage != cluster.Bolt && !f.exact {
		return cfg, fmt.Errorf("--data %s: needs --storage %s, memory keeps no files", f.dir, cluster.Bolt)
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
