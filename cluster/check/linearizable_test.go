package check

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"capsize/cluster/trace"
)

// generator generates the history of a correct counter: an operation is invoked, takes
// effect at some moment, and returns.
type generator struct {
	rng          *rand.Rand
	clients      int
	deltas       []int64
	unknown      float64 // probability that an increment's outcome is unknown
	idle         float64 // probability that the clients wait until nothing is in flight
	unknownStart bool    // the initial counter is unknown

	items    []workItem
	value    int64
	inFlight []*genOp
	ids      uint64
	commits  uint64
	seqs     map[int]uint64
	late     []*genOp // of unknown outcome, may still add effect
}

type genOp struct {
	client     int
	op         trace.Op
	tookEffect bool
}

func (g *generator) add(n workItem) { n.seq = uint64(len(g.items) + 1); g.items = append(g.items, n) }

// generate returns a history of n operations.
func (g *generator) generate(n int) []workItem {
	g.add(workItem{kind: historySettled, unknown: g.unknownStart})
	if g.unknownStart {
		g.value = 40
	}
	g.seqs = map[int]uint64{}
	resting := false
	for int(g.ids) < n || len(g.inFlight) > 0 {
		resting = resting && len(g.inFlight) > 0 || g.rng.Float64() < g.idle
		switch what := g.rng.IntN(4); {
		case what == 0 && !resting && int(g.ids) < n && len(g.inFlight) < g.clients:
			g.call()
		case what <= 1 && len(g.inFlight) > 0:
			g.effect(g.inFlight[g.rng.IntN(len(g.inFlight))])
		case what == 2 && len(g.late) > 0 && g.rng.IntN(3) == 0:
			i := g.rng.IntN(len(g.late))
			g.effect(g.late[i])
			g.late = slices.Delete(g.late, i, i+1)
		case what == 3 && len(g.inFlight) > 0:
			g.end(g.rng.IntN(len(g.inFlight)))
		}
	}
	return g.items
}

func (g *generator) call() {
	client := g.rng.IntN(g.clients)
	if slices.ContainsFunc(g.inFlight, func(o *genOp) bool { return o.client == client }) {
		return
	}
	g.ids++
	o := &genOp{client: client, op: trace.Op{ID: g.ids, Client: string(rune('a' + client)), Kind: trace.EntryRead}}
	if g.rng.IntN(3) > 0 {
		g.seqs[client]++
		o.op.Kind, o.op.Delta, o.op.Seq = trace.EntryAdd, g.deltas[g.rng.IntN(len(g.deltas))], g.seqs[client]
	}
	g.inFlight = append(g.inFlight, o)
	op := o.op
	g.add(workItem{kind: opInvoked, op: &op})
}

func (g *generator) effect(o *genOp) {
	if o.tookEffect {
		return
	}
	o.tookEffect = true
	if o.op.Kind == trace.EntryAdd {
		g.value += o.op.Delta
		g.commits++
		g.add(workItem{kind: incrementCommitted, key: o.op.OpKey(), index: g.commits})
	}
	o.op.Value = g.value
}

func (g *generator) end(i int) {
	o := g.inFlight[i]
	o.op.Outcome = trace.OK
	if o.op.Kind == trace.EntryAdd && g.rng.Float64() < g.unknown {
		o.op.Outcome = trace.Unknown
		if !o.tookEffect && g.rng.IntN(2) == 0 {
			g.late = append(g.late, o)
		}
	} else {
		g.effect(o)
	}
	g.inFlight = slices.Delete(g.inFlight, i, i+1)
	op := o.op
	if op.Outcome != trace.OK {
		op.Value = 0
	}
	g.add(workItem{kind: opReturned, op: &op})
}

// corrupt changes one result.
func corrupt(rng *rand.Rand, items []workItem) []workItem {
	items = slices.Clone(items)
	for range 100 {
		n := &items[rng.IntN(len(items))]
		if n.kind == opReturned && n.op.Outcome == trace.OK {
			op := *n.op
			op.Value += []int64{-3, -2, -1, 1, 2, 3}[rng.IntN(6)]
			n.op = &op
			break
		}
	}
	return items
}

// checkAtOnce runs porcupine once over the whole history. Operations of unknown outcome
// never return.
func checkAtOnce(items []workItem) porcupine.CheckResult {
	calls := map[uint64]workItem{}
	var ops []*porcupineOp
	for _, n := range items {
		switch n.kind {
		case opInvoked:
			calls[n.op.ID] = n
		case opReturned:
			o := &operation{op: n.op, call: int64(calls[n.op.ID].seq), ret: int64(n.seq)}
			switch n.op.Outcome {
			case trace.OK:
				ops = append(ops, o.toModel())
			case trace.Unknown:
				ops = append(ops, &porcupineOp{delta: n.op.Delta, call: o.call, ret: noReturn})
			case trace.Failed, trace.Pending:
			}
		case incrementCommitted, historySettled:
		}
	}
	result, _ := runPorcupine(counterModel(counterState{known: !items[0].unknown}), ops, stepsMax)
	return result
}

// checkInRounds adds a history item by item and asks for a verdict now and then.
func checkInRounds(rng *rand.Rand, h *opHistory, items []workItem) trace.Event {
	for _, n := range items {
		h.add(n)
		if rng.IntN(20) == 0 {
			h.verdict(0)
		}
	}
	return h.verdict(0)
}

