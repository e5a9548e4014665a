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
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
	"capsize/ui/style"
)

// Options say how the screen looks and starts.
type Options struct {
	// Theme is the name of a theme, "" to choose by the terminal's background.
	Theme string
	// ASCII draws with ASCII characters only.
	ASCII bool
	// Speed is how fast the clock runs at first, in virtual seconds per second.
	Speed float64
	// HistoryMB is how much memory the past may take, in megabytes.
	HistoryMB int64
	// Trace is the file that all that happens is written to, "" for none.
	Trace string
	// Script is a scenario to put on stage, or nil.
	Script *scenario.Script
	// Autoplay has a scenario's steps go on by themselves once they can be read.
	Autoplay bool
	// Bindings are the keys that others stand for.
	Bindings Bindings
	// Keys shows the keys that are pressed, large.
	Keys bool
	// Still has nothing move on the screen.
	Still bool
	// Lang is the language of captions, such as zh or zh-TW, "" for the scenario's own.
	Lang string
	// Cast is the file that the screen is recorded in, "" for none; with CastKeys
	// the keys pressed are recorded too.
	Cast     string
	CastKeys bool

	// ConfigDir is where the prompt's history is kept, "" for nowhere.
	ConfigDir string

	tape *tape
}

// themeOn returns the theme, as it is on a surface.
func (o Options) themeOn(on style.TerminalColours) *style.Theme {
	if noColour() {
		return style.Mono
	}
	return style.ThemeOn(o.Theme, on)
}

// glyphsOf returns the characters to draw with.
func (o Options) glyphsOf() *style.Glyphs {
	if o.ASCII || asciiTerminal() {
		return style.ASCII
	}
	return style.Unicode
}

// Prepare checks the options, and begins the recording that they ask for.
func (o *Options) Prepare(plain bool) (err error) {
	if err := o.Check(); err != nil {
		return err
	}
	switch {
	case plain && o.Speed == 0:
		return errors.New("--speed 0: without a screen nothing would ever happen")
	case o.Cast == "":
		return nil
	case plain:
		return errors.New("--cast: there is no screen to record; capsize record makes a recording without one")
	}
	if o.tape, err = createTape(o.Cast, o.CastKeys); err != nil {
		return fmt.Errorf("--cast: %w", err)
	}
	return nil
}

// HistoryMB is how much memory the past takes unless it is told otherwise, and
// historyMBMax the most that it may be told; in megabytes.
const (
	HistoryMB    = history.DefaultBudget >> 20
	historyMBMax = 1 << 20
)

// Check says what is wrong with the options.
func (o Options) Check() error {
	if o.HistoryMB < 1 || o.HistoryMB > historyMBMax {
		return fmt.Errorf("--history %d: it must be from 1 to %d megabytes", o.HistoryMB, historyMBMax)
	}
	if _, err := o.Bindings.apply(keyMap()); err != nil {
		return fmt.Errorf("--%s: %w", bindFlag, err)
	}
	return nil
}

// Record begins the recording that the options ask for, nil if they ask for none. It
// is for a cluster that has not been opened, so that it is whole; one that a scenario
// brings later, or a branch, is not recorded.
func (o Options) Record(seed int64) (*recording.Writer, error) {
	if o.Trace == "" {
		return nil, nil
	}
	w, err := recording.Create(o.Trace, seed)
	if err != nil {
		return nil, fmt.Errorf("--trace: %w", err)
	}
	return w, nil
}

// Run shows the cluster on the terminal until the user quits or ctx ends. It
// returns why it ended if that was neither, with the terminal as it was before.
func Run(ctx context.Context, c *cluster.Cluster, o Options) (err error) {
	m := newModel(c, o)
	if o.Script == nil && o.Cast == "" {
		m.welcome()
	}
	err = runOnTerminal(ctx, m)
	m.rememberWelcome()
	return errors.Join(err, m.closeAllBut(c))
}

// closeAllBut ends all clusters that scenarios and branches have brought, but one.
func (m *model) closeAllBut(c *cluster.Cluster) error {
	err := m.fleet.close()
	if now := m.living(); now != nil && now != c {
		err = errors.Join(err, now.Close())
	}
	return err
}

// runOnTerminal runs the screen on the terminal, and ends its recording.
func runOnTerminal(ctx context.Context, m *model) error {
	m.output = newOutput(os.Stdout)
	err := run(m, tea.WithContext(ctx), tea.WithFPS(fps), tea.WithOutput(m.output))
	m.output.flush()
	if m.options.tape != nil {
		err = errors.Join(err, m.options.tape.Close())
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

// asciiTerminal says whether the terminal is known to have few glyphs, by its name
// or by a locale that has no UTF-8. Where no locale is set at all, as in many a
// container, the terminal itself is somewhere else, and has them.
func asciiTerminal() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(os.Getenv(name)); locale != "" {
			if !strings.Contains(locale, "utf-8") && !strings.Contains(locale, "utf8") {
				return true
			}
			break
		}
	}
	return slices.Contains([]string{"linux", "vt100", "vt220", "dumb"}, os.Getenv("TERM"))
}

// Language returns the language that the user's environment asks for, such as
// zh_TW, "" if it asks for none.
func Language() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			language, _, _ := strings.Cut(value, ".")
			if language == "C" || language == "POSIX" {
				return ""
			}
			return language
		}
	}
	return ""
}
