// Package ui is the terminal: it shows a cluster, and turns keys into commands.
//
// It has two halves. The model takes keys and ticks, orders commands, and fills
// in a [Frame]: the state to show, and where the cursor is. What it shows comes
// from a [Source], a cluster that lives or a recording; [timeTravel] says which moment
// of it is shown, now or a past one. The drawing half turns a frame into text.
// Drawing is pure: it reads no clock, keeps nothing from one picture to the next,
// and knows no cluster, only a [trace.State]; so live, rewound and replayed
// pictures are the same code, and a picture can be compared with a file.
//
// A picture is made in this order: [LayoutFor] cuts the screen into rectangles
// from its size and the number of nodes alone; one function per pane paints its
// rectangle on a [Canvas] of cells; the canvas is written out as runs of one
// style, to the terminal, to a file that plays in one, or to a moving picture.
// Colours live in theme.go and glyphs in glyphs.go, nowhere else. All text passes
// [Sanitize] on its way to a cell, so that nothing foreign can steer the terminal.
package ui
