package shrink

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// The load that stands for the clients of a soak, without and with the reads among it.
const (
	soakLoad   = "load 10/s clients 3"
	soakWrites = "load 8/s clients 3"
)

// form is how random faults are written out.
type form struct {
	// withReads writes out the reads of a soak too; otherwise its load only writes.
	withReads bool
	// withLeaders transfers leadership to the nodes that led: which ones do is chance, and a fault often
	// matters because it strikes the leader.
	withLeaders bool
}

// forms are the forms to try, in this order.
var forms = []form{{withLeaders: true}, {withLeaders: true, withReads: true}, {}, {withReads: true}}

// explicit returns a draft with its random faults written out: the commands that set and clear them,
// at the times at which the events of a run say they did.
func (d draft) explicit(events []trace.Event, f form) draft {
	w := &writer{form: f, links: map[trace.Link][]string{}, down: map[string]bool{}, started: map[string]bool{}}
	for len(events) > 0 {
		moment := events[0].At
		n := 0
		for n < len(events) && events[n].At == moment {
			n++
		}
		if w.commands == nil && events[0].Kind == trace.KindCommand {
			w.reached = moment // the scenario starts
		}
		w.moment(moment, events[:n])
		events = events[n:]
	}
	return d.withCommands(w.commands)
}

// writer writes events as commands.
type writer struct {
	form
	commands []string
	reached  time.Duration // the time that the commands have reached
	leader   string        // the node that led last

	isRandom bool // a nemesis is at work
	soakEnd  time.Duration
	isSoak   bool
	members  bool // it may change the members
	blocks   bool // the last command of the scenario may take time
	own      bool // at this moment, the scenario changes faults itself

	links   map[trace.Link][]string // faults
	down    map[string]bool         // processes that do not run
	started map[string]bool         // nodes that have run before
}

// write adds a command at a time.
func (w *writer) write(at time.Duration, command string) {
	if wait := (at - w.reached).Round(time.Millisecond); wait > 0 {
		w.commands = append(w.commands, "wait "+shortDuration(wait))
	}
	w.reached = max(w.reached, at)
	w.commands = append(w.commands, command)
}

// moment writes what happened at one time. Faults on links are written together.
func (w *writer) moment(at time.Duration, events []trace.Event) {
	if w.isSoak && w.soakEnd > 0 && at >= w.soakEnd {
		w.write(w.soakEnd, "load off")
		w.soakEnd = 0
	}
	var set linkChanges
	w.own = false
	for i := range events {
		switch e := &events[i]; e.Kind {
		case trace.KindCommand:
			w.flush(at, &set)
			w.command(at, scenario.SplitCommand(e.Text))
		case trace.KindLinkFault:
			link := trace.Link{From: e.Node, To: e.Peer}
			if w.writesFaults() {
				set.add(link, w.links[link], e.Faults)
			}
			w.links[link] = slices.Clone(e.Faults)
		default:
			w.flush(at, &set)
			w.nodeEvent(at, e)
		}
	}
	w.flush(at, &set)
}

func (w *writer) writesFaults() bool { return w.isRandom && !w.own }

// flush writes what happened to links so far, and forgets it.
func (w *writer) flush(at time.Duration, set *linkChanges) {
	for _, line := range set.commands() {
		w.write(at, line)
	}
	*set = nil
}

// command writes a command of the scenario. Those that set random faults are left out, and so are the
// waits during them: what happens meanwhile is written at its time.
func (w *writer) command(at time.Duration, c scenario.Command) {
	text := strings.Join(append([]string{c.Verb}, c.Args...), " ")
	w.own = c.ChangesFaults()
	if w.blocks {
		w.reached, w.blocks = at, false // the command before has ended
	}
	_, isWait := waitOf(text)
	switch {
	case c.Verb == "soak":
		w.isRandom, w.isSoak = true, true
		w.members = slices.Contains(c.Args, "membership")
		if d, err := time.ParseDuration(c.Args[0]); err == nil {
			w.soakEnd = at + d
		}
		load := soakLoad
		if w.withReads {
			load = soakWrites
		}
		w.writeLeader(at)
		w.write(at, load)
	case c.Verb == "chaos":
		w.writeLeader(at)
		w.isRandom = !slices.Equal(c.Args, []string{"off"})
		w.members = slices.Contains(c.Args, "membership")
	case c.Verb == "expect" && c.Args[0] == "violation":
	case w.isRandom && isWait:
		return
	case w.isRandom && c.IsClientOp():
		w.write(at, "async "+text)
	case w.isRandom:
		w.write(at, text)
		w.blocks = !c.ChangesFaults()
	default:
		// Outside of random faults the scenario keeps its own waits.
		w.commands = append(w.commands, text)
		w.reached = at
		if isWait {
			d, _ := waitOf(text)
			w.reached = at + d
		}
		return
	}
	w.reached = at
}

// writeLeader makes the node that leads lead, wherever chance has put the leadership.
func (w *writer) writeLeader(at time.Duration) {
	if w.withLeaders && w.leader != "" {
		w.write(at, "try wait leader within 5s")
		w.write(at, "try transfer "+w.leader)
	}
}

// nodeEvent writes what happened to a node, or what a client of a soak did.
func (w *writer) nodeEvent(at time.Duration, e *trace.Event) {
	command := ""
	switch e.Kind {
	case trace.KindRole:
		if e.Role == trace.Leader {
			w.leader = e.Node
			if w.isRandom {
				w.writeLeader(at)
			}
		}
	case trace.KindProcess:
		command = w.process(e)
	case trace.KindDiskFault:
		fault := e.Text
		if fault == "" {
			fault = "ok"
		}
		command = fmt.Sprintf("disk %s %s", e.Node, fault)
	case trace.KindPacket:
		if w.members {
			command = "async transfer " + e.Packet.To
		}
	case trace.KindInvoked:
		if w.isSoak && e.Op.Kind == trace.EntryRead && (w.withReads || w.soakEnd == 0) {
			command = "async read " + e.Op.Level
		}
	default:
	}
	if command == "" || !w.writesFaults() {
		return
	}
	if !strings.HasPrefix(command, "async ") {
		command = "try " + command // other chance may have left the node in another state
	}
	w.write(at, command)
}

// process returns the command after which a process is in its state, "" for none: a crash comes from
// a disk fault.
func (w *writer) process(e *trace.Event) string {
	wasDown, before := w.down[e.Node], w.started[e.Node]
	w.down[e.Node] = !e.Process.Running()
	w.started[e.Node] = true
	switch e.Process {
	case trace.Up:
		switch {
		case !before:
			return "async add-node " + e.Node
		case wasDown:
			return "async restart " + e.Node
		}
		return "resume " + e.Node
	case trace.Paused:
		return "pause " + e.Node
	case trace.Killed:
		return "kill " + e.Node
	case trace.Off:
		return "poweroff " + e.Node
	case trace.Wiped:
		return "wipe " + e.Node
	case trace.Removed:
		return "async remove-node " + e.Node
	case trace.Crashed, trace.Unreachable:
	}
	return ""
}
