// Package present holds what a scenario on stage needs beside the screen: the
// [Stage], through which a running scenario asks for speeds and waits for the
// presenter, and the places in a history to which a presenter jumps.
//
// A scenario runs on the cluster's goroutines, inside virtual time; the screen reads
// the Stage once a frame. The Stage holds its lock only to copy a few values, so
// neither side waits for the other.
package present
