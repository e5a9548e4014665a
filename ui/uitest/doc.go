// Package uitest helps the tests of ui. It has sample clusters, made of hand-written events
// without a real one, in every state that the screen must show; it plays asciicasts on an
// emulated terminal; and it checks that hostile text never reaches one. Only tests may
// import it.
//
// A [Sample] keeps its own virtual time: Emit adds an event at that time, Advance moves it
// on. To add a sample, write a function like [Partitioned] and add it to [Samples]; every
// test of sizes, glyphs and colours then draws it.
package uitest
