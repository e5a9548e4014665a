package undo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"capsize/cluster/trace"
)

// Faults is all that orders can break and mend.
type Faults struct {
	links map[trace.Link][]string
	nodes map[string]nodeState
}

// nodeState is how a node's process, disk and clock are.
type nodeState struct {
	life  trace.ProcessState
	disk  string
	clock float64
}

// Of returns the faults that are set in a state.
func Of(s *trace.State) Faults {
	f := Faults{links: map[trace.Link][]string{}, nodes: map[string]nodeState{}}
	maps.Copy(f.links, s.Faults)
	for i := range s.Nodes {
		n := &s.Nodes[i]
		f.nodes[n.ID] = nodeState{life: n.Process, disk: n.DiskFault, clock: n.ClockFactor}
	}
	return f
}

// CommandsTo returns the commands that turn the faults f into want.
func (f Faults) CommandsTo(want Faults) []string {
	var commands []string
	names := slices.SortedFunc(maps.Keys(want.nodes), trace.CompareNames)
	for _, id := range names {
		now, ok := f.nodes[id]
		if !ok {
			continue // it is no member any more
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

// commandsTo returns the commands that change how a node is.
func (c nodeState) commandsTo(id string, want nodeState) []string {
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

// linkCommandsTo returns the commands that change the links from a node, those that
// are to be alike together.
func (f Faults) linkCommandsTo(want Faults, from string, names []string) []string {
	groups := map[string][]string{} // the faults of a link, joined → where to
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
