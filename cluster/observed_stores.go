package cluster

import (
	"errors"
	"fmt"
	"io"

	"capsize/cluster/trace"
	"capsize/counter"

	"github.com/hashicorp/raft"
)

// The stores below are the node's disk as raft sees it. They emit an event for everything that
// is stored.

// The keys under which raft stores its term and vote (hashicorp/raft raft.go).
const (
	keyCurrentTerm  = "CurrentTerm"
	keyLastVoteTerm = "LastVoteTerm"
	keyLastVoteCand = "LastVoteCand"
)

// logStore is the log of a process. It emits appended and deleted entries.
type logStore struct {
	raft.LogStore
	p *process
}

func (s logStore) StoreLog(log *raft.Log) error { return s.StoreLogs([]*raft.Log{log}) }

func (s logStore) StoreLogs(logs []*raft.Log) error {
	if err := s.LogStore.StoreLogs(logs); err != nil || len(logs) == 0 {
		return err
	}
	entries := make([]trace.Entry, len(logs))
	for i, log := range logs {
		entries[i] = entryOf(log)
		if log.Type == raft.LogConfiguration {
			s.p.configMayChange()
		}
	}
	s.p.emit(trace.Event{Kind: trace.KindAppended, Index: logs[0].Index, Entries: entries})
	return nil
}

func (s logStore) DeleteRange(first, last uint64) error {
	reason := s.p.truncationReason(first, last)
	if err := s.LogStore.DeleteRange(first, last); err != nil {
		return err
	}
	// Raft deletes entries for two reasons: it compacts those that a snapshot covers, and
	// truncates those that conflict with the leader's log.
	kind := trace.KindCompacted
	if reason != nil {
		kind = trace.KindTruncated
	}
	s.p.configMayChange()
	s.p.emit(trace.Event{Kind: kind, Index: first, Last: last, Reason: reason})
	return nil
}

// entryOf returns the description of a log entry for events.
func entryOf(log *raft.Log) trace.Entry {
	e := trace.Entry{Term: log.Term}
	switch log.Type {
	case raft.LogCommand:
		command, err := counter.Decode(log.Data)
		if err != nil {
			e.Kind = trace.EntryOther
			break
		}
		e.Kind, e.Delta, e.NoSession = trace.EntryAdd, command.Delta, !command.Session
		e.Client, e.Seq = command.Client, command.Seq
		if command.Op == counter.OpRead { // a read needs no session
			e.Kind, e.NoSession = trace.EntryRead, false
		}
	case raft.LogNoop:
		e.Kind = trace.EntryNoop
	case raft.LogConfiguration:
		e.Kind, e.Servers = trace.EntryConfig, serversOf(raft.DecodeConfiguration(log.Data))
	default:
		e.Kind = trace.EntryOther
	}
	return e
}

// stableStore holds the term and the vote of a process. It emits their changes.
type stableStore struct {
	raft.StableStore
	p *process
}

func (s stableStore) SetUint64(key []byte, value uint64) error {
	err := s.StableStore.SetUint64(key, value)
	if err == nil && string(key) == keyCurrentTerm {
		s.p.emit(trace.Event{Kind: trace.KindTerm, Term: value})
	}
	return err
}

func (s stableStore) Set(key, value []byte) error {
	err := s.StableStore.Set(key, value)
	if err == nil && string(key) == keyLastVoteCand {
		// Raft stores the term of a vote first, then the candidate.
		term, _ := s.GetUint64([]byte(keyLastVoteTerm))
		s.p.setVotedFor(string(value))
		s.p.emit(trace.Event{Kind: trace.KindVote, Term: term, Peer: string(value)})
	}
	return err
}

// snapshotStore holds the snapshots of a process. It emits those that the process takes.
type snapshotStore struct {
	raft.SnapshotStore
	p *process
}

func (s snapshotStore) Create(version raft.SnapshotVersion, index, term uint64, conf raft.Configuration,
	confIndex uint64, trans raft.Transport,
) (raft.SnapshotSink, error) {
	sink, err := s.SnapshotStore.Create(version, index, term, conf, confIndex, trans)
	if err != nil {
		return nil, err
	}
	meta := &raft.SnapshotMeta{Index: index, Term: term, Configuration: conf}
	return &snapshotSink{SnapshotSink: sink, p: s.p, meta: meta}, nil
}

func (s snapshotStore) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	meta, content, err := s.SnapshotStore.Open(id)
	if err != nil {
		return nil, nil, err
	}
	return meta, &openSnapshot{ReadCloser: content, meta: meta, dead: s.p.dead}, nil
}

