//go:build !wasip1

package cluster

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"capsize/cluster/control"
	"capsize/cluster/trace"
	"capsize/counter"
)

// outbox is what an agent reports: the events of its node, each with the marks of what had come from
// other nodes by then.
type outbox struct {
	run     uint64
	crashed func(error)   // called when the node's process ends by itself
	first   *control.Conn // who has started the process, nil for nobody

	mu     sync.Mutex
	driver *control.Conn // nil for nobody
	events uint64
	marks  map[string]uint64 // by node or network: the latest, and not in an event yet
}

// newOutbox returns an outbox that reports to a driver, nil for nobody.
func newOutbox(boot control.Boot, driver *control.Conn, crashed func(error)) *outbox {
	return &outbox{run: boot.Run, first: driver, driver: driver, crashed: crashed, marks: map[string]uint64{}}
}

// mark returns the present mark of the node, whose events have all been written.
func (o *outbox) mark() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.driver != nil {
		_ = o.driver.Flush() // whoever receives sees the end too
	}
	return MarkOf(o.run, o.events)
}

// see takes the mark of another node, or of the network before it.
func (o *outbox) see(node string, mark uint64) {
	source := markFrom(node, mark).Node
	o.mu.Lock()
	defer o.mu.Unlock()
	o.marks[source] = max(o.marks[source], mark)
}

// Start implements trace.Sink.
func (o *outbox) Start(*trace.State) {}

// Add implements trace.Sink: it reports an event.
func (o *outbox) Add(e *trace.Event, _ *trace.State) {
	if e.Kind == trace.KindRefused {
		return // the driver gets the error itself
	}
	if e.Kind == trace.KindProcess && e.Process == trace.Crashed {
		defer o.crashed(errors.New(e.Text))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events++
	if o.driver == nil {
		clear(o.marks)
		return
	}
	m := control.FromNode{Event: e}
	for node, mark := range o.marks {
		m.After = append(m.After, markFrom(node, mark))
	}
	clear(o.marks)
	if o.driver.Send(&m) != nil {
		o.driver = nil
	}
}

// AddPacket implements trace.Sink. An agent has no packets.
func (o *outbox) AddPacket(*trace.Packet, *trace.State) {}

// send sends a message to the driver, if there is one.
func (o *outbox) send(m *control.FromNode) {
	o.mu.Lock()
	driver := o.driver
	o.mu.Unlock()
	o.sendTo(driver, m)
}

// sendTo sends a message at once.
func (o *outbox) sendTo(driver *control.Conn, m *control.FromNode) {
	if driver != nil && driver.Send(m) == nil {
		_ = driver.Flush()
	}
}

// leave forgets a driver.
func (o *outbox) leave(driver *control.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.driver == driver {
		o.driver = nil
	}
}

// errDriven is why an agent refuses a second driver.
var errDriven = errors.New("another capsize drives this node: quit that one first")

// streamTo gives a driver the state of the node, and from then on its events.
func (c *Inside) streamTo(o *outbox, driver *control.Conn, hello control.Hello, name string) (err error) {
	c.stream.Read(func(s *trace.State) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.driver != nil {
			err = errDriven
			return
		}
		o.driver = driver
		n := s.Node(name)
		var content []trace.Event
		if n != nil {
			content = presentOf(n)
		}
		hello.Run, hello.Events = o.run, o.events
		err = driver.Send(&control.FromNode{Hello: &hello})
		for i := range content {
			_ = driver.Send(&control.FromNode{State: &content[i]})
		}
		_ = driver.Send(&control.FromNode{Ready: &control.Ready{}})
	})
	return errors.Join(err, driver.Flush())
}

// presentOf returns the events that add up to the present state of a node.
func presentOf(n *trace.Node) []trace.Event {
	events := []trace.Event{
		{
			Kind: trace.KindLoaded, Index: n.First, Entries: n.Entries,
			Last: n.SnapshotIndex, Term: n.SnapshotTerm, Data: n.Snapshot, Servers: n.SnapshotServers,
		},
		{Kind: trace.KindTerm, Term: n.Term},
		{Kind: trace.KindVote, Term: n.VoteTerm, Peer: n.Vote},
		{Kind: trace.KindProcess, Process: n.Process, Text: n.Why},
	}
	if !n.Process.Running() {
		return events
	}
	events = append(events, appliedBy(n)...)
	return append(events,
		trace.Event{Kind: trace.KindConfig, Servers: n.Servers},
		trace.Event{Kind: trace.KindRole, Role: n.Role, Term: n.Term},
		trace.Event{Kind: trace.KindLeader, Peer: n.Leader},
		trace.Event{Kind: trace.KindCommitted, Index: n.Commit},
	)
}

// appliedBy returns what the node's state machine has applied since its snapshot, entry by entry, as
// after a restart: the checks start from there.
func appliedBy(n *trace.Node) (events []trace.Event) {
	f := counter.New()
	if n.SnapshotIndex > 0 {
		if err := f.Restore(io.NopCloser(bytes.NewReader(n.Snapshot))); err != nil {
			return nil
		}
		events = append(events, trace.Event{Kind: trace.KindApplied, Index: n.SnapshotIndex, Term: n.SnapshotTerm, Value: f.Value()})
	}
	for i := max(n.SnapshotIndex+1, n.First); i <= n.Applied; i++ {
		entry, ok := n.Entry(i)
		if !ok || entry.Kind != trace.EntryAdd && entry.Kind != trace.EntryRead {
			continue
		}
		log, err := logOf(i, entry)
		if err != nil {
			return events
		}
		f.Apply(log)
		events = append(events, trace.Event{Kind: trace.KindApplied, Index: i, Term: entry.Term, Value: f.Value()})
	}
	return events
}
