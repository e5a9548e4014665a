package ui

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/queue"
	"capsize/ui/record"
	"capsize/ui/source"
	"capsize/ui/style"
	"capsize/ui/terminal"
	"capsize/ui/view"
)

// toastFrames is how many frames the result of a key stays.
const toastFrames = 150

// removedFor is how long a removed node stays on the screen, in virtual time.
const removedFor = 5 * time.Second

// tickMsg starts the next frame.
type tickMsg struct{ at time.Time }

// model is the whole screen: what the user has chosen, and what is shown. It pulls
// the state from the cluster's trace, thirty times a second.
type model struct {
	source.Source // what is shown: a cluster or a recording
	travel        timeTravel
	branchList
	commander
	staging
	speedControl
	nodeSelection
	messageLine
	overlays
	navigation
	display
	sessionLog
	alarms  alarms // for violated checks
	state   trace.State
	options Options
}

// commander is how commands reach the cluster.
type commander struct {
	queue   *queue.Queue
	pool    source.Pool
	clients clientOptions
}

// staging is a scenario on stage.
type staging struct {
	scenarioStage *engine.Stage
	script        *scenario.Script // or nil
	starting      bool             // the script has not started: the clock stands still until then
	presenter     presenter
	lessons       *lessons // the course, or nil
}

// messageLine is the command that the last key stood for, and what came of it.
type messageLine struct {
	command     string
	toast       pane.Toast
	toastFrames int // frames left until the toast goes
}

// navigation is the view shown, and the keys.
type navigation struct {
	views   *view.Views
	current int // index into views.All
	keys    []keymap.Binding
	hand    hand
}

// display is what the screen is drawn on.
type display struct {
	width, height int
	colours       style.TerminalColours
	theme         *style.Theme
	glyphs        *style.Glyphs
	mouseOff      bool
	dragging      bool             // along a stretch of time
	output        *terminal.Writer // nil without a terminal
	stop          func() error     // stops the program until its shell continues it; nil if nothing can continue it
	lastFrame     frameShown
	calm          calm
	dirty         bool  // the screen has changed since the last frame
	urgent        bool  // and it answers a key or a click
	err           error // why the program must end
}

// sessionLog is what the user has done, to save it as a scenario or to undo it.
type sessionLog struct {
	keyCount int // number of keys and clicks so far
	undo     undoHistory
}

// frameShown is the last frame drawn.
type frameShown struct {
	picture string
	canvas  *canvas.Canvas
	hits    []pane.HitBox
	at      time.Time // when it was due
}

// newModel returns the screen of a live cluster.
func newModel(e engine.Engine, o Options) *model {
	m := newScreen(o)
	m.showSource(source.Live(e), o.Script)
	return m
}

// newScreen returns a screen that shows nothing yet.
func newScreen(o Options) *model {
	m := &model{
		options:       o,
		overlays:      overlays{prompt: newPrompt(o.ConfigDir)},
		display:       display{theme: o.ThemeOn(style.TerminalColours{}), glyphs: o.GlyphsOf()},
		nodeSelection: nodeSelection{selected: map[string]bool{}, follow: true},
		speedControl:  speedControl{speed: slices.Index(speeds, nearest(o.Speed)), paused: o.Speed == 0},
		commander:     commander{clients: clientOptions{level: slices.Index(cluster.Levels, cluster.LevelLinearizable)}},
	}
	m.views = view.New(viewScreen{m})
	m.keys = o.Bindings.Keys(m.keyMap())
	m.beginCourse()
	return m
}

// applyTheme chooses the theme for the terminal's colours.
func (m *model) applyTheme() {
	m.theme, m.dirty = m.options.ThemeOn(m.colours), true
}

// showSource shows a cluster or a recording, with a scenario on stage or nil.
func (m *model) showSource(s source.Source, script *scenario.Script) {
	m.Source, m.travel = s, newTimeTravel()
	if s.Watch != nil {
		s.Watch.Auto.Store(m.auto)
	}
	m.branches, m.branch = []branch{{Source: s, name: "branch 1"}}, 0
	m.comparing = comparing{}
	m.script, m.starting, m.scenarioStage, m.queue = script, script != nil && s.IsLive(), s.Engine.Stage(), queue.New(s.Engine)
	m.clients.load, m.follow, m.undo, m.presenter = 0, true, undoHistory{}, presenter{}
	if m.hand.holds && m.view() == m.views.Hand {
		m.current = m.hand.former // it was shown for what another cluster held
	}
	m.hand = hand{}
	m.views, m.filter, m.alarms = view.New(viewScreen{m}), storyFilter{}, alarms{silent: m.alarms.silent}
	m.keys = m.options.Bindings.Keys(m.keyMap())
	clear(m.selected)
	if script != nil && s.IsLive() && m.options.answers != nil {
		s.Engine.AddSink(m.options.answers.Of(script.Name))
	}
	m.setSpeed()
	m.refresh(0)
	m.limitMemory()
}

