package recording

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"capsize/cluster/trace"
)

// fileVersion is the version of the file format.
const fileVersion = 1

const (
	// flushEvery is how often, in real time, a recording is brought up to date on
	// the disk: so much is lost of it at most if the program is killed.
	flushEvery = 500 * time.Millisecond
	// From so many events on the ones that wait are written without waiting for
	// that, and from so many on whoever adds another has to see to it first.
	queueMany, queueMax = 1 << 11, 1 << 15
	// writeBytes is how many bytes of lines are written at once.
	writeBytes = 1 << 18
)

// Header is the first line of a recording; each line after it is an [Event].
type Header struct {
	Capsize int       `json:"capsize"` // the version of the format
	Seed    int64     `json:"seed"`
	Started time.Time `json:"started"` // in real time
}

// Writer writes a recording. It is safe for use by many goroutines, on both sides
// of virtual time: an event is only put aside where it happens; a goroutine of the
// writer's own makes lines of them and writes these.
type Writer struct {
	name string
	wake chan struct{} // something is to be written now
	stop chan struct{}
	done sync.WaitGroup

	mu      sync.Mutex
	waiting queue // what is not yet written
	closed  bool

	out  sync.Mutex // held while lines are made and written; mu may be taken inside
	file io.WriteCloser
	zip  *gzip.Writer // nil if it is not compressed
	line lineWriter
	free queue // an empty one
	err  error // the first one; nothing is written after it
}

// Create begins a recording in a file, in place of what is there; one whose name
// ends in .gz is compressed. Only the owner may read it. It is to be called outside
// of virtual time, and the writer to be closed.
func Create(name string, seed int64) (*Writer, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	w := &Writer{name: name, file: file, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	if strings.HasSuffix(name, ".gz") {
		// An event looks much like the one before: the fastest level halves the
		// time and costs little room.
		w.zip, _ = gzip.NewWriterLevel(file, gzip.BestSpeed)
	}
	header, err := json.Marshal(Header{Capsize: fileVersion, Seed: seed, Started: time.Now().UTC()})
	if err == nil {
		err = w.write(append(header, '\n'))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("writing %s: %w", name, err), file.Close())
	}
	w.done.Go(w.run)
	return w, nil
}

// run writes what waits, until the writer is closed.
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

// Start writes events that add up to a state, so that a recording may begin in the
// middle of a run.
func (w *Writer) Start(s *trace.State) {
	for _, e := range stateEvents(s) {
		w.Add(&e, s)
	}
}

// Add adds an event. An error is kept for [Writer.Close].
func (w *Writer) Add(e *trace.Event, _ *trace.State) {
	w.mu.Lock()
	if !w.closed {
		w.waiting.add(e)
	}
	count := w.waiting.count()
	w.mu.Unlock()
	w.flushIfMany(count)
}

// AddPacket adds the event of a packet, after which the state is s.
func (w *Writer) AddPacket(p *trace.Packet, s *trace.State) {
	w.mu.Lock()
	if !w.closed {
		w.waiting.addPacket(p, s)
	}
	count := w.waiting.count()
	w.mu.Unlock()
	w.flushIfMany(count)
}

// flushIfMany sees to it that not too many events wait.
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

// flush writes all that waits.
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

// write writes so that it can be read at once.
func (w *Writer) write(lines []byte) error {
	if w.zip == nil {
		_, err := w.file.Write(lines)
		return err
	}
	_, err := w.zip.Write(lines)
	return errors.Join(err, w.zip.Flush())
}

// Close ends the recording; later events are left out. It returns the first error
// there was, and does nothing the second time.
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

// stateEvents returns events that add up to a state, but for what is only of the
// moment: packets, the story and the reigns. All carry the number and the time of
// the last one they stand for.
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
		// A start forgets what follows here, so it comes first.
		add(trace.Event{Kind: trace.KindProcess, Node: n.ID, Process: n.Process, Text: n.Why})
		add(trace.Event{Kind: trace.KindLoaded, Node: n.ID, Index: n.First, Entries: n.Entries[:len(n.Entries):len(n.Entries)], Last: n.SnapshotIndex, Term: n.SnapshotTerm, Data: n.Snapshot, Servers: n.SnapshotServers})
		add(trace.Event{Kind: trace.KindTerm, Node: n.ID, Term: n.Term})
		if n.Role != "" {
			add(trace.Event{Kind: trace.KindRole, Node: n.ID, Role: n.Role, Term: n.Term})
		}
		add(trace.Event{Kind: trace.KindVote, Node: n.ID, Term: n.VoteTerm, Peer: n.Vote})
		add(trace.Event{Kind: trace.KindLeader, Node: n.ID, Peer: n.Leader})
		add(trace.Event{Kind: trace.KindConfig, Node: n.ID, Servers: n.Servers})
		add(trace.Event{Kind: trace.KindApplied, Node: n.ID, Index: n.Applied, Value: n.Value})
		add(trace.Event{Kind: trace.KindCommitted, Node: n.ID, Index: n.Commit})
		add(trace.Event{Kind: trace.KindDiskFault, Node: n.ID, Text: n.DiskFault})
		add(trace.Event{Kind: trace.KindClockFault, Node: n.ID, Factor: n.ClockFactor})
	}
	for link, faults := range s.Faults {
		add(trace.Event{Kind: trace.KindLinkFault, Node: link.From, Peer: link.To, Faults: faults})
	}
	for _, c := range s.Checks {
		add(trace.Event{Kind: trace.KindVerdict, Check: c.Name, Verdict: c.Verdict, Text: c.Text, Proof: c.Proof, Count: c.Count})
	}
	for _, lost := range s.Lost {
		if c := s.Check("acked-durable"); c != nil {
			add(trace.Event{Kind: trace.KindVerdict, Check: c.Name, Verdict: c.Verdict, Text: c.Text, Proof: c.Proof, Count: c.Count, Index: lost.Index, Entries: []trace.Entry{lost.Entry}})
		}
	}
	return all
}
