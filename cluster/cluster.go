package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/faults"

	"capsize/cluster/trace/history"
)

// pollEvery is how often, in virtual time, raft's own state is compared with the events, to
// catch the few changes that no hook reports.
const pollEvery = 100 * time.Millisecond

// Cluster is a running cluster. The package documentation says which of its methods are
// called from outside of virtual time, and which inside.
type Cluster struct {
	clock  *vtime.Clock
	trace  *trace.Stream
	checks *check.Checker   // nil if unchecked
	past   *history.History // nil if no history is kept
	bubble *vtime.Bubble
	dir    *dataDir // nil with memory storage

	settings trace.Settings
	tamper   func(*raftDeps) // nil except in tests
	network  *faults.Network
	closing  chan struct{} // closed when the cluster shuts down; a channel of the bubble

	mu        sync.Mutex              // never held while waiting
	nodes     atomic.Pointer[[]*node] // replaced under mu, never changed in place
	rng       *rand.Rand              // for seeds of disks and random routes; guarded by mu
	clients   clientPool
	isClosing atomic.Bool

	closeOnce sync.Once
	closeErr  error
}

// Close stops all nodes, closes their files, and removes a temporary directory. It is called
// from outside. The error covers everything that failed or did not stop. Further calls return
// the same error.
func (c *Cluster) Close() error {
	c.closeOnce.Do(func() {
		if c.clock != nil {
			c.closeErr = c.clock.Close()
		}
		if c.checks != nil {
			c.checks.Close()
		}
		if c.dir != nil {
			c.closeErr = errors.Join(c.closeErr, c.dir.close())
		}
	})
	return c.closeErr
}

// CloseWithin is [Cluster.Close] with a limit in real time. After an error, the cluster may
// still be shutting down.
func (c *Cluster) CloseWithin(limit time.Duration) error {
	closed := make(chan error, 1)
	go func() { closed <- c.Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(limit):
		return fmt.Errorf("cluster did not shut down within %s", limit)
	}
}

// close stops everything that would otherwise run forever. It runs inside.
func (c *Cluster) close() {
	c.isClosing.Store(true)
	close(c.closing)
	var stopping sync.WaitGroup
	for _, n := range c.allNodes() {
		n.currentDisk().ClearFault() // otherwise a lying disk would lose the writes it holds back
		stopping.Go(func() { c.emitRefused(n.stop(trace.Killed, "")) })
	}
	stopping.Wait()
	c.network.Close()
}

// Clock returns the cluster's clock, which is used from outside.
func (c *Cluster) Clock() *vtime.Clock { return c.clock }

// Trace returns the stream of the cluster's events. It may be called from anywhere.
func (c *Cluster) Trace() *trace.Stream { return c.trace }

// AwaitVerdicts blocks, in real time, until the checks have judged all events so far. It may
// be called from anywhere; inside, virtual time stands still until it returns.
func (c *Cluster) AwaitVerdicts() {
	if c.checks != nil {
		c.checks.Await()
	}
}

// History returns the kept history, or nil if none is kept. It may be called from anywhere.
func (c *Cluster) History() *history.History { return c.past }

// Do emits the user's command as an event and runs f on a goroutine of the bubble. It is
// called from outside. If f returns without taking virtual time, Do returns its error.
// Otherwise Do returns nil, and an error of f becomes an event of kind refused.
func (c *Cluster) Do(command string, f func() error) error {
	var mu sync.Mutex
	var result error
	var returned, late bool
	err := c.clock.Do(func() {
		if c.isClosing.Load() {
			returned, result = true, vtime.ErrClosed
			return
		}
		c.emit(trace.Event{Kind: trace.KindCommand, Text: command})
		c.bubble.Go(func() {
			err := f()
			mu.Lock()
			defer mu.Unlock()
			returned, result = true, err
			if late && err != nil {
				c.emit(trace.Event{Kind: trace.KindRefused, Text: command + ": " + err.Error()})
			}
		})
	})
	if err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	late = !returned
	return result
}

// emitRefused emits an error that has no caller to return it to. It ignores nil.
func (c *Cluster) emitRefused(err error) {
	if err != nil {
		c.emit(trace.Event{Kind: trace.KindRefused, Text: err.Error()})
	}
}

// AwaitLeader advances the clock at full speed until the cluster has a leader, for at most
// limit of virtual time, and reports whether it has one. It is called from outside.
func (c *Cluster) AwaitLeader(limit time.Duration) bool {
	const step = 10 * time.Millisecond
	for range limit / step {
		found := false
		c.trace.Read(func(s *trace.State) { found = s.LeaderNode() != nil && s.HasLeader() })
		if found {
			return true
		}
		if c.clock.Advance(step) != nil {
			return false
		}
	}
	return false
}

// Now returns the virtual time since the cluster started. A fork continues the time of the
// cluster it was forked from.
func (c *Cluster) Now() time.Duration { return c.bubble.Now() }

func (c *Cluster) emit(e trace.Event) {
	defer c.bubble.Catch()
	e.At = c.bubble.Now()
	c.trace.Emit(e)
}

// poll compares raft's own state with the events every pollEvery.
func (c *Cluster) poll() {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			for _, n := range c.allNodes() {
				if p := n.running(); p != nil {
					p.observe()
				}
			}
		case <-c.closing:
			return
		}
	}
}

// sleep waits for d of virtual time, or until the cluster shuts down.
func (c *Cluster) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-c.closing:
	}
}
