package cluster

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
	"capsize/cluster/vtime"
)

// Cluster is a running cluster, seen from outside of virtual time. Its methods may be called
// from any goroutine outside the bubble. [Cluster.Do] and [Cluster.Go] run functions inside.
type Cluster struct {
	clock   *vtime.Clock
	inside  *Inside
	history *history.History  // nil if no history is kept
	record  *recording.Writer // nil if there is no recording

	closeOnce sync.Once
	closeErr  error
	hung      atomic.Int64 // goroutines that raft left hanging
}

// Close stops all nodes, closes their files and the recording, and removes a temporary
// directory. The recording ends with the nodes, so it has everything that a disk holds. The error
// covers everything that failed or did not stop. Further calls return the same error.
func (c *Cluster) Close() error {
	c.closeOnce.Do(func() {
		if c.clock != nil {
			c.closeErr = errors.Join(c.endRecording(), c.tolerateHang(c.clock.Close()))
		}
		if c.inside.checks != nil {
			c.inside.checks.Close()
		}
		if c.inside.dir != nil {
			c.closeErr = errors.Join(c.closeErr, c.inside.dir.close())
		}
	})
	return c.closeErr
}

// tolerateHang returns err unless it only reports goroutines that hang because of
// hashicorp/raft #696, which it counts. A transfer waits, without a limit, for the replication
// goroutine of its target, and that goroutine may have exited.
func (c *Cluster) tolerateHang(err error) error {
	var leak *vtime.LeakError
	if !errors.As(err, &leak) || len(leak.Stacks) == 0 {
		return err
	}
	for _, stack := range leak.Stacks {
		// leaderLoop itself starts goroutines only for transfers.
		if !strings.Contains(stack, "created by github.com/hashicorp/raft.(*Raft).leaderLoop") {
			return err
		}
	}
	c.hung.Store(int64(len(leak.Stacks)))
	return nil
}

// Hang says in one line that raft left goroutines hanging. It is "" if there are none, and until
// the cluster is closed.
func (c *Cluster) Hang() string {
	if n := c.hung.Load(); n > 0 {
		return fmt.Sprintf("raft left %d goroutines hanging after a leadership transfer (known: hashicorp/raft #696)", n)
	}
	return ""
}

// endRecording kills all processes in one instant of virtual time, which ends all writes, and
// closes the recording with the verdicts on everything before.
func (c *Cluster) endRecording() error {
	if c.record == nil {
		return nil
	}
	killed := c.clock.Do(c.inside.killAll)
	c.AwaitVerdicts()
	err := c.record.Close()
	if killed != nil && !errors.Is(killed, vtime.ErrClosed) {
		err = errors.Join(killed, err)
	}
	return err
}

// Clock returns the cluster's clock.
func (c *Cluster) Clock() *vtime.Clock { return c.clock }

// OverProcesses reports whether the nodes are processes of the operating system, in real time.
func (c *Cluster) OverProcesses() bool { return c.inside.OverProcesses() }

// OwnsNodes reports whether the nodes' processes and files are in the hands of this program.
func (c *Cluster) OwnsNodes() bool { return c.inside.OwnsNodes() }

// BreaksLinks reports whether the links between the nodes can fail.
func (c *Cluster) BreaksLinks() bool { return c.inside.BreaksLinks() }

// Trace returns the stream of the cluster's events.
func (c *Cluster) Trace() *trace.Stream { return c.inside.stream }

// Settings returns the settings with which the cluster was opened.
func (c *Cluster) Settings() trace.Settings { return c.inside.settings }

// CurrentSettings returns the current settings: [Inside.SetTimeout] changes some.
func (c *Cluster) CurrentSettings() trace.Settings { return c.inside.currentSettings() }

// NodeCount returns the number of nodes.
func (c *Cluster) NodeCount() int { return len(c.inside.allNodes()) }

// Closed reports whether the cluster is shutting down or closed.
func (c *Cluster) Closed() bool { return c.inside.Closed() }

// AwaitVerdicts blocks, in real time, until the checks have judged all events so far.
func (c *Cluster) AwaitVerdicts() { c.inside.AwaitVerdicts() }

// History returns the kept history, or nil if none is kept.
func (c *Cluster) History() *history.History { return c.history }

// Do emits the user's command as an event and runs f on a goroutine of the bubble. If f
// returns without taking virtual time, Do returns its error. Otherwise Do returns nil, and an
// error of f becomes an event of kind refused. After Close the error is [vtime.ErrClosed].
func (c *Cluster) Do(command string, f func(*Inside) error) error {
	return c.DoUntil(0, command, f)
}

// DoUntil is Do for a function that takes virtual time: paused or not, time passes until it
// returns, but for at most limit.
func (c *Cluster) DoUntil(limit time.Duration, command string, f func(*Inside) error) error {
	var mu sync.Mutex
	var result error
	var returned, late bool
	start := func() <-chan struct{} {
		ended := make(chan struct{})
		if c.inside.isClosing.Load() {
			returned, result = true, vtime.ErrClosed
			close(ended)
			return ended
		}
		c.inside.emit(trace.Event{Kind: trace.KindCommand, Text: command})
		c.inside.Go(func() {
			defer close(ended)
			err := f(c.inside)
			mu.Lock()
			defer mu.Unlock()
			returned, result = true, err
			if late && err != nil {
				c.inside.emit(trace.Event{Kind: trace.KindRefused, Text: command + ": " + err.Error()})
			}
		})
		return ended
	}
	var err error
	if limit > 0 {
		err = c.clock.DoUntil(limit, start)
	} else {
		err = c.clock.Do(func() { start() })
	}
	if err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	late = !returned
	return result
}

// Go runs f on a goroutine of the bubble, without a command of the user. It returns when f has
// returned or waits for virtual time. After Close the error is [vtime.ErrClosed].
func (c *Cluster) Go(f func(*Inside)) error {
	return c.clock.Do(func() { c.inside.Go(func() { f(c.inside) }) })
}

// AwaitLeader advances the clock at full speed until the cluster has a leader, for at most
// limit of virtual time, and reports whether it has one.
func (c *Cluster) AwaitLeader(limit time.Duration) bool {
	const step = 10 * time.Millisecond
	for range limit / step {
		found := false
		c.inside.stream.Read(func(s *trace.State) { found = s.LeaderNode() != nil && s.HasLeader() })
		if found {
			return true
		}
		if c.clock.Advance(step) != nil {
			return false
		}
	}
	return false
}
