package faults_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"pgregory.net/rapid"

	"capsize/faults"
)

func TestNetworkFaultsSpeakTheCommandLanguage(t *testing.T) {
	for want, f := range map[string]faults.LinkFault{
		"cut":                      faults.Cut{},
		"refuse":                   faults.Refuse{},
		"delay 200ms":              faults.Delay{Mean: 200 * time.Millisecond},
		"delay 200ms jitter 50ms":  faults.Delay{Mean: 200 * time.Millisecond, Jitter: 50 * time.Millisecond},
		"lose 30%":                 faults.Lose{Percent: 30},
		"lose 0.5% only vote":      faults.Only(faults.Lose{Percent: 0.5}, faults.KindVote),
		"duplicate 10%":            faults.Duplicate{Percent: 10},
		"reorder 10%":              faults.Reorder{Percent: 10},
		"jam only timeout-now":     faults.Only(faults.Only(faults.Jam{}, faults.KindAppend), faults.KindTimeoutNow),
		"jam":                      faults.Only(faults.Only(faults.Jam{}, faults.KindAppend)),
		"bandwidth 64KB":           faults.Bandwidth{BytesPerSecond: 64_000},
		"cut only append,prevote":  faults.Only(faults.Cut{}, faults.KindPreVote, faults.KindAppend, faults.KindAppend),
		"bandwidth 1500B":          faults.Bandwidth{BytesPerSecond: 1500},
		"cut only snapshot":        faults.Only(faults.Cut{}, faults.KindSnapshot),
		"cut only heartbeat,vote":  faults.Only(faults.Cut{}, faults.KindHeartbeat, faults.KindVote),
		"delay 1m0s only snapshot": faults.Only(faults.Delay{Mean: time.Minute}, faults.KindSnapshot),
	} {
		if f.String() != want || f.Name() != strings.Fields(want)[0] {
			t.Errorf("%T is %q named %q, want %q", f, f, f.Name(), want)
		}
	}
	names := map[string]bool{}
	for _, f := range faults.LinkFaults() {
		if f.Meaning() == "" || names[f.Name()] || !strings.HasPrefix(f.String(), f.Name()) {
			t.Errorf("%T: name %q, meaning %q", f, f.Name(), f.Meaning())
		}
		names[f.Name()] = true
	}
	for _, k := range faults.Kinds() {
		if got, err := faults.ParseKind(k.String()); got != k || err != nil {
			t.Errorf("%v parses as %v, %v", k, got, err)
		}
	}
	if _, err := faults.ParseKind("kind(0)"); err == nil || !strings.Contains(err.Error(), "timeout-now") {
		t.Errorf("error %v does not say what is allowed", err)
	}
}

func TestNetworkRatesAreReadAsTheyAreWritten(t *testing.T) {
	for s, want := range map[string]int64{"500B": 500, "64KB": 64_000, "1.5mb": 1_500_000, "2GB": 2_000_000_000} {
		if got, err := faults.ParseRate(s); got != want || err != nil {
			t.Errorf("%s is %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "B", "64", "KB", "-1KB", "0B", "0.5B", "NaNB", "InfMB", "1e300GB", "1 KB/s"} {
		if got, err := faults.ParseRate(s); err == nil {
			t.Errorf("%q is %d", s, got)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		rate := rapid.Int64Range(1, 1e15).Draw(rt, "rate")
		if got, err := faults.ParseRate(faults.FormatRate(rate)); got != rate || err != nil {
			rt.Fatalf("%d is written %s and read as %d, %v", rate, faults.FormatRate(rate), got, err)
		}
	})
}

// netSees returns whom a node can talk to both ways, itself included.
func netSees(all []raft.ServerAddress, cut []faults.Link, node raft.ServerAddress) []raft.ServerAddress {
	return slices.DeleteFunc(slices.Clone(all), func(other raft.ServerAddress) bool {
		return slices.Contains(cut, faults.Link{From: node, To: other}) || slices.Contains(cut, faults.Link{From: other, To: node})
	})
}

func TestNetworkMajoritiesRingGivesEachNodeAMajorityOfItsOwn(t *testing.T) {
	for n := 3; n <= 25; n++ {
		all := netAddrs(n)
		cut := faults.MajoritiesRing(all)
		seen := map[string]raft.ServerAddress{}
		for _, node := range all {
			sees := netSees(all, cut, node)
			key := strings.Join(netStrings(sees), " ")
			if len(sees) < n/2+1 || len(sees) > n/2+2 {
				t.Errorf("%d nodes: %s sees %v", n, node, sees)
			}
			if twin, taken := seen[key]; taken {
				t.Errorf("%d nodes: %s and %s see the same: %s", n, twin, node, key)
			}
			seen[key] = node
		}
	}
	if got := faults.MajoritiesRing(netAddrs(2)); got != nil {
		t.Errorf("two nodes: %v", got)
	}
}

func netStrings(addrs []raft.ServerAddress) []string {
	var out []string
	for _, a := range addrs {
		out = append(out, string(a))
	}
	return out
}

func TestNetworkShapesCutWhatTheySay(t *testing.T) {
	all := netAddrs(5)
	for name, c := range map[string]struct {
		cut  []faults.Link
		want []string // whom n1 to n5 see, both ways
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
		t.Errorf("one way: %v", got)
	}
	if got := len(faults.MinorityThird(netAddrs(7))); got != 2*2*5 {
		t.Errorf("a third of seven cuts %d links", got)
	}
	if got := faults.MinorityThird(nil); got != nil {
		t.Errorf("a third of nobody: %v", got)
	}
}
