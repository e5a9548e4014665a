//go:build unix

package terminal

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// writable reports whether the terminal accepts a chunk, and waits up to timeout for it.
// It says yes of whatever it cannot ask.
func writable(file *os.File, timeout time.Duration) bool {
	fd := int(file.Fd())
	var set unix.FdSet
	set.Set(fd)
	limit := unix.NsecToTimeval(timeout.Nanoseconds())
	n, err := unix.Select(fd+1, nil, &set, nil, &limit)
	if err != nil {
		return err != unix.EINTR
	}
	return n > 0
}

// inForeground reports whether the program may use the terminal: it is not a job in the
// background. It says yes if there is no job control to ask.
func inForeground(file *os.File) bool {
	group, err := unix.IoctlGetInt(int(file.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}
