package check

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"capsize/cluster/trace"
)

// writer draws the history of a correct counter: an operation is called, takes effect
// at some moment, and returns.
type writer struct {
	rng     *rand.Rand
	clients int
	deltas  []int64
	unknown float64 // how likely an increment's outcome is unknown
	idle    float64 // how likely all wait until nothing is under way
	nowhere bool    // it is not known what the counter was at the beginning

	notes   []workItem
	value   int64
	busy    []*writing
	ids     uint64
	numbers map[int]uint64
	late    []*writing // of unknown outcome, and may yet take effect
}

type writing struct {
	client int
	op     trace.Op
	done   bool // it has taken effect
}

func (w *writer) note(n workItem) { n.seq = uint64(len(w.notes) + 1); w.notes = append(w.notes, n) }

// write draws a history of n operations.
func (w *writer) write(n int) []workItem {
	w.note(workItem{kind: historySettled, unknown: w.nowhere})
	if w.nowhere {
		w.value = 40
	}
	w.numbers = map[int]uint64{}
	resting := false
	for int(w.ids) < n || len(w.busy) > 0 {
		resting = resting && len(w.busy) > 0 || w.rng.Float64() < w.idle
		switch what := w.rng.IntN(4); {
		case what == 0 && !resting && int(w.ids) < n && len(w.busy) < w.clients:
			w.call()
		case what <= 1 && len(w.busy) > 0:
			w.effect(w.busy[w.rng.IntN(len(w.busy))])
		case what == 2 && len(w.late) > 0 && w.rng.IntN(3) == 0:
			i := w.rng.IntN(len(w.late))
			w.effect(w.late[i])
			w.late = slices.Delete(w.late, i, i+1)
		case what == 3 && len(w.busy) > 0:
			w.end(w.rng.IntN(len(w.busy)))
		}
	}
	return w.notes
}

func (w *writer) call() {
	client := w.rng.IntN(w.clients)
	if slices.ContainsFunc(w.busy, func(x *writing) bool { return x.client == client }) {
		return
	}
	w.ids++
	x := &writing{client: client, op: trace.Op{ID: w.ids, Client: string(rune('a' + client)), Kind: trace.EntryRead}}
	if w.rng.IntN(3) > 0 {
		w.numbers[client]++
		x.op.Kind, x.op.Delta, x.op.Seq = trace.EntryAdd, w.deltas[w.rng.IntN(len(w.deltas))], w.numbers[client]
	}
	w.busy = append(w.busy, x)
	op := x.op
	w.note(workItem{kind: opInvoked, op: &op})
}

func (w *writer) effect(x *writing) {
	if x.done {
		return
	}
	x.done = true
	if x.op.Kind == trace.EntryAdd {
		w.value += x.op.Delta
		w.note(workItem{kind: incrementCommitted, key: opKey{x.op.Client, x.op.Seq}})
	}
	x.op.Value = w.value
}

func (w *writer) end(i int) {
	x := w.busy[i]
	x.op.Outcome = trace.OK
	if x.op.Kind == trace.EntryAdd && w.rng.Float64() < w.unknown {
		x.op.Outcome = trace.Unknown
		if !x.done && w.rng.IntN(2) == 0 {
			w.late = append(w.late, x)
		}
	} else {
		w.effect(x)
	}
	w.busy = slices.Delete(w.busy, i, i+1)
	op := x.op
	if op.Outcome != trace.OK {
		op.Value = 0
	}
	w.note(workItem{kind: opReturned, op: &op})
}

// spoil changes one reply.
func spoil(rng *rand.Rand, notes []workItem) []workItem {
	notes = slices.Clone(notes)
	for range 100 {
		n := &notes[rng.IntN(len(notes))]
		if n.kind == opReturned && n.op.Outcome == trace.OK {
			op := *n.op
			op.Value += []int64{-3, -2, -1, 1, 2, 3}[rng.IntN(6)]
			n.op = &op
			break
		}
	}
	return notes
}

// whole judges the whole history with porcupine at once; operations of unknown outcome
// never return.
func whole(notes []workItem) porcupine.CheckResult {
	calls := map[uint64]workItem{}
	var actions []*porcupineOp
	for _, n := range notes {
		switch n.kind {
		case opInvoked:
			calls[n.op.ID] = n
		case opReturned:
			o := &operation{op: n.op, call: int64(calls[n.op.ID].seq), ret: int64(n.seq)}
			switch n.op.Outcome {
			case trace.OK:
				actions = append(actions, o.toModel())
			case trace.Unknown:
				actions = append(actions, &porcupineOp{delta: n.op.Delta, call: o.call, ret: noReturn})
			case trace.Failed, trace.Pending:
			}
		case incrementCommitted, historySettled:
		}
	}
	return runPorcupine(counterModel(counterState{known: !notes[0].unknown}), actions, porcupineTimeout)
}

