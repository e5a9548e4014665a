package cluster

import (
	"errors"
	"math/rand/v2"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

// nemesis does random harm, within what Raft promises to survive.
type nemesis struct {
	tc  *testCluster
	rng *rand.Rand
}

func (n nemesis) inject() {
	c := n.tc.Cluster
	names := c.Names()
	one := names[n.rng.IntN(len(names))]
	other := names[n.rng.IntN(len(names))]
	// A minority may be down for long, a majority only for moments: otherwise
	// little would happen in ten minutes.
	if down := n.down(); len(down) > 2 {
		one = down[n.rng.IntN(len(down))]
		n.try(func() error { return errors.Join(c.SetDisk(one, nil), c.Restart(one)) })
		return
	}
	switch n.rng.IntN(16) {
	case 0, 1:
		n.try(func() error { return c.Kill(one) })
	case 2:
		n.try(func() error { return c.PowerOff(one) })
	case 3, 4, 5:
		n.try(func() error { return c.Restart(one) })
	case 6:
		n.try(func() error { return c.Pause(one) })
	case 7, 8:
		n.try(func() error { return c.Resume(one) })
	case 9:
		n.try(func() error { return c.Isolate(one) })
	case 10:
		n.try(func() error { return c.Partition([]string{one, other}) })
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
		n.try(func() error { return c.SetLink(one, other, link) })
	case 13:
		disk := []faults.DiskFault{
			faults.Slow{Latency: 50 * time.Millisecond}, faults.Stall{}, faults.Fail{}, faults.Full{}, nil,
		}[n.rng.IntN(5)]
		n.try(func() error { return c.SetDisk(one, disk) })
	case 14:
		n.try(func() error { return c.SetDisk(one, nil) })
	case 15:
		n.try(func() error { return c.Snapshot(one) })
	}
}

// try gives an order and does not wait for it: a node may never start from a
// disk that stalls. Many make no sense, like killing the dead; that is refused.
func (n nemesis) try(f func() error) { _ = n.tc.Do("strike", f) }

// down returns the nodes without a process.
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

// injectFault is the harm that most mutations need.
func injectFault(tc *testCluster, n *nemesis) {
	n.inject()
	tc.pass(time.Duration(1+n.rng.IntN(20)) * 100 * time.Millisecond)
}
