package faults

import (
	"cmp"
	"slices"

	"github.com/hashicorp/raft"
)

// The shapes below name the directed links to cut (see Network.Cut) for well-known partitions. They are pure: the same
// nodes in the same order give the same links, sorted by From and To. Nodes are grouped in the order given, so a caller who
// wants chance in it shuffles them first. Several are from Jepsen, jepsen/nemesis.clj.

// Isolate cuts each victim off from everyone else, other victims included, both ways.
func Isolate(all []raft.ServerAddress, victims ...raft.ServerAddress) []Link {
	return linksWhere(all, all, func(from, to raft.ServerAddress) bool {
		return slices.Contains(victims, from) || slices.Contains(victims, to)
	})
}

// Split cuts groups off from each other, both ways. Nodes that are in no group form one more group; a node that is in
// several belongs to the first.
func Split(all []raft.ServerAddress, groups ...[]raft.ServerAddress) []Link {
	groupOf := func(node raft.ServerAddress) int {
		return slices.IndexFunc(groups, func(g []raft.ServerAddress) bool { return slices.Contains(g, node) })
	}
	return linksWhere(all, all, func(from, to raft.ServerAddress) bool { return groupOf(from) != groupOf(to) })
}

// Halves splits the nodes in two. The first half is the smaller one if their number is odd.
func Halves(all []raft.ServerAddress) []Link { return Split(all, all[:len(all)/2]) }

// OneWay cuts every link from a node of one list to a node of the other, and none back.
func OneWay(from, to []raft.ServerAddress) []Link {
	return linksWhere(from, to, func(_, _ raft.ServerAddress) bool { return true })
}

// Bridge splits the other nodes in halves that only meet through the bridge, which everyone can talk to.
func Bridge(all []raft.ServerAddress, bridge raft.ServerAddress) []Link {
	others := slices.DeleteFunc(slices.Clone(all), func(n raft.ServerAddress) bool { return n == bridge })
	return Halves(others)
}

// MajoritiesRing puts the nodes in a ring and leaves each only its nearest neighbours, as few on each side as make a
// majority with itself: every node can talk to a majority, both ways, and no two to the same one. With three nodes that
// takes a chain, whose middle node talks to both ends; with fewer no such shape exists and nothing is cut. (Where Jepsen's
// ring has an even majority, some of its links work one way only; here they all work both ways, and a node may talk to one
// node more than a majority.)
func MajoritiesRing(all []raft.ServerAddress) []Link {
	n := len(all)
	switch {
	case n < 3:
		return nil
	case n == 3:
		return Split([]raft.ServerAddress{all[0], all[2]}, all[:1])
	}
	reach := n / 2 / 2 // A majority is n/2+1, which is the node and n/2 others.
	if n/2%2 == 1 {
		reach++
	}
	place := make(map[raft.ServerAddress]int, n)
	for i, node := range all {
		place[node] = i
	}
	return linksWhere(all, all, func(from, to raft.ServerAddress) bool {
		steps := (place[to] - place[from] + n) % n
		return min(steps, n-steps) > reach
	})
}

// MinorityThird splits off the largest minority that is less than a third: one of four, two of seven. With three nodes or
// fewer that is nobody.
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
