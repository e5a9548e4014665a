// Package shrink reduces a scenario that fails to the few commands that matter.
//
// [Shrink] takes a scenario and a [Runner], which runs the text of a scenario and says how it
// fails; [Exact] is the runner that repeats. The first run decides on the [Goal]: the check that
// is violated. Every later run is a candidate, a simpler scenario, which replaces the best one so
// far if it fails with the same check.
//
// # Order
//
// What an audience sees and what comes after the violation goes first. Random faults, which are one
// command however many they are, are written out as the commands that set them (explicit.go). Then
// delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE
// Transactions on Software Engineering 28(2), 2002) removes commands (reduce.go), and what is left
// is made simpler: fewer nodes (nodes.go), fewer operands (edits.go), shorter and rounder durations
// (durations.go). That repeats until nothing changes. The result is 1-minimal: without any one of its
// commands it does not fail any more.
//
// # Chance
//
// Any edit shifts the chance of a run. So a candidate that does not fail with its seed is tried with
// a few others, and a scenario that once fails with all of them is only replaced by one that does
// too: the result then fails because of its commands, not because of its seed. One that still depends
// on its seed in the end is hardened (harden.go).
//
// Candidates run side by side, and the first one in order that fails is taken, so the result does
// not depend on how fast they run.
package shrink
