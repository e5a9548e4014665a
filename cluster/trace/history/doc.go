// Package history keeps the past of a cluster in memory and returns the state at any
// moment of it.
//
// A [History] is a [trace.Sink]: a [trace.Stream] or the reader of a recording adds
// events, goroutines that look back read them. It holds as many of the latest events as
// its budget of bytes allows and drops the oldest first.
//
// Events are kept in chunks of some ten thousand. A chunk begins with a keyframe, the
// whole state before its first event, and is decoded without any other chunk, so
// [History.StateAt] applies the events of one chunk at most. Significant events are in a
// stream of their own, so [History.Next], [History.Prev] and [History.FindLast]
// decode those alone.
//
// deltaCodec describes each type once, for writing and for reading; the bytes never
// leave the program. To add a field to an event or to the state: add a line to its
// description in codec_event.go or codec_state.go. TestCodecKnowsEveryField fails until
// then.
package history
