package counter

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/raft"
	"pgregory.net/rapid"
)

func add(client string, seq uint64, delta int64) Command {
	return Command{Op: OpAdd, Client: client, Seq: seq, Session: true, Delta: delta}
}

func read(client string, seq uint64) Command {
	return Command{Op: OpRead, Client: client, Seq: seq, Session: true}
}

func entry(tb testing.TB, c Command) *raft.Log {
	tb.Helper()
	return &raft.Log{Type: raft.LogCommand, Data: mustEncode(tb, c)}
}

// apply applies the command and fails the test unless the result is want.
func apply(t *testing.T, f *FSM, c Command, want Result) {
	t.Helper()
	if got := f.Apply(entry(t, c)); got != want {
		t.Fatalf("%+v: got %+v, want %+v", c, got, want)
	}
}

func TestRetryCountsOnce(t *testing.T) {
	f := New()
	apply(t, f, add("a", 1, 5), Result{Value: 5})
	apply(t, f, add("b", 1, 2), Result{Value: 7})
	apply(t, f, add("a", 1, 5), Result{Value: 5, Duplicate: true})
	apply(t, f, add("a", 1, 5), Result{Value: 5, Duplicate: true})
	apply(t, f, add("a", 2, 5), Result{Value: 12})
	if f.Value() != 12 {
		t.Fatalf("value %d, want 12", f.Value())
	}
}

func TestRetryWithoutASessionCountsTwice(t *testing.T) {
	f := New()
	plain := Command{Op: OpAdd, Client: "a", Seq: 1, Delta: 5}
	apply(t, f, plain, Result{Value: 5})
	apply(t, f, plain, Result{Value: 10})
	apply(t, f, add("a", 1, 1), Result{Value: 11})
}

func TestRetriedReadReturnsItsFirstResult(t *testing.T) {
	f := New()
	apply(t, f, read("r", 0), Result{})
	apply(t, f, add("b", 1, 3), Result{Value: 3})
	apply(t, f, read("r", 0), Result{Duplicate: true})
	apply(t, f, read("r", 1), Result{Value: 3})
}

func TestStaleSequenceIsNotApplied(t *testing.T) {
	f := New()
	apply(t, f, add("a", 7, 1), Result{Value: 1})
	apply(t, f, add("a", 6, 10), Result{Value: 1, Duplicate: true, Err: ErrStaleSequence})
	apply(t, f, add("a", 7, 1), Result{Value: 1, Duplicate: true})
	apply(t, f, add("a", 8, 1), Result{Value: 2})
}

func TestOverflowChangesNothingAndIsRemembered(t *testing.T) {
	for _, sign := range []int64{1, -1} {
		f := New()
		edge := int64(math.MaxInt64)
		if sign < 0 {
			edge = math.MinInt64
		}
		apply(t, f, add("a", 1, edge), Result{Value: edge})
		apply(t, f, add("a", 2, sign), Result{Value: edge, Err: ErrOverflow})
		apply(t, f, add("b", 1, -sign), Result{Value: edge - sign})
		// The sum would fit now, but the client may already have received ErrOverflow.
		apply(t, f, add("a", 2, sign), Result{Value: edge, Duplicate: true, Err: ErrOverflow})
		apply(t, restored(t, snapshotBytes(t, f)), add("a", 2, sign), Result{Value: edge, Duplicate: true, Err: ErrOverflow})
		apply(t, f, add("a", 3, sign), Result{Value: edge})
	}
}

func TestBadEntryReturnsAResultAndChangesNothing(t *testing.T) {
	f := New()
	apply(t, f, add("a", 1, 4), Result{Value: 4})
	good := entry(t, add("a", 2, 1))
	entries := map[string]*raft.Log{
		"nil":        nil,
		"no data":    {Type: raft.LogCommand},
		"trailing":   {Type: raft.LogCommand, Data: append(good.Data, 0)},
		"other type": {Type: raft.LogNoop, Data: good.Data},
	}
	for name, log := range entries {
		got, ok := f.Apply(log).(Result)
		if !ok || !errors.Is(got.Err, ErrBadCommand) || got.Value != 4 || got.Duplicate {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	apply(t, f, add("a", 2, 1), Result{Value: 5})
}

func TestSessionsAreBounded(t *testing.T) {
	f := New()
	for i := range MaxSessions {
		f.sessions[fmt.Sprintf("client-%d", i)] = session{seq: 1}
	}
	for range 2 {
		apply(t, f, add("late", 1, 1), Result{Err: ErrTooManySessions})
	}
	apply(t, f, add("client-0", 2, 1), Result{Value: 1})
	apply(t, f, Command{Op: OpAdd, Client: "late", Delta: 1}, Result{Value: 2})
}

func TestValueMayBeReadDuringApply(t *testing.T) {
	f := New()
	log := entry(t, Command{Op: OpAdd, Delta: 1})
	var applied atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			// The first read comes before any synchronization, so the race detector sees it.
			for last, more := int64(0), true; more; more = !applied.Load() {
				value := f.Value()
				if value < last {
					t.Errorf("the value fell from %d to %d", last, value)
					return
				}
				last = value
			}
		})
	}
	for range 1000 {
		f.Apply(log)
	}
	applied.Store(true)
	readers.Wait()
	if f.Value() != 1000 {
		t.Errorf("value %d, want 1000", f.Value())
	}
}

