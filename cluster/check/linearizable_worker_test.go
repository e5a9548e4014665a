package check

import (
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"capsize/cluster/trace"
)

// observeFor shows a checker a packet every 10 ms, which is what goes on while no client does
// anything, and returns its verdicts and when they came.
func (r *historyBuilder) observeFor(c *Checker, d time.Duration) (verdicts []trace.Event, after []time.Duration) {
	for end, start := r.at+d, r.at; r.at < end; {
		r.at += 10 * time.Millisecond
		r.seq++
		e := trace.Event{Seq: r.seq, At: r.at, Kind: trace.KindPacket, Packet: &trace.Packet{Kind: "heartbeat", Reply: true}}
		for _, v := range c.Observe(&e) {
			verdicts, after = append(verdicts, v), append(after, r.at-start)
		}
	}
	return verdicts, after
}

// Whatever follows a batch makes it due, also packets that no check reads.
func TestViolationIsReportedWithinBatchDelay(t *testing.T) {
	r := twoIncrements(t)
	r.settle()
	r.reply(r.call(read("c2")), 1)
	verdicts, after := r.observeFor(r.inline, 2*time.Second)
	if len(verdicts) != 1 || verdicts[0].Verdict != trace.VerdictViolated || after[0] > batchDelay {
		t.Errorf("got %+v after %v, want one violation within %s", verdicts, after, batchDelay)
	}
}

// In the background too, the time of the events makes a batch due, and nobody has to ask.
func TestBackgroundEmitsAViolationUnasked(t *testing.T) {
	r := twoIncrements(t)
	r.reply(r.call(read("c2")), 1)
	emitted := make(chan trace.Event, 10)
	c := New(func(e trace.Event) { emitted <- e })
	defer c.Close()
	for i := range r.events {
		c.Observe(&r.events[i])
	}
	r.observeFor(c, batchDelay)
	for e := range emitted {
		if e.Verdict == trace.VerdictViolated {
			return
		}
	}
}

// Many items make a batch due at once.
func TestBusyBatchIsDueEarly(t *testing.T) {
	r := twoIncrements(t)
	r.settle()
	r.reply(r.call(read("c2")), 1)
	for i := 0; r.latestInline[Linearizable].Verdict == trace.VerdictOK; i++ {
		if i > batchMax {
			t.Fatalf("no verdict after %d items", i)
		}
		r.call(read("c3"))
		r.at -= time.Millisecond
	}
}

// The count is reported from time to time, and exactly once the operations end.
func TestLastOperationsAreCounted(t *testing.T) {
	r := twoIncrements(t)
	r.settle()
	told := r.at
	for range 3 {
		r.reply(r.call(read("c2")), 2)
	}
	verdicts, after := r.observeFor(r.inline, 5*time.Second)
	if len(verdicts) != 1 || verdicts[0].Count != 5 || verdicts[0].Verdict != trace.VerdictOK {
		t.Fatalf("got %+v, want one with 5 operations", verdicts)
	}
	if wait := verdicts[0].At - told; wait < countDelay || wait > countDelay+2*batchDelay {
		t.Errorf("counted after %v, %s after the last count, want %s", after, wait, countDelay)
	}
}

// randomRun returns the events of clients that increment and read, some of them wrongly at
// the end.
func randomRun(t *testing.T, seed uint64) []trace.Event {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0))
	r := twoIncrements(t)
	value, index, number := int64(2), uint64(3), uint64(2)
	var open []trace.Op
	for range 2000 {
		r.at += time.Duration(rng.IntN(20)) * time.Millisecond
		switch {
		case len(open) < 4 && rng.IntN(2) == 0:
			open = append(open, r.call(read("c2")))
		case rng.IntN(3) == 0:
			number, index, value = number+1, index+1, value+1
			op := r.call(add("c1", number))
			r.append("n1", index, plus(1, "c1", number))
			r.commit("n1", index)
			r.apply("n1", index, value)
			r.reply(op, value)
		case len(open) > 0:
			r.reply(open[0], value)
			open = open[1:]
		}
	}
	r.reply(r.call(read("c3")), value-1-int64(seed%2))
	r.at += time.Second
	r.emit(trace.Event{Kind: trace.KindCaption})
	return r.events
}

// placed is a verdict and the event that it follows.
type placed struct {
	after uint64
	trace.Event
}

func inlineVerdicts(events []trace.Event) (all []placed) {
	c := NewInline(nil)
	defer c.Close()
	for i := range events {
		for _, v := range c.Observe(&events[i]) {
			all = append(all, placed{events[i].Seq, v})
		}
	}
	return all
}