// judgeAll judges a history in several rounds.
func judgeAll(rng *rand.Rand, h *opHistory, notes []workItem) trace.Event {
	for _, n := range notes {
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
		w := &writer{
			rng: rng, clients: 1 + rng.IntN(5),
			deltas:  [][]int64{{1}, {1}, {2}, {1, 5}, {1, -1}, {3, -2, 7}}[rng.IntN(6)],
			nowhere: rng.IntN(3) == 0, unknown: []float64{0, 0.05, 0.2}[rng.IntN(3)], idle: []float64{0, 0.05, 0.3}[rng.IntN(3)],
		}
		notes := w.write(10 + rng.IntN(50))
		if w.unknownCount() > 7 {
			continue // porcupine itself would take too long
		}
		if rng.IntN(3) > 0 {
			notes = spoil(rng, notes)
		}
		want := whole(notes)
		if want == porcupine.Unknown {
			continue
		}
		h := newHistory()
		h.idleBatch, h.busyBatch = 1+rng.IntN(8), 4+rng.IntN(16)
		h.evaluateAt = h.idleBatch
		got := judgeAll(rng, &h, notes)
		verdicts[want]++
		if (got.Verdict == trace.VerdictViolated) != (want == porcupine.Illegal) || got.Verdict == trace.VerdictUndecided {
			t.Fatalf("seed %d, history %d: porcupine says %v, we say %s: %s", seed, i, want, got.Verdict, got.Text)
		}
	}
	if verdicts[porcupine.Ok] < 1000 || verdicts[porcupine.Illegal] < 1000 {
		t.Errorf("too few of a kind: %v", verdicts)
	}
	t.Logf("%v", verdicts)
}

func (w *writer) unknownCount() (n int) {
	for _, x := range w.notes {
		if x.kind == opReturned && x.op.Outcome == trace.Unknown {
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
		w := &writer{rng: rng, clients: 1 + rng.IntN(4), deltas: []int64{1 + rng.Int64N(2)}, unknown: 0.3, idle: 0.1, nowhere: rng.IntN(3) == 0}
		notes := w.write(6 + rng.IntN(20))
		if n := w.unknownCount(); n == 0 || n > 8 {
			continue
		}
		if rng.IntN(2) > 0 {
			notes = spoil(rng, notes)
		}
		h := newHistory()
		h.idleBatch, h.busyBatch, h.evaluateAt = noReturn, noReturn, noReturn
		for _, n := range notes {
			h.add(n)
		}
		h.dropFailed()
		want, got := whole(notes), h.clients.run(h.open, noReturn)
		verdicts[want]++
		if got != want {
			t.Fatalf("seed %d, history %d: porcupine says %v of each on its own, %v of the pool", seed, i, want, got)
		}
	}
	if verdicts[porcupine.Ok] < 300 || verdicts[porcupine.Illegal] < 300 {
		t.Errorf("too few of a kind: %v", verdicts)
	}
}

// A history that porcupine cannot decide in time is neither ok nor violated.
func TestPorcupineTimeoutIsUndecided(t *testing.T) {
	h := newHistory()
	h.clients.timeout = 20 * time.Millisecond
	seq := uint64(0)
	take := func(n workItem) { seq++; n.seq = seq; h.add(n) }
	take(workItem{kind: historySettled})
	for i := range uint64(24) {
		op := &trace.Op{ID: i + 1, Client: "c", Kind: trace.EntryAdd, Delta: 2 << i, Seq: i + 1, Outcome: trace.Unknown}
		take(workItem{kind: opInvoked, op: op})
		take(workItem{kind: opReturned, op: op})
	}
	op := &trace.Op{ID: 99, Client: "d", Kind: trace.EntryRead, Outcome: trace.OK, Value: 12345} // no sum of even numbers
	take(workItem{kind: opInvoked, op: op})
	take(workItem{kind: opReturned, op: op})
	if v := h.verdict(0); v.Verdict != trace.VerdictUndecided || v.Text != "no order found within 20ms: 24 operations have an unknown outcome" {
		t.Errorf("%s: %s", v.Verdict, v.Text)
	}
}

// write10000 draws ten thousand operations, as a playground has them.
func write10000(unknown float64, clients int) []workItem {
	w := &writer{rng: rand.New(rand.NewPCG(1, 2)), clients: clients, deltas: []int64{1}, unknown: unknown}
	return w.write(10_000)
}

// Numbers: 10,000 operations without unknown outcomes in under 100 ms.
func BenchmarkJudge(b *testing.B) {
	for _, c := range []struct {
		name    string
		unknown float64
		clients int
	}{{"3_clients", 0, 3}, {"8_clients", 0, 8}, {"8_clients,_50_unknown", 0.0075, 8}} {
		notes := write10000(c.unknown, c.clients)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				h := newHistory()
				for _, n := range notes {
					h.add(n)
				}
				if v := h.verdict(time.Second); v.Verdict != trace.VerdictOK {
					b.Fatalf("%+v", v)
				}
			}
		})
	}
}
