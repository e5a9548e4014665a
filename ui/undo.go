package ui

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"capsize/cluster/trace"
)

// undo remembers how the faults stood before each order that changed them, so that
// it can be taken back, and be done again.
type undo struct {
	before, after []faultSet
	stroke        int  // the key that the latest of before is of
	busy          bool // what is ordered now takes back, or does again
}

// undoMax is how many orders can be taken back.
const undoMax = 100

// faultSet is all that orders can break and mend.
type faultSet struct {
	links map[trace.Link][]string
	nodes map[string]condition
}

// condition is how a node's process, disk and clock are.
type condition struct {
	life  trace.ProcessState
	disk  string
	clock float64
}

// faultWords are the commands that change faults and can be taken back. What a
// wiped disk held is gone.
var faultWords = []string{
	"kill", "poweroff", "restart", "pause", "resume", "clock", "disk", "isolate", "partition", "bridge", "ring", "heal",
	"cut", "refuse", "delay", "lose", "duplicate", "reorder", "jam", "bandwidth",
}

// faultsNow returns the faults that are set.
func (m *model) faultsNow() faultSet {
	f := faultSet{links: map[trace.Link][]string{}, nodes: map[string]condition{}}
	m.cluster.Trace().Read(func(s *trace.State) {
		maps.Copy(f.links, s.Faults)
		for i := range s.Nodes {
			n := &s.Nodes[i]
			f.nodes[n.ID] = condition{life: n.Process, disk: n.DiskFault, clock: n.ClockFactor}
		}
	})
	return f
}

// noteFaults remembers the faults before a command that changes them.
func (m *model) noteFaults(command string) {
	word, _, _ := strings.Cut(command, " ")
	u := &m.undo
	if u.busy || !slices.Contains(faultWords, word) {
		return
	}
	u.after = nil
	// What one key orders is taken back by one.
	if len(u.before) > 0 && u.stroke == m.stroke {
		return
	}
	u.stroke = m.stroke
	u.before = append(u.before, m.faultsNow())
	u.before = u.before[max(len(u.before)-undoMax, 0):]
}

func (m *model) undoFault() {
	m.swapFaults(&m.undo.before, &m.undo.after, "taken back", "there is no fault to take back")
}

func (m *model) redoFault() {
	m.swapFaults(&m.undo.after, &m.undo.before, "done again", "there is nothing to do again")
}

// swapFaults sets the faults as the latest of one list says, and remembers in the
// other how they stand.
func (m *model) swapFaults(from, to *[]faultSet, done, none string) {
	if len(*from) == 0 {
		m.say("", none, true)
		return
	}
	now, want := m.faultsNow(), (*from)[len(*from)-1]
	*from, *to = (*from)[:len(*from)-1], append(*to, now)
	commands := now.become(want)
	m.undo.busy = true
	for _, command := range commands {
		m.order(command, done)
	}
	m.undo.busy = false
	switch len(commands) {
	case 0:
		m.say("", "the faults are so already", false)
	case 1:
	default:
		m.say(fmt.Sprintf("%s, and %d more", commands[0], len(commands)-1), done, false)
	}
}

// become returns the commands that turn the faults f into want.
func (f faultSet) become(want faultSet) []string {
	var commands []string
	names := slices.SortedFunc(maps.Keys(want.nodes), trace.CompareNames)
	for _, id := range names {
		now, ok := f.nodes[id]
		if !ok {
			continue // it is no member any more
		}
		commands = append(commands, now.become(id, want.nodes[id])...)
	}
	if len(want.links) == 0 && len(f.links) > 0 {
		return append(commands, "heal")
	}
	for _, from := range names {
		commands = append(commands, f.linksBecome(want, from, names)...)
	}
	return commands
}

// become returns the commands that change how a node is.
func (c condition) become(id string, want condition) []string {
	var commands []string
	if c.disk != want.disk {
		fault := want.disk
		if fault == "" {
			fault = "ok"
		}
		commands = append(commands, "disk "+id+" "+fault)
	}
	if c.clock != want.clock {
		commands = append(commands, fmt.Sprintf("clock %s %g", id, want.clock))
	}
	if c.life == want.life {
		return commands
	}
	switch running := c.life.Running(); want.life {
	case trace.Up, trace.Paused:
		switch {
		case !running:
			commands = append(commands, "restart "+id)
		case c.life == trace.Paused:
			commands = append(commands, "resume "+id)
		}
		if want.life == trace.Paused {
			commands = append(commands, "pause "+id)
		}
	case trace.Off:
		commands = append(commands, "poweroff "+id)
	case trace.Killed, trace.Crashed:
		if running {
			commands = append(commands, "kill "+id)
		}
	default: // a new disk, and a member that left, do not come back
	}
	return commands
}

// linksBecome returns the commands that change the links from a node, those that
// are to be alike together.
func (f faultSet) linksBecome(want faultSet, from string, names []string) []string {
	groups := map[string][]string{} // the faults of a link, joined → where to
	for _, to := range names {
		link := linkOf(from, to)
		if !slices.Equal(f.links[link], want.links[link]) {
			key := strings.Join(want.links[link], "\n")
			groups[key] = append(groups[key], to)
		}
	}
	var commands []string
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		link := from + " -> " + sel(groups[key])
		commands = append(commands, "heal "+link)
		if key == "" {
			continue
		}
		for _, fault := range strings.Split(key, "\n") {
			word, rest, _ := strings.Cut(fault, " ")
			commands = append(commands, strings.TrimSpace(word+" "+link+" "+rest))
		}
	}
	return commands
}
