// Package source is where the screen gets what it shows: a [Source] is a live
// cluster with its history, or a recording. The screen treats both alike, now and in
// the past.
//
// A [Pool] starts and closes the clusters that replace each other on the screen, for
// scenarios and branches; it owns a cluster until the screen shows it. The watch of
// a source runs on the cluster's goroutines and touches nothing but atomics and the
// clock.
package source
