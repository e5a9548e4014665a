package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// discardOutput drops what the system holds for the terminal.
func discardOutput(file *os.File) {
	_ = unix.IoctlSetInt(int(file.Fd()), unix.TCFLSH, unix.TCOFLUSH) // at worst, the terminal stays full
}
