package ui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/engine"
	"capsize/cluster/trace"
	"capsize/cluster/trace/compare"
	"capsize/ui/pane"
	"capsize/ui/source"
	"capsize/ui/view"
)

// branch is one course of events. At most one branch is live; of the others only the
// history is left.
type branch struct {
	source.Source
	name   string
	parent string // the branch it started from, "" for none
	// Its history begins after event number began. It continues its parent's from the moment left
	// on, whose events an exact branch counts on.
	began uint64
	left  trace.Position
}

// branchList is all branches; the source shown belongs to one of them.
type branchList struct {
	branches  []branch
	branch    int
	branching bool // a branch is starting
}

// branchedMsg reports that a branch has started, or why it has not.
type branchedMsg struct {
	branch branch
	err    error
}

// startBranch starts a branch at the moment shown. The old future stays in the list of
// branches.
func (m *model) startBranch() tea.Cmd {
	if m.branching {
		return nil
	}
	e, moment, parent := m.Engine, m.moment(), m.branches[m.branch].name
	m.branching = true
	m.setPlaying(false)
	m.Run(0)
	doing := "starting every node from its disk at this moment…"
	if m.IsExact() {
		doing = "going back to this moment…"
	}
	m.setToast("", doing, false)
	return func() tea.Msg {
		s, err := m.pool.Branch(e, moment)
		return branchedMsg{branch: branch{Source: s, parent: parent, left: moment}, err: err}
	}
}

// onBranched shows a branch that has started.
func (m *model) onBranched(msg branchedMsg) {
	m.branching = false
	wasReal := m.IsRealTime()
	if msg.err != nil {
		m.setSpeed()
		m.setToast("", "cannot branch from here: "+msg.err.Error(), true)
		return
	}
	m.stopLive()
	m.pool.Release(msg.branch.Engine)
	first, _ := msg.branch.History.Span()
	msg.branch.began = first.Seq
	if msg.branch.IsExact() {
		msg.branch.left = first
	}
	msg.branch.name = fmt.Sprintf("branch %d", len(m.branches)+1)
	branches := append(m.branches, msg.branch)
	// An exact branch repeats what came next: it waits, so that a command can come before that.
	// Where messages are held, time stands still in both.
	held := false
	msg.branch.Engine.Read(func(s *trace.State) { held = s.HoldsAny() })
	m.paused = msg.branch.IsExact() || held
	load := m.clients.load
	m.showSource(msg.branch.Source, nil)
	if msg.branch.IsExact() {
		m.clients.load = load // it goes on
	}
	m.branches, m.branch = branches, len(branches)-1
	m.limitMemory()
	next := "; y lists the branches"
	if wasReal {
		next = ", in virtual time" + next
	}
	if msg.branch.IsExact() {
		next = ": space repeats what came next, a command changes it"
	}
	m.setToast("", "now on "+msg.branch.name+next+m.unrecorded(), false)
}

// unrecorded says that --trace does not record a new cluster, "" without --trace.
func (m *model) unrecorded() string {
	if m.options.Trace == "" {
		return ""
	}
	return "; " + m.options.Trace + " ends here: branches are not recorded"
}

// stopLive closes the live cluster, if there is one, and keeps its history.
func (m *model) stopLive() {
	var before engine.Engine
	for i := range m.branches {
		if b := &m.branches[i]; b.IsLive() {
			b.Run(0)
			before, b.End = b.Engine, b.Now()
		}
	}
	m.pool.Retire(before, m.queue.Close)
}

// liveCluster returns the live cluster, shown or not, nil if there is none.
func (m *model) liveCluster() engine.Engine {
	for i := range m.branches {
		if b := &m.branches[i]; b.IsLive() {
			return b.Engine
		}
	}
	return nil
}

// branchesMenu lists the branches with their ends.
func (m *model) branchesMenu() {
	o := m.open("branches", "enter: show it at this moment    d: compare    esc: close")
	o.also = map[string]func(int) tea.Cmd{"d": m.compareBranch}
	for i := range m.branches {
		b := &m.branches[i]
		key := ""
		if i < 9 {
			key = fmt.Sprint(i + 1)
		}
		o.add(key, b.name, b.summary(), i == m.branch, func() { m.showBranch(i) })
	}
	o.Index = m.branch
}

