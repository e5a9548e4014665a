// Package canvas is a grid of cells to paint on, and text that stays inside them.
//
// A [Canvas] is painted once and not reused: each picture starts with an empty one. It can
// be rendered as lines ([Canvas.Render]), or an [ANSIWriter] writes only the cells that
// changed since the last one. A cell holds one character and a [style.Style]; the theme
// turns that into colours when the canvas is written.
//
// The package knows text, cells and escape sequences. It knows nothing of nodes, panes or
// clusters, and of package trace it uses only the text functions.
//
// What holds:
//
//   - Painting outside of the canvas does nothing, so panes need no clipping of their own.
//   - Text reaches cells through [Canvas.Put], which sanitizes it. [Canvas.Set] is for
//     glyphs, which are trusted.
//   - No text takes more cells than it was given (FuzzTextStaysInItsCells).
//   - Half a wide character never stays on the canvas.
package canvas
