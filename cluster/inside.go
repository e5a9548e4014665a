package cluster

import (
	"time"

	"capsize/cluster/trace"
)

// What a script needs that runs inside virtual time.

// Settings returns how the cluster is set up. It may be called from anywhere.
func (c *Cluster) Settings() trace.Settings { return c.settings }

// Go runs f on a goroutine of the cluster's bubble. It is called inside.
func (c *Cluster) Go(f func()) { c.bubble.Go(f) }

// Sleep waits for d of virtual time, or until the cluster ends.
func (c *Cluster) Sleep(d time.Duration) { c.sleep(d) }

// Closed says whether the cluster is being closed.
func (c *Cluster) Closed() bool { return c.isClosing.Load() }

// Closing is closed when the cluster is being closed. It is of use inside only.
func (c *Cluster) Closing() <-chan struct{} { return c.closing }

// Note makes an event of words: a command, a caption or a chapter, in a language
// of its own or, with "", in the one of the scenario.
func (c *Cluster) Note(kind trace.Kind, language, text string) {
	c.emit(trace.Event{Kind: kind, Peer: language, Text: text})
}
