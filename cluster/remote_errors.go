package cluster

import (
	"errors"

	"capsize/cluster/control"
	"capsize/counter"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// knownErrors are the errors that decide what became of a request, with their codes between
// processes.
var knownErrors = []struct {
	code string
	err  error
}{
	{"down", errDown},
	{"no-leader", errNotLeader},
	{"no-level", errNoLevel},
	{"no-lease", errNoLease},
	{"no-reply", errNoReply},
	{"not-handed-over", errNotHandedOver},
	{"overflow", counter.ErrOverflow},
	{"not-leader", raft.ErrNotLeader},
	{"transferring", raft.ErrLeadershipTransferInProgress},
	{"not-enqueued", raft.ErrEnqueueTimeout},
	{"leadership-lost", raft.ErrLeadershipLost},
	{"shut-down", raft.ErrRaftShutdown},
	{"aborted", raft.ErrAbortedByRestore},
	{"io", faults.ErrIO},
	{"no-space", faults.ErrNoSpace},
	{"damaged", faults.ErrDamaged},
	{"killed", faults.ErrKilled},
}

// remoteError is an error from another process.
type remoteError struct {
	text  string
	known error // what it is, nil for any other error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.known }

// setError puts an error into a reply.
func setError(reply *control.Reply, err error) {
	if err == nil {
		return
	}
	reply.Error = err.Error()
	for _, k := range knownErrors {
		if errors.Is(err, k.err) {
			reply.Code = k.code
			return
		}
	}
}

// errorOf is the inverse of setError.
func errorOf(reply *control.Reply) error {
	if reply.Error == "" {
		return nil
	}
	e := &remoteError{text: reply.Error}
	for _, k := range knownErrors {
		if k.code == reply.Code {
			e.known = k.err
		}
	}
	return e
}
