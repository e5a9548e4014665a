package trace

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// fileVersion is the version of the file format.
const fileVersion = 1

// flushEvery is how often, in virtual time, a recording is brought up to date on
// the disk, so that it can be read while it is being written.
const flushEvery = time.Second

// Header is the first line of a recording; each line after it is an [Event].
type Header struct {
	Capsize int       `json:"capsize"` // the version of the format
	Seed    int64     `json:"seed"`
	Started time.Time `json:"started"` // in real time
}

// Writer writes a recording. It is safe for use by many goroutines.
type Writer struct {
	mu      sync.Mutex
	name    string
	file    io.Closer     // nil once closed
	zip     *gzip.Writer  // nil if it is not compressed
	buffer  *bufio.Writer // what of it is not yet in zip or the file
	encoder *json.Encoder
	flushed time.Duration // the virtual time of the last flush
	err     error         // the first one; nothing is written after it
}

// Create begins a recording in a file, in place of what is there; one whose name
// ends in .gz is compressed. Only the owner may read it.
func Create(name string, seed int64) (*Writer, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	w := &Writer{name: name, file: file}
	var to io.Writer = file
	if strings.HasSuffix(name, ".gz") {
		// An event looks much like the one before: the fastest level halves the
		// time and costs little room.
		w.zip, _ = gzip.NewWriterLevel(file, gzip.BestSpeed)
		to = w.zip
	}
	w.buffer = bufio.NewWriterSize(to, 1<<16)
	w.encoder = json.NewEncoder(w.buffer)
	w.encoder.SetEscapeHTML(false)
	err = w.encoder.Encode(Header{Capsize: fileVersion, Seed: seed, Started: time.Now().UTC()})
	if err = errors.Join(err, w.flush()); err != nil {
		return nil, errors.Join(fmt.Errorf("writing %s: %w", name, err), file.Close())
	}
	return w, nil
}

// Add adds an event. An error is kept for Close.
func (w *Writer) Add(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil || w.err != nil {
		return
	}
	if w.err = w.encoder.Encode(&e); w.err == nil && e.At >= w.flushed+flushEvery {
		w.flushed, w.err = e.At, w.flush()
	}
}

func (w *Writer) flush() error {
	err := w.buffer.Flush()
	if w.zip != nil {
		err = errors.Join(err, w.zip.Flush())
	}
	return err
}

// Close ends the recording; later events are left out. It returns the first error
// there was, and does nothing the second time.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	err := w.err
	if err == nil {
		err = w.buffer.Flush()
	}
	if w.zip != nil {
		err = errors.Join(err, w.zip.Close())
	}
	err = errors.Join(err, w.file.Close())
	w.file = nil
	if err != nil {
		return fmt.Errorf("writing %s: %w", w.name, err)
	}
	return nil
}

// Record writes to w all that happens from now on, behind what it needs to know
// of the time before.
func (l *Log) Record(w *Writer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range beginning(&l.state) {
		w.Add(e)
	}
	l.sinks = append(l.sinks, w.Add)
}

// beginning returns events that add up to a state, but for what is only of the
// moment: packets, the story and the reigns. All carry the number and the time of
// the last one they stand for.
func beginning(s *State) []Event {
	var all []Event
	if s.Seq == 0 {
		return nil
	}
	settings := s.Settings
	add := func(e Event) {
		e.Seq, e.At = s.Seq, s.At
		all = append(all, e)
	}
	add(Event{Kind: KindSettings, Settings: &settings})
	for i := range s.Nodes {
		n := &s.Nodes[i]
		// A start forgets what follows here, so it comes first.
		add(Event{Kind: KindLife, Node: n.ID, Life: n.Life, Text: n.Why})
		add(Event{Kind: KindLoaded, Node: n.ID, Index: n.First, Entries: n.Entries[:len(n.Entries):len(n.Entries)], Last: n.SnapshotIndex, Term: n.SnapshotTerm, Data: n.Snapshot, Servers: n.SnapshotServers})
		add(Event{Kind: KindTerm, Node: n.ID, Term: n.Term})
		if n.Role != "" {
			add(Event{Kind: KindRole, Node: n.ID, Role: n.Role, Term: n.Term})
		}
		add(Event{Kind: KindVote, Node: n.ID, Term: n.VoteTerm, Peer: n.Vote})
		add(Event{Kind: KindLeader, Node: n.ID, Peer: n.Leader})
		add(Event{Kind: KindConfig, Node: n.ID, Servers: n.Servers})
		add(Event{Kind: KindApplied, Node: n.ID, Index: n.Applied, Value: n.Value})
		add(Event{Kind: KindCommitted, Node: n.ID, Index: n.Commit})
		add(Event{Kind: KindDiskFault, Node: n.ID, Text: n.DiskFault})
		add(Event{Kind: KindClockFault, Node: n.ID, Factor: n.ClockFactor})
	}
	for link, faults := range s.Faults {
		add(Event{Kind: KindLinkFault, Node: link.From, Peer: link.To, Faults: faults})
	}
	for _, c := range s.Checks {
		add(Event{Kind: KindVerdict, Check: c.Name, Verdict: c.Verdict, Text: c.Text, Proof: c.Proof, Count: c.Count})
	}
	for _, lost := range s.Lost {
		if c := s.Check("acked-durable"); c != nil {
			add(Event{Kind: KindVerdict, Check: c.Name, Verdict: c.Verdict, Text: c.Text, Proof: c.Proof, Count: c.Count, Index: lost.Index, Entries: []Entry{lost.Entry}})
		}
	}
	return all
}
