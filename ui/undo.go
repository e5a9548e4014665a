package ui

import (
	"fmt"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/ui/undo"
)

// undoHistory remembers the faults before each command that changed them, for undo and
// redo.
type undoHistory struct {
	before, after []undo.Faults
	keyCount      int  // the key press that the latest of before belongs to
	restoring     bool // undo or redo submits commands now
}

// undoMax is how many commands can be undone.
const undoMax = 100

// recordFaults remembers the faults before a command that changes them.
func (m *model) recordFaults(command scenario.Command) {
	u := &m.undo
	if u.restoring || !command.ChangesFaults() {
		return
	}
	u.after = nil
	// One undo reverts everything that one key did.
	if len(u.before) > 0 && u.keyCount == m.keyCount {
		return
	}
	u.keyCount = m.keyCount
	u.before = append(u.before, m.faultsNow())
	u.before = u.before[max(len(u.before)-undoMax, 0):]
}

func (m *model) undoFault() {
	m.swapFaults(&m.undo.before, &m.undo.after, "undone", "no fault to undo")
}

func (m *model) redoFault() {
	m.swapFaults(&m.undo.after, &m.undo.before, "redone", "nothing to redo")
}

// swapFaults restores the latest faults of one list, and remembers the current ones in
// the other.
func (m *model) swapFaults(from, to *[]undo.Faults, done, none string) {
	if len(*from) == 0 {
		m.setToast("", none, true)
		return
	}
	now, want := m.faultsNow(), (*from)[len(*from)-1]
	*from, *to = (*from)[:len(*from)-1], append(*to, now)
	commands := now.CommandsTo(want)
	m.undo.restoring = true
	for _, command := range commands {
		m.submit(command, done)
	}
	m.undo.restoring = false
	switch len(commands) {
	case 0:
		m.setToast("", "nothing to change", false)
	case 1:
	default:
		m.setToast(fmt.Sprintf("%s, and %d more", commands[0], len(commands)-1), done, false)
	}
}

// faultsNow returns the faults set now.
func (m *model) faultsNow() (f undo.Faults) {
	m.Cluster.Trace().Read(func(s *trace.State) { f = undo.Of(s) })
	return f
}
