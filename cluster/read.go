package cluster

import (
	"fmt"
	"time"

	"capsize/counter"

	"github.com/hashicorp/raft"
)

// readPollEvery is how often a read that waits looks again.
const readPollEvery = 5 * time.Millisecond

// read reads the counter at a level. It is up to the caller not to wait for ever.
func (p *process) read(level string, command counter.Command) (int64, error) {
	r := p.raft.Load()
	switch level {
	case LevelNone:
		return p.fsm.counter.Value(), nil
	case LevelWeak:
		if r.State() != raft.Leader {
			return 0, errNotLeader
		}
		return p.fsm.counter.Value(), nil
	case LevelLinearizable:
		return p.readLinearizable(r)
	case LevelStrong:
		return p.propose(command)
	}
	return 0, fmt.Errorf("%w %q", errNoLevel, level)
}

// readLinearizable reads as the Raft dissertation says (section 6.4) and rqlite
// does it: remember the commit index, make sure to lead still, wait until that
// much is applied. Before a leader has committed an entry of its own term, it
// does not know what is committed.
func (p *process) readLinearizable(r *raft.Raft) (int64, error) {
	var term uint64
	for {
		if r.State() != raft.Leader {
			return 0, errNotLeader
		}
		term = r.CurrentTerm()
		var last raft.Log
		if err := p.disk.Logs().GetLog(r.CommitIndex(), &last); err == nil && last.Term == term {
			break
		}
		if err := p.awaitReadPoll(); err != nil {
			return 0, err
		}
	}
	commit, start := r.CommitIndex(), p.transport.confirmations.lastSent()
	for {
		if err := p.awaitFuture(r.VerifyLeader()); err != nil {
			return 0, fmt.Errorf("%w any longer: %w", errNotLeader, err)
		}
		if r.CurrentTerm() != term { // it has lost and won an election meanwhile
			return 0, errNotLeader
		}
		// Raft's word alone may rest on answers from before this read.
		if p.transport.confirmations.quorumSince(start, raft.ServerID(p.node.name), r.GetConfiguration().Configuration().Servers) {
			break
		}
		if err := p.awaitReadPoll(); err != nil {
			return 0, err
		}
	}
	for !p.hasApplied(commit) {
		if err := p.awaitReadPoll(); err != nil {
			return 0, err
		}
	}
	return p.fsm.counter.Value(), nil
}

// hasApplied says whether the counter has seen all entries up to index. Raft
// hands it only some kinds of entries, so the last one of those counts.
func (p *process) hasApplied(index uint64) bool {
	applied := p.fsm.applied.Load()
	for ; index > applied; index-- {
		var log raft.Log
		if err := p.disk.Logs().GetLog(index, &log); err != nil || log.Type != raft.LogNoop {
			return false
		}
	}
	return true
}

// awaitReadPoll waits a little before a read looks again.
func (p *process) awaitReadPoll() error {
	select {
	case <-time.After(readPollEvery):
		return nil
	case <-p.dead:
		return raft.ErrRaftShutdown
	}
}
