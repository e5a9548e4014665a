//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package terminal

import "os"

// discardOutput does nothing: this system cannot drop output that it has buffered for a
// terminal.
func discardOutput(*os.File) {}
