package ui

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/undo"
)

// undoHistory remembers how the faults stood before each order that changed them, so that
// it can be taken back, and be done again.
type undoHistory struct {
	before, after []undo.Faults
	keyCount      int  // the key that the latest of before is of
	restoring     bool // what is ordered now takes back, or does again
}

// undoMax is how many orders can be taken back.
const undoMax = 100

// faultWords are the commands that change faults and can be taken back. What a
// wiped disk held is gone.
var faultWords = []string{
	"kill", "poweroff", "restart", "pause", "resume", "clock", "disk", "isolate", "partition", "bridge", "ring", "heal",
	"cut", "refuse", "delay", "lose", "duplicate", "reorder", "jam", "bandwidth",
}

// recordFaults remembers the faults before a command that changes them.
func (m *model) recordFaults(command string) {
	word, _, _ := strings.Cut(command, " ")
	u := &m.undo
	if u.restoring || !slices.Contains(faultWords, word) {
		return
	}
	u.after = nil
	// What one key orders is taken back by one.
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

// swapFaults sets the faults as the latest of one list says, and remembers in the
// other how they stand.
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

// faultsNow returns the faults that are set.
func (m *model) faultsNow() (f undo.Faults) {
	m.Cluster.Trace().Read(func(s *trace.State) { f = undo.Of(s) })
	return f
}