// Inline, the same events have the same verdicts in the same places.
func TestInlineVerdictsAreExact(t *testing.T) {
	for seed := range uint64(4) {
		events := randomRun(t, seed)
		once, again := inlineVerdicts(events), inlineVerdicts(events)
		if !reflect.DeepEqual(once, again) {
			t.Fatalf("seed %d: got %+v, then %+v", seed, once, again)
		}
		if last := once[len(once)-1]; len(once) < 20 || last.Verdict != trace.VerdictViolated {
			t.Errorf("seed %d: %d verdicts, the last %+v; want many, and a violation", seed, len(once), last)
		}
	}
}

// While Await passes a verdict on, events may still arrive. They neither wait for it nor
// overtake it with a later verdict, which then follows the next event.
func TestInlineVerdictDoesNotOvertakeThatOfAwait(t *testing.T) {
	r := twoIncrements(t)
	var c *Checker
	var during []trace.Event
	c = NewInline(func(trace.Event) {
		already := len(r.events)
		r.reply(r.call(read("c2")), 1)
		for i := range r.events[already:] {
			during = append(during, c.Observe(&r.events[already+i])...)
		}
		more, _ := r.observeFor(c, 2*batchDelay)
		during = append(during, more...)
	})
	defer c.Close()
	for i := range r.events {
		c.Observe(&r.events[i])
	}
	c.Await()
	after, _ := r.observeFor(c, 10*time.Millisecond)
	if len(during) != 0 || len(after) != 1 || after[0].Verdict != trace.VerdictViolated {
		t.Errorf("got %+v during Await, %+v with the next event; want nothing, then a violation", during, after)
	}
}

// Observe runs under the stream's lock, which Await needs for its verdict. Neither may wait
// for the other, inside virtual time included.
func TestInlineAwaitsWhileEventsArrive(t *testing.T) {
	events := randomRun(t, 1)
	synctest.Test(t, func(t *testing.T) {
		var stream trace.Stream
		c := NewInline(stream.Emit)
		defer c.Close()
		var verdicts []trace.Event
		stream.SetChecker(c.Observe)
		stream.Subscribe(func(e trace.Event) {
			if e.Kind == trace.KindVerdict && e.Check == Linearizable {
				verdicts = append(verdicts, e)
			}
		})
		var working sync.WaitGroup
		for range 2 {
			working.Go(func() {
				for range 200 {
					c.Await()
					time.Sleep(time.Millisecond)
				}
			})
		}
		working.Go(func() {
			for _, e := range events {
				stream.Emit(e)
				time.Sleep(100 * time.Microsecond)
			}
		})
		working.Wait()
		c.Await()
		for i := 1; i < len(verdicts); i++ {
			if verdicts[i].Count < verdicts[i-1].Count && verdicts[i].Verdict == trace.VerdictOK {
				t.Errorf("count %d after %d", verdicts[i].Count, verdicts[i-1].Count)
			}
		}
		if last := verdicts[len(verdicts)-1]; last.Verdict != trace.VerdictViolated {
			t.Errorf("the last verdict is %+v", last)
		}
	})
}

// After a hard search the judge rests for a while that depends on the steps only, unless
// the verdict is clear without a search, or somebody waits for it.
func TestJudgeRestsAfterAHardSearch(t *testing.T) {
	j := newJudge()
	j.history.clients.stepsMax = 20_000
	steps := func(b batch) int {
		before := j.history.clients.steps
		j.judge(b)
		return j.history.clients.steps - before
	}
	one := func(id uint64) []workItem {
		op := &trace.Op{ID: id, Client: "e", Kind: trace.EntryRead, Outcome: trace.Failed}
		return []workItem{{kind: opInvoked, op: op, seq: id}, {kind: opReturned, op: op, seq: id + 1}}
	}
	hard := steps(batch{items: hardHistory()})
	rest := time.Duration(hard) * restPerStep
	if hard < 20_000 || j.latest.Verdict != trace.VerdictUndecided || rest < batchDelay {
		t.Fatalf("%d steps, %+v", hard, j.latest)
	}
	if n := steps(batch{items: one(200), at: rest - 1}); n != 0 || j.owing != rest {
		t.Errorf("searches again while it rests: %d steps, owes a verdict at %s", n, j.owing)
	}
	if n := steps(batch{items: one(300), at: rest - 1, last: true}); n < 20_000 {
		t.Errorf("does not search although somebody waits: %d steps", n)
	}
	if n := steps(batch{items: one(400), at: 3 * rest}); n < 20_000 || j.owing != never {
		t.Errorf("does not search after its rest: %d steps", n)
	}
	low := &trace.Op{ID: 500, Client: "e", Kind: trace.EntryRead, Outcome: trace.OK, Value: 1}
	v, _ := j.judge(batch{items: []workItem{{kind: opInvoked, op: low, seq: 500}, {kind: opReturned, op: low, seq: 501}}, at: 3*rest + 1})
	if v.Verdict != trace.VerdictViolated {
		t.Errorf("a stale read while it rests: %+v", v)
	}
}
