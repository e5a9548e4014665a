package export

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"capsize/cluster/trace"
	"capsize/cluster/trace/spacetime"
)

// The heights of bars, by role.
const (
	leaderHeight    = 18.0
	candidateHeight = 11.0
	followerHeight  = 5.0
)

// roleBars draws the role of each node over time.
func (p *svgWriter) roleBars() {
	for _, b := range p.diagram.bars {
		x, y, w := p.x(b.From), p.laneY[b.node], max(0.8, p.x(b.To)-p.x(b.From))
		colour := termColour(b.Term)
		switch {
		case b.Process == trace.Removed:
		case b.Process == trace.Unreachable:
			p.line(x, y, x+w, y, "#9aa1ab", 1.5, `stroke-dasharray="8 4"`)
		case !b.Process.Running():
			p.line(x, y, x+w, y, "#9aa1ab", 1.5, `stroke-dasharray="2 5"`)
		case b.Process == trace.Paused:
			p.line(x, y, x+w, y, colour, followerHeight, `stroke-dasharray="4 4"`)
		case b.Role == trace.Leader:
			p.rect(x, y-leaderHeight/2, w, leaderHeight, `rx="3" fill="`+colour+`"`)
			p.barLabel(x, y+4.5, w, fmt.Sprintf("leader of term %d", b.Term), fmt.Sprintf("term %d", b.Term))
		case b.Role == trace.Candidate:
			hatch := b.Term % uint64(len(termColours))
			p.rect(x, y-candidateHeight/2, w, candidateHeight, fmt.Sprintf(`fill="url(#hatch%d)" stroke="%s" stroke-width="0.8"`, hatch, colour))
		default:
			p.rect(x, y-followerHeight/2, w, followerHeight, `fill="`+colour+`"`)
		}
	}
}

// barLabel writes the first label that fits into a bar, if one does.
func (p *svgWriter) barLabel(x, y, w float64, labels ...string) {
	for _, label := range labels {
		if textWidth(label, 12.5)+12 <= w {
			p.text(x+7, y, 12.5, `fill="#ffffff" font-weight="700"`, label)
			return
		}
	}
}

// patterns returns the definitions of hatches and arrowheads.
func (p *svgWriter) patterns() string {
	var b strings.Builder
	b.WriteString("<defs>\n")
	for i, colour := range termColours {
		fmt.Fprintf(&b, `<pattern id="hatch%d" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">`+
			`<rect width="6" height="6" fill="#ffffff"/><rect width="2.6" height="6" fill="%s"/></pattern>`+"\n", i, colour)
	}
	for _, style := range arrowStyles {
		fmt.Fprintf(&b, `<marker id="head-%s" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6.5" markerHeight="6.5" `+
			`orient="auto-start-reverse" markerUnits="userSpaceOnUse"><path d="M0 0.8 L8 4 L0 7.2 z" fill="%s"/></marker>`+"\n", style.name, style.colour)
	}
	b.WriteString("</defs>\n")
	return b.String()
}

// arrowStyle is the look of an arrow, and its label in the legend.
type arrowStyle struct{ name, colour, meaning string }

var arrowStyles = []arrowStyle{
	{"vote", "#8e44ad", "vote"},
	{"append", "#2563a8", "append"},
	{"other", "#0f766e", "snapshot, transfer"},
	{"routine", "#a8aeb8", "routine"},
}

// arrowStyleOf returns the style of a message.
func arrowStyleOf(m message) arrowStyle {
	switch m.class {
	case spacetime.Votes:
		return arrowStyles[0]
	case spacetime.Appends, spacetime.AppendReplies:
		return arrowStyles[1]
	case spacetime.Decisive:
		return arrowStyles[2]
	default:
		return arrowStyles[3]
	}
}

