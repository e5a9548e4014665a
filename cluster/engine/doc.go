// Package engine is the one door to whatever runs a cluster: orders in, events out, and the
// clock. The screen and the command line know only this door, an [Engine].
//
//	               orders                      events, answers
//	ui, headless ---------->  Engine  ------------------------>  state, history, recording
//	                            |
//	        Native: the bubble of package cluster, in this process
//	        Recording: the events of a file; it refuses orders
//	        exact.Engine: the same Native, built as WebAssembly, with a fake clock and with
//	        chance that comes from the seed alone
//
// An order is a line of the command language, or something larger like a whole scenario. Each
// gets one [Answer], from a goroutine of the engine.
package engine
