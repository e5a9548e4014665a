//go:build !canary

package counter

// Canary reports whether this build has a bug on purpose, to see that the checks find it. Build
// with `-tags canary` to get one.
const Canary = false
