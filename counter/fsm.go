package counter

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// MaxSessions is how many clients an FSM remembers. It keeps the largest snapshot
// below 4 MB, so Restore can bound what it reads from an untrusted one.
const MaxSessions = 1 << 16

var (
	// ErrOverflow is returned when the sum does not fit into 64 bits. The counter
	// keeps its value.
	ErrOverflow = errors.New("counter: overflow")
	// ErrStaleSequence is returned when a later command of the client has been
	// applied. An FSM remembers only the last result of a client, so it no longer
	// knows whether this one was applied before, or what it returned. It is not
	// applied now.
	ErrStaleSequence = errors.New("counter: stale sequence number")
	// ErrTooManySessions is returned when the FSM already remembers MaxSessions
	// other clients. The command is not applied, and neither is a retry.
	ErrTooManySessions = errors.New("counter: too many sessions")
)

// Result is the outcome of a command.
type Result struct {
	// Value is the counter after the command. For a duplicate, it is the value that
	// the first application returned or, if that is forgotten (ErrStaleSequence),
	// the current one.
	Value int64
	// Duplicate is true if this entry was a retry and changed nothing.
	Duplicate bool
	// Err is nil, or the reason the value is unchanged: ErrOverflow,
	// ErrStaleSequence, ErrTooManySessions, or an error that wraps ErrBadCommand.
	Err error
}

// session is what an FSM remembers of a client: its last command and the result.
type session struct {
	seq   uint64
	value int64
	// overflowed stands for ErrOverflow, the only error a session can hold: a command
	// with any other error is not executed and leaves no session.
	overflowed bool
}

func (s session) result() Result {
	if s.overflowed {
		return Result{Value: s.value, Err: ErrOverflow}
	}
	return Result{Value: s.value}
}

// FSM is the replicated counter. It implements [raft.FSM]. The package
// documentation says which methods may run concurrently.
type FSM struct {
	// value is atomic because Value may read it at any time; only Apply and Restore
	// write it.
	value atomic.Int64
	// sessions is keyed by client name, which is valid and not empty. It has at most
	// MaxSessions entries.
	sessions map[string]session
}

var _ raft.FSM = (*FSM)(nil)

// New returns a counter at zero, without sessions.
func New() *FSM {
	return &FSM{sessions: make(map[string]session)}
}

// Value returns the counter after the last entry applied. Any goroutine may call
// it.
func (f *FSM) Value() int64 {
	return f.value.Load()
}

// Apply applies one committed log entry. It always returns a Result, whatever the
// entry holds: every node must get past a bad entry in the same way.
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
	case known && c.Seq == last.seq && !Canary:
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

// refuse returns the result of an entry that is not executed.
func (f *FSM) refuse(err error) Result {
	return Result{Value: f.Value(), Err: err}
}

// execute carries out the command and returns the session that remembers it.
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
