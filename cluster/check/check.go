// Package check says, while a cluster runs, whether it keeps its promises: those
// of the Raft paper's Figure 3, that a vote is given once, that no acknowledged
// increment is lost or counted twice, and that what the clients were told is
// linearizable.
//
// A [Checker] reads nothing but events, so that it judges a recording as it
// judges a live run. It folds them into a world (world.go), one event after the
// other, and shows each check what the event changed. The linearizability of the
// clients' history is judged in the background (judge.go), as that may take long.
//
// To add a check: write a type with a report and an observe method in a file of
// its own, and name it in newChecks, with the kinds of events it wants to see.
// What it needs to remember of the logs belongs into the world, where it is
// forgotten again once every node's snapshots cover it. Then write the test that
// makes it red and the honest twin that leaves it green: a check that cannot fail
// is worth nothing.
package check

import (
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
)

// The names of the checks. The first five are the Raft paper's (Figure 3).
const (
	ElectionSafety     = "election-safety"      // at most one leader in a term
	LeaderAppendOnly   = "leader-append-only"   // a leader never changes or cuts off entries of its own log
	LogMatching        = "log-matching"         // the same index and term mean the same entry, and the same before it
	LeaderCompleteness = "leader-completeness"  // a leader's log holds all that was committed in earlier terms
	StateMachineSafety = "state-machine-safety" // no two nodes apply different entries at one index
	VoteOnce           = "vote-once"            // one vote in a term, stored before it is sent
	AckedDurable       = "acked-durable"        // no acknowledged increment is missing from a later committed state
	ExactlyOnce        = "exactly-once"         // an increment changes the value once, and by what it says
	Linearizable       = "linearizable"         // what the clients were told has an order that explains it
)

// Names returns the names of all checks, in the order in which they are shown.
func Names() []string {
	return []string{
		ElectionSafety, LeaderAppendOnly, LogMatching, LeaderCompleteness, StateMachineSafety,
		VoteOnce, AckedDurable, ExactlyOnce, Linearizable,
	}
}

// observer is shown events, and a world that has taken them in already.
type observer interface {
	observe(w *world, e *trace.Event)
}

// check is one check that says at once what it thinks of an event.
type check interface {
	observer
	said() *report
}

// Checker runs all checks. Observe is called for one event after the other; the
// other methods may be called from anywhere.
type Checker struct {
	world   world
	checks  []check
	by      map[trace.Kind][]observer // who wants to see which events
	packets []observer                // by[trace.KindPacket], because those are so many
	judge   *judge
	last    trace.Event // only its Seq and At
	greeted bool        // the first verdicts are out
	lost    bool        // the events make no sense
}

// New returns a checker. Verdicts of the check that works in the background are
// given to emit, on a goroutine of their own, which Close ends: New is called
// outside of virtual time. With a nil emit such a verdict is returned by the next
// Observe instead.
func New(emit func(trace.Event)) *Checker {
	c := &Checker{by: map[trace.Kind][]observer{}, judge: newJudge(emit)}
	c.newChecks()
	c.packets = c.by[trace.KindPacket]
	go c.judge.run()
	return c
}

func (c *Checker) newChecks() {
	add := func(k check, name string, kinds ...trace.Kind) {
		k.said().name = name
		c.checks = append(c.checks, k)
		c.hear(k, kinds...)
	}
	add(&elections{}, ElectionSafety, trace.KindPacket, trace.KindRole)
	add(&appendOnly{}, LeaderAppendOnly, trace.KindAppended, trace.KindTruncated, trace.KindCompacted)
	add(&matching{}, LogMatching, trace.KindAppended, trace.KindLoaded)
	add(&completeness{}, LeaderCompleteness, trace.KindRole)
	add(&machines{}, StateMachineSafety, trace.KindCommitted, trace.KindApplied, trace.KindInstalled)
	add(&votes{}, VoteOnce, trace.KindPacket, trace.KindVote, trace.KindProcess)
	add(&durable{}, AckedDurable, trace.KindCommitted, trace.KindApplied, trace.KindInstalled, trace.KindReturned)
	add(&once{}, ExactlyOnce, trace.KindCommitted, trace.KindApplied, trace.KindInstalled)
	c.hear(&linear{judge: c.judge}, trace.KindInvoked, trace.KindRole, trace.KindReturned, trace.KindCommitted, trace.KindApplied, trace.KindInstalled)
}

// hear has something see the events of those kinds.
func (c *Checker) hear(o observer, kinds ...trace.Kind) {
	for _, kind := range kinds {
		c.by[kind] = append(c.by[kind], o)
	}
}

// Observe takes in the next event and returns the verdicts that changed with it,
// as events. It is what [trace.Stream.Judge] wants: it does not wait, keeps nothing
// of the event but what never changes, and takes constant or logarithmic time,
// amortised, but for the event that tells all that a disk holds.
func (c *Checker) Observe(e *trace.Event) []trace.Event {
	if e.Kind == trace.KindPacket {
		if e.Packet == nil || c.lost || c.world.start == nil || !concerns(e.Packet) {
			return nil
		}
		for _, k := range c.packets {
			k.observe(&c.world, e)
		}
		return c.verdicts(e)
	}
	if e.Kind == trace.KindVerdict {
		return nil
	}
	if c.lost {
		return c.late()
	}
	first := c.world.start == nil
	if why := c.impossible(e, first); why != "" {
		c.doubt(why)
		return c.verdicts(e)
	}
	c.last.Seq, c.last.At = e.Seq, e.At
	c.world.fold(e)
	for _, k := range c.by[e.Kind] {
		k.observe(&c.world, e)
	}
	if c.world.doubt != "" {
		c.doubt(c.world.doubt)
	}
	return c.verdicts(e)
}

