//go:build !release || canary

package module

// embedded is nil: only a release build carries the module, and never a canary's.
var embedded []byte