// model is the documented behaviour in plain maps and integers that cannot
// overflow. It remembers every result, where the FSM remembers only the last.
type model struct {
	value  *big.Int
	last   map[string]uint64
	result map[string]Result
}

func (m *model) apply(c Command) Result {
	if c.Session {
		last, known := m.last[c.Client]
		if known && c.Seq < last {
			return Result{Value: m.value.Int64(), Duplicate: true, Err: ErrStaleSequence}
		}
		if known && c.Seq == last {
			again := m.result[fmt.Sprint(c.Client, " ", c.Seq)]
			again.Duplicate = true
			return again
		}
	}
	sum := new(big.Int).Add(m.value, big.NewInt(c.Delta))
	var err error
	if sum.IsInt64() {
		m.value = sum
	} else {
		err = ErrOverflow
	}
	result := Result{Value: m.value.Int64(), Err: err}
	if c.Session {
		m.last[c.Client] = c.Seq
		m.result[fmt.Sprint(c.Client, " ", c.Seq)] = result
	}
	return result
}

// drawTraffic draws a command from few clients and few sequence numbers, so
// retries, stale numbers and overflows are frequent.
func drawTraffic(t *rapid.T) Command {
	c := Command{
		Op:      rapid.SampledFrom([]Op{OpAdd, OpAdd, OpRead}).Draw(t, "op"),
		Client:  rapid.SampledFrom([]string{"a", "b", "c.1"}).Draw(t, "client"),
		Seq:     rapid.Uint64Range(0, 6).Draw(t, "seq"),
		Session: rapid.Float64Range(0, 1).Draw(t, "session") < 0.8,
	}
	if c.Op == OpAdd {
		c.Delta = rapid.OneOf(rapid.Int64Range(-3, 3), rapid.Int64()).Draw(t, "delta")
	}
	return c
}

// Two replicas apply the same commands. One of them is sometimes restored from its
// own or the other's snapshot. Both must always match the model.
func TestReplicasAgreeWithTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := model{value: new(big.Int), last: map[string]uint64{}, result: map[string]Result{}}
		steady, restarted := New(), New()
		rt.Repeat(map[string]func(*rapid.T){
			"apply": func(rt *rapid.T) {
				c := drawTraffic(rt)
				want := m.apply(c)
				for _, f := range []*FSM{steady, restarted} {
					if got := f.Apply(entry(t, c)); got != want {
						rt.Fatalf("%+v: got %+v, want %+v", c, got, want)
					}
				}
			},
			"restart": func(*rapid.T) { restarted = restored(t, snapshotBytes(t, restarted)) },
			"install": func(*rapid.T) { restarted = restored(t, snapshotBytes(t, steady)) },
			"": func(rt *rapid.T) {
				if steady.Value() != m.value.Int64() || restarted.Value() != m.value.Int64() {
					rt.Fatalf("values %d and %d, want %d", steady.Value(), restarted.Value(), m.value)
				}
				if one, other := snapshotBytes(t, steady), snapshotBytes(t, restarted); string(one) != string(other) {
					rt.Fatalf("snapshots differ:\n% x\n% x", one, other)
				}
			},
		})
	})
}

func BenchmarkApply(b *testing.B) {
	logs := make([]*raft.Log, 3000)
	for i := range logs {
		logs[i] = entry(b, add(fmt.Sprintf("c%d", i%3), uint64(i), 1))
	}
	f := New()
	next := 0
	b.ReportAllocs()
	for b.Loop() {
		if next == len(logs) {
			// Applying the same numbers again would only measure stale commands.
			f, next = New(), 0
		}
		f.Apply(logs[next])
		next++
	}
}
