package queue

import (
	"errors"
	"fmt"
	"sync"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// Command is a command on its way to the cluster.
type Command struct {
	Text string
	Line *scenario.Line
	Step func() // instead of a command: lets time pass
}

// Result is what came of an order.
type Result struct {
	Command, Text string
	Bad           bool
}

// Queue carries commands to the cluster one after the other, on a goroutine of
// its own, so that the screen never waits for the cluster and two keys never
// overtake each other. Results are fetched with the next frame.
type Queue struct {
	commands chan Command
	ended    chan struct{}

	Results Mailbox[Result]
}

// Mailbox takes things from any goroutine, inside virtual time or not, until
// somebody fetches them.
type Mailbox[T any] struct {
	mu    sync.Mutex
	items []T
}

func (m *Mailbox[T]) Put(item T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items = append(m.items, item)
}

// Take returns what was put since it was last called.
func (m *Mailbox[T]) Take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := m.items
	m.items = nil
	return taken
}

// queueMax is how many orders may wait. A person cannot type that fast.
const queueMax = 256

func New(c *cluster.Cluster, session *scenario.Session) *Queue {
	o := &Queue{commands: make(chan Command, queueMax), ended: make(chan struct{})}
	go func() {
		defer close(o.ended)
		for next := range o.commands {
			if next.Step != nil {
				next.Step()
				continue
			}
			o.run(c, session, next)
		}
	}()
	return o
}

func (o *Queue) run(c *cluster.Cluster, session *scenario.Session, next Command) {
	err := c.Do(next.Text, func() error {
		op, err := session.Run(next.Line)
		if err != nil {
			o.Results.Put(Result{Command: next.Text, Text: err.Error(), Bad: true})
			return err
		}
		if text := Answer(op); text != "" {
			o.Results.Put(Result{Command: next.Text, Text: text, Bad: op.Outcome != trace.OK})
		}
		return nil
	})
	if errors.Is(err, vtime.ErrClosed) {
		o.Results.Put(Result{Command: next.Text, Text: err.Error(), Bad: true})
	}
}

// Answer says what a client was told, "" if the command was not a client's.
func Answer(op trace.Op) string {
	switch op.Outcome {
	case trace.OK:
		return fmt.Sprintf("ok: %d, said %s", op.Value, op.Node)
	case trace.Unknown:
		return "unknown, it may yet count: " + op.Why
	case trace.Failed:
		return "failed: " + op.Why
	case trace.Pending:
	}
	return ""
}

// Put queues an order, and reports whether there was room.
func (o *Queue) Put(next Command) bool {
	select {
	case o.commands <- next:
		return true
	default:
		return false
	}
}

// Close carries out what still waits, and ends.
func (o *Queue) Close() {
	close(o.commands)
	<-o.ended
}
