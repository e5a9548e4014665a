package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster"
	"capsize/cluster/scenario"
)

// Options say how the screen looks and starts.
type Options struct {
	// Theme is the name of a theme, "" to choose by the terminal's background.
	Theme string
	// ASCII draws with ASCII characters only.
	ASCII bool
	// Speed is how fast the clock runs at first, in virtual seconds per second.
	Speed float64
	// Script is a scenario to put on stage, or nil.
	Script *scenario.Script
}

// ThemeNames returns what Options.Theme may be.
func ThemeNames() []string {
	names := make([]string, len(themes))
	for i, t := range themes {
		names[i] = t.name
	}
	return names
}

// Check says what is wrong with the options.
func (o Options) Check() error {
	if o.Theme != "" && themeNamed(o.Theme) == nil {
		return fmt.Errorf("there is no theme %q: there are %s", o.Theme, strings.Join(ThemeNames(), ", "))
	}
	return nil
}

// Run shows the cluster on the terminal until the user quits or ctx ends. It
// returns why it ended if that was neither, with the terminal as it was before.
func Run(ctx context.Context, c *cluster.Cluster, o Options) error {
	m := newModel(c, o)
	err := run(m, tea.WithContext(ctx), tea.WithFPS(fps))
	if m.cluster != c { // a scenario has brought its own
		err = errors.Join(err, m.cluster.Close())
	}
	return err
}

func run(m *model, options ...tea.ProgramOption) error {
	defer func() { m.orders.close() }()
	_, err := tea.NewProgram(m, options...).Run()
	switch {
	case m.failed != nil:
		return m.failed
	case errors.Is(err, context.Canceled), errors.Is(err, tea.ErrInterrupted):
		return nil
	}
	return err
}

// noColour says whether the user wants no colours (no-color.org: any value).
func noColour() bool { return os.Getenv("NO_COLOR") != "" }

// asciiTerminal says whether the terminal is known to have few glyphs.
func asciiTerminal() bool {
	return slices.Contains([]string{"linux", "vt100", "vt220", "dumb"}, os.Getenv("TERM"))
}
