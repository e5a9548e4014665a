package cluster

import (
	"fmt"
	"time"

	"capsize/counter"

	"github.com/hashicorp/raft"
)

// readPollEvery is how often, in virtual time, a waiting read checks its condition.
const readPollEvery = 5 * time.Millisecond

// read reads the counter at a consistency level. It has no timeout of its own: it ends when the
// process dies.
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
	case LevelLease:
		return p.readLease(r)
	case LevelLinearizable:
		return p.readLinearizable(r)
	case LevelStrong:
		return p.propose(command)
	}
	return 0, fmt.Errorf("%w %q", errNoLevel, level)
}

// readLinearizable reads as the Raft dissertation (section 6.4) and rqlite do: wait until an
// entry of the leader's own term is committed, because only then does it know what is
// committed; remember the commit index; confirm the leadership with a quorum; and wait until
// that index is applied.
func (p *process) readLinearizable(r *raft.Raft) (int64, error) {
	term, err := p.awaitCommitInTerm(r)
	if err != nil {
		return 0, err
	}
	commit, start := r.CommitIndex(), p.transport.confirmations.lastSent()
	for {
		if err := p.awaitFuture(r.VerifyLeader()); err != nil {
			return 0, fmt.Errorf("%w any longer: %w", errNotLeader, err)
		}
		if r.CurrentTerm() != term { // it has lost its leadership and won it again
			return 0, errNotLeader
		}
		// VerifyLeader alone is not enough: it may count replies to requests from before
		// this read (see leadershipConfirmations).
		members := r.GetConfiguration().Configuration().Servers
		if p.transport.confirmations.quorumSince(start, raft.ServerID(p.node.name), members) {
			break
		}
		if err := p.awaitReadPoll(); err != nil {
			return 0, err
		}
	}
	return p.valueAt(commit)
}

// readLease is the lease read of the Raft dissertation (section 6.4.1) and etcd: like
// readLinearizable, but the leader trusts its lease instead of asking a quorum. That is
// linearizable as long as no clock runs slow: the lease expires before a follower that has heard
// from the leader starts an election.
func (p *process) readLease(r *raft.Raft) (int64, error) {
	term, err := p.awaitCommitInTerm(r)
	if err != nil {
		return 0, fmt.Errorf("%w, so it has no lease", err)
	}
	commit, members := r.CommitIndex(), r.GetConfiguration().Configuration().Servers
	if err := p.transport.confirmations.holdsLease(p.timeouts().lease, term, raft.ServerID(p.node.name), members); err != nil {
		return 0, err
	}
	return p.valueAt(commit)
}

// awaitCommitInTerm waits until the process leads and an entry of its own term is committed, and
// returns the term.
func (p *process) awaitCommitInTerm(r *raft.Raft) (term uint64, err error) {
	for {
		if r.State() != raft.Leader {
			return 0, errNotLeader
		}
		term = r.CurrentTerm()
		var last raft.Log
		if err := p.disk.Logs().GetLog(r.CommitIndex(), &last); err == nil && last.Term == term {
			return term, nil
		}
		if err := p.awaitReadPoll(); err != nil {
			return 0, err
		}
	}
}

// valueAt waits until all entries up to index are applied, and returns the counter.
func (p *process) valueAt(index uint64) (int64, error) {
	for !p.hasApplied(index) {
		if err := p.awaitReadPoll(); err != nil {
			return 0, err
		}
	}
	return p.fsm.counter.Value(), nil
}

// hasApplied reports whether the counter includes all entries up to index. Raft does not pass
// no-op entries to the state machine, so those after the last applied entry are skipped.
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

// awaitReadPoll waits for readPollEvery. It returns an error if the process dies.
func (p *process) awaitReadPoll() error {
	select {
	case <-time.After(readPollEvery):
		return nil
	case <-p.dead:
		return raft.ErrRaftShutdown
	}
}
