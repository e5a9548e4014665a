package counter

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// MaxSessions is how many clients an FSM remembers. It keeps the largest snapshot
// below 4 MB, so that one from elsewhere can be read under a bound.
const MaxSessions = 1 << 16

var (
	// ErrOverflow says that the sum does not fit into 64 bits; the counter keeps its value.
	ErrOverflow = errors.New("counter: overflow")
	// ErrStaleSequence says that the client has had a later command applied since.
	// Only the last result of a client is remembered, so whether this one counted
	// in its time, and what it returned, is no longer known. It does not count now.
	ErrStaleSequence = errors.New("counter: stale sequence number")
	// ErrTooManySessions says that MaxSessions other clients are remembered
	// already. The command was not applied, and a retry will not be either.
	ErrTooManySessions = errors.New("counter: too many sessions")
)

// Result is what a command came to.
type Result struct {
	// Value is the counter after the command. For a duplicate it is the value that
	// the first application returned, or, when that is forgotten (ErrStaleSequence),
	// the counter as it is now.
	Value int64
	// Duplicate says that this entry was a retry and changed nothing.
	Duplicate bool
	// Err is nil, or why the value is unchanged: ErrOverflow, ErrStaleSequence,
	// ErrTooManySessions, or an error that wraps ErrBadCommand.
	Err error
}

// session is what is remembered of a client: its last command and what that came to.
type session struct {
	seq   uint64
	value int64
	// overflowed stands for ErrOverflow, the only error that a session can remember:
	// with any other the command was not applied, so it has no session to be in.
	overflowed bool
}

func (s session) result() Result {
	if s.overflowed {
		return Result{Value: s.value, Err: ErrOverflow}
	}
	return Result{Value: s.value}
}

// FSM is the replicated counter. It implements raft.FSM. The package comment says
// which of its methods may be called when.
type FSM struct {
	// value is atomic for the sake of Value; only Apply and Restore write it.
	value atomic.Int64
	// sessions is by client, at most MaxSessions, each name valid and not empty.
	sessions map[string]session
}

var _ raft.FSM = (*FSM)(nil)

// New returns a counter at zero that knows no clients.
func New() *FSM {
	return &FSM{sessions: make(map[string]session)}
}

// Value returns the counter as of the last entry applied. It may be called from
// any goroutine.
func (f *FSM) Value() int64 {
	return f.value.Load()
}

// Apply applies one committed log entry. It always returns a Result, whatever the
// entry holds: every node has to get past a bad entry, and in the same way.
func (f *FSM) Apply(log *raft.Log) any {
	if log == nil || log.Type != raft.LogCommand {
		return f.refuse(fmt.Errorf("%w: not a command entry", ErrBadCommand))
	}
	c, err := Decode(log.Data)
	if err != nil {
		return f.refuse(err)
	}
	if !c.Session {
		return f.execute(c).result()
	}
	last, known := f.sessions[c.Client]
	switch {
	case known && c.Seq == last.seq:
		again := last.result()
		again.Duplicate = true
		return again
	case known && c.Seq < last.seq:
		stale := f.refuse(ErrStaleSequence)
		stale.Duplicate = true
		return stale
	case !known && len(f.sessions) >= MaxSessions:
		return f.refuse(ErrTooManySessions)
	}
	last = f.execute(c)
	f.sessions[c.Client] = last
	return last.result()
}

// refuse is the result of an entry that is not executed.
func (f *FSM) refuse(err error) Result {
	return Result{Value: f.Value(), Err: err}
}

// execute carries the command out and returns what a session has to remember of it.
func (f *FSM) execute(c Command) session {
	value := f.Value()
	if c.Op == OpRead {
		return session{seq: c.Seq, value: value}
	}
	if c.Delta > 0 && value > math.MaxInt64-c.Delta || c.Delta < 0 && value < math.MinInt64-c.Delta {
		return session{seq: c.Seq, value: value, overflowed: true}
	}
	value += c.Delta
	f.value.Store(value)
	return session{seq: c.Seq, value: value}
}
