package check

import (
	"sync"
	"time"

	"capsize/cluster/trace"
)

// worker checks the clients' history with porcupine. Its goroutine is started outside
// virtual time: inside, it would be part of the bubble and keep the clock still while
// it works. It takes work items from a queue and nobody waits for it, except in Await.
type worker struct {
	emit     func(trace.Event) // nil: take returns the verdicts
	wake     chan struct{}     // signals that the queue is not empty
	awaiting chan struct{}     // await asks for a verdict on the whole queue
	answered chan struct{}     // and learns that it is out
	closing  chan struct{}
	closed   chan struct{}
	once     sync.Once

	mu          sync.Mutex
	queue       []workItem
	undecidable string        // why nothing more can be checked, "" if it can
	ready       []trace.Event // verdicts for take

	// Only the worker's goroutine uses the fields below.
	history opHistory
	latest  trace.Event   // the latest verdict
	at      time.Duration // of the last work item
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
	// batchDelay is how long the worker lets items gather, in real time.
	batchDelay = 100 * time.Millisecond
	// queueMax bounds the queue, at about a minute of a busy run.
	queueMax = 1 << 20
)

func newWorker(emit func(trace.Event)) *worker {
	return &worker{
		history: newHistory(),
		latest:  trace.Event{Verdict: trace.VerdictOK}, // firstVerdict says so
		emit:    emit, wake: make(chan struct{}, 1), awaiting: make(chan struct{}), answered: make(chan struct{}),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
}

// enqueue adds an item to the queue without waiting.
func (w *worker) enqueue(item workItem) {
	w.mu.Lock()
	if len(w.queue) < queueMax {
		w.queue = append(w.queue, item)
	} else {
		w.giveUpLocked("operations arrive faster than they can be checked")
	}
	w.mu.Unlock()
	w.signal()
}

// giveUp makes the check undecided unless it is violated. The first reason counts.
func (w *worker) giveUp(why string) {
	w.mu.Lock()
	w.giveUpLocked(why)
	w.mu.Unlock()
	w.signal()
}

func (w *worker) giveUpLocked(why string) {
	if w.undecidable == "" {
		w.undecidable = why
	}
}

// signal wakes the worker's goroutine.
func (w *worker) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run works until close.
func (w *worker) run() {
	defer close(w.closed)
	batch, quiet := time.NewTimer(batchDelay), time.NewTimer(batchDelay)
	defer batch.Stop()
	defer quiet.Stop()
	for {
		select {
		case <-quiet.C:
			w.process(0) // reports a count that was held back
		case <-w.wake:
			batch.Reset(batchDelay)
			select {
			case <-batch.C:
				w.process(time.Second)
				quiet.Reset(time.Second)
			case <-w.awaiting:
				w.answerAwait()
			case <-w.closing:
				return
			}
		case <-w.awaiting:
			w.answerAwait()
		case <-w.closing:
			return
		}
	}
}

// answerAwait processes the whole queue and releases await.
func (w *worker) answerAwait() {
	w.process(0)
	select {
	case w.answered <- struct{}{}:
	case <-w.closing:
	}
}

func (w *worker) await() {
	select {
	case w.awaiting <- struct{}{}:
	case <-w.closed:
		return
	}
	select {
	case <-w.answered:
	case <-w.closed:
	}
}

func (w *worker) close() {
	w.once.Do(func() { close(w.closing) })
	<-w.closed
}

// process checks what is in the queue and passes the verdict on if it has changed. A
// higher count alone is passed on only once it is countDelay of virtual time old.
func (w *worker) process(countDelay time.Duration) {
	w.mu.Lock()
	items, undecidable := w.queue, w.undecidable
	w.queue = nil
	w.mu.Unlock()
	if w.latest.Verdict == trace.VerdictViolated {
		return
	}
	for _, item := range items {
		w.history.add(item)
		w.at = item.at
	}
	now := w.history.verdict(w.at)
	if undecidable != "" {
		now = trace.Event{At: w.at, Verdict: trace.VerdictUndecided, Text: undecidable, Count: now.Count}
	}
	now.Kind, now.Check = trace.KindVerdict, Linearizable
	was := &w.latest
	if now.Verdict == was.Verdict && now.Text == was.Text && (now.Count == was.Count || now.At < was.At+countDelay) {
		return
	}
	w.latest = now
	if w.emit != nil {
		w.emit(now)
		return
	}
	w.mu.Lock()
	w.ready = append(w.ready, now)
	w.mu.Unlock()
}

// take returns the verdicts since the last call, if there is no emit.
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
