// Package headless runs scenarios without a screen, as fast as virtual time
// allows.
//
// A [Batch] runs scripts side by side, one cluster each, and returns a [Result] for
// each. [Soak] runs random faults under load on one cluster and requires every
// check to hold. [SoakSeeds] does that for many seeds, [Found] keeps the runs that fail,
// and [Merge] adds up the results of several machines. [WriteTable] writes results for
// people, [WriteJSON] for programs.
//
// Each run opens its cluster, waits for the first election, performs the script
// inside virtual time, takes the result, and closes the cluster. Clusters share
// nothing, so the results of a batch do not depend on which runs go on beside it.
// An error is about the run itself: it did not start, or it was interrupted. A
// failed expectation is part of the result.
package headless
