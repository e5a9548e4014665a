package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// discardOutput drops the output that the system has buffered for the terminal.
func discardOutput(file *os.File) {
	_ = unix.IoctlSetInt(int(file.Fd()), unix.TCFLSH, unix.TCOFLUSH) // at worst, the terminal stays full
}
