package cluster

import (
	"errors"
	"math/rand/v2"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

// nemesis injects random faults, all within Raft's fault model.
type nemesis struct {
	tc  *testCluster
	rng *rand.Rand
}

// inject runs one random command: a process, link or disk fault, or the end of one.
func (n nemesis) inject() {
	c := n.tc.Inside
	names := c.Names()
	node := names[n.rng.IntN(len(names))]
	other := names[n.rng.IntN(len(names))]
	// A minority may stay down for long, a majority only briefly: without a quorum,
	// little would happen in ten minutes.
	if down := n.down(); len(down) > 2 {
		node = down[n.rng.IntN(len(down))]
		n.try(func() error { return errors.Join(c.SetDisk(node, nil), c.Restart(node)) })
		return
	}
	switch n.rng.IntN(16) {
	case 0, 1:
		n.try(func() error { return c.Kill(node) })
	case 2:
		n.try(func() error { return c.PowerOff(node) })
	case 3, 4, 5:
		n.try(func() error { return c.Restart(node) })
	case 6:
		n.try(func() error { return c.Pause(node) })
	case 7, 8:
		n.try(func() error { return c.Resume(node) })
	case 9:
		n.try(func() error { return c.Isolate(node) })
	case 10:
		n.try(func() error { return c.Partition([]string{node, other}) })
	case 11:
		n.try(c.Heal)
	case 12:
		link := []faults.LinkFault{
			faults.Lose{Percent: 30},
			faults.Delay{Mean: 100 * time.Millisecond, Jitter: 50 * time.Millisecond},
			faults.Duplicate{Percent: 50},
			faults.Reorder{Percent: 50},
			faults.Jam{},
		}[n.rng.IntN(5)]
		n.try(func() error { return c.SetLink(node, other, link) })
	case 13:
		disk := []faults.DiskFault{
			faults.Slow{Latency: 50 * time.Millisecond}, faults.Stall{}, faults.Fail{}, faults.Full{}, nil,
		}[n.rng.IntN(5)]
		n.try(func() error { return c.SetDisk(node, disk) })
	case 14:
		n.try(func() error { return c.SetDisk(node, nil) })
	case 15:
		n.try(func() error { return c.Snapshot(node) })
	}
}

// injectMembership runs one random change of the members or the leader. It keeps at least three nodes.
func (n nemesis) injectMembership() {
	c := n.tc.Inside
	names := c.Names()
	node := names[n.rng.IntN(len(names))]
	switch n.rng.IntN(6) {
	case 0:
		n.try(func() error { return c.Transfer(node) })
	case 1:
		n.try(func() error { return c.Demote(node) })
	case 2, 3:
		n.try(func() error { return c.Promote(node) })
	case 4:
		if len(names) < 7 {
			voter := n.rng.IntN(2) == 0
			n.try(func() error { return c.AddNode("", voter) })
		}
	case 5:
		if len(names) > 3 {
			n.try(func() error { return c.RemoveNode(node) })
		}
	}
}

// try runs a command without waiting for it, because a node may never finish starting
// from a stalled disk. It ignores errors: many commands are refused, such as killing a
// node that is down.
func (n nemesis) try(f func() error) { _ = n.tc.Do("nemesis", f) }

// down returns the nodes whose process is not running.
func (n nemesis) down() (down []string) {
	n.tc.Trace().Read(func(s *trace.State) {
		for i := range s.Nodes {
			if !s.Nodes[i].Process.Running() {
				down = append(down, s.Nodes[i].ID)
			}
		}
	})
	return down
}

// injectFault injects one random fault and lets up to two seconds pass.
func injectFault(tc *testCluster, n *nemesis) {
	n.inject()
	tc.pass(time.Duration(1+n.rng.IntN(20)) * 100 * time.Millisecond)
}
