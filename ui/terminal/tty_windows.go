package terminal

import (
	"context"
	"os"
	"time"
)

// writable returns true: a console cannot be polled.
func writable(*os.File, time.Duration) bool { return true }

// Jobs does nothing: this system has no job control.
type Jobs struct{}

// WatchJobs returns a watch that never calls its functions.
func WatchJobs(_, _ func()) *Jobs { return &Jobs{} }

// CanStop returns false.
func (*Jobs) CanStop() bool { return false }

// Close does nothing.
func (*Jobs) Close() {}

// Stop does nothing.
func (*Jobs) Stop(context.Context, *os.File) error { return nil }
