// Package recording writes the events of a cluster to a file and reads them back, also
// while the file is being written.
//
// The file is JSON lines: a [Header], then one [trace.Event] a line; a name that ends in
// .gz compresses it. A [Writer] is a [trace.Sink]. It queues events where they happen and
// writes them from a goroutine of its own, in real time, so virtual time never waits
// for the disk. A recording that starts in the middle of a run begins with events that
// add up to the state at that moment.
//
// [Open] reads a recording into a history, and [Reader.Follow] reads on as it grows. A
// recording is untrusted input: every event is validated, sizes are limited, and what
// cannot be read is skipped and reported by [Reader.Missing].
//
// json_write.go and json_read.go handle the common fields by hand, several times faster
// than encoding/json, and leave every other line to it. To add a field to an event: nothing
// is needed for correctness in the reader; the writer must write the field or set slow.
// TestLinesEqualEncodingJSON fails until then.
package recording
