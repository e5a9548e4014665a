// Package exact runs a cluster so that one seed gives one run, byte for byte, on every machine.
//
// The cluster is the code that [engine.Native] runs, built for wasip1 (package guest) and run
// by wazero. WebAssembly has one thread, and all chance of a Go program, its scheduler's
// included, comes from the random source of its host: here the seed alone. Its clock is one
// that only counts how often it is read. What is left to influence a run are the orders, which
// come between two ticks of virtual time ([wire.Tick]); each becomes an event, so the trace of
// a run holds all that is needed to repeat it.
//
//	Engine (this goroutine's side)        guest (one call at a time)
//	Submit, Run, Advance  -> drive  ----> tick, order
//	stream, history, stage         <----  event, answer, speed, step
//
// How fast time passes is up to the host: it lets the guest wait in the function that takes an
// event until the event is due. Waiting there changes nothing in the guest.
package exact
