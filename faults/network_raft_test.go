package faults_test

import (
	"testing"
	"testing/synctest"
	"time"

	"capsize/faults"

	"github.com/hashicorp/raft"
)

// With every fault that Raft tolerates set at once, each command acknowledged meanwhile is
// applied once on every node after healing.
func TestRaftMakesProgressUnderFaultsAndConvergesAfterHealing(t *testing.T) {
	for _, path := range netPaths {
		t.Run(path.String(), func(t *testing.T) { testRaftUnderFaults(t, path) })
	}
}

func testRaftUnderFaults(t *testing.T, path netPath) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		unknown := 0
		n := faults.NewNetwork(onPath(faults.NetworkConfig{Seed: 3, Latency: 5 * time.Millisecond, Jitter: 3 * time.Millisecond}, path))
		addrs := netAddrs(3)
		var transports []raft.Transport
		for _, addr := range addrs {
			transports = append(transports, n.Transport(addr))
		}
		t.Cleanup(n.Close)
		nodes, elections := startNetRafts(t, transports)
		leader := (<-elections).Raft
		for _, at := range faults.Isolate(addrs, addrs...) {
			n.SetFault(at.From, at.To, faults.Lose{Percent: 5})
			n.SetFault(at.From, at.To, faults.Duplicate{Percent: 20})
			n.SetFault(at.From, at.To, faults.Reorder{Percent: 20})
			n.SetFault(at.From, at.To, faults.Bandwidth{BytesPerSecond: 100_000})
		}
		acknowledged := 0
		for range 200 {
			if leader.State() != raft.Leader {
				select {
				case won := <-elections:
					leader = won.Raft
				case <-time.After(5 * time.Second):
				}
			}
			if leader.Apply([]byte("increment"), time.Second).Error() == nil {
				acknowledged++
			} else {
				unknown++
			}
		}
		n.HealAll()
		time.Sleep(30 * time.Second)
		if acknowledged < 100 {
			t.Errorf("only %d of 200 commands were acknowledged", acknowledged)
		}
		for i, r := range nodes {
			if r.AppliedIndex() != nodes[0].AppliedIndex() || r.LastIndex() != nodes[0].LastIndex() {
				t.Errorf("%s applied %d of %d entries, %s applied %d", addrs[i], r.AppliedIndex(), r.LastIndex(), addrs[0], nodes[0].AppliedIndex())
			}
		}
		if got := int(nodes[0].AppliedIndex()); got < acknowledged || got > acknowledged+unknown+20 {
			t.Errorf("applied index %d after %d acknowledged and %d unknown commands", got, acknowledged, unknown)
		}
	})
}
