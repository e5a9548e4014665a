// Package plain shows a cluster or a recording as lines of text, one per event, for
// pipes, logs and screen readers, and reads commands from standard input.
package plain
