// Package terminal is the program's side of the terminal. A [Writer] never blocks: it
// queues bytes for a slow terminal, and restores the terminal whatever is queued. A
// [RateLimit] says when a picture should be skipped. [Jobs] stops the program for its
// shell. The package knows bytes, times and signals, nothing of what they mean.
//
// The model asks Writer.Behind and Writer.RateExceeded before it draws. A Writer may be
// used from any goroutine; a RateLimit belongs to one.
package terminal
