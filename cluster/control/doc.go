// Package control is the connection between a node's process and the program that drives it: the
// messages, and how they are written.
//
// A process answers with its events in the order in which they happened to it. What it has heard
// from other nodes shows in the marks of its messages (After), so that the driver can put the
// events of several processes into one order: an event comes after all events that its node may
// have heard of.
package control
