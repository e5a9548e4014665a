package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace/recording"
	"capsize/ui/course"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/present"
	"capsize/ui/record"
	"capsize/ui/source"
	"capsize/ui/terminal"
)

// Run shows a cluster on the terminal until the user quits or ctx ends, and leaves the
// terminal as it was. The error says why it ended otherwise.
func Run(ctx context.Context, e engine.Engine, o Options) (err error) {
	m := newModel(e, o)
	if o.Script == nil && o.Cast == "" && o.Course == nil {
		m.offerTips()
	}
	err = runOnTerminal(ctx, m)
	m.rememberTips()
	return errors.Join(err, m.closeAllBut(e))
}

// closeAllBut closes all clusters started by scenarios and branches, but not e.
func (m *model) closeAllBut(e engine.Engine) error {
	err := m.pool.Close()
	if now := m.liveCluster(); now != nil && now != e {
		err = errors.Join(err, now.Close())
	}
	return err
}

// runOnTerminal runs the screen on the terminal, and ends its recording.
func runOnTerminal(ctx context.Context, m *model) error {
	// A second signal must not kill the program before the terminal is restored.
	held := make(chan os.Signal, 1)
	signal.Notify(held, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(held)
	m.output = terminal.NewWriter(os.Stdout)
	// Bubble Tea writes pictures at its own times: at 30 a second, it would miss some that come just after.
	err := run(ctx, m, tea.WithFPS(2*pane.FPS), tea.WithOutput(m.output))
	m.output.Leave()
	if m.options.liveCast != nil {
		err = errors.Join(err, m.options.liveCast.Close())
	}
	return errors.Join(err, m.options.answers.Close())
}

func run(ctx context.Context, m *model, options ...tea.ProgramOption) error {
	defer func() { m.queue.Close() }()
	p := tea.NewProgram(m, append(options, tea.WithContext(ctx))...)
	// Do not block the watch: the program waits for it to continue.
	jobs := terminal.WatchJobs(func() { go p.Send(stopMsg{}) }, func() { go p.Send(redrawMsg{}) })
	defer jobs.Close()
	if jobs.CanStop() {
		m.stop = func() error { return jobs.Stop(ctx, os.Stdout) }
	}
	_, err := p.Run()
	switch {
	case m.err != nil:
		return m.err
	case errors.Is(err, context.Canceled), errors.Is(err, tea.ErrInterrupted):
		return nil
	}
	return err
}

// stopMsg asks the program to stop, as ctrl+z does.
type stopMsg struct{}

// redrawMsg reports that the program continues after SIGSTOP: the terminal is not as the
// program left it.
type redrawMsg struct{}

// continuedMsg reports that the program continues after a suspend.
type continuedMsg struct {
	after time.Duration // in real time
}

// away runs while the terminal belongs to the shell.
type away struct {
	m     *model
	until func() error
	took  time.Duration
}

// Run waits until the program continues.
func (a *away) Run() error {
	since := time.Now()
	err := a.until()
	a.took = time.Since(since)
	if errors.Is(err, context.Canceled) && a.m.output != nil {
		a.m.output.Disable() // the program ends, and the shell's prompt is on the screen
	}
	return err
}

func (*away) SetStdin(io.Reader)  {}
func (*away) SetStdout(io.Writer) {}
func (*away) SetStderr(io.Writer) {}

// leave gives the terminal back to the shell until a function returns, then redraws the
// screen. The clock is paused meanwhile.
func (m *model) leave(until func() error) tea.Cmd {
	m.held = true
	m.setSpeed()
	a := &away{m: m, until: until}
	return tea.Exec(a, func(error) tea.Msg { return continuedMsg{after: a.took} })
}

// suspend stops the program as a job of its shell.
func (m *model) suspend() tea.Cmd {
	if m.stop == nil {
		m.setToast("", "cannot suspend: no shell with job control to return to", true)
		return nil
	}
	return m.leave(m.stop)
}

// onContinued excludes the real time during which the program was stopped.
func (m *model) onContinued(msg continuedMsg) {
	m.presenter.skip(msg.after)
	if m.options.liveCast != nil {
		m.options.liveCast.Skip(msg.after)
	}
	m.held = false
	m.setSpeed()
	m.dirty = true
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

// Replay shows a recording on the terminal until the user quits or ctx ends, also while
// the recording is still being written. It fails with a [source.RecordingError] if the
// file cannot be read.
func Replay(ctx context.Context, name string, o Options) error {
	s, err := source.OpenRecording(name, o.HistoryMB, os.Stderr)
	if err != nil {
		return err
	}
	defer s.Close()
	m := newScreen(o)
	m.replay(s, filepath.Base(name))
	return errors.Join(runOnTerminal(ctx, m), m.closeAllBut(nil))
}

// replay shows a recording from its beginning.
func (m *model) replay(s source.Source, name string) {
	m.showSource(s, nil)
	m.branches[0].name = name
	m.firstMoment()
	m.setPlaying(!m.paused)
	m.refresh(0)
	if missing := s.Recording().Missing(); missing != "" {
		m.setToast("", "recording: "+missing, true)
	}
	if err := s.Recording().Mismatch(); err != nil {
		m.setToast("", "this recording contradicts itself: "+err.Error(), true)
	}
}

// Options configures the screen.
type Options struct {
	pane.Look
	// Open starts the clusters of scenarios that are opened later.
	Open engine.Opener
	// Processes is set if Open starts processes: scenarios that need virtual time are left out.
	Processes bool
	// Speed is the initial speed of the clock, in virtual seconds per second; 0 is paused.
	Speed float64
	// HistoryMB is the size of the history, in megabytes.
	HistoryMB int64
	// Trace is the file that records every event, "" for none.
	Trace string
	// Script is the scenario on stage, or nil.
	Script *scenario.Script
	// Course is the course whose lessons are played, or nil. Its menu is shown first, unless there is
	// a script: a lesson.
	Course *course.Menu
	// Autoplay continues steps by itself, once people have had time to read.
	Autoplay bool
	// Bindings are the keys the user has rebound.
	Bindings keymap.Changes
	Asking
	// Keys shows the pressed keys, large.
	Keys bool
	Casting

	// ConfigDir keeps the prompt's history and the state of the tips, "" for nowhere.
	ConfigDir string
}

// Casting is how the screen is recorded.
type Casting struct {
	// Cast is the file that records the screen, "" for none; CastKeys records the keys too.
	Cast     string
	CastKeys bool

	liveCast *record.Live
}

// Asking is how an audience answers the questions of a scenario.
type Asking struct {
	// Room takes the votes of a room instead of a single answer.
	Room bool
	// Answers is the file to which the answers are added, "" for none.
	Answers string

	answers *present.Answers
}

// open opens the file for the answers, if there is one.
func (a *Asking) open(plain bool) (err error) {
	switch {
	case a.Answers == "":
		return nil
	case plain:
		return errors.New("--answers: nobody can answer without a screen; leave it out, or use a terminal without --plain")
	}
	if a.answers, err = present.OpenAnswers(a.Answers); err != nil {
		return fmt.Errorf("--answers: %w", err)
	}
	return nil
}

// Prepare validates the options, and opens the files that they ask for: the recording of the screen,
// and the answers.
func (o *Options) Prepare(plain bool) (err error) {
	if err := o.Check(); err != nil {
		return err
	}
	if err := o.open(plain); err != nil {
		return err
	}
	switch {
	case plain && o.Speed == 0:
		return errors.New("--speed 0: needs a screen, because nothing else can start the clock")
	case o.Cast == "":
		return nil
	case plain:
		return errors.New("--cast: no screen to record; use capsize record, which needs none")
	}
	if o.liveCast, err = record.CreateLive(o.Cast, o.CastKeys); err != nil {
		return fmt.Errorf("--cast: %w", err)
	}
	return nil
}

// Check validates the options.
func (o Options) Check() error {
	if err := source.CheckHistoryMB(o.HistoryMB); err != nil {
		return err
	}
	if _, err := o.Bindings.Apply(Keys()); err != nil {
		return fmt.Errorf("--bind: %w", err)
	}
	return nil
}

// Record starts the recording of a cluster's events, nil if the options ask for none. The
// cluster must not be open yet. Branches, and clusters of scenarios opened later, are
// not recorded.
func (o Options) Record(h recording.Header) (*recording.Writer, error) {
	if o.Trace == "" {
		return nil, nil
	}
	w, err := recording.Create(o.Trace, h)
	if err != nil {
		return nil, fmt.Errorf("--trace: %w", err)
	}
	return w, nil
}