// snapshotSink writes one snapshot, taken by the process itself or sent by its leader.
type snapshotSink struct {
	raft.SnapshotSink
	p       *process
	meta    *raft.SnapshotMeta
	content []byte
	emitted bool // raft closes a sink twice; only the first Close emits
}

func (s *snapshotSink) Write(b []byte) (int, error) {
	n, err := s.SnapshotSink.Write(b)
	s.content = append(s.content, b[:n]...)
	return n, err
}

func (s *snapshotSink) Close() error {
	if err := s.SnapshotSink.Close(); err != nil {
		return err
	}
	if s.emitted {
		return nil
	}
	s.emitted = true
	s.p.fsm.setNewestSnapshot(s.meta)
	// fsm.Restore emits a snapshot from the leader once it has replaced the counter.
	if s.p.fsm.snapshotTaken.Load() == s.meta.Index {
		s.p.emit(trace.Event{
			Kind: trace.KindSnapshot, Index: s.meta.Index, Term: s.meta.Term, Size: int64(len(s.content)),
			Data: s.content, Servers: serversOf(s.meta.Configuration),
		})
	}
	return nil
}

// openSnapshot is a snapshot that is being read. Reads fail once the process is dead, because
// raft's Shutdown waits for them.
type openSnapshot struct {
	io.ReadCloser
	meta *raft.SnapshotMeta
	dead chan struct{}
}

func (s *openSnapshot) Read(b []byte) (int, error) {
	select {
	case <-s.dead:
		return 0, io.ErrClosedPipe
	default:
		return s.ReadCloser.Read(b)
	}
}

// emitDisk emits the content of the disk of a process that starts.
func (p *process) emitDisk() error {
	stable, logs := p.disk.Stable(), p.disk.Logs()
	term, _ := stable.GetUint64([]byte(keyCurrentTerm))
	voteTerm, _ := stable.GetUint64([]byte(keyLastVoteTerm))
	vote, _ := stable.Get([]byte(keyLastVoteCand))
	snapshots, err := p.disk.Snapshots().List()
	if err != nil {
		return fmt.Errorf("listing its snapshots: %w", err)
	}
	loaded := trace.Event{Kind: trace.KindLoaded}
	for i, snapshot := range snapshots {
		if loaded.Data, err = p.readSnapshot(snapshot.ID); err != nil {
			if i == len(snapshots)-1 {
				return fmt.Errorf("reading its snapshots: %w", err)
			}
			if i == 0 { // raft tries the next one, newest to oldest (api.go, restoreSnapshot)
				loaded.Text = fmt.Sprintf("its newest snapshot is damaged (%v)", err)
			}
			continue
		}
		loaded.Last, loaded.Term, loaded.Servers = snapshot.Index, snapshot.Term, serversOf(snapshot.Configuration)
		p.fsm.setNewestSnapshot(snapshot)
		break
	}
	first, err := logs.FirstIndex()
	if err != nil {
		return fmt.Errorf("reading its log: %w", err)
	}
	last, err := logs.LastIndex()
	if err != nil {
		return fmt.Errorf("reading its log: %w", err)
	}
	for index := first; index <= last && index != 0; index++ {
		var log raft.Log
		err := logs.GetLog(index, &log)
		if errors.Is(err, raft.ErrLogNotFound) {
			// Older entries can remain before a snapshot from the leader, with a gap
			// after them, up to the end of the snapshot. Only the entries after the
			// gap count.
			if index > loaded.Last {
				return fmt.Errorf("entry %d of its log is missing", index)
			}
			loaded.Entries = nil
			continue
		}
		if err != nil {
			return fmt.Errorf("reading entry %d of its log: %w", index, err)
		}
		loaded.Entries = append(loaded.Entries, entryOf(&log))
	}
	loaded.Index = last + 1 - uint64(len(loaded.Entries))
	if len(loaded.Entries) == 0 {
		loaded.Index = loaded.Last + 1
	}
	p.emit(loaded)
	p.emit(trace.Event{Kind: trace.KindTerm, Term: term})
	p.setVotedFor(string(vote))
	p.emit(trace.Event{Kind: trace.KindVote, Term: voteTerm, Peer: string(vote)})
	return nil
}

// readSnapshot returns the content of a snapshot on the process's disk.
func (p *process) readSnapshot(id string) ([]byte, error) {
	_, content, err := p.disk.Snapshots().Open(id)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(content)
	return data, errors.Join(err, content.Close())
}
