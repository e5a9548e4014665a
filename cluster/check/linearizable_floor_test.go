package check

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// clientsOnly builds the clients' history for a check that must not search.
type clientsOnly struct {
	opHistory
	seq, ids uint64
}

func withoutSearch() *clientsOnly {
	c := &clientsOnly{opHistory: newHistory()}
	c.clients.stepsMax = 0
	c.next(workItem{kind: historySettled})
	return c
}

func (c *clientsOnly) next(w workItem) { c.seq++; w.seq = c.seq; c.add(w) }

func (c *clientsOnly) call(delta int64) trace.Op {
	c.ids++
	op := trace.Op{ID: c.ids, Client: "c", Kind: trace.EntryAdd, Delta: delta, Seq: c.ids}
	if delta == 0 {
		op.Kind = trace.EntryRead
	}
	sent := op
	c.next(workItem{kind: opInvoked, op: &sent})
	return op
}

func (c *clientsOnly) reply(op trace.Op, outcome trace.Outcome, value int64) {
	op.Outcome, op.Value = outcome, value
	c.next(workItem{kind: opReturned, op: &op})
}

// unknowns adds increments of unknown outcome, whose sums are too many to search.
func (c *clientsOnly) unknowns(deltas ...int64) {
	for _, delta := range deltas {
		c.reply(c.call(delta), trace.Unknown, 0)
	}
}

// A result below a value acknowledged before its call is a violation, whatever happened to
// the operations of unknown outcome, as long as none of them can lower the counter.
func TestTooLowResultNeedsNoSearch(t *testing.T) {
	for name, c := range map[string]struct {
		story func(*clientsOnly)
		want  trace.Verdict
		text  string
	}{
		"a stale read": {func(c *clientsOnly) {
			c.unknowns(31, 13, 17, 29, 3, 23, 11)
			c.reply(c.call(5), trace.OK, 22)
			c.reply(c.call(0), trace.OK, 21)
		}, trace.VerdictViolated, "c read 21 from  at 0s, but 22 was already acknowledged to c at 0s"},
		"an increment on a stale value": {func(c *clientsOnly) {
			c.reply(c.call(5), trace.OK, 22)
			c.reply(c.call(3), trace.OK, 24)
		}, trace.VerdictViolated, "c's +3 returned 24"},
		"the value acknowledged": {func(c *clientsOnly) {
			c.reply(c.call(5), trace.OK, 22)
			c.reply(c.call(0), trace.OK, 22)
			c.reply(c.call(3), trace.OK, 25)
		}, trace.VerdictUndecided, "no order found within 0 steps"},
		"a read called before": {func(c *clientsOnly) {
			read := c.call(0)
			c.reply(c.call(5), trace.OK, 22)
			c.reply(read, trace.OK, 21)
		}, trace.VerdictUndecided, ""},
		"the highest value counts": {func(c *clientsOnly) {
			c.reply(c.call(5), trace.OK, 22)
			slow := c.call(0)
			c.reply(c.call(5), trace.OK, 27)
			c.reply(slow, trace.OK, 22)
			c.reply(c.call(0), trace.OK, 26)
		}, trace.VerdictViolated, "but 27 was already acknowledged"},
		"a decrement of unknown outcome": {func(c *clientsOnly) {
			c.unknowns(-4)
			c.reply(c.call(5), trace.OK, 22)
			c.reply(c.call(0), trace.OK, 21)
		}, trace.VerdictUndecided, ""},
		"a decrement in flight": {func(c *clientsOnly) {
			c.reply(c.call(5), trace.OK, 22)
			lower := c.call(-4)
			c.reply(c.call(0), trace.OK, 18)
			c.reply(lower, trace.OK, 18)
		}, trace.VerdictUndecided, ""},
		"a decrement between": {func(c *clientsOnly) {
			c.reply(c.call(5), trace.OK, 22)
			read := c.call(0)
			c.reply(c.call(-4), trace.OK, 18)
			c.reply(read, trace.OK, 18)
			c.reply(c.call(0), trace.OK, 18)
		}, trace.VerdictUndecided, ""},
		"a decrement that overlaps the acknowledgement": {func(c *clientsOnly) {
			high := c.call(5)
			c.reply(c.call(-4), trace.OK, 18)
			c.reply(high, trace.OK, 22)
			c.reply(c.call(0), trace.OK, 18)
		}, trace.VerdictUndecided, ""},
		"an increment after a decrement": {func(c *clientsOnly) {
			c.reply(c.call(5), trace.OK, 22)
			c.reply(c.call(-4), trace.OK, 18)
			c.reply(c.call(3), trace.OK, 21)
			c.reply(c.call(0), trace.OK, 20)
		}, trace.VerdictViolated, "but 21 was already acknowledged"},
		"an increment after one that overlaps a decrement": {func(c *clientsOnly) {
			high := c.call(9)
			c.reply(c.call(-4), trace.OK, 22)
			c.reply(high, trace.OK, 26)
			c.reply(c.call(0), trace.OK, 22)
			c.reply(c.call(2), trace.OK, 24)
			c.reply(c.call(0), trace.OK, 23)
		}, trace.VerdictViolated, "but 24 was already acknowledged"},
		"a decrement before": {func(c *clientsOnly) {
			c.reply(c.call(-4), trace.OK, 18)
			c.reply(c.call(5), trace.OK, 23)
			c.reply(c.call(0), trace.OK, 22)
		}, trace.VerdictViolated, "but 23 was already acknowledged"},
		"a decrement that failed": {func(c *clientsOnly) {
			c.reply(c.call(-4), trace.Failed, 0)
			c.reply(c.call(5), trace.OK, 22)
			c.reply(c.call(0), trace.OK, 18)
		}, trace.VerdictViolated, "but 22 was already acknowledged"},
		"an acknowledgement from before the start": {func(c *clientsOnly) {
			c.reply(c.call(5), trace.OK, 22)
			c.next(workItem{kind: historySettled, unknown: true})
			c.reply(c.call(0), trace.OK, 21)
		}, trace.VerdictUndecided, ""},
		"operations from before the trace": {func(c *clientsOnly) {
			c.next(workItem{kind: historySettled, unknown: true, startsMidRun: true})
			c.reply(c.call(5), trace.OK, 22)
			c.reply(c.call(0), trace.OK, 21)
		}, trace.VerdictUndecided, "before the trace began"},
	} {
		t.Run(name, func(t *testing.T) {
			h := withoutSearch()
			c.story(h)
			if v := h.verdict(0); v.Verdict != c.want || !strings.Contains(v.Text, c.text) {
				t.Errorf("%s: %s", v.Verdict, v.Text)
			}
		})
	}
}

