// Package queue carries commands from the screen to the cluster.
//
// The screen never waits for the cluster: it puts commands into a [Queue], which runs
// them one after the other on a goroutine of its own, and takes their results from a
// [Mailbox] with the next frame.
package queue
