package check

import (
	"sync"
	"time"

	"capsize/cluster/trace"
)

// worker has porcupine judge the clients' history, on a goroutine of its own that is
// started outside of virtual time: one that virtual time started would be part of
// it, and would make the cluster wait. It is told what happens through a queue, and
// is never waited for, but by whoever wants to.
type worker struct {
	emit     func(trace.Event) // nil: the verdicts are taken
	wake     chan struct{}     // there is something in the queue
	awaiting chan struct{}     // somebody waits for the verdict of all that is there
	answered chan struct{}     // and has it
	closing  chan struct{}
	closed   chan struct{}
	once     sync.Once

	mu          sync.Mutex
	queue       []workItem
	undecidable string        // why it cannot tell any more, "" if it can
	ready       []trace.Event // verdicts to be taken

	// What follows is only the goroutine's.
	history opHistory
	verdict trace.Event   // the latest
	at      time.Duration // of the last note
}

// workKind says what a note is about.
type workKind uint8

const (
	opInvoked          workKind = iota + 1 // a client called
	opReturned                             // a client got its answer, or gave up
	incrementCommitted                     // an increment is committed
	historySettled                         // nothing but this history changes the counter from now on
)

// workItem is what the judge is told. Times are the numbers of events, which are in
// order also where the clock stands still.
type workItem struct {
	kind workKind
	op   *trace.Op
	key  opKey
	seq  uint64
	at   time.Duration
	// Of historySettled: the counter is not known, nor, in the middle of a run, what other
	// operations are under way.
	unknown, midway bool
}

const (
	// batchDelay is how long the judge lets notes come together, in real time.
	batchDelay = 100 * time.Millisecond
	// queueMax is how many notes wait at most, about a minute of a busy run.
	queueMax = 1 << 20
)

func newWorker(emit func(trace.Event)) *worker {
	return &worker{
		history: newHistory(),
		verdict: trace.Event{Verdict: trace.VerdictOK}, // as Checker has said for it
		emit:    emit, wake: make(chan struct{}, 1), awaiting: make(chan struct{}), answered: make(chan struct{}),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
}

// enqueue puts a note into the queue. It does not wait.
func (j *worker) enqueue(n workItem) {
	j.mu.Lock()
	if len(j.queue) < queueMax {
		j.queue = append(j.queue, n)
	} else {
		j.giveUpLocked("operations arrived faster than they could be judged")
	}
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// giveUp says why it cannot be told any more whether the history is linearizable.
func (j *worker) giveUp(why string) {
	j.mu.Lock()
	j.giveUpLocked(why)
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *worker) giveUpLocked(why string) {
	if j.undecidable == "" {
		j.undecidable = why
	}
}

// run judges until close.
func (j *worker) run() {
	defer close(j.closed)
	rest, calm := time.NewTimer(batchDelay), time.NewTimer(batchDelay)
	defer rest.Stop()
	defer calm.Stop()
	for {
		select {
		case <-calm.C:
			j.process(0) // a count that was held back
		case <-j.wake:
			rest.Reset(batchDelay)
			select {
			case <-rest.C:
				j.process(time.Second)
				calm.Reset(time.Second)
			case <-j.awaiting:
				j.answerAwait()
			case <-j.closing:
				return
			}
		case <-j.awaiting:
			j.answerAwait()
		case <-j.closing:
			return
		}
	}
}

// answerAwait judges all there is, and tells who waits for it.
func (j *worker) answerAwait() {
	j.process(0)
	select {
	case j.answered <- struct{}{}:
	case <-j.closing:
	}
}

func (j *worker) await() {
	select {
	case j.awaiting <- struct{}{}:
	case <-j.closed:
		return
	}
	select {
	case <-j.answered:
	case <-j.closed:
	}
}

func (j *worker) close() {
	j.once.Do(func() { close(j.closing) })
	<-j.closed
}

// process judges what is in the queue, and gives the verdict out if it has changed. That
// no more than the count has is told only after a while of virtual time.
func (j *worker) process(while time.Duration) {
	j.mu.Lock()
	notes, why := j.queue, j.undecidable
	j.queue = nil
	j.mu.Unlock()
	if j.verdict.Verdict == trace.VerdictViolated {
		return
	}
	at := j.at
	for _, n := range notes {
		j.history.add(n)
		at = n.at
	}
	j.at = at
	now := j.history.verdict(at)
	if why != "" {
		now = trace.Event{At: at, Verdict: trace.VerdictUndecided, Text: why, Count: now.Count}
	}
	now.Kind, now.Check = trace.KindVerdict, Linearizable
	was := &j.verdict
	if now.Verdict == was.Verdict && now.Text == was.Text && (now.Count == was.Count || now.At < was.At+while) {
		return
	}
	j.verdict = now
	if j.emit != nil {
		j.emit(now)
		return
	}
	j.mu.Lock()
	j.ready = append(j.ready, now)
	j.mu.Unlock()
}

// take returns the verdicts since the last time, of a judge that has nowhere to
// emit them.
func (j *worker) take() []trace.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	ready := j.ready
	j.ready = nil
	return ready
}

// firstVerdict returns the first verdict, at the first event.
func (j *worker) firstVerdict(at time.Duration) trace.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := trace.Event{At: at, Kind: trace.KindVerdict, Check: Linearizable, Verdict: trace.VerdictOK}
	if j.undecidable != "" {
		e.Verdict, e.Text = trace.VerdictUndecided, j.undecidable
	}
	return e
}
