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
	source
	travel travel
	// branches are the courses that things took; source is the one of them that is shown.
	branches  []branch
	branch    int
	branching bool // a branch is about to begin
	fleet     fleet

	session *scenario.Session
	podium  *podium
	script  *scenario.Script // on stage, or nil
	orders  *orders
	keys    []binding
	failed  error // why the program has to end

	state         trace.State
	width, height int
	on            surface
	theme         *theme
	glyphs        *glyphs
	mouseOff      bool
	options       Options
	presenter     presenter
	output        *output // nil where there is no terminal
	dragging      bool    // on a stretch of time

	speed  int  // index into speeds
	paused bool // the world is to stand still at now
	auto   bool // the speed is left to what happens
	meter  meter

	cursor      string
	selected    map[string]bool
	follow      bool
	asking      asking
	ordered     []scenario.RecordedCommand
	nodesFirst  int // how many nodes there were at first
	command     string
	stroke      int // counts keys and clicks
	undo        undo
	toast       toast
	toastFrames int // how many frames the toast still stays
	menu        *openMenu
	chosen      tea.Cmd // what a menu's choice has to do besides
	prompt      prompt
	help        help
	logScroll   int
	view        view
	firstKeys   []firstKey // to be told of, or were
	places
	alarms alarms // for violated checks
	window window

	shown shown
	stale bool // something to be seen has changed since
	asked bool // and it answers what somebody did
}

// shown is the last picture.
type shown struct {
	picture string
	canvas  *canvas // what it was drawn on
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
		prompt:   newPrompt(),
		keys:     o.Bindings.keys(),
		options:  o,
		theme:    o.themeOn(surface{}),
		glyphs:   o.glyphsOf(),
		selected: map[string]bool{},
		follow:   true,
		asking:   asking{level: slices.Index(cluster.Levels, cluster.LevelLinearizable)},
		speed:    slices.Index(speeds, nearest(o.Speed)),
		paused:   o.Speed == 0,
	}
	return m
}

// paint chooses the theme.
func (m *model) paint() {
	m.theme, m.stale = m.options.themeOn(m.on), true
}

// attach makes a cluster or a recording what is shown, with a scenario to put on
// stage or nil.
func (m *model) attach(s source, script *scenario.Script) {
	c := s.cluster
	m.source, m.travel, m.window = s, newTravel(), window{zoom: laneCellFirst}
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
	m.places, m.alarms = places{}, alarms{silent: m.alarms.silent}
	clear(m.selected)
	m.setSpeed()
	m.refresh(0)
	m.nodesFirst = len(m.state.Nodes)
}

// Init starts the frames.
func (m *model) Init() tea.Cmd {
	start := nextTick()
	if m.theme != monoTheme {
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
		m.on.light = !msg.IsDark()
		m.paint()
	case tea.ColorProfileMsg:
		m.on.few = msg.Profile == colorprofile.ANSI
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
	case m.filtering:
		m.pressInFilter(msg)
		return nil
	case m.alarm() != nil && m.pressInAlarm(msg.String()):
		return nil
	}
	if m.view == viewTime && m.pressInTime(msg.String()) {
		return nil
	}
	for _, b := range here(m.keys, m.view) {
		if key.Matches(msg, b.Binding) {
			if b.orders() && m.refuses() {
				return nil
			}
			return b.do(m, msg.String())
		}
	}
	m.say("", fmt.Sprintf("%s does nothing here: ? shows all keys", clean(msg.String())), true)
	return nil
}

// View shows the latest picture.
func (m *model) View() tea.View {
	if m.stale && m.mayDraw() {
		m.shown.canvas, m.shown.hits = m.frame().paint()
		m.shown.picture = m.shown.canvas.render(m.theme)
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

// keepCursor moves the cursor off a node that is gone.
func (m *model) keepCursor() {
	nodes := m.nodes()
	if len(nodes) > 0 && !slices.Contains(nodes, m.cursor) {
		m.cursor, m.follow = nodes[0], m.follow || m.cursor == ""
	}
	for id := range m.selected {
		if !slices.Contains(nodes, id) {
			delete(m.selected, id)
		}
	}
}

// nodes returns the nodes there are, in the order in which they are drawn.
func (m *model) nodes() []string {
	var ids []string
	for i := range m.state.Nodes {
		if n := &m.state.Nodes[i]; n.Process != trace.Removed {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// targets returns the nodes that keys act on.
func (m *model) targets() []string {
	if len(m.selected) == 0 {
		return []string{m.cursor}
	}
	return slices.DeleteFunc(m.nodes(), func(id string) bool { return !m.selected[id] })
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
		now: m.state.At, speed: m.pace(), paused: m.still(),
		cursor: m.cursor, selected: m.selected, follow: m.follow,
		route: m.routeName(), level: cluster.Levels[m.asking.level], load: loads[m.asking.load],
		toast: m.toast, command: m.command, logScroll: m.logScroll, view: m.view, places: m.places, alarm: m.alarm(), broken: m.alarms.broken, hidden: m.alarms.hidden,
		hints: m.hints(), reached: m.meter.shortOf(m.pace()), firstKeys: m.firstKeysNow(),
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
		f.help = helpGroups(here(m.keys, m.view))[m.help.from:]
	}
	return f
}
