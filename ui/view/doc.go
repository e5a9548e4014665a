// Package view holds the seven views: stage, log, time, links, clients, node and hand. A
// [View] fills the screen below the header. It arranges panes of package pane and draws what no
// other view needs itself; it owns its cursor, its zoom level and its keys.
//
// A view knows the frame that it draws and, through [Screen], the program around it: the
// state and the history shown, where commands go, where messages appear. It knows neither
// the Bubble Tea model nor a cluster. What a key breaks or orders is a line of the command
// language, handed to Screen.Submit.
//
// A [Comparison] of two branches takes the place of a view while it is open; the model hands it
// its keys.
//
// [Paint] draws a picture in this order: the header, the view, then whatever lies over
// it. Drawing is pure: Draw reads the frame and the view's own fields, changes neither,
// and reads no clock. Keys, Reset and the methods that move a cursor run in the model's
// Update and return at once.
//
// To add a view, write a file like log.go and add the view to New in view.go. Every test
// of all views then covers it; go test ./ui/view -update writes its pictures for
// TestViewsMatchGolden. If it has keys, add their rows to the README's table, as
// TestTheReadmeListsTheKeys asks.
package view
