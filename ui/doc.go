// Package ui is the interactive screen: it shows a cluster or a recording, and turns
// keys into commands. It is a Bubble Tea program; its model holds what the user has
// chosen, in small structs by subject, and routes each message to the file that
// handles it.
//
// The rooms below it, from the bottom up:
//
//   - style: what a cell means (dim, warning, term 3) and how a theme draws it; glyphs
//   - canvas: a grid of cells, text that fits it, and its ANSI output
//   - pane: the parts of the screen, each a pure function of a [pane.Frame]
//   - keymap: keys, their help, and how users rebind them
//   - view: the views that tab goes through; each owns its keys, cursor and drawing
//   - course: the lessons, what the user has done of them, and their menu
//   - source: the cluster or the recording that is shown
//   - queue: commands on their way to the cluster
//   - present, undo: what a presenter and the undo keys need besides
//   - terminal: output that never blocks the program, and job control
//   - record: recordings of the screen, live or rendered without a terminal
//   - plain: the same as lines of text
//   - cli: the command line, above ui; uitest: sample clusters for tests
//
// One key press: [model.Update] hands it to an overlay or to its binding; the binding
// submits a command, which is parsed, queued and run on the cluster's goroutines; its
// result arrives with a later frame. One event: the cluster adds it to its trace;
// thirty times a second the model copies the state, fills a frame and lets the view
// paint it. Update and View never wait for the cluster.
//
// Drawing is pure: it reads no clock, keeps nothing from one picture to the next, and
// knows no cluster. Live, rewound, replayed and recorded pictures are the same code.
package ui
