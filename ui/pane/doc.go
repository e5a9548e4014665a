// Package pane draws the parts of the screen: the header, the ring and its packets, the
// node table and cards, the logs, the timeline, the story, captions, alarms and overlays.
//
// Everything is drawn from a [Frame], which holds the state of the cluster (package trace)
// and what the user has chosen. A [Painter] is one frame being drawn on one canvas. It also
// collects what a click means ([HitBox]).
//
// Drawing is pure: the same frame gives the same picture. A pane reads no clock, keeps
// nothing from one picture to the next, and knows no cluster, no model and no terminal
// library. That is why live, rewound, replayed and recorded pictures are the same code, and
// why motion is computed from the state and its time alone ([Frame.Move]).
//
// The order: [LayoutFor] turns a size and a number of nodes into rectangles; package view
// picks the panes of a view and draws each into its rectangle; [Painter.Overlays] comes last
// and covers them.
//
// Text is sanitized by [canvas.Canvas.Put]. Only code that measures foreign text first has
// to call [canvas.Sanitize].
//
// To add a pane: a rectangle in [Layout] and its place in LayoutFor (layout.go), a file with
// a Painter method that draws into a rectangle and returns at once if that is empty, a call
// from a view in package view, and the names in layout_test.go, which checks that panes stay
// on the screen and do not overlap. New goldens: go test ./ui/view -update.
package pane
