package ui

import (
	"fmt"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// fps is how many pictures a second are drawn, and frameEvery the time from one
// to the next.
const (
	fps        = 30
	frameEvery = time.Second / fps
)

// toastFrames is how long the result of an action stays, in frames.
const toastFrames = 150

// farewell is for how long a removed node is still shown, in virtual time.
const farewell = 5 * time.Second

// tickMsg says that it is time for the next picture, and what time that is.
type tickMsg struct{ at time.Time }

// model is the whole screen: what the user has chosen, and what is shown.
// The state is pulled from the cluster's trace, thirty times a second.
type model struct {
	source // what is shown: a cluster or a recording
	travel travel
	branchList
	commander
	staging
	speedControl
	nodeSelection
	asking asking
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
	session *scenario.Session
	orders  *orders
	fleet   fleet
}

// staging is a scenario on stage.
type staging struct {
	podium    *podium
	script    *scenario.Script // or nil
	presenter presenter
}

// messageLine is the command that the last key stood for, and what came of it.
type messageLine struct {
	command     string
	toast       toast
	toastFrames int // how many frames the toast still stays
}

// overlays are what lies over the views and takes the keys.
type overlays struct {
	menu      *openMenu
	chosen    tea.Cmd // what a menu's choice has to do besides
	prompt    prompt
	help      help
	filter    storyFilter
	firstKeys []firstKey // tips still to be shown, or that were
}

// navigation is which view is shown, and the keys that mean something.
type navigation struct {
	views   *views
	current int // index into views.all
	keys    []binding
}

// display is what the screen is drawn on.
type display struct {
	width, height int
	colours       style.TerminalColours
	theme         *style.Theme
	glyphs        *style.Glyphs
	mouseOff      bool
	dragging      bool    // on a stretch of time
	output        *output // nil where there is no terminal
	shown         shown
	stale         bool  // something to be seen has changed since
	asked         bool  // and it answers what somebody did
	failed        error // why the program has to end
}

// sessionLog is what was done so far, to be saved as a scenario or undone.
type sessionLog struct {
	ordered    []scenario.RecordedCommand
	nodesFirst int // how many nodes there were at first
	stroke     int // counts keys and clicks
	undo       undo
}

// shown is the last picture.
type shown struct {
	picture string
	canvas  *canvas.Canvas // what it was drawn on
	hits    []hit
	at      time.Time // when it was due
}

// newModel returns the screen over a living cluster.
func newModel(c *cluster.Cluster, o Options) *model {
	m := newScreen(o)
	m.attach(living(c), o.Script)
	return m
}

// newScreen returns the screen with nothing to show yet.
func newScreen(o Options) *model {
	m := &model{
		options:       o,
		overlays:      overlays{prompt: newPrompt(o.ConfigDir)},
		display:       display{theme: o.themeOn(style.TerminalColours{}), glyphs: o.glyphsOf()},
		nodeSelection: nodeSelection{selected: map[string]bool{}, follow: true},
		speedControl:  speedControl{speed: slices.Index(speeds, nearest(o.Speed)), paused: o.Speed == 0},
		asking:        asking{level: slices.Index(cluster.Levels, cluster.LevelLinearizable)},
	}
	m.views = newViews(viewScreen{m})
	m.keys = o.Bindings.keys(m.keyMap())
	return m
}

// paint chooses the theme.
func (m *model) paint() {
	m.theme, m.stale = m.options.themeOn(m.colours), true
}

// attach makes a cluster or a recording what is shown, with a scenario to put on
// stage or nil.
func (m *model) attach(s source, script *scenario.Script) {
	c := s.cluster
	m.source, m.travel = s, newTravel()
	if s.watch != nil {
		s.watch.auto.Store(m.auto)
	}
	m.branches, m.branch = []branch{{source: s, name: "branch 1"}}, 0
	m.script, m.podium = script, &podium{c: c}
	if c != nil {
		m.session = scenario.NewSession(c, c.Settings().Seed, m.podium)
	}
	m.orders = newOrders(c, m.session)
	m.ordered, m.asking.load, m.follow, m.undo, m.presenter = nil, 0, true, undo{}, presenter{}
	m.views, m.filter, m.alarms = newViews(viewScreen{m}), storyFilter{}, alarms{silent: m.alarms.silent}
	m.keys = m.options.Bindings.keys(m.keyMap())
	clear(m.selected)
	m.setSpeed()
	m.refresh(0)
	m.nodesFirst = len(m.state.Nodes)
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

func nextTick() tea.Cmd {
	return tea.Tick(frameEvery, func(at time.Time) tea.Msg { return tickMsg{at} })
}

// Update routes what happened to whom it concerns.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.stale, m.asked = m.stale || !isTick(msg), m.asked || !isTick(msg)
	switch msg := msg.(type) {
	case tickMsg:
		if err := m.stopped(); err != nil {
			m.failed = fmt.Errorf("the cluster has stopped: %w", err)
			return m, tea.Quit
		}
		if m.options.tape != nil {
			m.options.tape.take(m)
		}
		m.refresh(m.passed(msg))
		return m, nextTick()
	case branchedMsg:
		m.branched(msg)
	case openedMsg:
		return m, m.opened(msg)
	case savedMsg:
		m.say("", msg.text, msg.bad)
	case performedMsg:
		m.performed(msg)
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		m.colours.Light = !msg.IsDark()
		m.paint()
	case tea.ColorProfileMsg:
		m.colours.Sixteen = msg.Profile == colorprofile.ANSI
		m.paint()
	case tea.KeyPressMsg:
		m.stroke++
		return m, m.press(msg)
	case tea.PasteMsg:
		if m.prompt.input.Focused() {
			m.prompt.input, _ = m.prompt.input.Update(msg)
			m.suggest()
		}
	case tea.MouseClickMsg:
		m.stroke++
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

// press does what a key stands for.
func (m *model) press(msg tea.KeyPressMsg) tea.Cmd {
	if m.options.tape != nil {
		m.options.tape.press(msg)
	}
	m.pressKey(msg, time.Now())
	if msg.String() == "ctrl+c" {
		return tea.Quit
	}
	switch {
	case m.prompt.input.Focused():
		return m.pressInPrompt(msg)
	case m.menu != nil:
		return m.pressInMenu(msg.String())
	case m.help.on:
		m.pressInHelp(msg.String())
		return nil
	case m.filter.typing:
		m.pressInFilter(msg)
		return nil
	case m.alarm() != nil && m.pressInAlarm(msg.String()):
		return nil
	}
	for _, b := range m.keysHere() {
		if key.Matches(msg, b.Binding) {
			if b.needs && m.refuses() {
				return nil
			}
			return b.do(msg.String())
		}
	}
	m.say("", fmt.Sprintf("%s does nothing here: ? shows all keys", canvas.Sanitize(msg.String())), true)
	return nil
}

// View shows the latest picture.
func (m *model) View() tea.View {
	if m.stale && m.mayDraw() {
		m.shown.canvas, m.shown.hits = paint(m.frame(), m.view())
		m.shown.picture = m.shown.canvas.Render(m.theme)
		m.stale, m.asked = false, false
	}
	v := tea.NewView(m.shown.picture)
	v.AltScreen = true
	v.WindowTitle = m.title()
	if !m.mouseOff {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

// mayDraw says whether the terminal can take another picture. The answer to a key
// does not wait for bytes to be saved.
func (m *model) mayDraw() bool {
	o := m.output
	return o == nil || !o.behind() && (m.asked || !o.overdrawn())
}

// refresh pulls the state and moves what moves.
func (m *model) refresh(passed time.Duration) {
	before := m.state.Seq
	m.pull(passed)
	m.state.Nodes = slices.DeleteFunc(m.state.Nodes, func(n trace.Node) bool {
		return n.Process == trace.Removed && m.state.At-n.Since > farewell
	})
	switch speed := m.podium.takeSpeed(); {
	case speed == scenario.SpeedAuto:
		m.setAuto(true)
	case speed > 0:
		m.speed, m.paused = slices.Index(speeds, nearest(speed)), m.paused && m.travel.past
		m.setAuto(false)
	}
	m.presentOn(time.Now())
	m.keepPace()
	for _, r := range m.orders.results.take() {
		m.say(r.command, r.text, r.bad)
	}
	if m.toastFrames > 0 {
		if m.toastFrames--; m.toastFrames == 0 {
			m.toast, m.stale = toast{}, true
		}
	}
	if m.follow {
		if leader := m.state.LeaderNode(); leader != nil {
			m.cursor = leader.ID
		}
	}
	m.keepCursor()
	m.lookAtChecks()
	m.meter.read(time.Now(), m.state.At, m.still())
	m.stale = m.stale || !m.still() || m.state.Seq != before
}

// say shows the result of an action.
func (m *model) say(command, text string, bad bool) {
	m.command, m.toast, m.toastFrames = command, toast{text: text, bad: bad}, toastFrames
	m.stale = true
}

// order sends a command to the cluster; ok is shown until an answer comes.
func (m *model) order(command, ok string) {
	if m.refuses() {
		return
	}
	line, err := m.session.Parse(command)
	if err != nil {
		m.say(command, err.Error(), true)
		return
	}
	m.say(command, ok, false)
	m.noteFaults(command)
	m.pressedFirst(command)
	ordered := m.orderedWith(command)
	if !m.orders.give(order{command: command, line: line}) {
		m.say(command, "too many commands are waiting: this one is dropped", true)
		return
	}
	m.ordered = ordered
}

// frame gathers what a picture is drawn from.
func (m *model) frame() *frame {
	f := &frame{
		state: &m.state, width: m.width, height: m.height, theme: m.theme, glyphs: m.glyphs,
		moment:         moment{now: m.state.At, speed: m.pace(), paused: m.still(), reached: m.meter.shortOf(m.pace())},
		nodeCursor:     nodeCursor{cursor: m.cursor, selected: m.selected, follow: m.follow},
		clientSettings: clientSettings{route: m.routeName(), level: cluster.Levels[m.asking.level], load: loads[m.asking.load]},
		violations:     violations{alarm: m.alarm(), broken: m.alarms.broken, hidden: m.alarms.hidden},
		input: input{
			toast: m.toast, command: m.command, firstKeys: m.firstKeysNow(), hints: m.hints(),
			filter: m.filter.text, filtering: m.filter.typing,
		},
	}
	m.fillTravel(f)
	f.move(!m.options.Still)
	m.stageIn(f)
	if m.menu != nil {
		f.menu = &m.menu.menu
	}
	if in := &m.prompt.input; in.Focused() {
		f.prompt = &promptLine{text: in.Value(), cursor: in.Position(), choices: m.prompt.choices, wrong: m.prompt.wrong}
	}
	if m.help.on {
		f.help = helpGroups(m.keysHere())[m.help.from:]
	}
	return f
}
