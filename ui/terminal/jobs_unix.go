//go:build unix

package terminal

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Jobs is the program as a job of its shell: it stops on ctrl+z and SIGTSTP, and
// continues on SIGCONT.
type Jobs struct {
	signals   chan os.Signal
	continued chan struct{} // SIGCONT after Stop; has room for one
	stopping  atomic.Bool   // Stop waits for SIGCONT
	ignored   bool          // SIGTSTP is ignored: the parent process does not want the program stopped
}

// WatchJobs calls stop when the program is asked to stop; the program then restores its
// terminal and calls [Jobs.Stop]. WatchJobs calls redraw when the program continues after
// SIGSTOP, which does not ask.
func WatchJobs(stop, redraw func()) *Jobs {
	j := &Jobs{
		signals: make(chan os.Signal, 1), continued: make(chan struct{}, 1),
		ignored: signal.Ignored(syscall.SIGTSTP),
	}
	signal.Notify(j.signals, syscall.SIGCONT)
	if !j.ignored {
		signal.Notify(j.signals, syscall.SIGTSTP)
	}
	go func() {
		for s := range j.signals {
			switch {
			case s == syscall.SIGTSTP:
				stop()
			case j.stopping.Load():
				select {
				case j.continued <- struct{}{}:
				default:
				}
			default:
				redraw()
			}
		}
	}()
	return j
}

// Close ends the watch.
func (j *Jobs) Close() {
	signal.Stop(j.signals)
	close(j.signals)
}

// CanStop reports whether the program may stop: only a shell with job control can continue
// it. The process group of a session leader has no such shell (POSIX calls it orphaned).
func (j *Jobs) CanStop() bool {
	session, err := unix.Getsid(0)
	return err == nil && session != unix.Getpgrp() && !j.ignored
}

// backgroundGrace is how long a job that continues in the background waits for a signal
// that ends it: a shell sends one when it kills a stopped job.
const backgroundGrace = 100 * time.Millisecond

// Stop stops the job. It returns nil when the job continues in the foreground of terminal,
// or the error of ctx if that ends first: then the terminal still belongs to the shell.
func (j *Jobs) Stop(ctx context.Context, terminal *os.File) error {
	j.stopping.Store(true)
	defer j.stopping.Store(false)
	for {
		select {
		case <-j.continued: // left from an earlier SIGCONT
		default:
		}
		// A Go program that has caught SIGTSTP once cannot restore its default action, so
		// SIGSTOP stops the job.
		if err := unix.Kill(0, unix.SIGSTOP); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-j.continued:
			if inForeground(terminal) {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			if !inForeground(terminal) {
				signal.Ignore(syscall.SIGTTOU) // it would stop a program that sets its terminal
			}
			return ctx.Err()
		case <-time.After(backgroundGrace):
		}
	}
}
