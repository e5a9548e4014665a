package ui

import (
	"context"
	"errors"
	"os"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster"
	"capsize/ui/pane"
	"capsize/ui/terminal"
)

// Run shows a cluster on the terminal until the user quits or ctx ends, and leaves the
// terminal as it was. The error says why it ended otherwise.
func Run(ctx context.Context, c *cluster.Cluster, o Options) (err error) {
	m := newModel(c, o)
	if o.Script == nil && o.Cast == "" {
		m.offerTips()
	}
	err = runOnTerminal(ctx, m)
	m.rememberTips()
	return errors.Join(err, m.closeAllBut(c))
}

// closeAllBut closes all clusters started by scenarios and branches, but not c.
func (m *model) closeAllBut(c *cluster.Cluster) error {
	err := m.pool.Close()
	if now := m.liveCluster(); now != nil && now != c {
		err = errors.Join(err, now.Close())
	}
	return err
}

// runOnTerminal runs the screen on the terminal, and ends its recording.
func runOnTerminal(ctx context.Context, m *model) error {
	m.output = terminal.NewWriter(os.Stdout)
	err := run(m, tea.WithContext(ctx), tea.WithFPS(pane.FPS), tea.WithOutput(m.output))
	m.output.Flush()
	if m.options.liveCast != nil {
		err = errors.Join(err, m.options.liveCast.Close())
	}
	return err
}

func run(m *model, options ...tea.ProgramOption) error {
	defer func() { m.queue.Close() }()
	_, err := tea.NewProgram(m, options...).Run()
	switch {
	case m.err != nil:
		return m.err
	case errors.Is(err, context.Canceled), errors.Is(err, tea.ErrInterrupted):
		return nil
	}
	return err
}

// sentText returns the bytes that a terminal sends for a key.
func sentText(msg tea.KeyPressMsg) string {
	if msg.Text != "" {
		return msg.Text
	}
	sent := map[string]string{
		"enter": "\r", "tab": "\t", "esc": "\x1b", "backspace": "\x7f", "space": " ", "shift+tab": "\x1b[Z",
		"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F",
		"pgup": "\x1b[5~", "pgdown": "\x1b[6~", "ctrl+c": "\x03",
	}
	if text, ok := sent[msg.String()]; ok {
		return text
	}
	return msg.String()
}
