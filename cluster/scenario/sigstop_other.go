//go:build !windows

package scenario

// noSIGSTOP is why pause is not possible over processes, "" because it is.
const noSIGSTOP = ""
