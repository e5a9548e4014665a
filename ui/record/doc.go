// Package record writes recordings. An [Options] renders a trace or a scenario without a
// terminal, as an asciicast or as an SVG; a [Live] records the screen of a running program
// as an asciicast.
//
// A recording is made in three steps. The player reads the events of a history and decides
// at which time of the audience each one happens: speeds, steps and captions come from the
// trace, the idle limit from the user. At each picture it paints the stage, as the screen
// does. A recorder writes the pictures in its format. No step reads a clock, so one history
// and one set of options give the same bytes every time. Live is the exception: its times
// are real.
//
// The package knows how to draw a picture (ui/view) and how to open a trace (ui/source). It
// knows no Bubble Tea: the model hands its pictures to Live.
//
// To add a format, write a recorder in a file like svg.go and add it to formats in
// record.go. TestSameTraceGivesSameBytes then covers it.
package record
