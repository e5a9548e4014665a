package ui

import (
	"errors"
	"sync"

	"capsize/cluster"
	"capsize/cluster/vtime"
)

// order is a command on its way to the cluster. Run may answer with a text, for
// the status line, and may take virtual time.
type order struct {
	command string
	run     func(*cluster.Cluster) (answer string, err error)
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

	mu      sync.Mutex
	results []result
}

// ordersMax is how many orders may wait. A person cannot type that fast.
const ordersMax = 256

func newOrders(c *cluster.Cluster) *orders {
	o := &orders{queue: make(chan order, ordersMax), ended: make(chan struct{})}
	go func() {
		defer close(o.ended)
		for next := range o.queue {
			o.carryOut(c, next)
		}
	}()
	return o
}

func (o *orders) carryOut(c *cluster.Cluster, next order) {
	err := c.Order(next.command, func() error {
		answer, err := next.run(c)
		switch {
		case err != nil:
			o.put(result{command: next.command, text: err.Error(), bad: true})
		case answer != "":
			o.put(result{command: next.command, text: answer})
		}
		if errors.As(err, new(unanswered)) {
			return nil // what a client was told is an event already
		}
		return err
	})
	if errors.Is(err, vtime.ErrClosed) {
		o.put(result{command: next.command, text: err.Error(), bad: true})
	}
}

// unanswered says that a client's operation was not ok.
type unanswered struct{ error }

// give queues an order, and reports whether there was room.
func (o *orders) give(next order) bool {
	select {
	case o.queue <- next:
		return true
	default:
		return false
	}
}

func (o *orders) put(r result) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.results = append(o.results, r)
}

// take returns the results since it was last called.
func (o *orders) take() []result {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.results
	o.results = nil
	return taken
}

// close carries out what still waits, and ends.
func (o *orders) close() {
	close(o.queue)
	<-o.ended
}