// summary describes where a branch starts and how it ends.
func (b *branch) summary() string {
	last := b.Now()
	text := trace.Clock(b.First().At) + " to " + trace.Clock(last.At)
	if b.parent != "" {
		text += ", from " + b.parent
	}
	if b.IsLive() {
		text += ", running"
	}
	var end trace.State
	if !b.History.StateAt(last.Seq, &end) {
		return text
	}
	leader, value := "no leader", int64(0)
	if n := end.LeaderNode(); n != nil {
		leader, value = "leader "+n.ID, n.Value
	}
	return fmt.Sprintf("%s: %s, value %d, commit %d", text, leader, value, end.Commit)
}

// showBranch shows a branch at its end or, from the past of another branch, at the same
// moment, so the two can be compared. The live branch pauses meanwhile.
func (m *model) showBranch(i int) {
	at, past := m.moment().At, m.travel.inPast()
	m.Run(0)
	b := &m.branches[i]
	m.branch, m.Source = i, b.Source
	m.travel = newTimeTravel()
	m.views.Time.Clear()
	m.paused = !m.IsRealTime()
	m.showLive()
	m.CopyLatest(&m.state)
	if past && at >= m.First().At {
		m.showTime(at)
	}
	m.setToast("", b.name+": "+b.summary(), false)
}

// comparing is a comparison of two branches, on the screen or under way.
type comparing struct {
	comparison *view.Comparison // on the screen, or nil
	awaited    *view.Comparison // under way, or nil; a later one takes its place
	compared   int              // the branch that was chosen
}

// comparedMsg reports that two branches have been compared.
type comparedMsg struct{ comparison *view.Comparison }

// compareBranch compares a branch with the one that relates to it most.
func (m *model) compareBranch(i int) tea.Cmd {
	if len(m.branches) < 2 {
		m.setToast("", "nothing to compare: there is only one branch, B starts another", true)
		return nil
	}
	pair := []int{i, m.counterpart(i)}
	slices.Sort(pair) // the older one on the left
	a, b := m.course(pair[0]), m.course(pair[1])
	c := &view.Comparison{Names: [2]string{m.branches[pair[0]].name, m.branches[pair[1]].name}}
	m.awaited, m.compared = c, i
	m.setToast("", "comparing "+c.Names[0]+" with "+c.Names[1]+"…", false)
	return func() tea.Msg {
		c.Result = compare.Courses(a, b, pane.EventText)
		return comparedMsg{c}
	}
}

// counterpart returns the branch to compare a branch with: its parent; without one, the branch
// shown; if that is the branch itself, its newest child.
func (m *model) counterpart(i int) int {
	parent := m.parentOf(i)
	switch {
	case parent >= 0:
		return parent
	case m.branch != i:
		return m.branch
	}
	for child := len(m.branches) - 1; child >= 0; child-- {
		if m.branches[child].parent == m.branches[i].name {
			return child
		}
	}
	return i
}

// parentOf returns the branch that a branch started from, -1 for none.
func (m *model) parentOf(i int) int {
	return slices.IndexFunc(m.branches, func(b branch) bool { return b.name == m.branches[i].parent })
}

// course returns all that led to the end of a branch.
func (m *model) course(i int) compare.Course {
	to, c := m.branches[i].Now(), compare.Course(nil)
	for ; i >= 0; i = m.parentOf(i) {
		b := &m.branches[i]
		c = append(c, compare.Stretch{History: b.History, From: b.began, To: to})
		to = b.left
	}
	slices.Reverse(c)
	return c
}

// onCompared shows a comparison, unless another one was asked for since.
func (m *model) onCompared(msg comparedMsg) {
	if msg.comparison == m.awaited {
		m.comparison, m.awaited = msg.comparison, nil
		m.setToast("", "", false)
	}
}

// handleCompareKey scrolls the comparison, leaves it for the moment where the branches part, or
// closes it.
func (m *model) handleCompareKey(pressed string) {
	c := m.comparison
	switch pressed {
	case "esc", "q", "y":
		m.comparison = nil
	case "enter":
		m.comparison = nil
		m.showBranch(m.compared)
		m.showTime(c.At.At)
		here := "here " + c.Names[0] + " and " + c.Names[1] + " part"
		if !c.Parted {
			here = c.Names[0] + " and " + c.Names[1] + " are equal up to here"
		}
		m.setToast("", here, false)
	default:
		c.Scroll(m.frame(), pressed)
	}
}

// drawer returns what fills the screen below the header.
func (m *model) drawer() view.Drawer {
	if m.comparison != nil {
		return m.comparison
	}
	return m.view()
}
