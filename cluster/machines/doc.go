// Package machines runs the nodes of a cluster outside of this program: as child processes on this
// host (Children), or as processes that run already, here or elsewhere (Attached). Node is the other
// end: the program that runs one node.
//
// Children speak with each other through a proxy in this program, which is where the faults of links
// happen. They take orders and report over their standard input and output, and end when their
// input does, so none outlives the program that started it.
package machines
