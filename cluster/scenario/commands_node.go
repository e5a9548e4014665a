package scenario

import (
	"strings"
	"time"

	"capsize/cluster"
	"capsize/faults"
)

// The factors by which a node's clock can run slow.
const (
	clockFactorMin = 0.01
	clockFactorMax = 100
)

// nodeCommands change the process, the clock or the disk of nodes.
func nodeCommands() []declaration {
	return []declaration{
		nodeFault("kill", "kill the process: writes in the page cache survive", (*cluster.Inside).Kill),
		onOwnNodes(nodeFault("poweroff", "cut the power: writes not synced to disk are lost", (*cluster.Inside).PowerOff)),
		restorable(nodeTask("restart", "start a node that is down, on its old disk", (*cluster.Inside).Restart)),
		onOwnNodes(needsVirtualTime(nodeFault("pause", "freeze the process, like SIGSTOP", (*cluster.Inside).Pause), noSIGSTOP)),
		onOwnNodes(nodeFault("resume", "unfreeze the process: everything held for it arrives at once", (*cluster.Inside).Resume)),
		onOwnNodes(nodeCommand("wipe", "erase the disk: log, term and vote are gone, and so is its disk fault", (*cluster.Inside).Wipe)),
		nodeTask("snapshot", "take a snapshot of the counter", (*cluster.Inside).Snapshot),
		{name: "clock", syntax: "clock SEL FACTOR", help: "stretch timeouts and leader lease by FACTOR", changesFaults: true, parse: parseClock},
		{name: "apply", syntax: "apply SEL slow D|ok", help: "make each command take D longer to apply; ok ends it", changesFaults: true, parse: parseApply},
		{name: "disk", syntax: "disk SEL slow D|stall|fail|full|lie|corrupt [snapshot]|ok", help: "set a disk fault; ok clears it", changesFaults: true, parse: parseDisk},
	}
}

// nodeCommand declares a command that does something to each selected node.
func nodeCommand(name, help string, do func(*cluster.Inside, string) error) declaration {
	return declaration{name: name, syntax: name + " SEL", help: help, parse: func(p *lineParser) (action, error) {
		s, err := p.selector()
		return func(r *run) error {
			return r.forEachNode(s, func(id string) error { return do(r.c, id) })
		}, err
	}}
}

// nodeTask is nodeCommand for commands that take virtual time.
func nodeTask(name, help string, do func(*cluster.Inside, string) error) declaration {
	return timed(name, name+" SEL", help, func(p *lineParser) (starter, error) {
		s, err := p.selector()
		return func(r *run) (func() error, error) {
			ids, err := s.resolve(r)
			return func() error { return forEach(ids, func(id string) error { return do(r.c, id) }) }, err
		}, err
	})
}

// nodeFault is nodeCommand for a change that other commands can restore.
func nodeFault(name, help string, do func(*cluster.Inside, string) error) declaration {
	return restorable(nodeCommand(name, help, do))
}

// restorable marks a command whose changes other commands can undo.
func restorable(d declaration) declaration {
	d.changesFaults = true
	return d
}

func parseClock(p *lineParser) (action, error) {
	s, err := p.selector()
	if err != nil {
		return nil, err
	}
	factor, err := p.number("a factor", clockFactorMin, clockFactorMax)
	return func(r *run) error {
		return r.forEachNode(s, func(id string) error { return r.c.SetClock(id, factor) })
	}, err
}

func parseApply(p *lineParser) (action, error) {
	s, err := p.selector()
	if err != nil {
		return nil, err
	}
	word, err := p.choice("a state of the state machine", "slow", "ok")
	if err != nil {
		return nil, err
	}
	var delay time.Duration
	if word == "slow" {
		if delay, err = p.duration("a delay"); err != nil {
			return nil, err
		}
	}
	return func(r *run) error {
		return r.forEachNode(s, func(id string) error { return r.c.SetApply(id, delay) })
	}, nil
}

func parseDisk(p *lineParser) (action, error) {
	s, err := p.selector()
	if err != nil {
		return nil, err
	}
	var words []string
	for _, kind := range faults.DiskFaultKinds() {
		if word, _, more := strings.Cut(kind.Name, " "); !more {
			words = append(words, word)
		}
	}
	name, err := p.choice("a disk fault", append(words, "ok")...)
	if err != nil {
		return nil, err
	}
	if name == "slow" {
		latency, err := p.duration("a latency")
		if err != nil {
			return nil, err
		}
		name = faults.Slow{Latency: latency}.String()
	}
	if name == "corrupt" && p.accept("snapshot") {
		name = faults.CorruptSnapshot{}.String()
	}
	fault, err := faults.ParseDiskFault(name)
	if err != nil {
		return nil, err
	}
	return func(r *run) error {
		return r.forEachNode(s, func(id string) error { return r.c.SetDisk(id, fault) })
	}, nil
}