// historyBudget is how large the history of a new cluster may grow, in bytes.
func (m *model) historyBudget() int64 { return cmp.Or(m.options.HistoryMB, source.HistoryMB) << 20 }

// limitMemory sets a memory limit that leaves room for the history of each branch.
func (m *model) limitMemory() {
	source.LimitMemory(len(m.branches), m.options.HistoryMB, len(m.state.Nodes), m.Engine.Mode())
}

// Init starts the frames.
func (m *model) Init() tea.Cmd {
	start := nextTick()
	if m.theme != style.Mono {
		start = tea.Batch(start, tea.RequestBackgroundColor)
	}
	if m.script != nil {
		start = tea.Batch(start, m.perform(m.script))
	}
	return start
}

// nextTick begins the next frame when it is due by the system's clock, however long this one takes.
func nextTick() tea.Cmd {
	return tea.Every(pane.FrameEvery, func(at time.Time) tea.Msg { return tickMsg{at} })
}

// Update routes each message to its handler.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.dirty, m.urgent = m.dirty || !isTick(msg), m.urgent || !isTick(msg)
	switch msg := msg.(type) {
	case tickMsg:
		if err := m.Err(); err != nil {
			m.err = fmt.Errorf("cluster stopped: %w", err)
			return m, tea.Quit
		}
		if m.options.liveCast != nil {
			m.options.liveCast.AddPicture(record.Picture{Canvas: m.lastFrame.canvas, Theme: m.theme, Title: m.title(), State: &m.state, Language: m.options.Lang})
		}
		m.refresh(m.sinceLastFrame(msg))
		return m, nextTick()
	case stopMsg:
		return m, m.suspend()
	case redrawMsg:
		return m, m.leave(func() error { return nil })
	case continuedMsg:
		m.onContinued(msg)
	case branchedMsg:
		m.onBranched(msg)
	case comparedMsg:
		m.onCompared(msg)
	case openedMsg:
		return m, m.onOpened(msg)
	case savedMsg:
		m.setToast("", msg.text, msg.bad)
	case performedMsg:
		m.onPerformed(msg)
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		m.colours.Light = !msg.IsDark()
		m.applyTheme()
	case tea.ColorProfileMsg:
		m.colours.Sixteen = msg.Profile == colorprofile.ANSI
		m.applyTheme()
	case tea.KeyPressMsg:
		m.keyCount++
		return m, m.handleKey(msg)
	case tea.PasteMsg:
		if m.prompt.input.Focused() {
			m.prompt.input, _ = m.prompt.input.Update(msg)
			m.suggest()
		}
	case tea.MouseClickMsg:
		m.keyCount++
		return m, m.click(msg)
	case tea.MouseMotionMsg:
		m.drag(msg.X)
	case tea.MouseReleaseMsg:
		m.dragging = false
	case tea.MouseWheelMsg:
		m.wheel(msg)
	}
	return m, nil
}

func isTick(msg tea.Msg) bool { _, ok := msg.(tickMsg); return ok }

// handleKey hands a key to the overlay that is open or else to its binding.
func (m *model) handleKey(msg tea.KeyPressMsg) tea.Cmd {
	if m.options.liveCast != nil {
		m.options.liveCast.AddKey(sentText(msg))
	}
	m.noteKeyPress(msg, time.Now())
	if msg.String() == "ctrl+c" {
		return tea.Quit
	}
	if msg.String() == suspendKey && m.binds(suspendKey) {
		return m.suspend()
	}
	if cmd, handled := m.handleOverlayKey(msg); handled {
		return cmd
	}
	for _, b := range m.keysHere() {
		if key.Matches(msg, b.Binding) {
			if b.NeedsLive && m.rejectIfReadOnly() {
				return nil
			}
			return b.Do(msg.String())
		}
	}
	m.setToast("", fmt.Sprintf("%s does nothing here: ? lists the keys", canvas.Sanitize(msg.String())), true)
	return nil
}