func TestVerdictAgreesWithPorcupineOnTheWholeHistory(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	verdicts := map[porcupine.CheckResult]int{}
	for i := range 6000 {
		g := &generator{
			rng: rng, clients: 1 + rng.IntN(5),
			deltas:       [][]int64{{1}, {1}, {2}, {1, 5}, {1, -1}, {3, -2, 7}}[rng.IntN(6)],
			unknownStart: rng.IntN(3) == 0, unknown: []float64{0, 0.05, 0.2}[rng.IntN(3)], idle: []float64{0, 0.05, 0.3}[rng.IntN(3)],
		}
		items := g.generate(10 + rng.IntN(50))
		if g.unknownCount() > 7 {
			continue // porcupine itself would add too long
		}
		if rng.IntN(3) > 0 {
			items = corrupt(rng, items)
		}
		want := checkAtOnce(items)
		if want == porcupine.Unknown {
			continue
		}
		h := newHistory()
		h.idleBatch, h.busyBatch = 1+rng.IntN(8), 4+rng.IntN(16)
		h.evaluateAt = h.idleBatch
		got := checkInRounds(rng, &h, items)
		verdicts[want]++
		if (got.Verdict == trace.VerdictViolated) != (want == porcupine.Illegal) || got.Verdict == trace.VerdictUndecided {
			t.Fatalf("seed %d, history %d: porcupine says %v, the checker %s: %s", seed, i, want, got.Verdict, got.Text)
		}
	}
	if verdicts[porcupine.Ok] < 1000 || verdicts[porcupine.Illegal] < 1000 {
		t.Errorf("too few histories of a kind: %v", verdicts)
	}
	t.Logf("%v", verdicts)
}

func (g *generator) unknownCount() (n int) {
	for _, o := range g.items {
		if o.kind == opReturned && o.op.Outcome == trace.Unknown {
			n++
		}
	}
	return n
}

// The pool of unknown increments is exact: without evidence it agrees with porcupine on
// single ones.
func TestPooledUnknownIncrementsAgreeWithSingleOnes(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	verdicts := map[porcupine.CheckResult]int{}
	for i := range 3000 {
		g := &generator{rng: rng, clients: 1 + rng.IntN(4), deltas: []int64{1 + rng.Int64N(2)}, unknown: 0.3, idle: 0.1, unknownStart: rng.IntN(3) == 0}
		items := g.generate(6 + rng.IntN(20))
		if n := g.unknownCount(); n == 0 || n > 8 {
			continue
		}
		if rng.IntN(2) > 0 {
			items = corrupt(rng, items)
		}
		h := newHistory()
		h.idleBatch, h.busyBatch, h.evaluateAt = noReturn, noReturn, noReturn
		for _, n := range items {
			h.add(n)
		}
		h.dropFailed()
		want, got := checkAtOnce(items), h.clients.run(h.open, noReturn)
		verdicts[want]++
		if got != want {
			t.Fatalf("seed %d, history %d: porcupine says %v of single increments, %v of the pool", seed, i, want, got)
		}
	}
	if verdicts[porcupine.Ok] < 300 || verdicts[porcupine.Illegal] < 300 {
		t.Errorf("too few histories of a kind: %v", verdicts)
	}
}

// hardHistory returns a history for which porcupine tries every order: a read returns an odd
// number, although all increments are even and may count or not.
func hardHistory() (items []workItem) {
	add := func(n workItem) { n.seq = uint64(len(items) + 1); items = append(items, n) }
	add(workItem{kind: historySettled})
	for i := range uint64(24) {
		op := &trace.Op{ID: i + 1, Client: "c", Kind: trace.EntryAdd, Delta: 2 << i, Seq: i + 1, Outcome: trace.Unknown}
		add(workItem{kind: opInvoked, op: op})
		add(workItem{kind: opReturned, op: op})
	}
	op := &trace.Op{ID: 99, Client: "d", Kind: trace.EntryRead, Outcome: trace.OK, Value: 12345}
	add(workItem{kind: opInvoked, op: op})
	add(workItem{kind: opReturned, op: op})
	return items
}

// A history that porcupine cannot decide within its steps is neither ok nor violated.
func TestPorcupineOutOfStepsIsUndecided(t *testing.T) {
	h := newHistory()
	h.clients.stepsMax = 20_000
	for _, item := range hardHistory() {
		h.add(item)
	}
	if v := h.verdict(0); v.Verdict != trace.VerdictUndecided || v.Text != "no order found within 20000 steps: 24 operations have an unknown outcome" {
		t.Errorf("%s: %s", v.Verdict, v.Text)
	}
}

// generate10000 generates 10,000 operations like those of a playground.
func generate10000(unknown float64, clients int) []workItem {
	g := &generator{rng: rand.New(rand.NewPCG(1, 2)), clients: clients, deltas: []int64{1}, unknown: unknown}
	return g.generate(10_000)
}

// Target: 10,000 operations without unknown outcomes in under 100 ms.
func BenchmarkJudge(b *testing.B) {
	for _, c := range []struct {
		name    string
		unknown float64
		clients int
	}{{"3_clients", 0, 3}, {"8_clients", 0, 8}, {"8_clients,_50_unknown", 0.0075, 8}} {
		items := generate10000(c.unknown, c.clients)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				h := newHistory()
				for _, n := range items {
					h.add(n)
				}
				if v := h.verdict(time.Second); v.Verdict != trace.VerdictOK {
					b.Fatalf("%+v", v)
				}
			}
		})
	}
}
