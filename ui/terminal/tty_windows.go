package terminal

import (
	"context"
	"os"
	"time"
)

// writable says yes: a console cannot be asked.
func writable(*os.File, time.Duration) bool { return true }

// Jobs does nothing: this system has no job control.
type Jobs struct{}

// WatchJobs returns a watch that never calls.
func WatchJobs(_, _ func()) *Jobs { return &Jobs{} }

// CanStop says no.
func (*Jobs) CanStop() bool { return false }

// Close does nothing.
func (*Jobs) Close() {}

// Stop does nothing.
func (*Jobs) Stop(context.Context, *os.File) error { return nil }