// messageArrows draws the messages. A lost one ends halfway, in a cross.
func (p *svgWriter) messageArrows() {
	for _, m := range p.drawn {
		y1, ok1 := p.laneY[m.from]
		y2, ok2 := p.laneY[m.to]
		if !ok1 || !ok2 {
			continue
		}
		x1, x2 := p.x(m.sent), p.x(m.end)
		style := arrowStyleOf(m)
		x1, y1, x2, y2 = shorten(x1, y1, x2, y2, 4, 11)
		width, dashes := 1.5, ""
		if m.reply {
			width = 0.9
		}
		if m.reply && !m.ok {
			dashes = `stroke-dasharray="3 2.5"`
		}
		if m.lost {
			// Short of halfway, where a third node's lane may be.
			x2, y2 = x1+(x2-x1)*0.42, y1+(y2-y1)*0.42
			p.line(x1, y1, x2, y2, style.colour, width*0.75, `stroke-opacity="0.55"`)
			fmt.Fprintf(&p.Buffer, `<path d="M%.1f %.1fl6 6m0 -6l-6 6" stroke="%s" stroke-width="1.3" fill="none"/>`+"\n", x2-3, y2-3, colourBad)
			continue
		}
		p.line(x1, y1, x2, y2, style.colour, width, fmt.Sprintf(`marker-end="url(#head-%s)" %s`, style.name, dashes))
	}
}

// shorten cuts off both ends of a line, unless it is too short.
func shorten(x1, y1, x2, y2, start, end float64) (float64, float64, float64, float64) {
	length := math.Hypot(x2-x1, y2-y1)
	if length <= start+end {
		return x1, y1, x2, y2
	}
	dx, dy := (x2-x1)/length, (y2-y1)/length
	return x1 + dx*start, y1 + dy*start, x2 - dx*end, y2 - dy*end
}

const (
	// boxSide is the side of an entry's box, in pixels.
	boxSide = 15.0
	// boxesMax is the largest number of boxes drawn for one append.
	boxesMax = 3
)

// appendBoxes draws entries above the lane, where they are appended, and crossed out where
// they are truncated.
func (p *svgWriter) appendBoxes() {
	if p.lanePitch < 40 {
		return // they would cover the lane above
	}
	ends := map[string]float64{}
	for _, b := range p.diagram.appends {
		y, ok := p.laneY[b.node]
		if !ok {
			continue
		}
		shown := b.terms[max(0, len(b.terms)-boxesMax):]
		x := max(min(p.x(b.at)-boxSide/2, pageWidth-float64(len(shown))*(boxSide+1)), ends[b.node])
		if x > p.x(b.at)+2*boxSide || x+float64(len(shown))*(boxSide+1) > pageWidth {
			continue // too crowded; the logs below show these entries
		}
		y -= leaderHeight/2 + boxSide + 3
		for _, term := range shown {
			p.entryBox(x, y, boxSide, term, !b.truncated)
			if b.truncated {
				p.line(x-2, y+boxSide+2, x+boxSide+2, y-2, colourBad, 2, "")
			}
			x += boxSide + 1
		}
		ends[b.node] = x + 2
	}
}

// entryBox draws one entry, with its term as the number.
func (p *svgWriter) entryBox(x, y, side float64, term uint64, filled bool) {
	colour := termColour(term)
	fill, text := "#ffffff", colour
	if filled {
		fill, text = colour, "#ffffff"
	}
	p.rect(x, y, side, side, fmt.Sprintf(`rx="2" fill="%s" stroke="%s" stroke-width="1.2"`, fill, colour))
	p.text(x+side/2, y+side*0.77, side*0.72, `text-anchor="middle" font-weight="700" fill="`+text+`"`, fmt.Sprint(term))
}

// marks draws the marks on lanes, with their texts below.
func (p *svgWriter) marks() {
	ends := map[string]float64{}
	for _, m := range p.diagram.marks {
		y, ok := p.laneY[m.node]
		if !ok {
			continue
		}
		x, colour := p.x(m.at), inkSoft
		if m.bad {
			colour = colourBad
		}
		p.markGlyph(x, y, m, colour)
		size, under := 12.0, leaderHeight/2+14
		if p.lanePitch < 40 {
			size, under = 10, 11
		}
		if x < ends[m.node] {
			continue
		}
		start := min(x-6, laneRight-textWidth(m.text, size))
		p.text(start, y+under, size, `stroke="#ffffff" stroke-width="3" paint-order="stroke" fill="`+colour+`"`, m.text)
		ends[m.node] = start + textWidth(m.text, size) + 8
	}
}

