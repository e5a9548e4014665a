package export

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/trace"
)

const (
	// logTailMax is the largest number of entries shown of a log.
	logTailMax = 7
	// panelsMax is the largest number of captions shown with their logs.
	panelsMax = 24
	// panelWidth is the width of a panel, in pixels.
	panelWidth = 370.0
)

// captionLines draws a numbered line through all lanes for each caption.
func (p *svgWriter) captionLines() {
	number, taken := 0, 0.0
	for _, c := range p.diagram.captions {
		if c.chapter {
			continue
		}
		number++
		x := p.x(c.at)
		p.line(x, 98, x, p.below, inkSoft, 1, `stroke-dasharray="1 4"`)
		beside := max(x, taken)
		p.badge(beside, 92, number)
		taken = beside + 20
	}
}

// badge draws the number of a caption.
func (p *svgWriter) badge(x, y float64, number int) {
	fmt.Fprintf(&p.Buffer, `<circle cx="%.1f" cy="%.1f" r="9.5" fill="%s"/>`+"\n", x, y, ink)
	p.text(x, y+4.3, 12, `text-anchor="middle" font-weight="700" fill="#ffffff"`, fmt.Sprint(number))
}

// panels draws the captions, each with the logs at its end, in rows of four. It returns
// where they end.
func (p *svgWriter) panels(top float64) float64 {
	const perRow = 4
	number, column, tallest := 0, 0, 0.0
	for i, c := range p.diagram.captions {
		if c.chapter && (i+1 == len(p.diagram.captions) || p.diagram.captions[i+1].chapter) {
			continue // an empty chapter
		}
		if c.chapter || column == perRow {
			top, column, tallest = top+tallest, 0, 0
		}
		if c.chapter {
			p.text(40, top+22, 18, `font-weight="700"`, c.text)
			top += 36
			continue
		}
		if number++; number > panelsMax {
			p.text(40, top+18, 13, `fill="`+inkSoft+`"`, fmt.Sprintf("and %d more", countCaptions(p.diagram.captions[i:])))
			return top + 30
		}
		tallest = max(tallest, p.panel(40+float64(column)*(panelWidth+14), top, number, c))
		column++
	}
	return top + tallest
}

// countCaptions counts the captions that are not chapters.
func countCaptions(captions []caption) (n int) {
	for _, one := range captions {
		if !one.chapter {
			n++
		}
	}
	return n
}

// panel draws one caption and returns its height.
func (p *svgWriter) panel(x, y float64, number int, c caption) float64 {
	p.badge(x+10, y+10, number)
	height := 6.0
	for _, row := range wrap(c.text, 52, 4) {
		height += 17
		p.text(x+28, y+height-2, 13, "", row)
	}
	height = max(height, 6+17*3) + 10
	return height + p.logTails(x+28, y+height, c) + 26
}

// logTails draws the logs below one another, with a column for each index, as in Figure 8
// of the Raft paper. It returns their height.
func (p *svgWriter) logTails(x, y float64, c caption) float64 {
	const side, height, logsMax = 17.0, 21.0, 9
	var last uint64
	for _, tail := range c.tails {
		last = max(last, tail.first+uint64(len(tail.terms))-1)
	}
	if last == 0 {
		return 0
	}
	first := max(last, logTailMax) - logTailMax + 1
	place := func(index uint64) float64 { return x + 36 + float64(index-first)*(side+4) }
	for index := first; index <= last; index++ {
		p.text(place(index)+side/2, y+8, 10.5, `text-anchor="middle" fill="`+inkSoft+`"`, fmt.Sprint(index))
	}
	for i, tail := range c.tails {
		if i == logsMax {
			p.text(x, y+26+float64(i)*height, 11, `fill="`+inkSoft+`"`, fmt.Sprintf("and %d more nodes", len(c.tails)-i))
			return 26 + float64(i+1)*height
		}
		row := y + 14 + float64(i)*height
		p.logTail(x, row, side, first, tail, c.leader == tail.node, place)
	}
	return 14 + float64(len(c.tails))*height
}

// logTail draws the log of one node. Place returns where the box of an index is.
func (p *svgWriter) logTail(x, y, side float64, first uint64, tail logTail, led bool, place func(uint64) float64) {
	weight, colour, suffix := "400", ink, ""
	if led {
		weight, suffix = "700", " ★"
	}
	switch {
	case tail.process.Down():
		colour, suffix = inkSoft, " ✗"
	case tail.process == trace.Unreachable:
		colour, suffix = inkSoft, " ?"
	}
	p.text(x, y+13, 13, fmt.Sprintf(`font-weight="%s" fill="%s"`, weight, colour), trace.Sanitize(tail.node)+suffix)
	if led {
		end := max(first, tail.first+uint64(len(tail.terms))-1)
		p.rect(place(first)-3, y-2, place(end)-place(first)+side+6, side+4, `rx="3" fill="none" stroke="`+ink+`" stroke-width="1.8"`)
	}
	for i, term := range tail.terms {
		if index := tail.first + uint64(i); index >= first {
			p.entryBox(place(index), y, side, term, tail.committed[i])
		}
	}
	if tail.snapshot >= first && len(tail.terms) == 0 || tail.snapshot < tail.first && tail.first > first {
		p.text(place(first), y+13, 11, `fill="`+inkSoft+`"`, fmt.Sprintf("snapshot to %d", tail.snapshot))
	}
}

// legend explains the symbols.
func (p *svgWriter) legend(y float64) {
	p.line(40, y, laneRight, y, inkFaint, 1, "")
	x, y := 40.0, y+28
	colour := termColour(1)
	item := func(width float64, label string) {
		p.text(x+width+7, y+4.5, 13, `fill="`+inkSoft+`"`, label)
		x += width + 7 + textWidth(label, 13) + 22
	}
	p.rect(x, y-leaderHeight/2, 34, leaderHeight, `rx="3" fill="`+colour+`"`)
	item(34, "leader")
	p.rect(x, y-candidateHeight/2, 34, candidateHeight, `fill="url(#hatch1)" stroke="`+colour+`" stroke-width="0.8"`)
	item(34, "candidate")
	p.rect(x, y-followerHeight/2, 34, followerHeight, `fill="`+colour+`"`)
	item(34, "follower")
	p.line(x, y, x+34, y, "#9aa1ab", 1.5, `stroke-dasharray="2 5"`)
	item(34, "down")
	p.entryBox(x, y-8, 16, 3, true)
	item(16, "entry of term 3")
	p.entryBox(x, y-8, 16, 3, false)
	item(16, "uncommitted")
	for _, style := range arrowStyles {
		if !slices.ContainsFunc(p.drawn, func(m message) bool { return arrowStyleOf(m) == style }) {
			continue
		}
		p.line(x, y, x+30, y, style.colour, 1.5, `marker-end="url(#head-`+style.name+`)"`)
		item(30, style.meaning)
	}
	p.line(x, y, x+14, y, inkSoft, 1.2, "")
	fmt.Fprintf(&p.Buffer, `<path d="M%.1f %.1fl6 6m0 -6l-6 6" stroke="%s" stroke-width="1.3" fill="none"/>`+"\n", x+14, y-3, colourBad)
	item(22, "lost")
}

// wrap breaks a text into at most linesMax lines of at most width characters, and cuts off
// the rest.
func wrap(s string, width, linesMax int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	for i, l := range lines {
		if runes := []rune(l); len(runes) > width {
			lines[i] = string(runes[:width-1]) + "…"
		}
	}
	if len(lines) > linesMax {
		lines = lines[:linesMax]
		lines[linesMax-1] += " …"
	}
	return lines
}
