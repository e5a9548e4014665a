package check

import (
	"sync"
	"time"

	"capsize/cluster/trace"
)

// judge has porcupine judge the clients' history, on a goroutine of its own that is
// started outside of virtual time: one that virtual time started would be part of
// it, and would make the cluster wait. It is told what happens through a queue, and
// is never waited for, but by whoever wants to.
type judge struct {
	emit   func(trace.Event) // nil: the verdicts are taken
	wake   chan struct{}     // there is something in the queue
	asks   chan struct{}     // somebody waits for the verdict of all that is there
	done   chan struct{}     // and has it
	ending chan struct{}
	ended  chan struct{}
	once   sync.Once

	mu    sync.Mutex
	queue []note
	why   string        // why it cannot tell any more, "" if it can
	ready []trace.Event // verdicts to be taken

	// What follows is only the goroutine's.
	history history
	verdict trace.Event   // the latest
	at      time.Duration // of the last note
}

// noteKind says what a note is about.
type noteKind uint8

const (
	wasCalled   noteKind = iota + 1 // a client called
	hasReturned                     // a client got its answer, or gave up
	hasTaken                        // an increment is committed
	isSettled                       // nothing but this history changes the counter from now on
)

// note is what the judge is told. Times are the numbers of events, which are in
// order also where the clock stands still.
type note struct {
	kind noteKind
	op   *trace.Op
	key  opKey
	seq  uint64
	at   time.Duration
	// Of isSettled: the counter is not known, nor, in the middle of a run, what other
	// operations are under way.
	unknown, midway bool
}

const (
	// pause is how long the judge lets notes come together, in real time.
	pause = 100 * time.Millisecond
	// queueMax is how many notes wait at most, about a minute of a busy run.
	queueMax = 1 << 20
)

func newJudge(emit func(trace.Event)) *judge {
	return &judge{
		history: newHistory(),
		verdict: trace.Event{Verdict: trace.VerdictOK}, // as Checker has said for it
		emit:    emit, wake: make(chan struct{}, 1), asks: make(chan struct{}), done: make(chan struct{}),
		ending: make(chan struct{}), ended: make(chan struct{}),
	}
}

// hear puts a note into the queue. It does not wait.
func (j *judge) hear(n note) {
	j.mu.Lock()
	if len(j.queue) < queueMax {
		j.queue = append(j.queue, n)
	} else {
		j.doubtHeld("more operations came than could be judged in time")
	}
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// doubt says why it cannot be told any more whether the history is linearizable.
func (j *judge) doubt(why string) {
	j.mu.Lock()
	j.doubtHeld(why)
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *judge) doubtHeld(why string) {
	if j.why == "" {
		j.why = why
	}
}

// run judges until close.
func (j *judge) run() {
	defer close(j.ended)
	rest, calm := time.NewTimer(pause), time.NewTimer(pause)
	defer rest.Stop()
	defer calm.Stop()
	for {
		select {
		case <-calm.C:
			j.work(0) // a count that was held back
		case <-j.wake:
			rest.Reset(pause)
			select {
			case <-rest.C:
				j.work(time.Second)
				calm.Reset(time.Second)
			case <-j.asks:
				j.answer()
			case <-j.ending:
				return
			}
		case <-j.asks:
			j.answer()
		case <-j.ending:
			return
		}
	}
}

// answer judges all there is, and tells who waits for it.
func (j *judge) answer() {
	j.work(0)
	select {
	case j.done <- struct{}{}:
	case <-j.ending:
	}
}

func (j *judge) await() {
	select {
	case j.asks <- struct{}{}:
	case <-j.ended:
		return
	}
	select {
	case <-j.done:
	case <-j.ended:
	}
}

func (j *judge) close() {
	j.once.Do(func() { close(j.ending) })
	<-j.ended
}

// work judges what is in the queue, and gives the verdict out if it has changed. That
// no more than the count has is told only after a while of virtual time.
func (j *judge) work(while time.Duration) {
	j.mu.Lock()
	notes, why := j.queue, j.why
	j.queue = nil
	j.mu.Unlock()
	if j.verdict.Verdict == trace.VerdictViolated {
		return
	}
	at := j.at
	for _, n := range notes {
		j.history.take(n)
		at = n.at
	}
	j.at = at
	now := j.history.judge(at)
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
func (j *judge) take() []trace.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	ready := j.ready
	j.ready = nil
	return ready
}

// greeting returns the first verdict, at the first event.
func (j *judge) greeting(at time.Duration) trace.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := trace.Event{At: at, Kind: trace.KindVerdict, Check: Linearizable, Verdict: trace.VerdictOK}
	if j.why != "" {
		e.Verdict, e.Text = trace.VerdictUndecided, j.why
	}
	return e
}
