package check

import (
	"fmt"

	"capsize/cluster/trace"
)

// observer is shown the events of the kinds it subscribed to, after the state has
// folded them in.
type observer interface {
	observe(s *state, e *trace.Event)
}

// safetyCheck is a check that reaches its verdict at once.
type safetyCheck interface {
	observer
	result() *report
}

// Checker runs all checks. Observe is called with one event after another, from one
// goroutine at a time; the other methods may be called from any goroutine.
type Checker struct {
	state           state
	checks          []safetyCheck
	observers       map[trace.Kind][]observer
	packetObservers []observer // observers[trace.KindPacket]: most events are packets
	worker          *worker
	last            trace.Event // only its Seq and At
	announced       bool        // the first verdicts are out
	stopped         bool        // the events contradict themselves
}

// New returns a checker. It passes the verdicts of the background check to emit, on
// a goroutine that runs until Close, so call New outside virtual time. If emit is
// nil, the next Observe returns them instead.
func New(emit func(trace.Event)) *Checker {
	c := NewInline(emit)
	c.worker.background = newBackground()
	go c.worker.background.run(c.worker)
	return c
}

// NewInline returns a checker that has no goroutine: every verdict is among the events
// that Observe returns, at a place that only the events determine. Observe then takes
// longer, up to a second or two if a history is hard to judge. Await passes the verdict on
// the latest events to emit. If emit is nil, the next Observe returns it instead.
func NewInline(emit func(trace.Event)) *Checker {
	c := &Checker{observers: map[trace.Kind][]observer{}, worker: newWorker(emit)}
	c.addChecks()
	c.packetObservers = c.observers[trace.KindPacket]
	return c
}

func (c *Checker) addChecks() {
	add := func(k safetyCheck, name string, kinds ...trace.Kind) {
		k.result().name = name
		c.checks = append(c.checks, k)
		c.subscribe(k, kinds...)
	}
	add(&electionSafety{}, ElectionSafety, trace.KindPacket, trace.KindRole)
	add(&leaderAppendOnly{}, LeaderAppendOnly, trace.KindAppended, trace.KindTruncated, trace.KindCompacted)
	add(&logMatching{}, LogMatching, trace.KindAppended, trace.KindLoaded)
	add(&leaderCompleteness{}, LeaderCompleteness, trace.KindRole)
	add(&stateMachineSafety{}, StateMachineSafety, trace.KindCommitted, trace.KindApplied, trace.KindInstalled)
	add(&voteOnce{}, VoteOnce, trace.KindPacket, trace.KindVote, trace.KindProcess)
	add(&ackedDurable{}, AckedDurable, trace.KindCommitted, trace.KindApplied, trace.KindInstalled, trace.KindReturned)
	add(&exactlyOnce{}, ExactlyOnce, trace.KindCommitted, trace.KindApplied, trace.KindInstalled)
	c.subscribe(&linearizable{worker: c.worker}, trace.KindInvoked, trace.KindRole, trace.KindReturned,
		trace.KindCommitted, trace.KindApplied, trace.KindInstalled)
}

// subscribe shows o the events of these kinds from now on.
func (c *Checker) subscribe(o observer, kinds ...trace.Kind) {
	for _, kind := range kinds {
		c.observers[kind] = append(c.observers[kind], o)
	}
}

// Observe checks the next event and returns the verdicts that changed, as events. It
// satisfies what [trace.Stream.SetChecker] asks for: it never waits, retains only what the
// event's owner never changes, and takes amortised constant or logarithmic time,
// except for the event that lists a whole disk, and for what [NewInline] says.
func (c *Checker) Observe(e *trace.Event) []trace.Event {
	if e.Kind == trace.KindVerdict {
		return nil
	}
	changed := c.observe(e)
	if !c.announced {
		return changed
	}
	return append(changed, c.worker.advance(e.At)...)
}

