package scenario

import (
	"slices"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
	"capsize/faults"
)

// breakNetwork sets a fault on the links between one or more nodes and the rest.
// No node becomes unavailable for good, so it may leave no majority connected.
func (n *Nemesis) breakNetwork() injectedFault {
	names := n.c.Names()
	if len(names) < 2 {
		return injectedFault{}
	}
	one := names[n.rng.IntN(len(names))]
	possible := chaosFaults(n.c.OverProcesses())
	fault := possible[n.rng.IntN(len(possible))]
	oneWay, split := n.rng.IntN(3) == 0, n.rng.IntN(3) == 0
	side := []string{one}
	if split { // a random half
		n.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		side = names[:len(names)/2]
	}
	links := n.setLinks(side, names, fault, oneWay)
	return injectedFault{heal: func() error {
		for _, l := range links {
			_ = n.c.ClearLink(l.From, l.To, fault) // one of the two nodes may be gone by now
		}
		return nil
	}}
}

// chaosFaults returns the faults that a nemesis sets on links. Over processes, those that TCP hides
// are not among them.
func chaosFaults(overProcesses bool) []faults.LinkFault {
	all := []faults.LinkFault{
		faults.Cut{},
		faults.Cut{},
		faults.Refuse{},
		faults.Lose{Percent: 30},
		faults.Duplicate{Percent: 30},
		faults.Reorder{Percent: 30},
		faults.Delay{Mean: 50 * time.Millisecond, Jitter: 40 * time.Millisecond},
		faults.Jam{},
	}
	if !overProcesses {
		return all
	}
	return slices.DeleteFunc(all, func(f faults.LinkFault) bool {
		d, _ := find(f.Name())
		return d.virtual != ""
	})
}

// setLinks sets a fault on the links from side to the other nodes and, unless it
// is one-way, back. It leaves out links that have a fault, and returns the others.
func (n *Nemesis) setLinks(side, all []string, fault faults.LinkFault, oneWay bool) (set []trace.Link) {
	state := n.state()
	for _, a := range side {
		for _, b := range all {
			if slices.Contains(side, b) {
				continue
			}
			for _, l := range []trace.Link{{From: a, To: b}, {From: b, To: a}} {
				if (l.From == a || !oneWay) && len(state.Faults[l]) == 0 && n.c.SetLink(l.From, l.To, fault) == nil {
					set = append(set, l)
				}
			}
		}
	}
	return set
}

// stopNode pauses a node, kills it or cuts its power.
func (n *Nemesis) stopNode() injectedFault {
	id := n.pickVictim()
	if id == "" {
		return injectedFault{}
	}
	do, undo := (*cluster.Inside).Kill, (*cluster.Inside).Restart
	switch n.rng.IntN(3) {
	case 0:
		do, undo = (*cluster.Inside).Pause, (*cluster.Inside).Resume
	case 1:
		do = (*cluster.Inside).PowerOff
	}
	if do(n.c, id) != nil {
		return injectedFault{}
	}
	became := n.process(id)
	return injectedFault{node: id, heal: func() error {
		if n.process(id) != became {
			return nil // someone else has changed it since
		}
		return undo(n.c, id)
	}}
}

// breakDisk sets a disk fault. A disk that lies is not among them: it is outside
// Raft's fault model.
func (n *Nemesis) breakDisk() injectedFault {
	id := n.pickVictim()
	if id == "" {
		return injectedFault{}
	}
	fault := []faults.DiskFault{
		faults.Slow{Latency: 100 * time.Millisecond}, faults.Stall{}, faults.Fail{}, faults.Full{},
	}[n.rng.IntN(4)]
	if n.c.SetDisk(id, fault) != nil {
		return injectedFault{}
	}
	return injectedFault{node: id, heal: func() error {
		if n.process(id) == trace.Removed {
			return nil
		}
		if err := n.c.SetDisk(id, nil); err != nil {
			return err
		}
		if n.process(id) == trace.Crashed {
			return n.c.Restart(id)
		}
		return nil
	}}
}

// changeMembers transfers leadership, or adds a node that healing removes again.
func (n *Nemesis) changeMembers() injectedFault {
	if n.rng.IntN(2) == 0 {
		if id := n.pickVictim(); id != "" && n.c.Transfer(id) == nil {
			return injectedFault{heal: func() error { return nil }}
		}
		return injectedFault{}
	}
	before := n.c.Names()
	if len(before) >= cluster.NodesMax {
		return injectedFault{}
	}
	// An error can mean that no answer came: the node may be a member all the same.
	_ = n.c.AddNode("", true)
	for _, id := range n.c.Names() {
		if !slices.Contains(before, id) {
			return injectedFault{added: id, heal: func() error {
				if n.process(id) == trace.Removed {
					return nil
				}
				return n.c.RemoveNode(id)
			}}
		}
	}
	return injectedFault{}
}
