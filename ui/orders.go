package ui

import (
	"errors"
	"fmt"
	"sync"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// order is a command on its way to the cluster.
type order struct {
	command string
	line    *scenario.Line
	step    func() // instead of a command: lets time pass
}

// result is what came of an order.
type result struct {
	command, text string
	bad           bool
}

// orders carries commands to the cluster one after the other, on a goroutine of
// its own, so that the screen never waits for the cluster and two keys never
// overtake each other. Results are fetched with the next frame.
type orders struct {
	queue chan order
	ended chan struct{}

	results mailbox[result]
}

// mailbox takes things from any goroutine, inside virtual time or not, until
// somebody fetches them.
type mailbox[T any] struct {
	mu    sync.Mutex
	items []T
}

func (m *mailbox[T]) put(item T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items = append(m.items, item)
}

// take returns what was put since it was last called.
func (m *mailbox[T]) take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := m.items
	m.items = nil
	return taken
}

// ordersMax is how many orders may wait. A person cannot type that fast.
const ordersMax = 256

func newOrders(c *cluster.Cluster, session *scenario.Session) *orders {
	o := &orders{queue: make(chan order, ordersMax), ended: make(chan struct{})}
	go func() {
		defer close(o.ended)
		for next := range o.queue {
			if next.step != nil {
				next.step()
				continue
			}
			o.carryOut(c, session, next)
		}
	}()
	return o
}

func (o *orders) carryOut(c *cluster.Cluster, session *scenario.Session, next order) {
	err := c.Do(next.command, func() error {
		op, err := session.Run(next.line)
		if err != nil {
			o.results.put(result{command: next.command, text: err.Error(), bad: true})
			return err
		}
		if text := answer(op); text != "" {
			o.results.put(result{command: next.command, text: text, bad: op.Outcome != trace.OK})
		}
		return nil
	})
	if errors.Is(err, vtime.ErrClosed) {
		o.results.put(result{command: next.command, text: err.Error(), bad: true})
	}
}

// answer says what a client was told, "" if the command was not a client's.
func answer(op trace.Op) string {
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

// give queues an order, and reports whether there was room.
func (o *orders) give(next order) bool {
	select {
	case o.queue <- next:
		return true
	default:
		return false
	}
}

// close carries out what still waits, and ends.
func (o *orders) close() {
	close(o.queue)
	<-o.ended
}
