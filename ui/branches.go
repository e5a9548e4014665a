package ui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/ui/canvas"
	"capsize/ui/source"
)

// branch is one course that things took. At most one of them goes on; of the
// others there is what is remembered.
type branch struct {
	source.Source
	name   string
	parent string // the branch it was taken from, "" for none
}

// branchList are the courses that things took; the source shown is one of them.
type branchList struct {
	branches  []branch
	branch    int
	branching bool // a branch is about to begin
}

// branchedMsg says that a branch has begun, or why not.
type branchedMsg struct {
	branch branch
	err    error
}

// startBranch begins a branch at the moment that is shown: every node starts
// again from what its disk held then. What has been the future until now is kept.
func (m *model) startBranch() tea.Cmd {
	if m.branching {
		return nil
	}
	var state trace.State
	moment := m.moment()
	if !m.History.StateAt(moment.Seq, &state) {
		m.setToast("", m.historyStart(), true)
		return nil
	}
	state.At = moment.At
	m.branching = true
	m.setPlaying(false)
	m.Run(0)
	m.setToast("", "starting every node from its disk at this moment…", false)
	parent := m.branches[m.branch].name
	return func() tea.Msg {
		s, err := m.pool.Start(cluster.Config{From: &state, HistoryBudget: history.DefaultBudget})
		s.Start = moment.At
		return branchedMsg{branch: branch{Source: s, parent: parent}, err: err}
	}
}

// onBranched shows a branch that has begun.
func (m *model) onBranched(msg branchedMsg) {
	m.branching = false
	if msg.err != nil {
		m.setSpeed()
		m.setToast("", "cannot branch from here: "+msg.err.Error(), true)
		return
	}
	m.stopLive()
	m.pool.Release(msg.branch.Cluster)
	msg.branch.name = fmt.Sprintf("branch %d", len(m.branches)+1)
	branches := append(m.branches, msg.branch)
	m.paused = false
	m.showSource(msg.branch.Source, nil)
	m.branches, m.branch = branches, len(branches)-1
	m.setToast("", "now on "+msg.branch.name+"; y lists the branches"+m.unrecorded(), false)
}

// unrecorded says, if there is a recording, that it does not go on with another cluster.
func (m *model) unrecorded() string {
	if m.options.Trace == "" {
		return ""
	}
	return "; " + m.options.Trace + " ends here: branches are not recorded"
}

// stopLive ends the cluster that goes on, if one does. What is remembered of it
// is kept.
func (m *model) stopLive() {
	var before *cluster.Cluster
	for i := range m.branches {
		if b := &m.branches[i]; b.Cluster != nil {
			b.Run(0)
			before, b.End = b.Cluster, b.Now()
			b.Cluster = nil
		}
	}
	m.pool.Retire(before, m.queue.Close)
}

// liveCluster returns the cluster that goes on, shown or not; nil if none does.
func (m *model) liveCluster() *cluster.Cluster {
	for i := range m.branches {
		if c := m.branches[i].Cluster; c != nil {
			return c
		}
	}
	return nil
}

// branchesMenu offers what there is to be compared.
func (m *model) branchesMenu() {
	o := m.open("branches", "enter: show it, in the past at the same moment    esc: leave    B: again from here")
	for i := range m.branches {
		b := &m.branches[i]
		key := ""
		if i < 9 {
			key = fmt.Sprint(i + 1)
		}
		o.add(key, b.name, b.tell(), i == m.branch, func() { m.showBranch(i) })
	}
	o.Index = m.branch
}

// tell says from when a branch is, how far it goes, and how it ends.
func (b *branch) tell() string {
	last := b.Now()
	text := canvas.Clock(b.First().At) + " to " + canvas.Clock(last.At)
	if b.parent != "" {
		text += ", from " + b.parent
	}
	if b.Cluster != nil {
		text += ", goes on"
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

// showBranch shows a branch where it ends or, from the past of another one, at the
// same moment, so that they can be compared. The one that goes on stands still.
func (m *model) showBranch(i int) {
	at, past := m.moment().At, m.travel.inPast()
	m.Run(0)
	b := &m.branches[i]
	m.branch, m.Source = i, b.Source
	m.travel = newTimeTravel()
	m.views.Time.Clear()
	m.paused = true
	m.showLive()
	m.CopyLatest(&m.state)
	if past && at >= m.First().At {
		m.showTime(at)
	}
	m.setToast("", b.name+": "+b.tell(), false)
}
