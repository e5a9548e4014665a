//go:build canary

package counter

// Canary is true: this build has a bug on purpose, see CONTRIBUTING.md. A retry counts
// twice, which takes a fault that makes a client retry.
const Canary = true
