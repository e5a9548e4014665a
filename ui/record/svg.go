package record

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"capsize/ui/canvas"
	"capsize/ui/style"
)

// svgAnimation writes pictures as one SVG: an animation of them all, which browsers play
// without a script, or a still. The SVG consists of pieces of text, each of which is
// visible for some spans of time.
type svgAnimation struct {
	out   io.Writer
	title string
	at    time.Duration // of the still, negative for an animation

	theme  *style.Theme
	last   *canvas.Canvas            // the last picture
	pieces map[piece][]time.Duration // when each appears, disappears, appears again, …
}

// piece is a run of cells of one style in one row.
type piece struct {
	x, y, w int
	style   style.Style
	text    string
}

// The size of a cell, in pixels, and of the font in it.
const (
	svgCellW, svgCellH = 8.4, 18
	svgFont            = 14
	svgMargin          = 14
	svgBaseline        = 13.5
)

// picture takes a picture: only the rows that changed since the last one.
func (s *svgAnimation) picture(at time.Duration, c *canvas.Canvas, t *style.Theme) error {
	if s.pieces == nil {
		s.pieces, s.theme = map[piece][]time.Duration{}, t
	}
	if s.at >= 0 {
		s.last = c
		if at < s.at {
			return nil
		}
		s.toggle(0, nil, s.piecesOf(c, 0, c.H))
		return cmp.Or(s.write(0), errDone)
	}
	for y := range c.H {
		var was []piece
		if s.last != nil {
			if slices.EqualFunc(s.last.Cells[y*c.W:(y+1)*c.W], c.Cells[y*c.W:(y+1)*c.W], func(a, b canvas.Cell) bool { return canvas.SameCell(t, a, b) }) {
				continue
			}
			was = s.piecesOf(s.last, y, y+1)
		}
		s.toggle(at, was, s.piecesOf(c, y, y+1))
	}
	s.last = c
	return nil
}

// toggle records which pieces appear and which disappear at a time.
func (s *svgAnimation) toggle(at time.Duration, was, now []piece) {
	for _, p := range now {
		if !slices.Contains(was, p) {
			s.pieces[p] = append(s.pieces[p], at)
		}
	}
	for _, p := range was {
		if !slices.Contains(now, p) {
			s.pieces[p] = append(s.pieces[p], at)
		}
	}
}

// mark does nothing: an SVG has no markers.
func (s *svgAnimation) mark(time.Duration, string) error { return nil }

// end writes the animation, or reports that the recording was too short for the still.
func (s *svgAnimation) end(at time.Duration) error {
	if s.at >= 0 {
		return fmt.Errorf("--at %s: the recording lasts only %s", s.at, at.Round(time.Millisecond))
	}
	return s.write(at)
}

// piecesOf splits rows of a canvas into pieces: words of one style, and block characters.
// A piece is stretched to its width, so wide characters, whose width depends on the font,
// get pieces of their own.
func (s *svgAnimation) piecesOf(c *canvas.Canvas, fromY, toY int) []piece {
	var all []piece
	for y := fromY; y < toY; y++ {
		row := c.Cells[y*c.W : (y+1)*c.W]
		first, blanks, wasWide := len(all), 0, false // first: of this row; blanks: since the last piece
		for x, at := range row {
			last := len(all) - 1
			wide := at.Text == canvas.Tail || x+1 < len(row) && row[x+1].Text == canvas.Tail
			switch {
			case at.Text == canvas.Tail && last >= first:
				all[last].w = x + 1 - all[last].x
			case canvas.IsBlank(s.theme, at):
				blanks++
				continue
			case last >= first && blanks <= 1 && wide == wasWide && (blanks == 0 || !wide) && all[last].style == at.Style && isBlock(all[last].text) == isBlock(at.Text):
				all[last].text += strings.Repeat(" ", blanks) + cmp.Or(at.Text, " ")
				all[last].w = x + 1 - all[last].x
			default:
				all = append(all, piece{x: x, y: y, w: 1, style: at.Style, text: cmp.Or(at.Text, " ")})
			}
			blanks, wasWide = 0, wide
		}
	}
	return all
}

// blocks maps the characters that fill a part of their cell to that part: left, top,
// width and height in eighths of the cell. They are drawn as paths, because fonts leave
// gaps between them.
var blocks = map[rune][4]int{
	'█': {0, 0, 8, 8}, '▀': {0, 0, 8, 4}, '▄': {0, 4, 8, 4}, '▌': {0, 0, 4, 8}, '▐': {4, 0, 4, 8},
	'▁': {0, 7, 8, 1}, '▂': {0, 6, 8, 2}, '▃': {0, 5, 8, 3}, '▅': {0, 3, 8, 5}, '▆': {0, 2, 8, 6}, '▇': {0, 1, 8, 7},
}

