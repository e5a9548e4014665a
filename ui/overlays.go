package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/trace"
	"capsize/faults"
	"capsize/ui/canvas"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/view"
)

// overlays lie over the views, and take the keys while they are open.
type overlays struct {
	menu    *openMenu
	menuCmd tea.Cmd // returned by the chosen item of a menu
	prompt  prompt
	help    help
	filter  storyFilter
	tips    []pane.Tip // for a first-time user
	comparing
}

// handleOverlayKey hands a key to the overlay that is open. It reports whether one was.
func (m *model) handleOverlayKey(msg tea.KeyPressMsg) (cmd tea.Cmd, handled bool) {
	switch {
	case m.coursed():
		return m.handleCourseKey(msg.String()), true
	case m.prompt.input.Focused():
		return m.handlePromptKey(msg), true
	case m.menu != nil:
		return m.handleMenuKey(msg.String()), true
	case m.help.on:
		m.handleHelpKey(msg.String())
		return nil, true
	case m.filter.typing:
		m.handleFilterKey(msg)
		return nil, true
	case m.comparison != nil:
		m.handleCompareKey(msg.String())
		return nil, true
	case m.hand.look.open && m.handleLookKey(msg.String()):
		return nil, true
	}
	return nil, m.alarm() != nil && m.handleAlarmKey(msg.String()) || m.handleQuestionKey(msg.String()) || m.handleHandOnStage(msg.String())
}

// openMenu is the menu on the screen, with what its items do.
type openMenu struct {
	pane.Menu
	choose []func()
	also   map[string]func(index int) tea.Cmd // what further keys do with the item under the cursor
}

// add adds an item; on marks it as currently set.
func (o *openMenu) add(key, text, detail string, on bool, choose func()) {
	o.Items = append(o.Items, pane.MenuItem{Key: key, Text: text, Detail: detail, On: on})
	o.choose = append(o.choose, choose)
}

// open shows a menu.
func (m *model) open(title, note string) *openMenu {
	m.menu = &openMenu{Menu: pane.Menu{Title: title, Note: note}}
	return m.menu
}

// handleMenuKey moves the menu's cursor, chooses an item, or closes the menu.
func (m *model) handleMenuKey(pressed string) tea.Cmd {
	o := m.menu
	choice := slices.IndexFunc(o.Items, func(item pane.MenuItem) bool { return item.Key == pressed && pressed != "" })
	switch pressed {
	case "esc", "q":
		m.menu = nil
		return nil
	case "up":
		o.Index = (o.Index + len(o.Items) - 1) % len(o.Items)
	case "down":
		o.Index = (o.Index + 1) % len(o.Items)
	case "enter", "space":
		choice = o.Index
	}
	if also := o.also[pressed]; also != nil {
		m.menu = nil
		return also(o.Index)
	}
	if choice < 0 {
		return nil
	}
	m.menu, m.menuCmd = nil, nil
	o.choose[choice]()
	return m.menuCmd
}

// ask asks for confirmation of what cannot be undone. The default is no, and the key for
// yes, y, asks no question itself.
func (m *model) ask(question, note string, yes func()) {
	o := m.open(question, note)
	o.add("n", "no", "", false, func() { m.setToast("", "cancelled", false) })
	o.add("y", "yes", "", false, yes)
}

const menuNote = "enter or key: choose    esc: cancel"

// shapesMenu lists the shapes of a partition.
func (m *model) shapesMenu() {
	nodes, cursor := m.nodes(), m.cursor
	m.follow = false
	half := nodes[:len(nodes)/2]
	o := m.open("break the network", menuNote)
	o.add("2", "halves", nodeList(half)+" | "+nodeList(nodes[len(half):]), false, func() {
		m.submit("partition "+nodeList(half)+" | others", "partitioned")
	})
	o.add("1", "one-way", cursor+" hears the others, they do not hear it", false, func() {
		m.submit("cut "+cursor+" -> others", "cut one way")
	})
	o.add("b", "bridge", "two halves that share only "+cursor, false, func() {
		m.submit("bridge "+cursor, "partitioned")
	})
	o.add("r", "ring", "each node reaches a different majority", false, func() {
		m.submit("ring", "partitioned")
	})
	o.add("a", "alone", "every node alone", false, func() {
		m.submit("isolate all", "partitioned")
	})
	o.add("h", "heal", "heal every link", false, func() {
		m.submit("heal", "healed")
	})
}

