// Package vtime runs unmodified Go code in virtual time: its timers fire in
// order, but its clock moves only as far and as fast as the caller allows.
//
// The code runs in a bubble of testing/synctest. A bubble's clock moves only when
// every goroutine in it is durably blocked, and waiting for something outside the
// bubble is not a durable block. So one goroutine of the bubble, the pacer, waits
// for orders on channels made outside. While it waits, time stands still; to let
// time pass, it sleeps that long in virtual time.
//
// # Inside and outside
//
// Everything that the setup function starts lives in the bubble. [Clock.Do] is
// the only way in from outside. Neither side may touch the other's channels,
// timers and contexts (Go panics). Both may share mutexes and atomics, but must
// not sleep while holding a mutex: a goroutine blocked on a mutex stops the clock.
//
// A bubble can only end when all of its goroutines have ended, which makes
// [Clock.Close] a leak detector.
package vtime