func isBlock(text string) bool {
	for _, r := range text {
		_, ok := blocks[r]
		return ok
	}
	return false
}

// write writes the SVG; lasts is the length of the animation.
func (s *svgAnimation) write(lasts time.Duration) error {
	var b strings.Builder
	w, h := float64(s.last.W)*svgCellW+2*svgMargin, s.last.H*svgCellH+2*svgMargin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" width="%.0f" height="%d" role="img">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, "<title>%s</title>\n", escape(canvas.Sanitize(s.title)))
	fmt.Fprintf(&b, `<style>text{font:%dpx ui-monospace,"JetBrains Mono","SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}path{shape-rendering:crispEdges}`, svgFont)
	b.WriteString("text.b{font-weight:bold}text.u{text-decoration:underline}text.s{text-decoration:line-through}</style>\n")
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", s.theme.Background)
	// Pieces that are visible at the same times share a group and its timing.
	together := map[string][]piece{}
	for p, times := range s.pieces {
		together[s.timing(times, lasts)] = append(together[s.timing(times, lasts)], p)
	}
	for _, timing := range slices.Sorted(maps.Keys(together)) {
		b.WriteString("<g>" + timing)
		slices.SortFunc(together[timing], func(a, c piece) int {
			return cmp.Or(a.y-c.y, a.x-c.x, int(a.style)-int(c.style), strings.Compare(a.text, c.text))
		})
		for _, p := range together[timing] {
			s.draw(&b, p)
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(s.out, b.String())
	return err
}

// timing returns the element that shows and hides a piece, "" if it is always visible.
func (s *svgAnimation) timing(times []time.Duration, lasts time.Duration) string {
	if len(times) == 1 && times[0] == 0 {
		return ""
	}
	values, keys := "1", "0" // visible from the start
	if times[0] > 0 {
		values = "0"
	}
	for i, at := range times {
		if at == 0 || at >= lasts {
			continue
		}
		values += fmt.Sprintf(";%d", (i+1)%2)
		keys += ";" + strings.TrimPrefix(fmt.Sprintf("%.4f", float64(at)/float64(lasts)), "0")
	}
	return fmt.Sprintf(`<animate attributeName="opacity" dur="%.3fs" repeatCount="indefinite" calcMode="discrete" values="%s" keyTimes="%s"/>`,
		lasts.Seconds(), values, keys)
}

// draw writes a piece.
func (s *svgAnimation) draw(b *strings.Builder, p piece) {
	x, y := svgMargin+float64(p.x)*svgCellW, svgMargin+p.y*svgCellH
	colour := s.theme.Colours[p.style&0xff]
	if p.style&style.Reverse != 0 {
		colour = style.Colour{Text: cmp.Or(colour.Background, s.theme.Background), Background: colour.Text}
	}
	if colour.Background != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`, x, y, float64(p.w)*svgCellW, svgCellH, colour.Background)
	}
	if strings.TrimSpace(p.text) == "" {
		return
	}
	if isBlock(p.text) {
		fmt.Fprintf(b, `<path fill="%s" d="`, colour.Text)
		at := x
		for _, r := range p.text {
			if part, ok := blocks[r]; ok {
				fmt.Fprintf(b, "M%.1f %.1fh%.1fv%.1fh-%.1fz", at+float64(part[0])*svgCellW/8, float64(y)+float64(part[1])*svgCellH/8,
					float64(part[2])*svgCellW/8, float64(part[3])*svgCellH/8, float64(part[2])*svgCellW/8)
			}
			at += svgCellW
		}
		b.WriteString(`"/>`)
		return
	}
	class := ""
	for _, a := range []struct {
		bit  style.Style
		name string
	}{{style.Bold, "b"}, {style.Underline, "u"}, {style.Strike, "s"}} {
		if p.style&a.bit != 0 {
			class = strings.TrimSpace(class + " " + a.name)
		}
	}
	if class != "" {
		class = fmt.Sprintf(` class="%s"`, class)
	}
	length := ""
	if p.w > 3 { // the width of text depends on the font
		length = fmt.Sprintf(` textLength="%.1f" lengthAdjust="spacingAndGlyphs"`, float64(p.w)*svgCellW)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" fill="%s"%s%s>%s</text>`, x, float64(y)+svgBaseline, colour.Text, class, length, escape(p.text))
}

// escape escapes text for XML.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder never fails
	return b.String()
}