// diskMenu lists the faults of a disk.
func (m *model) diskMenu() {
	ids := m.targets()
	m.follow = false
	now := ""
	if n := m.state.Node(m.cursor); n != nil {
		now = n.DiskFault
	}
	o := m.open("the disk of "+nodeList(ids), menuNote)
	for _, f := range []struct{ key, fault string }{
		{"o", "ok"}, {"s", "slow 200ms"}, {"t", "stall"}, {"f", "fail"}, {"u", "full"}, {"l", "lie"}, {"c", "corrupt"}, {"p", "corrupt snapshot"},
	} {
		on := f.fault == now || f.fault == "ok" && now == ""
		o.add(f.key, f.fault, pane.DiskFaultMeaning(f.fault), on, func() { m.submit("disk "+nodeList(ids)+" "+f.fault, "done") })
	}
	o.add("w", "wipe", "erase log, term and vote (asks)", false, func() {
		m.ask("wipe the disk of "+nodeList(ids)+"?", "log, term and vote are erased for good", func() {
			m.submit("wipe "+nodeList(ids), "wiped")
		})
	})
}

// linkMenu asks for the receiver of a link.
func (m *model) linkMenu() {
	from := m.cursor
	m.follow = false
	o := m.open("a link from "+from+" to", menuNote)
	others := slices.DeleteFunc(m.nodes(), func(id string) bool { return id == from })
	for i, to := range others {
		key := ""
		if n := slices.Index(m.nodes(), to) + 1; i < 9 && n <= 9 {
			key = fmt.Sprint(n)
		}
		set := m.state.Faults[linkOf(from, to)]
		o.add(key, to, strings.Join(set, ", "), len(set) > 0, func() { m.linkFaultMenu(from, []string{to}) })
	}
	if len(others) > 1 {
		o.add("a", "all", "", false, func() { m.linkFaultMenu(from, others) })
	}
}

// linkFaultMenu lists the faults of the links from one node to others.
func (m *model) linkFaultMenu(from string, to []string) {
	link := from + " -> " + nodeList(to)
	o := m.open("the link "+link, menuNote)
	now := m.state.Faults[linkOf(from, to[0])]
	for _, f := range []struct {
		key   string
		fault faults.LinkFault
	}{
		{"c", faults.Cut{}},
		{"r", faults.Refuse{}},
		{"d", faults.Delay{Mean: 200 * time.Millisecond, Jitter: 50 * time.Millisecond}},
		{"l", faults.Lose{Percent: 30}},
		{"u", faults.Duplicate{Percent: 30}},
		{"o", faults.Reorder{Percent: 30}},
		{"j", faults.Jam{}},
		{"b", faults.Bandwidth{BytesPerSecond: 1000}},
		{"m", faults.Hold{}},
	} {
		name, setting, _ := strings.Cut(f.fault.String(), " ")
		if !m.can(name) {
			continue
		}
		command := strings.TrimSpace(name + " " + link + " " + setting)
		o.add(f.key, f.fault.String(), f.fault.Meaning(), slices.Contains(now, f.fault.String()), func() { m.submit(command, "set") })
	}
	o.add("h", "heal", "no fault", len(now) == 0, func() { m.submit("heal "+link, "healed") })
}

// zoomMenu asks which pane of the stage to zoom, or ends the zoom.
func (m *model) zoomMenu() {
	if m.views.Stage.Zoom != "" {
		m.views.Stage.Zoom = ""
		return
	}
	o := m.open("zoom", menuNote)
	for _, z := range []struct{ key, pane, detail string }{
		{"r", view.ZoomRing, "nodes and messages"},
		{"t", view.ZoomTable, "nodes as a table"},
		{"l", view.ZoomLog, "the end of every log"},
		{"i", view.ZoomTimeline, "leaders over time"},
		{"s", view.ZoomStory, "events in words"},
	} {
		o.add(z.key, z.pane, z.detail, false, func() { m.views.Stage.Zoom = z.pane; m.showView(m.views.Stage) })
	}
	// The key z also closes its own menu.
	o.add("z", "back", "all panes", false, func() {})
}

