package cluster

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// future is one of raft's futures.
type future interface{ Error() error }

// errNoReply is returned when raft does not reply in time. The request may still take effect.
var errNoReply = errors.New("no reply in time")

// isRejected reports whether err says that raft has rejected a request, which therefore has no
// effect and may be repeated.
func isRejected(err error) bool {
	return errors.Is(err, raft.ErrNotLeader) || errors.Is(err, raft.ErrLeadershipTransferInProgress) ||
		errors.Is(err, raft.ErrEnqueueTimeout)
}

// await makes a request of raft and waits for the result, for at most limit of virtual time.
func (p *process) await(limit time.Duration, f func(*raft.Raft) future) error {
	return withTimeout(limit, func() error { return p.awaitFuture(f(p.raft.Load())) })
}

// awaitFuture waits for the result of a future, which is [raft.ErrRaftShutdown] if the process
// dies first. Raft never completes the futures that are still in its channels when it shuts
// down or a disk ends its main goroutine, unless their ShutdownCh is set. The field is exported
// but raft sets it for few futures (hashicorp/raft future.go, deferError), so awaitFuture sets
// it by reflection.
func (p *process) awaitFuture(f future) error {
	if index := shutdownField(reflect.TypeOf(f)); index != nil {
		reflect.ValueOf(f).Elem().FieldByIndex(index).Set(reflect.ValueOf(p.dead))
	}
	return f.Error()
}

// shutdownFields caches the results of shutdownField by type.
var shutdownFields sync.Map

// shutdownField returns the index of a future's ShutdownCh field, or nil if the type has none.
func shutdownField(future reflect.Type) []int {
	if known, ok := shutdownFields.Load(future); ok {
		return known.([]int)
	}
	var index []int
	if future.Kind() == reflect.Pointer && future.Elem().Kind() == reflect.Struct {
		if field, ok := future.Elem().FieldByName("ShutdownCh"); ok && field.Type == reflect.TypeFor[chan struct{}]() {
			index = field.Index
		}
	}
	shutdownFields.Store(future, index)
	return index
}

// withTimeout runs f and returns its result, or errNoReply after limit of virtual time. f then
// continues on its own goroutine.
func withTimeout(limit time.Duration, f func() error) error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-result:
		return err
	case <-timer.C:
		return fmt.Errorf("%w (%s)", errNoReply, limit)
	}
}
