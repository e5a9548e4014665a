// Package present finds the places in a history to which the presenter of a scenario jumps:
// chapters, and steps.
package present
