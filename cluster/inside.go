package cluster

import (
	"time"

	"capsize/cluster/trace"
)

// Settings returns the settings of the cluster. It may be called from anywhere.
func (c *Cluster) Settings() trace.Settings { return c.settings }

// Go runs f on a new goroutine of the cluster's bubble. It is called inside.
func (c *Cluster) Go(f func()) { c.bubble.Go(f) }

// Sleep waits for d of virtual time, or until the cluster shuts down. It is called inside.
func (c *Cluster) Sleep(d time.Duration) { c.sleep(d) }

// Closed reports whether the cluster is shutting down. It may be called from anywhere.
func (c *Cluster) Closed() bool { return c.isClosing.Load() }

// Closing returns a channel that is closed when the cluster shuts down. It is a channel of the
// bubble, so only goroutines inside may use it.
func (c *Cluster) Closing() <-chan struct{} { return c.closing }

// Note emits a text event: a command, a caption or a chapter. language "" is the language of
// the scenario.
func (c *Cluster) Note(kind trace.Kind, language, text string) {
	c.emit(trace.Event{Kind: kind, Peer: language, Text: text})
}
