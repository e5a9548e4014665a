package recording

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"capsize/cluster/trace"
)

// fileVersion is the version of the file format.
const fileVersion = 1

const (
	// flushEvery is how often, in real time, queued events are written to the file: a
	// killed program loses at most that much.
	flushEvery = 500 * time.Millisecond
	// Above queueMany events the writer's goroutine is woken early; above queueMax the
	// goroutine that adds an event writes the queue itself.
	queueMany, queueMax = 1 << 11, 1 << 15
	// writeBytes is how many bytes of lines are collected for one write.
	writeBytes = 1 << 18
)

// Header is the first line of a recording. Each line after it is a [trace.Event].
type Header struct {
	Capsize int       `json:"capsize"` // the version of the format
	Seed    int64     `json:"seed"`
	Started time.Time `json:"started"`         // in real time
	Exact   *Exact    `json:"exact,omitempty"` // of a run that can be repeated
}

// Exact is what it takes to repeat a run, beside its events: the settings are the first event, and
// orders are events too.
type Exact struct {
	Version  string `json:"version"`            // of the exact engine
	Nodes    int    `json:"nodes"`              // at the start
	Attended bool   `json:"attended,omitempty"` // steps of scenarios waited
}

// Writer writes a recording. It is safe for use by many goroutines, on both sides of
// virtual time: adding an event only queues it; a goroutine of the writer's own encodes
// and writes the queue.
type Writer struct {
	name string
	wake chan struct{} // write now
	stop chan struct{}
	done sync.WaitGroup

	mu      sync.Mutex
	waiting queue // not yet written
	closed  bool

	out  sync.Mutex // held while lines are encoded and written; taken before mu
	file io.WriteCloser
	zip  *gzip.Writer // nil without compression
	line lineWriter
	free queue // empty, to swap with waiting
	err  error // the first write error; nothing is written after it
}

// Create starts a recording in a file, replacing its content. It completes the header. A name that ends in .gz
// compresses it. Only the owner may read the file. Create must be called outside of
// virtual time, and the caller must close the writer.
func Create(name string, h Header) (*Writer, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	w := &Writer{name: name, file: file, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	if strings.HasSuffix(name, ".gz") {
		// Events resemble each other: the fastest level halves the time for little
		// extra size.
		w.zip, _ = gzip.NewWriterLevel(file, gzip.BestSpeed)
	}
	h.Capsize, h.Started = fileVersion, time.Now().UTC()
	header, err := json.Marshal(h)
	if err == nil {
		err = w.write(append(header, '\n'))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing %s: %w", name, err), file.Close())
	}
	w.done.Go(w.run)
	return w, nil
}

// run writes the queue from time to time, until the writer is closed.
func (w *Writer) run() {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-w.wake:
		case <-w.stop:
			return
		}
		w.flush()
	}
}

// Start adds events that add up to a state, so a recording may start in the middle of
// a run. It implements [trace.Sink].
func (w *Writer) Start(s *trace.State) {
	for _, e := range stateEvents(s) {
		w.Add(&e, s)
	}
}

// Add adds an event and implements [trace.Sink]. [Writer.Close] returns write errors.
func (w *Writer) Add(e *trace.Event, _ *trace.State) {
	w.mu.Lock()
	if !w.closed {
		w.waiting.add(e)
	}
	count := w.waiting.count()
	w.mu.Unlock()
	w.flushIfMany(count)
}

// AddPacket adds the event of a packet and implements [trace.Sink]; s is the state after
// it.
func (w *Writer) AddPacket(p *trace.Packet, s *trace.State) {
	w.mu.Lock()
	if !w.closed {
		w.waiting.addPacket(p, s)
	}
	count := w.waiting.count()
	w.mu.Unlock()
	w.flushIfMany(count)
}

