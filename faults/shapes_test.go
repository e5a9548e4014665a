package faults_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/raft"

	"capsize/faults"
)

// netSees returns the nodes that a node can talk to both ways, itself included.
func netSees(all []raft.ServerAddress, cut []faults.Link, node raft.ServerAddress) []raft.ServerAddress {
	return slices.DeleteFunc(slices.Clone(all), func(other raft.ServerAddress) bool {
		return slices.Contains(cut, faults.Link{From: node, To: other}) || slices.Contains(cut, faults.Link{From: other, To: node})
	})
}

func TestMajoritiesRingGivesEachNodeItsOwnMajority(t *testing.T) {
	for n := 3; n <= 25; n++ {
		all := netAddrs(n)
		cut := faults.MajoritiesRing(all)
		seen := map[string]raft.ServerAddress{}
		for _, node := range all {
			sees := netSees(all, cut, node)
			key := strings.Join(netStrings(sees), " ")
			if len(sees) < n/2+1 || len(sees) > n/2+2 {
				t.Errorf("%d nodes: %s sees %v, want a bare majority or one node more", n, node, sees)
			}
			if other, taken := seen[key]; taken {
				t.Errorf("%d nodes: %s and %s see the same majority: %s", n, other, node, key)
			}
			seen[key] = node
		}
	}
	if got := faults.MajoritiesRing(netAddrs(2)); got != nil {
		t.Errorf("a ring of two nodes cuts %v, want nothing", got)
	}
}

func netStrings(addrs []raft.ServerAddress) []string {
	var out []string
	for _, a := range addrs {
		out = append(out, string(a))
	}
	return out
}

func TestShapesCutTheDocumentedLinks(t *testing.T) {
	all := netAddrs(5)
	for name, c := range map[string]struct {
		cut  []faults.Link
		want []string // the nodes that n1 to n5 see, both ways
	}{
		"isolate":       {faults.Isolate(all, "n1", "n3"), []string{"1", "245", "3", "245", "245"}},
		"split":         {faults.Split(all, all[:1], all[1:3]), []string{"1", "23", "23", "45", "45"}},
		"halves":        {faults.Halves(all), []string{"12", "12", "345", "345", "345"}},
		"bridge":        {faults.Bridge(all, "n3"), []string{"123", "123", "12345", "345", "345"}},
		"ring":          {faults.MajoritiesRing(all), []string{"125", "123", "234", "345", "145"}},
		"minoritythird": {faults.MinorityThird(all), []string{"1", "2345", "2345", "2345", "2345"}},
		"nothing":       {faults.Split(all), []string{"12345", "12345", "12345", "12345", "12345"}},
	} {
		for i, node := range all {
			if got := strings.ReplaceAll(strings.Join(netStrings(netSees(all, c.cut, node)), ""), "n", ""); got != c.want[i] {
				t.Errorf("%s: %s sees %s, want %s", name, node, got, c.want[i])
			}
		}
		if !slices.IsSortedFunc(c.cut, func(a, b faults.Link) int {
			return strings.Compare(string(a.From+" "+a.To), string(b.From+" "+b.To))
		}) {
			t.Errorf("%s is not sorted: %v", name, c.cut)
		}
	}
	want := []faults.Link{{From: "n1", To: "n2"}, {From: "n1", To: "n3"}}
	if got := faults.OneWay([]raft.ServerAddress{"n1"}, []raft.ServerAddress{"n3", "n1", "n2"}); !slices.Equal(got, want) {
		t.Errorf("one way cuts %v, want %v", got, want)
	}
	if got := len(faults.MinorityThird(netAddrs(7))); got != 2*2*5 {
		t.Errorf("the minority third of seven nodes cuts %d links, want 20", got)
	}
	if got := faults.MinorityThird(nil); got != nil {
		t.Errorf("the minority third of no nodes cuts %v, want nothing", got)
	}
}