// doubt has all checks say that they cannot tell any more, because the events make
// no sense. What comes after such events proves nothing.
func (c *Checker) doubt(why string) {
	for _, k := range c.checks {
		k.said().doubt(why)
	}
	c.judge.doubt(why)
	c.lost = true
}

// verdicts returns the verdicts that have changed.
func (c *Checker) verdicts(e *trace.Event) []trace.Event {
	var changed []trace.Event
	for _, k := range c.checks {
		if r := k.said(); r.changed(c.world.since) {
			changed = append(changed, r.events(e.At)...)
		}
	}
	if !c.greeted {
		c.greeted = true
		changed = append(changed, c.judge.greeting(e.At))
	}
	return append(changed, c.late()...)
}

// late returns the verdicts that come from the background, unless they are emitted.
func (c *Checker) late() []trace.Event {
	if c.judge.emit != nil {
		return nil
	}
	return c.judge.take()
}

// indexMax is the highest index and term that is believed: a trace from elsewhere
// may say anything, and sums of indexes must not overflow.
const indexMax = 1 << 62

// impossible says why an event cannot be believed, "" if it can.
func (c *Checker) impossible(e *trace.Event, first bool) string {
	switch {
	case first && (e.Kind != trace.KindSettings || e.Settings == nil):
		return "the trace does not begin with how the cluster is set up: what was before is not known"
	case e.Seq < c.last.Seq || e.At < c.last.At:
		return fmt.Sprintf("the trace is out of order: event %d comes after event %d", e.Seq, c.last.Seq)
	case e.Index > indexMax || e.Last > indexMax || e.Term > indexMax || len(e.Entries) > 1<<30:
		return fmt.Sprintf("event %d is of an entry or term that cannot be", e.Seq)
	case (e.Kind == trace.KindInvoked || e.Kind == trace.KindReturned) && e.Op == nil:
		return fmt.Sprintf("event %d is of an operation and does not say which", e.Seq)
	case e.Node == "" && isOfNode(e.Kind):
		return fmt.Sprintf("event %d is of a node and does not say which", e.Seq)
	}
	return ""
}

// isOfNode says whether events of a kind are of a node, and change what it is to
// the checks.
func isOfNode(kind trace.Kind) bool {
	switch kind {
	case trace.KindProcess, trace.KindRole, trace.KindTerm, trace.KindVote, trace.KindLoaded, trace.KindAppended, trace.KindTruncated,
		trace.KindCompacted, trace.KindCommitted, trace.KindApplied, trace.KindSnapshot, trace.KindInstalled:
		return true
	default:
		return false
	}
}

// Await waits, in real time, until all that was observed so far has been judged,
// and the verdicts given out. Within virtual time the clock stands still meanwhile.
func (c *Checker) Await() { c.judge.await() }

// Close ends the background work and waits for its end. Nothing is judged after it.
func (c *Checker) Close() { c.judge.close() }

// report is what a check has to say.
type report struct {
	name    string
	verdict trace.Verdict // "" before the first event
	text    string
	proof   []uint64
	runs    []run // acknowledged entries that are lost, and not told yet
	dirty   bool
}

// run are entries that follow one another, from index on.
type run struct {
	index   uint64
	entries []trace.Entry
}

func (r *report) said() *report { return r }

// violate says that the check found a promise broken. The first time counts: what
// comes after it may be no more than its consequence. Who is in doubt accuses nobody.
func (r *report) violate(proof []uint64, format string, args ...any) {
	if r.verdict != "" && r.verdict != trace.VerdictOK {
		return
	}
	slices.Sort(proof)
	r.verdict, r.text, r.proof, r.dirty = trace.VerdictViolated, fmt.Sprintf(format, args...), slices.Compact(proof), true
}

// doubt says why the check cannot tell any more. The first reason counts.
func (r *report) doubt(why string) {
	if r.verdict == "" || r.verdict == trace.VerdictOK {
		r.verdict, r.text, r.dirty = trace.VerdictUndecided, why, true
	}
}

// changed says whether there is something new to say. All is well until something
// says otherwise, but only since when is known.
func (r *report) changed(since string) bool {
	if r.verdict == "" || r.verdict == trace.VerdictOK && r.text != since {
		r.verdict, r.text, r.dirty = trace.VerdictOK, since, true
	}
	return r.dirty
}

// events returns the verdict as events: one, or one for each run of lost entries.
func (r *report) events(at time.Duration) []trace.Event {
	e := trace.Event{At: at, Kind: trace.KindVerdict, Check: r.name, Verdict: r.verdict, Text: r.text, Proof: r.proof}
	all := make([]trace.Event, max(1, len(r.runs)))
	for i := range all {
		all[i] = e
		if i < len(r.runs) {
			all[i].Index, all[i].Entries = r.runs[i].index, r.runs[i].entries
		}
	}
	r.dirty, r.runs = false, nil
	return all
}
