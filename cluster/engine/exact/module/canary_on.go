//go:build canary

package module

// A canary (see counter.Canary) builds its engine with the same bug.
const (
	tags   = "canary"
	suffix = "-canary"
)
