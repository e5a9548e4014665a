//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package terminal

import "os"

// discardOutput does nothing: this system has no way to drop what a terminal has not
// shown yet.
func discardOutput(*os.File) {}