// findMenu lists the kinds of events to find before the moment shown.
func (m *model) findMenu() {
	o := m.open("find the last", menuNote)
	index := m.views.Log.Index
	if newest := view.NewestIndex(&m.state); index == 0 || index > newest {
		index = newest
	}
	add := func(key, what, detail string, is func(*trace.Event) bool) {
		o.add(key, what, detail, false, func() { m.findLast(what, is) })
	}
	add("e", "election", "a node became leader", func(e *trace.Event) bool {
		return e.Kind == trace.KindRole && e.Role == trace.Leader
	})
	entry := fmt.Sprintf("append of entry %d", index)
	add("a", entry, "the entry under the log cursor, or the newest", func(e *trace.Event) bool {
		return e.Kind == trace.KindAppended && e.Index <= index && index-e.Index < uint64(len(e.Entries))
	})
	add("u", "unknown outcome", "a client got no reply", func(e *trace.Event) bool {
		return e.Kind == trace.KindReturned && e.Op != nil && e.Op.Outcome == trace.Unknown
	})
	add("t", "truncation", "a node removed entries from its log", func(e *trace.Event) bool { return e.Kind == trace.KindTruncated })
	add("d", "death", "a node was killed, lost power or crashed", func(e *trace.Event) bool {
		return e.Kind == trace.KindProcess && (e.Process == trace.Killed || e.Process == trace.Off || e.Process == trace.Crashed)
	})
	add("v", "violation", "a check was violated", func(e *trace.Event) bool {
		return e.Kind == trace.KindVerdict && e.Verdict == trace.VerdictViolated
	})
}

// findLast shows the last event before the moment shown for which is holds.
func (m *model) findLast(what string, is func(*trace.Event) bool) {
	shown := m.moment()
	before := shown.Seq
	if !m.travel.past {
		shown = m.Now()
		before = shown.Seq + 1 // include the event that has just happened
	}
	seq, ok := m.History.FindLast(before, is)
	if !ok || seq < m.First().Seq {
		m.setToast("", fmt.Sprintf("no %s before %s", what, trace.ClockMillis(shown.At)), true)
		return
	}
	m.travel.stepped = false
	m.setPlaying(false)
	m.showEvent(seq)
}

// help is the overlay that lists the keys.
type help struct {
	on   bool
	from int // the first group shown
}

// handleHelpKey scrolls the help, or closes it.
func (m *model) handleHelpKey(pressed string) {
	switch pressed {
	case "down":
		m.help.from = min(m.help.from+1, len(keymap.HelpGroups(m.offered()))-1)
	case "up":
		m.help.from = max(m.help.from-1, 0)
	default:
		m.help.on, m.help.from = false, 0
	}
}

// filterMax is the length limit of a filter, in characters.
const filterMax = 40

// storyFilter is the text that lines of the story must contain.
type storyFilter struct {
	text   string
	typing bool
}

// openFilter opens the line for typing a filter.
func (m *model) openFilter() {
	m.filter.typing = true
	if m.views.Stage.Zoom == "" {
		m.showView(m.views.Stage)
	}
}

// handleFilterKey handles a key while the filter is typed.
func (m *model) handleFilterKey(msg tea.KeyPressMsg) {
	switch msg.String() {
	case "esc":
		m.filter = storyFilter{}
	case "enter":
		m.filter.typing = false
	case "backspace":
		if typed := []rune(m.filter.text); len(typed) > 0 {
			m.filter.text = string(typed[:len(typed)-1])
		}
	default:
		if text := canvas.Sanitize(msg.Text); text != "" && len([]rune(m.filter.text)) < filterMax {
			m.filter.text += text
		}
	}
}