// flushIfMany keeps the queue short.
func (w *Writer) flushIfMany(count int) {
	switch {
	case count > queueMax:
		w.flush()
	case count > queueMany:
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// flush writes the queue.
func (w *Writer) flush() {
	w.out.Lock()
	defer w.out.Unlock()
	w.mu.Lock()
	events := w.waiting
	w.waiting = w.free
	w.mu.Unlock()
	events.drain(func(e *trace.Event) {
		w.line.event(e)
		if len(w.line.buf) >= writeBytes {
			w.writeLines()
		}
	})
	w.writeLines()
	w.free = events
}

func (w *Writer) writeLines() {
	if w.err == nil && len(w.line.buf) > 0 {
		w.err = w.write(w.line.buf)
	}
	w.line.buf = w.line.buf[:0]
}

// write writes lines that a reader of the file can see at once.
func (w *Writer) write(lines []byte) error {
	if w.zip == nil {
		_, err := w.file.Write(lines)
		return err
	}
	_, err := w.zip.Write(lines)
	return errors.Join(err, w.zip.Flush())
}

// Close writes the queue and closes the file; later events are ignored. It returns the
// first write error. A second Close does nothing.
func (w *Writer) Close() error {
	w.mu.Lock()
	closed := w.closed
	w.closed = true
	w.mu.Unlock()
	if closed {
		return nil
	}
	close(w.stop)
	w.done.Wait()
	w.flush()
	err := w.err
	if w.zip != nil {
		err = errors.Join(err, w.zip.Close())
	}
	if err = errors.Join(err, w.file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", w.name, err)
	}
	return nil
}

// lostEntriesCheck is the check whose verdicts carry lost entries: check.AckedDurable, which
// this package cannot import.
const lostEntriesCheck = "acked-durable"

// stateEvents returns events that add up to a state, without its packets, story and leader
// terms. All carry the number and the time of the last event they stand for.
func stateEvents(s *trace.State) []trace.Event {
	var all []trace.Event
	if s.Seq == 0 {
		return nil
	}
	settings := s.Settings
	add := func(e trace.Event) {
		e.Seq, e.At = s.Seq, s.At
		all = append(all, e)
	}
	add(trace.Event{Kind: trace.KindSettings, Settings: &settings})
	for i := range s.Nodes {
		n := &s.Nodes[i]
		// A start clears what the events below set, so it comes first.
		add(trace.Event{Kind: trace.KindProcess, Node: n.ID, Process: n.Process, Text: n.Why})
		add(trace.Event{
			Kind: trace.KindLoaded, Node: n.ID, Index: n.First, Entries: slices.Clip(n.Entries),
			Last: n.SnapshotIndex, Term: n.SnapshotTerm, Data: n.Snapshot, Servers: n.SnapshotServers,
		})
		add(trace.Event{Kind: trace.KindTerm, Node: n.ID, Term: n.Term})
		if n.Role != "" {
			add(trace.Event{Kind: trace.KindRole, Node: n.ID, Role: n.Role, Term: n.Term})
		}
		add(trace.Event{Kind: trace.KindVote, Node: n.ID, Term: n.VoteTerm, Peer: n.Vote})
		add(trace.Event{Kind: trace.KindLeader, Node: n.ID, Peer: n.Leader})
		add(trace.Event{Kind: trace.KindConfig, Node: n.ID, Servers: n.Servers})
		add(trace.Event{Kind: trace.KindApplied, Node: n.ID, Index: n.Applied, Value: n.Value})
		add(trace.Event{Kind: trace.KindCommitted, Node: n.ID, Index: n.Commit})
		damage := trace.Event{Kind: trace.KindDamage, Node: n.ID, Text: n.Damage}
		if n.Damage != "" {
			add(damage)
		}
		add(trace.Event{Kind: trace.KindDiskFault, Node: n.ID, Text: n.DiskFault})
		if n.FaultSpent { // which a fault that is set anew clears
			add(damage)
		}
		add(trace.Event{Kind: trace.KindClockFault, Node: n.ID, Factor: n.ClockFactor})
		add(trace.Event{Kind: trace.KindApplyFault, Node: n.ID, Text: n.ApplyFault})
	}
	for link, faults := range s.Faults {
		add(trace.Event{Kind: trace.KindLinkFault, Node: link.From, Peer: link.To, Faults: faults})
	}
	verdict := func(c *trace.Check) trace.Event {
		return trace.Event{Kind: trace.KindVerdict, Check: c.Name, Verdict: c.Verdict, Text: c.Text, Proof: c.Proof, Count: c.Count}
	}
	for i := range s.Checks {
		add(verdict(&s.Checks[i]))
	}
	if c := s.Check(lostEntriesCheck); c != nil {
		for _, lost := range s.Lost {
			e := verdict(c)
			e.Index, e.Entries = lost.Index, []trace.Entry{lost.Entry}
			add(e)
		}
	}
	return all
}
