package cluster

import (
	"flag"
	"math/bits"
	"slices"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// long makes the tests of all topologies and of many kills complete, as the night runs them.
var long = flag.Bool("long", false, "run all topologies, and all kills under disk faults")

// topology is an undirected graph of five nodes: bit i is set if there is a link between the nodes
// of pair i.
type topology uint16

const topologies = 1 << 10

// pairs are the links of five nodes, numbered as the bits of a topology.
var pairs = func() (all [][2]int) {
	for a := range 5 {
		for b := range a {
			all = append(all, [2]int{b, a})
		}
	}
	return all
}()

// neighbors returns the nodes that v has a link to, and v, as bits.
func (g topology) neighbors(v int) uint8 {
	set := uint8(1) << v
	for i, pair := range pairs {
		if g>>i&1 == 1 && slices.Contains(pair[:], v) {
			set |= 1<<pair[0] | 1<<pair[1]
		}
	}
	return set
}

// quorums returns the nodes that have links to a majority, themselves included.
func (g topology) quorums() (nodes []int) {
	for v := range 5 {
		if bits.OnesCount8(g.neighbors(v)) >= trace.Quorum(5) {
			nodes = append(nodes, v)
		}
	}
	return nodes
}

// canonical returns the smallest topology that differs only in the names of the nodes.
func (g topology) canonical() topology {
	least := g
	permute(5, func(names []int) {
		var renamed topology
		for i, pair := range pairs {
			if g>>i&1 == 1 {
				a, b := names[pair[0]], names[pair[1]]
				renamed |= 1 << slices.Index(pairs, [2]int{min(a, b), max(a, b)})
			}
		}
		least = min(least, renamed)
	})
	return least
}

// permute calls f with each permutation of the numbers below n.
func permute(n int, f func([]int)) {
	var extend func([]int)
	extend = func(some []int) {
		if len(some) == n {
			f(some)
			return
		}
		for i := range n {
			if !slices.Contains(some, i) {
				extend(append(slices.Clip(some), i))
			}
		}
	}
	extend(nil)
}

func TestTopologiesAreCounted(t *testing.T) {
	different, withQuorum := 0, 0
	for g := range topology(topologies) {
		if g == g.canonical() {
			different++
		}
		if len(g.quorums()) > 0 {
			withQuorum++
		}
	}
	if different != 34 || withQuorum != 998 {
		t.Errorf("got %d different topologies and %d with a quorum, want 34 and 998", different, withQuorum)
	}
}

// electable returns the nodes that can win an election: a majority has a link to them and no newer
// log (paper, section 5.4.1).
func (g topology) electable(s *trace.State) (nodes []string) {
	for _, v := range g.quorums() {
		candidate, votes := &s.Nodes[v], 0
		for u := range s.Nodes {
			voter := &s.Nodes[u]
			isNewer := voter.LastTerm() > candidate.LastTerm() ||
				voter.LastTerm() == candidate.LastTerm() && voter.LastIndex() > candidate.LastIndex()
			if g.neighbors(v)>>u&1 == 1 && !isNewer {
				votes++
			}
		}
		if votes >= trace.Quorum(5) {
			nodes = append(nodes, candidate.ID)
		}
	}
	return nodes
}

// TestTopologies cuts a cluster under load down to each topology for 30 seconds. Where a node with a
// quorum can win an election, the cluster accepts increments again; where no node has a quorum, it
// acknowledges none. After the network heals, all nodes agree. Without -long it runs one topology of
// each shape.
func TestTopologies(t *testing.T) {
	const cutFor, settled = 30 * time.Second, 20 * time.Second
	progress, stuck := 0, 0
	for g := range topology(topologies) {
		if !*long && g != g.canonical() {
			continue
		}
		tc := open(t, 5, func(cfg *Config) { cfg.Settings.Seed = int64(g) + 1 })
		tc.must(func() error { return tc.Load(10, 5, RouteLeader) })
		tc.pass(2 * time.Second)
		tc.cutTo(g)
		tc.pass(time.Second / 10) // what was in flight arrives
		before := tc.state().Clients.OK
		tc.pass(settled)
		middle := tc.state().Clients.OK
		tc.pass(cutFor - settled)
		state := tc.state()
		can := g.electable(state)
		switch made := state.Clients.OK > middle; {
		case len(g.quorums()) == 0 && state.Clients.OK > before:
			tc.fatal("topology %010b: %d increments acknowledged, want none without a quorum", g, state.Clients.OK-before)
		case made && len(can) == 0:
			tc.fatal("topology %010b: progress, although no node can win an election", g)
		case !made && len(can) > 0:
			tc.fatal("topology %010b: no progress from %s to %s, although %v can win an election", g, settled, cutFor, can)
		case made:
			progress++
		case len(g.quorums()) > 0:
			stuck++
			t.Logf("topology %010b: no progress, since the nodes with a quorum have older logs than their neighbors", g)
		}
		tc.must(tc.Heal)
		tc.must(func() error { tc.StopLoad(); return nil })
		tc.until("all nodes agree", converged)
		tc.expectAllOK()
		if err := tc.Close(); err != nil {
			t.Fatalf("topology %010b: Close: %v", g, err)
		}
	}
	t.Logf("progress in %d topologies; in %d no node with a quorum could win", progress, stuck)
}

// cutTo cuts all links that a topology does not have.
func (tc *testCluster) cutTo(g topology) {
	tc.t.Helper()
	names := tc.Names()
	tc.must(func() error {
		return tc.cut(func(all []raft.ServerAddress) (cut []faults.Link) {
			for i, pair := range pairs {
				if a, b := all[pair[0]], all[pair[1]]; g>>i&1 == 0 {
					cut = append(cut, faults.Link{From: a, To: b}, faults.Link{From: b, To: a})
				}
			}
			return cut
		}, names, "the network is cut down to a topology")
	})
}
