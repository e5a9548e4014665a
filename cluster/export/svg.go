package export

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"capsize/cluster/trace"
)

// Sizes of the page, in pixels.
const (
	pageWidth  = 1600.0
	laneLeft   = 120.0 // where the time axis begins
	laneRight  = pageWidth - 40
	headHeight = 158.0 // the title, the time axis and the network, above the lanes
)

// Colours, for a white page.
const (
	ink           = "#1b1f24"
	inkSoft       = "#6b7280"
	inkFaint      = "#d4d8de"
	colourGood    = "#1a7f37"
	colourBad     = "#c62828"
	colourUnknown = "#b45309"
)

// termColours are the colours of terms, used in turn. Neighbours differ in lightness, for
// readers who cannot tell the hues apart, and white text is readable on each.
var termColours = []string{"#1f5fae", "#b3541e", "#1b7f5c", "#8a3ba8", "#7a6a00", "#b0305c", "#2b7a99", "#5a5f69"}

func termColour(term uint64) string { return termColours[term%uint64(len(termColours))] }

// svgWriter draws a diagram.
type svgWriter struct {
	bytes.Buffer
	diagram   *diagram
	scale     scale
	laneY     map[string]float64 // the middle of each node's lane
	lanePitch float64            // from one lane to the next
	below     float64            // where the lanes end
	leftOut   string             // names the messages left out
	drawn     []message
}

// SVG writes a space-time diagram. Each node has a lane, on which time runs from left to
// right: a bar shows its role, in the colour of the term, arrows show messages, and boxes
// with term numbers show the entries it appends. Faults and clients' operations are in rows
// of their own. Captions are numbered; the panels below the lanes show each caption with
// the logs at its end, as in Figure 8 of the Raft paper. Idle time is compressed.
func SVG(w io.Writer, from Source, span Span) error {
	s, err := buildDiagram(from, span)
	if err != nil {
		return err
	}
	p := &svgWriter{diagram: s, laneY: map[string]float64{}}
	p.drawn, p.leftOut = s.messages.choose()
	p.place()
	p.head()
	p.outages()
	p.captionLines()
	p.nodeNames()
	p.roleBars()
	p.messageArrows()
	p.appendBoxes()
	p.marks()
	p.below = p.verdicts(p.below)
	p.below = p.operations(p.below)
	p.below = p.panels(p.below + 24)
	p.legend(p.below + 8)
	height := p.below + 64
	_, err = fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" `+
		`font-family="Helvetica, Arial, sans-serif" fill="%s">
<title>%s</title>
<rect width="100%%" height="100%%" fill="#ffffff"/>
%s%s</svg>
`, pageWidth, height, pageWidth, height, ink, escape(p.title()), p.patterns(), p.Bytes())
	return err
}

// place sets the lanes and the time axis.
func (p *svgWriter) place() {
	s := p.diagram
	p.lanePitch = min(86, max(24, 560/float64(max(1, len(s.nodes)))))
	for i, id := range s.nodes {
		p.laneY[id] = headHeight + (float64(i)+0.55)*p.lanePitch
	}
	p.below = headHeight + (float64(len(s.nodes))+0.2)*p.lanePitch
	times := []time.Duration{s.span.From, s.span.To}
	for _, b := range s.bars {
		times = append(times, b.From, b.To)
	}
	for _, m := range p.drawn {
		times = append(times, m.sent, m.end)
	}
	for _, b := range s.appends {
		times = append(times, b.at)
	}
	for _, m := range s.marks {
		times = append(times, m.at)
	}
	for _, n := range s.captions {
		times = append(times, n.at)
	}
	for _, op := range s.ops {
		times = append(times, op.Invoked, op.Returned)
	}
	for i, t := range times {
		times[i] = min(max(t, s.span.From), s.span.To)
	}
	p.scale = newScale(times, laneLeft, laneRight)
}

// x returns the horizontal place of a moment.
func (p *svgWriter) x(t time.Duration) float64 { return p.scale.x(t) }

// title returns the title: how many nodes, and which span.
func (p *svgWriter) title() string {
	s := p.diagram
	nodes := fmt.Sprintf("%d nodes", len(s.nodes))
	if len(s.nodes) == 1 {
		nodes = "one node"
	}
	return fmt.Sprintf("%s, from %s to %s", nodes, tickLabel(s.span.From), tickLabel(s.span.To))
}

// head draws the title and the time axis.
func (p *svgWriter) head() {
	p.text(40, 44, 26, `font-weight="700"`, p.title())
	subtitle := fmt.Sprintf("hashicorp/raft · seed %d · idle time is compressed", p.diagram.settings.Seed)
	if p.leftOut != "" {
		subtitle += " · left out: " + p.leftOut
	}
	p.text(40, 68, 14, `fill="`+inkSoft+`"`, subtitle)
	for _, t := range p.scale.ticks(64) {
		x := p.x(t)
		p.line(x, 124, x, p.below, inkFaint, 0.7, "")
		p.text(x, 119, 12, `text-anchor="middle" fill="`+inkSoft+`"`, tickLabel(t))
	}
}

// tickLabel formats a moment to the millisecond, without trailing zeros.
func tickLabel(t time.Duration) string {
	if t < time.Minute {
		return fmt.Sprintf("%gs", float64(t.Milliseconds())/1000)
	}
	label := fmt.Sprintf("%d:%06.3f", t/time.Minute, float64((t%time.Minute).Milliseconds())/1000)
	return strings.TrimSuffix(strings.TrimRight(label, "0"), ".")
}

// outages draws when links had faults, and how many.
func (p *svgWriter) outages() {
	for _, t := range p.diagram.outages {
		from, to := p.x(t.from), p.x(t.to)
		colour, label := colourUnknown, fmt.Sprintf("%d links faulty", t.links)
		if t.cut {
			colour, label = colourBad, fmt.Sprintf("%d links cut", t.links)
		}
		p.rect(from, 130, max(2, to-from), 15, `rx="3" fill="`+colour+`" fill-opacity="0.16"`)
		if textWidth(label, 11)+10 < to-from {
			p.text(from+6, 141.5, 11, `fill="`+colour+`"`, label)
		}
	}
	if len(p.diagram.outages) > 0 {
		p.text(laneLeft-16, 142, 14, `text-anchor="end" fill="`+inkSoft+`"`, "network")
	}
}

// nodeNames writes the names of the nodes left of their lanes.
func (p *svgWriter) nodeNames() {
	for _, id := range p.diagram.nodes {
		p.text(laneLeft-16, p.laneY[id]+6, 18, `text-anchor="end" font-weight="700"`, trace.Sanitize(id))
	}
}

// escape returns untrusted text for use in XML.
func escape(s string) string { return html.EscapeString(trace.Sanitize(s)) }

func (p *svgWriter) text(x, y, size float64, attributes, s string) {
	fmt.Fprintf(&p.Buffer, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.3g\" %s>%s</text>\n", x, y, size, attributes, escape(s))
}

func (p *svgWriter) line(x1, y1, x2, y2 float64, colour string, width float64, attributes string) {
	fmt.Fprintf(&p.Buffer, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%g" %s/>`+"\n",
		x1, y1, x2, y2, colour, width, attributes)
}

func (p *svgWriter) rect(x, y, w, h float64, attributes string) {
	fmt.Fprintf(&p.Buffer, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" %s/>\n", x, y, w, h, attributes)
}

// textWidth estimates the width of a text in pixels: the viewer chooses the font.
func textWidth(s string, size float64) float64 {
	return float64(utf8.RuneCountInString(s)) * size * 0.56
}
