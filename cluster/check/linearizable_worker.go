package check

import (
	"sync"
	"time"

	"capsize/cluster/trace"
)

// worker gathers what the judge of linearizability needs, in batches, and passes its
// verdicts on. The time of the events, not a clock, says when a batch is due.
//
// The judge works in the background, or else inline: in advance, so that its verdict
// directly follows the event that made the batch due.
type worker struct {
	emit       func(trace.Event) // nil: take returns the verdicts
	background *background       // nil: the judge works inline

	// Only the caller of Observe uses these.
	nextDue  time.Duration // when the next batch is due, in virtual time
	gathered int           // the items in it so far

	judging sync.Mutex // held by whoever uses the judge, until the verdict is out
	judge   judge

	mu          sync.Mutex // never held while judging
	queue       []workItem
	at          time.Duration // of the latest item or batch
	undecidable string        // why nothing more can be checked, "" if it can
	owing       time.Duration // of the judge
	closed      bool          // nothing is judged any more
	ready       []trace.Event // verdicts for take
}

// workKind says what a work item is about.
type workKind uint8

const (
	opInvoked workKind = iota + 1
	opReturned
	incrementCommitted
	historySettled // from now on only operations of this history change the counter
)

// workItem is what the worker learns. Its time is an event number: unlike the clock,
// event numbers always increase.
type workItem struct {
	kind workKind
	op   *trace.Op
	key  trace.OpKey // of incrementCommitted
	// index is the log index of incrementCommitted.
	index uint64
	seq   uint64
	at    time.Duration
	// Of historySettled: the counter is unknown, and so, if the trace starts mid-run, are
	// other operations in flight.
	unknown, startsMidRun bool
}

const (
	// batchDelay is the virtual time between two batches.
	batchDelay = 100 * time.Millisecond
	// batchMax is how many items make a batch due earlier.
	batchMax = 4096
	// queueMax bounds the queue of a judge that falls behind, at about a minute of a busy run.
	queueMax = 1 << 20
)

func newWorker(emit func(trace.Event)) *worker {
	return &worker{emit: emit, judge: newJudge(), owing: never}
}

// enqueue adds an item to the queue without waiting.
func (w *worker) enqueue(item workItem) {
	w.gathered++
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = item.at
	switch {
	case w.undecidable != "": // a history with a gap proves nothing
	case len(w.queue) < queueMax:
		w.queue = append(w.queue, item)
	default:
		w.giveUpLocked("operations arrive faster than they can be checked")
	}
}

// giveUp makes the check undecided unless it is violated. The first reason counts.
func (w *worker) giveUp(why string) {
	w.gathered = batchMax
	w.mu.Lock()
	defer w.mu.Unlock()
	w.giveUpLocked(why)
}

func (w *worker) giveUpLocked(why string) {
	if w.undecidable == "" {
		w.undecidable = why
	}
}

// advance follows an observed event: it judges the batch if that is due, or has it judged
// in the background. It returns the verdicts that are not emitted.
func (w *worker) advance(at time.Duration) []trace.Event {
	if at >= w.nextDue || w.gathered >= batchMax {
		w.judgeBatch(at)
	}
	if w.emit != nil && w.background != nil {
		return nil
	}
	return w.take()
}

// judgeBatch ends a batch at an event.
func (w *worker) judgeBatch(at time.Duration) {
	if w.background == nil {
		// The emit of await may wait for locks that are held here, so do not wait for await:
		// the batch stays due.
		if !w.judging.TryLock() {
			return
		}
		defer w.judging.Unlock()
	}
	w.mu.Lock()
	w.at = at
	isEmpty := w.gathered == 0 && at < w.owing
	w.mu.Unlock()
	w.nextDue, w.gathered = at+batchDelay, 0
	switch {
	case isEmpty:
	case w.background != nil:
		w.background.signal()
	default:
		if verdict, changed := w.process(false); changed {
			w.keep(verdict)
		}
	}
}

// await returns once the verdict on everything so far is out.
func (w *worker) await() {
	if w.background == nil {
		w.passOn(true)
		return
	}
	w.background.await()
}

// close makes sure that nothing is judged after it returns.
func (w *worker) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	if w.background != nil {
		w.background.close()
	}
}

// passOn judges what is in the queue and passes the verdict on if it has changed.
func (w *worker) passOn(last bool) {
	w.judging.Lock()
	defer w.judging.Unlock()
	verdict, changed := w.process(last)
	switch {
	case !changed:
	case w.emit != nil:
		w.emit(verdict)
	default:
		w.keep(verdict)
	}
}

// process judges what is in the queue. The caller holds w.judging.
func (w *worker) process(last bool) (verdict trace.Event, changed bool) {
	w.mu.Lock()
	b := batch{items: w.queue, at: w.at, undecidable: w.undecidable, last: last}
	w.queue = nil
	closed := w.closed
	w.mu.Unlock()
	if closed {
		return trace.Event{}, false
	}
	verdict, changed = w.judge.judge(b)
	w.mu.Lock()
	w.owing = w.judge.owing
	w.mu.Unlock()
	return verdict, changed
}

// keep keeps a verdict for take.
func (w *worker) keep(verdict trace.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready = append(w.ready, verdict)
}

// take returns the verdicts since the last call.
func (w *worker) take() []trace.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	ready := w.ready
	w.ready = nil
	return ready
}

// firstVerdict returns the verdict at the first event of the trace.
func (w *worker) firstVerdict(at time.Duration) trace.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := trace.Event{At: at, Kind: trace.KindVerdict, Check: Linearizable, Verdict: trace.VerdictOK}
	if w.undecidable != "" {
		e.Verdict, e.Text = trace.VerdictUndecided, w.undecidable
	}
	return e
}