// The order of the committed log explains the results of a correct counter without a
// search, however many outcomes are unknown.
func TestOrderOfTheLogNeedsNoSearch(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range 500 {
		deltas := [][]int64{{1}, {2, 3, 5, 7, 11, 13}, {1, 5}}[rng.IntN(3)]
		g := &generator{
			rng: rng, clients: 1 + rng.IntN(8), deltas: deltas, unknown: 0.4,
			idle: []float64{0, 0.05}[rng.IntN(2)], unknownStart: rng.IntN(3) == 0,
		}
		items := g.generate(200)
		h := newHistory()
		h.clients.stepsMax = 0
		if v := checkInRounds(rng, &h, items); v.Verdict != trace.VerdictOK {
			t.Fatalf("seed %d, history %d: %s: %s", seed, i, v.Verdict, v.Text)
		}
	}
}

func TestStaleSentenceTellsTheTimesApart(t *testing.T) {
	add := &operation{op: &trace.Op{Kind: trace.EntryAdd, Client: "c1", Value: 3, Returned: 5908 * time.Millisecond}}
	read := &operation{op: &trace.Op{Kind: trace.EntryRead, Client: "c1", Node: "n1", Value: 2, Returned: 5912 * time.Millisecond}}
	const want = "c1 read 2 from n1 at 5.912s, but 3 was already acknowledged to c1 at 5.908s"
	if got, _ := read.stale(add); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