// markGlyph draws a mark: a cross where the process dies, a diamond for another fault, a
// ring for the rest.
func (p *svgWriter) markGlyph(x, y float64, m mark, colour string) {
	switch {
	case m.death:
		fmt.Fprintf(&p.Buffer, `<path d="M%.1f %.1fl12 12m0 -12l-12 12" stroke="%s" stroke-width="3" fill="none"/>`+"\n", x-6, y-6, colour)
	case m.bad:
		fmt.Fprintf(&p.Buffer, `<path d="M%.1f %.1fl6.5 6.5l-6.5 6.5l-6.5 -6.5z" fill="%s" stroke="#ffffff"/>`+"\n", x, y-6.5, colour)
	default:
		fmt.Fprintf(&p.Buffer, `<circle cx="%.1f" cy="%.1f" r="4.5" fill="#ffffff" stroke="%s" stroke-width="2"/>`+"\n", x, y, colour)
	}
}

// rowsMax is the largest number of rows for verdicts, and for operations.
const rowsMax = 8

// rowPacker places things in rows, in order, each in the first row with room. It holds
// the right end of each row.
type rowPacker []float64

// take returns the row that has room from left to right, -1 if none has.
func (r *rowPacker) take(left, right float64) int {
	row := slices.IndexFunc(*r, func(end float64) bool { return end <= left })
	if row < 0 {
		if len(*r) == rowsMax {
			return -1
		}
		row = len(*r)
		*r = append(*r, 0)
	}
	(*r)[row] = right
	return row
}

// rowHeight is the height of a row, in pixels.
const rowHeight = 20.0

// verdicts draws violations as lines through all lanes, with their names below, and
// returns where the names end.
func (p *svgWriter) verdicts(top float64) float64 {
	var taken rowPacker
	var names []func()
	for _, m := range p.diagram.marks {
		if m.node != "" {
			continue
		}
		x := p.x(m.at)
		left := max(laneLeft, min(x, laneRight-textWidth(m.text, 12.5)))
		row := taken.take(left, left+textWidth(m.text, 12.5)+16)
		if row < 0 {
			continue
		}
		y := top + float64(row)*rowHeight
		p.line(x, 124, x, y+21, colourBad, 1.5, "")
		names = append(names, func() {
			p.text(left+5, y+19, 12.5, `font-weight="700" stroke="#ffffff" stroke-width="3" paint-order="stroke" fill="`+colourBad+`"`, m.text)
		})
	}
	for _, name := range names { // after the lines, so none crosses a name
		name()
	}
	return p.rowsEnd(top, "checks", taken)
}

// operations draws the clients' operations from call to return, and returns where their
// rows end.
func (p *svgWriter) operations(top float64) float64 {
	var taken rowPacker
	for _, op := range p.diagram.ops {
		x, label := p.x(op.Invoked), opLabel(op)
		w := max(3, p.x(op.Returned)-x)
		row := taken.take(x, x+w+textWidth(label, 11.5)+14)
		if row < 0 {
			continue
		}
		colour := map[trace.Outcome]string{trace.OK: colourGood, trace.Failed: colourBad, trace.Unknown: colourUnknown}[op.Outcome]
		y := top + 10 + float64(row)*rowHeight
		p.rect(x, y, w, 9, `rx="4.5" fill="`+colour+`"`)
		p.text(x+w+5, y+9, 11.5, `fill="`+colour+`"`, label)
	}
	return p.rowsEnd(top, "clients", taken)
}

// rowsEnd writes the name of a group of rows, and returns where they end.
func (p *svgWriter) rowsEnd(top float64, name string, taken rowPacker) float64 {
	if len(taken) == 0 {
		return top
	}
	p.text(laneLeft-16, top+20, 14, `text-anchor="end" fill="`+inkSoft+`"`, name)
	return top + 14 + float64(len(taken))*rowHeight
}

// opLabel returns an operation and its result: "+2: 14", "read: unknown".
func opLabel(op trace.Op) string {
	what := "read"
	if op.Kind == trace.EntryAdd {
		what = fmt.Sprintf("%+d", op.Delta)
	}
	if op.Outcome == trace.OK {
		return fmt.Sprintf("%s: %d", what, op.Value)
	}
	return what + ": " + trace.Sanitize(string(op.Outcome))
}
