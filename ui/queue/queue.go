package queue

import (
	"fmt"
	"sync"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// Command is a command on its way to the cluster, or a step of the clock.
type Command struct {
	Line string // of the command language
	Step func() // advances the clock, instead of a command
}

// Result is the outcome of a command.
type Result struct {
	Command, Text string
	Bad           bool
}

// Queue runs commands one after the other, on a goroutine of its own, so two keys
// never overtake each other.
type Queue struct {
	commands chan Command
	ended    chan struct{}

	Results Mailbox[Result]
}

// Mailbox collects items from any goroutine, inside virtual time or outside, until
// they are taken.
type Mailbox[T any] struct {
	mu    sync.Mutex
	items []T
}

// Put adds an item.
func (m *Mailbox[T]) Put(item T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items = append(m.items, item)
}

// Take returns the items put since the last call.
func (m *Mailbox[T]) Take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	taken := m.items
	m.items = nil
	return taken
}

// queueMax is how many commands may wait. A person cannot type that fast.
const queueMax = 256

// New returns a queue to an engine. The caller closes the queue.
func New(e engine.Engine) *Queue {
	o := &Queue{commands: make(chan Command, queueMax), ended: make(chan struct{})}
	go func() {
		defer close(o.ended)
		for next := range o.commands {
			if next.Step != nil {
				next.Step()
				continue
			}
			o.run(e, next.Line)
		}
	}()
	return o
}

func (o *Queue) run(e engine.Engine, line string) {
	e.Submit(engine.Order{Line: line}, func(a engine.Answer) {
		if end := a.End; end.Err != nil {
			o.Results.Put(Result{Command: line, Text: end.Err.Error(), Bad: true})
		} else if text := Answer(end); text != "" {
			o.Results.Put(Result{Command: line, Text: text, Bad: end.Refusal == "" && end.Op.Outcome != trace.OK})
		}
	})
}

// Answer describes the reply to a client's operation, or a refusal that was expected; it
// is "" for other commands.
func Answer(end scenario.End) string {
	if end.Refusal != "" {
		return "refused as expected: " + end.Refusal
	}
	switch op := end.Op; op.Outcome {
	case trace.OK:
		return fmt.Sprintf("%d (%s)", op.Value, op.Node)
	case trace.Unknown:
		return "outcome unknown, it may still apply: " + op.Why
	case trace.Failed:
		return "failed: " + op.Why
	case trace.Pending:
	}
	return ""
}

// Put queues a command, and reports whether there was room.
func (o *Queue) Put(next Command) bool {
	select {
	case o.commands <- next:
		return true
	default:
		return false
	}
}

// Close runs the commands that still wait, and ends the queue.
func (o *Queue) Close() {
	close(o.commands)
	<-o.ended
}
