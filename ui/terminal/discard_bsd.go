//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// discardOutput drops the output that the system has buffered for the terminal.
func discardOutput(file *os.File) {
	const output = 2                                                    // FWRITE of <sys/file.h>
	_ = unix.IoctlSetPointerInt(int(file.Fd()), unix.TIOCFLUSH, output) // at worst, the terminal stays full
}
