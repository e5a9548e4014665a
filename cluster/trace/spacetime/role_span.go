package spacetime

import (
	"time"

	"capsize/cluster/trace"
)

// RoleSpan is a stretch of time over which a node's process state, role and term stay the
// same.
type RoleSpan struct {
	From, To time.Duration // To is 0 while the span lasts
	Process  trace.ProcessState
	Role     trace.Role
	Term     uint64
}

// RoleSpanOf returns the span that a node's state begins at a moment.
func RoleSpanOf(n *trace.Node, at time.Duration) RoleSpan {
	return RoleSpan{From: at, Process: n.Process, Role: n.Role, Term: n.Term}
}

// Next returns the span that an event of the same node begins, and whether it begins one.
// It does not end s. A role event brings its own term, because it comes before the event
// for the stored term.
func (s RoleSpan) Next(e *trace.Event) (next RoleSpan, changed bool) {
	next = s
	switch e.Kind {
	case trace.KindProcess:
		next.Process = e.Process
		switch {
		case e.Process == trace.Up && s.Process != trace.Paused:
			next.Role = trace.Follower
		case !e.Process.Running(): // of an unreachable node, too, the role is not known
			next.Role = ""
		}
		if e.Process == trace.Wiped || e.Process == trace.Removed {
			next.Term = 0 // the stored term is lost with the disk
		}
	case trace.KindRole:
		next.Role, next.Term = e.Role, max(s.Term, e.Term)
	case trace.KindTerm:
		next.Term = e.Term
	default:
		return s, false
	}
	if next == s {
		return s, false
	}
	next.From, next.To = e.At, 0
	return next, true
}
