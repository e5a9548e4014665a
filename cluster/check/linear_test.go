package check

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"capsize/cluster/trace"

	"github.com/anishathalye/porcupine"
)

// writer makes up what clients do with a counter that is what it should be: an
// operation is called, takes effect at some moment, and returns.
type writer struct {
	rng     *rand.Rand
	clients int
	deltas  []int64
	unknown float64 // how likely an increment's outcome is unknown
	idle    float64 // how likely all wait until nothing is under way
	nowhere bool    // it is not known what the counter was at the beginning

	notes   []note
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

func (w *writer) note(n note) { n.seq = uint64(len(w.notes) + 1); w.notes = append(w.notes, n) }

// write makes up a history of n operations.
func (w *writer) write(n int) []note {
	w.note(note{kind: isSettled, unknown: w.nowhere})
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
	w.note(note{kind: wasCalled, op: &op})
}

func (w *writer) effect(x *writing) {
	if x.done {
		return
	}
	x.done = true
	if x.op.Kind == trace.EntryAdd {
		w.value += x.op.Delta
		w.note(note{kind: hasTaken, key: opKey{x.op.Client, x.op.Seq}})
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
	w.note(note{kind: hasReturned, op: &op})
}

// spoil changes what one client was told.
func spoil(rng *rand.Rand, notes []note) []note {
	notes = slices.Clone(notes)
	for range 100 {
		n := &notes[rng.IntN(len(notes))]
		if n.kind == hasReturned && n.op.Outcome == trace.OK {
			op := *n.op
			op.Value += []int64{-3, -2, -1, 1, 2, 3}[rng.IntN(6)]
			n.op = &op
			break
		}
	}
	return notes
}

// whole has porcupine judge the whole history at once, each operation of unknown
// outcome under way for ever.
func whole(notes []note) porcupine.CheckResult {
	calls := map[uint64]note{}
	var actions []*action
	for _, n := range notes {
		switch n.kind {
		case wasCalled:
			calls[n.op.ID] = n
		case hasReturned:
			o := &operation{op: n.op, call: int64(calls[n.op.ID].seq), finish: int64(n.seq)}
			switch n.op.Outcome {
			case trace.OK:
				actions = append(actions, o.told())
			case trace.Unknown:
				actions = append(actions, &action{delta: n.op.Delta, call: o.call, finish: never})
			case trace.Failed, trace.Pending:
			}
		case hasTaken, isSettled:
		}
	}
	return ask(counterModel(counterState{known: !notes[0].unknown}), actions, thinkMax)
}

// judgeAll has a history judged, with a judgement now and then on the way.
func judgeAll(rng *rand.Rand, h *history, notes []note) trace.Event {
	for _, n := range notes {
		h.take(n)
		if rng.IntN(20) == 0 {
			h.judge(0)
		}
	}
	return h.judge(0)
}

func TestOurVerdictIsPorcupinesOnTheWhole(t *testing.T) {
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
		h.cutFrom, h.busyFrom = 1+rng.IntN(8), 4+rng.IntN(16)
		h.due = h.cutFrom
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
		if x.kind == hasReturned && x.op.Outcome == trace.Unknown {
			n++
		}
	}
	return n
}

// The pool of unknown increments is exact: without any evidence it says what
// porcupine says of each of them on its own.
func TestAPoolOfUnknownIncrementsIsAsGoodAsEachOnItsOwn(t *testing.T) {
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
		h.cutFrom, h.busyFrom, h.due = never, never, never
		for _, n := range notes {
			h.take(n)
		}
		h.sweep()
		want, got := whole(notes), h.pure.explain(h.open, never)
		verdicts[want]++
		if got != want {
			t.Fatalf("seed %d, history %d: porcupine says %v of each on its own, %v of the pool", seed, i, want, got)
		}
	}
	if verdicts[porcupine.Ok] < 300 || verdicts[porcupine.Illegal] < 300 {
		t.Errorf("too few of a kind: %v", verdicts)
	}
}

// What porcupine cannot decide in time is never said to be well, nor to be violated.
func TestNoAnswerInTimeIsUndecided(t *testing.T) {
	h := newHistory()
	h.pure.limit = 20 * time.Millisecond
	seq := uint64(0)
	take := func(n note) { seq++; n.seq = seq; h.take(n) }
	take(note{kind: isSettled})
	for i := range uint64(24) {
		op := &trace.Op{ID: i + 1, Client: "c", Kind: trace.EntryAdd, Delta: 2 << i, Seq: i + 1, Outcome: trace.Unknown}
		take(note{kind: wasCalled, op: op})
		take(note{kind: hasReturned, op: op})
	}
	op := &trace.Op{ID: 99, Client: "d", Kind: trace.EntryRead, Outcome: trace.OK, Value: 12345} // no sum of even numbers
	take(note{kind: wasCalled, op: op})
	take(note{kind: hasReturned, op: op})
	if v := h.judge(0); v.Verdict != trace.VerdictUndecided || v.Text != "24 operations have an unknown outcome, and in 20ms no order was found in which they explain the others" {
		t.Errorf("%s: %s", v.Verdict, v.Text)
	}
}

// write10000 makes up ten thousand operations as a playground sees them.
func write10000(unknown float64, clients int) []note {
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
					h.take(n)
				}
				if v := h.judge(time.Second); v.Verdict != trace.VerdictOK {
					b.Fatalf("%+v", v)
				}
			}
		})
	}
}