// View returns the last frame, drawn anew if the screen has changed.
func (m *model) View() tea.View {
	if m.dirty && m.canDraw() {
		m.lastFrame.canvas, m.lastFrame.hits = m.paint()
		m.lastFrame.picture = m.lastFrame.canvas.Render(m.theme)
		m.dirty, m.urgent = false, false
	}
	v := tea.NewView(m.lastFrame.picture)
	v.AltScreen = true
	v.WindowTitle = m.title()
	if !m.mouseOff {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// canDraw reports whether the terminal can take another frame. The answer to a key
// does not wait for the rate limit.
func (m *model) canDraw() bool {
	o := m.output
	return o == nil || !o.Behind() && (m.urgent || !o.RateExceeded())
}

// refresh pulls the state, and advances everything that changes by itself.
func (m *model) refresh(passed time.Duration) {
	before := trace.Position{Seq: m.state.Seq, At: m.state.At}
	m.pullState(passed)
	m.updateHand()
	m.state.Nodes = slices.DeleteFunc(m.state.Nodes, func(n trace.Node) bool {
		return n.Process == trace.Removed && m.state.At-n.Since > removedFor
	})
	switch speed := m.scenarioStage.TakeSpeed(); {
	case m.IsRealTime():
	case speed == scenario.SpeedAuto:
		m.setAuto(true)
	case speed > 0:
		m.speed, m.paused = slices.Index(speeds, nearest(speed)), m.paused && m.travel.past
		m.setAuto(false)
	}
	m.updatePresenter(time.Now())
	m.noteAnswer()
	m.syncSpeed()
	for _, r := range m.queue.Results.Take() {
		m.setToast(r.Command, r.Text, r.Bad)
	}
	if m.toastFrames > 0 {
		if m.toastFrames--; m.toastFrames == 0 {
			m.toast, m.dirty = pane.Toast{}, true
		}
	}
	if m.follow {
		if leader := m.state.LeaderNode(); leader != nil {
			m.cursor = leader.ID
		}
	}
	m.clampCursor()
	m.raiseAlarms()
	m.meter.read(time.Now(), m.state.At, m.isFrozen())
	moved := !m.isFrozen() || before != trace.Position{Seq: m.state.Seq, At: m.state.At}
	m.dirty = m.dirty || moved && (!m.IsRealTime() || !m.calm.leavesOut(newsOf(&m.state), m.lastFrame.at))
}

// setToast shows the result of a key, and the command it stood for.
func (m *model) setToast(command, text string, bad bool) {
	m.command, m.toast, m.toastFrames = command, pane.Toast{Text: text, Bad: bad}, toastFrames
	m.dirty = true
}

// submit sends a command to the cluster; it shows ok until the answer comes.
func (m *model) submit(command, ok string) {
	if m.rejectIfReadOnly() {
		return
	}
	line, err := m.Engine.Prompt().Parse(command)
	if err != nil {
		m.setToast(command, err.Error(), true)
		return
	}
	m.setToast(command, ok, false)
	m.recordFaults(line.Command)
	m.markTip(line.Verb)
	if !m.queue.Put(queue.Command{Line: line.Text}) {
		m.setToast(command, "command dropped: too many are waiting", true)
	}
}

// frame gathers everything that one picture is drawn from.
func (m *model) frame() *pane.Frame {
	f := &pane.Frame{
		State: &m.state, Width: m.width, Height: m.height, Theme: m.theme, Glyphs: m.glyphs,
		Playback:       pane.Playback{Now: m.state.At, Speed: m.pace(), Paused: m.isFrozen(), ActualSpeed: m.meter.shortfall(m.pace())},
		NodeCursor:     pane.NodeCursor{Cursor: m.cursor, Selected: m.selected, FollowsLeader: m.follow},
		ClientSettings: pane.ClientSettings{Route: m.routeName(), Level: cluster.Levels[m.clients.level], Load: loads[m.clients.load]},
		Violations:     pane.Violations{Alarm: m.alarm(), ViolatedNow: m.alarms.broken, Unreported: m.alarms.hidden},
		Input: pane.Input{
			Toast: m.toast, Command: m.command, Tips: m.tipsNow(), Hints: m.hints(),
			Filter: m.filter.text, Filtering: m.filter.typing,
		},
	}
	f.Sheet, f.Pointed = m.sheet(), m.pointed()
	m.fillTime(f)
	f.Move(!m.options.Still)
	m.fillAudience(f)
	if m.menu != nil {
		f.Menu = &m.menu.Menu
	}
	if in := &m.prompt.input; in.Focused() {
		f.Prompt = &pane.PromptLine{Text: in.Value(), Cursor: in.Position(), Completions: m.prompt.choices, Problem: m.prompt.wrong}
	}
	if m.help.on {
		f.Help = keymap.HelpGroups(m.offered())[m.help.from:]
	}
	return f
}
