// Package style says what a cell of the screen means and how that looks: tokens such as
// [Dim] or [Warn], the themes that turn them into colours, and the glyphs to draw with.
//
// It is the lowest room of the screen and imports nothing of the project. Everything
// above it names meanings, never colours: a test holds that no colour is written outside
// of palettes.go.
//
// What holds:
//
//   - Every state has a glyph and a word besides its colour. Without colours ([Mono]) and
//     without glyphs ([ASCII]) nothing is lost.
//   - Text has a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3) on the backgrounds that
//     people use, also in 256 and in 16 colours.
//   - Tokens that stand side by side and mean different things differ for colour-blind
//     eyes too, in the theme made for them.
//   - A glyph is one cell wide on every terminal.
//
// To add a theme: two palettes in palettes.go, for dark and light backgrounds, and a line
// in themes (theme.go). palettes_test.go checks them.
//
// To add a glyph: a field of its group in glyphs.go, a character in both [Unicode] and
// [ASCII]. TestGlyphsAreOneCellWide in package pane finds it by reflection.
package style
