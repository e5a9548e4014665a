// Package terminal writes to the terminal without ever blocking the program, and measures
// how much is written: a [Writer] queues bytes for a slow terminal, a [RateLimit] says when
// a picture should be skipped. The package knows bytes and times, nothing of what they mean.
//
// The model asks Writer.Behind and Writer.RateExceeded before it draws, and calls
// Writer.Flush once, after the last picture. A Writer may be used from any goroutine; a
// RateLimit belongs to one.
package terminal
