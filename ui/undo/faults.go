package undo

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"capsize/cluster/trace"
)

// Faults is everything that commands can break and repair in a cluster.
type Faults struct {
	links map[trace.Link][]string
	nodes map[string]nodeState
}

// nodeState is the state of a node's process, disk, clock and state machine.
type nodeState struct {
	process trace.ProcessState
	disk    string
	clock   float64
	apply   string
}

// Of returns the faults set in a state.
func Of(s *trace.State) Faults {
	f := Faults{links: map[trace.Link][]string{}, nodes: map[string]nodeState{}}
	maps.Copy(f.links, s.Faults)
	for i := range s.Nodes {
		n := &s.Nodes[i]
		f.nodes[n.ID] = nodeState{process: n.Process, disk: n.DiskFault, clock: n.ClockFactor, apply: n.ApplyFault}
	}
	return f
}

// CommandsTo returns the commands that turn the faults f into want. Nodes that are no
// longer members are left out.
func (f Faults) CommandsTo(want Faults) []string {
	var commands []string
	names := slices.SortedFunc(maps.Keys(want.nodes), trace.CompareNames)
	for _, id := range names {
		now, ok := f.nodes[id]
		if !ok {
			continue // no longer a member
		}
		commands = append(commands, now.commandsTo(id, want.nodes[id])...)
	}
	if len(want.links) == 0 && len(f.links) > 0 {
		return append(commands, "heal")
	}
	for _, from := range names {
		commands = append(commands, f.linkCommandsTo(want, from, names)...)
	}
	return commands
}

// commandsTo returns the commands that bring a node into the state want.
func (c nodeState) commandsTo(id string, want nodeState) []string {
	var commands []string
	if c.disk != want.disk {
		commands = append(commands, "disk "+id+" "+cmp.Or(want.disk, "ok"))
	}
	if c.apply != want.apply {
		commands = append(commands, "apply "+id+" "+cmp.Or(want.apply, "ok"))
	}
	if c.clock != want.clock {
		commands = append(commands, fmt.Sprintf("clock %s %g", id, want.clock))
	}
	if c.process == want.process {
		return commands
	}
	switch running := c.process.Running(); want.process {
	case trace.Up, trace.Paused:
		switch {
		case c.process == trace.Unreachable:
			return commands // nothing reaches it
		case !running:
			commands = append(commands, "restart "+id)
		case c.process == trace.Paused:
			commands = append(commands, "resume "+id)
		}
		if want.process == trace.Paused {
			commands = append(commands, "pause "+id)
		}
	case trace.Off:
		commands = append(commands, "poweroff "+id)
	case trace.Killed, trace.Crashed:
		if running {
			commands = append(commands, "kill "+id)
		}
	default: // a wiped disk and a removed member cannot be restored
	}
	return commands
}

// linkCommandsTo returns the commands for the links from one node, one command for all
// links that get the same faults.
func (f Faults) linkCommandsTo(want Faults, from string, names []string) []string {
	groups := map[string][]string{} // the faults of a link, joined → receivers
	for _, to := range names {
		link := trace.Link{From: from, To: to}
		if !slices.Equal(f.links[link], want.links[link]) {
			key := strings.Join(want.links[link], "\n")
			groups[key] = append(groups[key], to)
		}
	}
	var commands []string
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		link := from + " -> " + strings.Join(groups[key], ",")
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
