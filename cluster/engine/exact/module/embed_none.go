//go:build !release

package module

// embedded is nil: only a release build carries the module.
var embedded []byte
