package cluster

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"capsize/cluster/control"
)

// told collects what an order tells.
type told struct {
	*order
	lines []string
	gaps  []string
}

func newTold() *told {
	t := &told{}
	t.order = newOrder(func(node string) { t.gaps = append(t.gaps, node) })
	return t
}

// event adds an event of a node.
func (o *told) event(node, text string, after ...control.Mark) {
	o.add(&report{source: node, after: after, events: 1, tell: func() { o.lines = append(o.lines, node+" "+text) }})
}

func (o *told) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(o.lines, want) {
		t.Fatalf("told %q, want %q", o.lines, want)
	}
}

func after(node string, events uint64) control.Mark {
	return control.Mark{Node: node, Run: 1, Events: events}
}

func TestEventWaitsForWhatItsNodeHasHeardOf(t *testing.T) {
	o := newTold()
	o.begin("n1", 1, 0)
	o.begin("n2", 1, 0)
	o.event("n2", "grants its vote", after("n1", 2))
	o.event("n2", "follows")
	o.event("n1", "stores term 2")
	o.expect(t, "n1 stores term 2")
	o.event("n1", "votes for itself")
	o.expect(t, "n1 stores term 2", "n1 votes for itself", "n2 grants its vote", "n2 follows")
	if len(o.gaps) > 0 {
		t.Errorf("gaps %q", o.gaps)
	}
}

// What a node does with a packet waits until the network has reported that the packet arrived, even if
// the network itself waits for the sender of another one.
func TestReactionWaitsForThePacket(t *testing.T) {
	o := newTold()
	for _, source := range []string{"n1", "n2", "n3", theNetwork} {
		o.begin(source, 1, 0)
	}
	packet := func(text string, from control.Mark) (arrived control.Mark) {
		return after(theNetwork, o.add(&report{
			source: theNetwork, after: []control.Mark{from}, events: 1, tell: func() { o.lines = append(o.lines, text) },
		}))
	}
	packet("n3 asks n1", after("n3", 1))
	arrived := packet("n1 asks n2", after("n1", 0))
	o.event("n2", "votes", arrived)
	o.expect(t)
	o.event("n3", "stores term 2")
	o.expect(t, "n3 stores term 2", "n3 asks n1", "n1 asks n2", "n2 votes")
}

// A process that has ended without having told everything leaves a gap, but holds up nobody.
func TestEndedProcessHoldsUpNobody(t *testing.T) {
	o := newTold()
	o.begin("n1", 1, 0)
	o.begin("n2", 1, 0)
	o.event("n2", "appends entry 3", after("n1", 2))
	o.event("n1", "appends entry 3")
	o.end("n1", func() { o.lines = append(o.lines, "n1 ends") })
	o.expect(t, "n1 appends entry 3", "n1 ends", "n2 appends entry 3")
	if !slices.Equal(o.gaps, []string{"n1"}) {
		t.Errorf("gaps %q, want n1", o.gaps)
	}
}

// What an earlier process of a node has told is over, whatever a mark says about it; what comes from
// a later one waits for it.
func TestRunsOfANodeAreKeptApart(t *testing.T) {
	o := newTold()
	o.begin("n1", 2, 0)
	o.event("n2", "hears of the first run", after("n1", 100))
	o.expect(t, "n2 hears of the first run")
	o.event("n2", "hears of the third run", control.Mark{Node: "n1", Run: 3, Events: 1})
	o.event("n1", "ends its second run")
	o.begin("n1", 3, 0)
	o.event("n1", "begins its third run")
	o.expect(t, "n2 hears of the first run", "n1 ends its second run", "n1 begins its third run", "n2 hears of the third run")
}

func TestOrderIsUnknownAfterASilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newTold()
		o.begin("n1", 1, 0)
		o.event("n2", "hears of n1", after("n1", 5))
		time.Sleep(orderPatience)
		o.expire()
		o.expect(t)
		time.Sleep(time.Nanosecond)
		o.expire()
		o.expect(t, "n2 hears of n1")
		if !slices.Equal(o.gaps, []string{"n1"}) {
			t.Errorf("gaps %q, want n1", o.gaps)
		}
	})
}

// Random nodes that send each other marks: whatever the order of arrival, a cause comes before its
// effect, and nothing is held back in the end.
func TestCauseComesBeforeEffect(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		const nodes = 4
		var queues [nodes][]*report // of each node, in its own order
		var counts [nodes]uint64
		heard := [nodes]map[int]uint64{}
		o := newTold()
		told := [nodes]uint64{}
		name := func(i int) string { return fmt.Sprintf("n%d", i) }
		for i := range nodes {
			heard[i] = map[int]uint64{}
			o.begin(name(i), 1, 0)
		}
		for range 60 {
			to, from := rng.IntN(nodes), rng.IntN(nodes)
			if to != from {
				heard[to][from] = counts[from]
			}
			counts[to]++
			r := &report{source: name(to), events: 1}
			causes := map[int]uint64{}
			for n, c := range heard[to] {
				r.after = append(r.after, after(name(n), c))
				causes[n] = c
			}
			r.tell = func() {
				told[to]++
				for n, c := range causes {
					if told[n] < c {
						t.Fatalf("seed %d: an event of n%d comes after %d events of n%d, want %d", seed, to, told[n], n, c)
					}
				}
			}
			queues[to] = append(queues[to], r)
		}
		for slices.ContainsFunc(queues[:], func(q []*report) bool { return len(q) > 0 }) {
			if i := rng.IntN(nodes); len(queues[i]) > 0 {
				o.add(queues[i][0])
				queues[i] = queues[i][1:]
			}
		}
		if told != counts {
			t.Fatalf("seed %d: told %v events, want %v", seed, told, counts)
		}
	}
}

func TestMarkHoldsSourceRunAndEvents(t *testing.T) {
	mark := MarkOf(1_800_000_000, 4_000_000_000)
	for node, mark := range map[string]uint64{"n1": mark, theNetwork: mark | ofNetwork} {
		if got, want := markFrom("n1", mark), (control.Mark{Node: node, Run: 1_800_000_000, Events: 4_000_000_000}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
