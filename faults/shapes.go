package faults

import (
	"cmp"
	"slices"

	"github.com/hashicorp/raft"
)

// The functions below return the directed links to cut (see [Network.Cut]) for well-known
// partitions. They are pure: the same nodes in the same order give the same links, sorted
// by From and To. They group nodes in the order given, so shuffle the nodes first for a
// random partition. Several come from Jepsen (jepsen/nemesis.clj).

// Isolate cuts each victim off from every other node, victims included, both ways.
func Isolate(all []raft.ServerAddress, victims ...raft.ServerAddress) []Link {
	return linksWhere(all, all, func(from, to raft.ServerAddress) bool {
		return slices.Contains(victims, from) || slices.Contains(victims, to)
	})
}

// Split cuts groups off from each other, both ways. Nodes in no group form one more group;
// a node in several groups belongs to the first.
func Split(all []raft.ServerAddress, groups ...[]raft.ServerAddress) []Link {
	groupOf := func(node raft.ServerAddress) int {
		return slices.IndexFunc(groups, func(g []raft.ServerAddress) bool { return slices.Contains(g, node) })
	}
	return linksWhere(all, all, func(from, to raft.ServerAddress) bool { return groupOf(from) != groupOf(to) })
}

// Halves splits the nodes in two. With an odd number of nodes, the first half is smaller.
func Halves(all []raft.ServerAddress) []Link { return Split(all, all[:len(all)/2]) }

// OneWay cuts every link from a node in from to a node in to, and none back.
func OneWay(from, to []raft.ServerAddress) []Link {
	return linksWhere(from, to, func(_, _ raft.ServerAddress) bool { return true })
}

// Bridge splits the other nodes into halves that are connected only through the bridge
// node, which can talk to all of them.
func Bridge(all []raft.ServerAddress, bridge raft.ServerAddress) []Link {
	others := slices.DeleteFunc(slices.Clone(all), func(n raft.ServerAddress) bool { return n == bridge })
	return Halves(others)
}

// MajoritiesRing arranges the nodes in a ring in which each can talk only to its nearest
// neighbors, just enough on each side to form a majority with itself. Every node can talk
// to a majority, both ways, and no two nodes to the same one. With three nodes, the shape
// is a chain whose middle node talks to both ends. With fewer, no such shape exists and
// nothing is cut. Where the majority is even, some links of Jepsen's ring work one way
// only; here they all work both ways, and a node may reach one node more than a majority.
func MajoritiesRing(all []raft.ServerAddress) []Link {
	n := len(all)
	switch {
	case n < 3:
		return nil
	case n == 3:
		return Split([]raft.ServerAddress{all[0], all[2]}, all[:1])
	}
	reach := n / 2 / 2 // a majority is n/2+1: the node and n/2 others
	if n/2%2 == 1 {
		reach++
	}
	position := make(map[raft.ServerAddress]int, n)
	for i, node := range all {
		position[node] = i
	}
	return linksWhere(all, all, func(from, to raft.ServerAddress) bool {
		steps := (position[to] - position[from] + n) % n
		return min(steps, n-steps) > reach
	})
}

// MinorityThird splits off the largest group smaller than a third of the nodes: one of
// four, two of seven. With three nodes or fewer, that group is empty and nothing is cut.
func MinorityThird(all []raft.ServerAddress) []Link {
	return Split(all, all[:max(0, (len(all)-1)/3)])
}

func linksWhere(froms, tos []raft.ServerAddress, cut func(from, to raft.ServerAddress) bool) []Link {
	var links []Link
	for _, from := range froms {
		for _, to := range tos {
			if from != to && cut(from, to) {
				links = append(links, Link{from, to})
			}
		}
	}
	slices.SortFunc(links, func(a, b Link) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return slices.Compact(links)
}
