//go:build !canary

package module

// The build tags of the engine, and what its version ends in.
const tags, suffix = "", ""
