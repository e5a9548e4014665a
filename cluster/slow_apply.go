package cluster

import (
	"fmt"
	"strings"
	"time"

	"capsize/cluster/control"
	"capsize/cluster/trace"
)

// slowWord begins the text of a slow state machine in events and commands: "slow 200ms".
const slowWord = "slow "

// SetApply makes the state machine of a node take delay longer to apply each command, now and
// after each restart. 0 ends the delay, even for the command that is being applied.
func (c *Inside) SetApply(name string, delay time.Duration) error {
	n, err := c.node(name)
	if err != nil {
		return err
	}
	if delay < 0 || delay > durationMax {
		return fmt.Errorf("cannot slow the state machine of %s by %s: use a delay from 0s to %s", name, delay, durationMax)
	}
	n.slowApply(delay)
	if r := n.remote.Load(); r != nil {
		if err := r.tell(control.Request{Operation: control.SetApply, Timeout: delay}); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	text := ""
	if delay > 0 {
		text = slowWord + delay.String()
	}
	c.emit(trace.Event{Kind: trace.KindApplyFault, Node: name, Text: text})
	return nil
}

// slowApply changes the delay of the node's state machine.
func (n *node) slowApply(delay time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.applyChanged != nil {
		close(n.applyChanged)
		n.applyChanged = nil
	}
	if n.applyDelay = delay; delay > 0 {
		n.applyChanged = make(chan struct{})
	}
}

// parseApplyFault returns the delay of a slow state machine from the text of its event.
func parseApplyFault(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	delay, err := time.ParseDuration(strings.TrimPrefix(text, slowWord))
	if err != nil || !strings.HasPrefix(text, slowWord) {
		return 0, fmt.Errorf("unknown state machine fault %q", text)
	}
	return delay, nil
}

// delayApply waits for the delay of a slow state machine, or until the process dies.
func (n *node) delayApply(dead <-chan struct{}) {
	n.mu.Lock()
	delay, changed := n.applyDelay, n.applyChanged
	n.mu.Unlock()
	if delay <= 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-dead:
	}
}