// observe shows the next event to the checks and returns the verdicts that changed,
// except those of the worker.
func (c *Checker) observe(e *trace.Event) []trace.Event {
	if e.Kind == trace.KindPacket {
		if e.Packet == nil || c.stopped || c.state.first == nil || !isRelevant(e.Packet) {
			return nil
		}
		for _, k := range c.packetObservers {
			k.observe(&c.state, e)
		}
		return c.changedVerdicts(e)
	}
	if c.stopped {
		return nil
	}
	if why := c.invalid(e); why != "" {
		c.giveUp(why)
		return c.changedVerdicts(e)
	}
	c.last.Seq, c.last.At = e.Seq, e.At
	if why := missing(e); why != "" {
		c.giveUp(why)
		return c.changedVerdicts(e)
	}
	c.state.fold(e)
	for _, k := range c.observers[e.Kind] {
		k.observe(&c.state, e)
	}
	if c.state.invalid != "" {
		c.giveUp(c.state.invalid)
	}
	return c.changedVerdicts(e)
}

// giveUp makes every check undecided for good: nothing follows from events that
// contradict themselves.
func (c *Checker) giveUp(why string) {
	for _, k := range c.checks {
		k.result().giveUp(why)
	}
	c.worker.giveUp(why)
	c.stopped = true
}

// changedVerdicts returns the verdicts that changed with e.
func (c *Checker) changedVerdicts(e *trace.Event) []trace.Event {
	var changed []trace.Event
	for _, k := range c.checks {
		if r := k.result(); r.update(c.state.validFrom) {
			changed = append(changed, r.events(e.At)...)
		}
	}
	if !c.announced {
		c.announced = true
		changed = append(changed, c.worker.firstVerdict(e.At))
	}
	return changed
}

// indexMax is the highest index and term accepted. A foreign trace may contain any
// number, and sums of indexes must not overflow.
const indexMax = 1 << 62

// invalid returns why an event is not acceptable, "" if it is.
func (c *Checker) invalid(e *trace.Event) string {
	switch {
	case c.state.first == nil && (e.Kind != trace.KindSettings || e.Settings == nil):
		return "the trace does not start with the cluster's settings: its earlier state is unknown"
	case e.Seq < c.last.Seq || e.At < c.last.At:
		return fmt.Sprintf("the trace is out of order: event %d comes after event %d", e.Seq, c.last.Seq)
	case e.Index > indexMax || e.Last > indexMax || e.Term > indexMax || len(e.Entries) > 1<<30:
		return fmt.Sprintf("event %d has an impossible index or term", e.Seq)
	case (e.Kind == trace.KindInvoked || e.Kind == trace.KindReturned) && e.Op == nil:
		return fmt.Sprintf("event %d does not name its operation", e.Seq)
	case e.Node == "" && isNodeEvent(e.Kind):
		return fmt.Sprintf("event %d does not name its node", e.Seq)
	}
	return ""
}

// missing returns why events of a node may be missing or come late from an event on, "" if they do
// not. What the other nodes report, and the clients, is not enough for any verdict: an outcome that
// no client knows is read from the logs.
func missing(e *trace.Event) string {
	switch {
	case e.Kind == trace.KindGap:
		return fmt.Sprintf("events of %s may be missing from %s on: %s", e.Node, trace.Seconds(e.At), e.Text)
	case e.Kind == trace.KindProcess && e.Process == trace.Unreachable:
		return fmt.Sprintf("events of %s are missing from %s on: it is unreachable", e.Node, trace.Seconds(e.At))
	}
	return ""
}

// isNodeEvent reports whether events of a kind change a node as the checks see it.
func isNodeEvent(kind trace.Kind) bool {
	switch kind {
	case trace.KindProcess, trace.KindRole, trace.KindTerm, trace.KindVote, trace.KindLoaded, trace.KindAppended,
		trace.KindTruncated, trace.KindCompacted, trace.KindCommitted, trace.KindApplied, trace.KindSnapshot,
		trace.KindInstalled:
		return true
	default:
		return false
	}
}

// Await waits, in real time, until everything observed so far is checked and its
// verdicts are out. Called inside virtual time, it keeps the clock still meanwhile. The
// caller must hold no lock that emit takes.
func (c *Checker) Await() { c.worker.await() }

// Close stops the background check and waits until it has ended. Nothing is checked
// after that.
func (c *Checker) Close() { c.worker.close() }
