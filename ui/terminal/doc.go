// Package terminal is the program's side of the terminal. A [Writer] never blocks: it
// queues bytes for a slow terminal, and can restore the terminal whatever is queued. A
// [RateLimit] says when to skip a picture. [Jobs] suspends the program as a job of its
// shell. The package handles bytes, times and signals, and does not interpret them further.
//
// The model asks Writer.Behind and Writer.RateExceeded before it draws. A Writer may be
// used from any goroutine; a RateLimit belongs to one.
package terminal
