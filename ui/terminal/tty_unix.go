//go:build unix

package terminal

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// writable reports whether the terminal accepts a chunk, and waits up to timeout for that.
// If it cannot tell, it returns true.
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

// inForeground reports whether the program may use the terminal because it is not a
// background job. Without job control it returns true.
func inForeground(file *os.File) bool {
	group, err := unix.IoctlGetInt(int(file.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}
