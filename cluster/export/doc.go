// Package export writes a trace as a file for other tools and readers: a space-time diagram
// (SVG), the story (text), a log for ShiViz with vector clocks, and porcupine's
// visualization of the clients' history (HTML).
//
// A [Source] is the trace: its events, and the state before the first one. A writer reads
// the events up to the end of the [Span] once, folds them into what it shows, and keeps no
// event. Its output depends on the events alone, byte for byte, and its memory on what the
// output shows, not on the length of the trace. Package spacetime decides which events change a
// role span and how important a message is.
//
// A trace may come from a stranger: every text in it passes [trace.Sanitize] before it is
// written, and escape before it is written as XML.
//
// To add a format, write a function with the signature of [SVG] and add it to formats in
// export.go. TestHostileTextIsHarmless and TestInvalidExportsAreRefused then cover it;
// add its golden file to TestExportsMatchGolden, and its name to the README.
package export
