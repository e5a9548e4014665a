package ui

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// captionLines is how many lines a caption has at most.
const captionLines = 2

// bandHeight is how high the band at the bottom is on which captions stand: the
// name of the part, the caption, and a line for whoever presents.
const bandHeight = 1 + captionLines + 1

// band makes room for captions at the bottom of the screen, below all that they
// may speak of, and returns it; it is empty where nothing is presented. The keys
// and the last command give way to it.
func (p *painter) band(l *layout) canvas.Rectangle {
	if !p.hasBand() {
		if p.presents {
			l.hints = canvas.Rectangle{}
		}
		return canvas.Rectangle{}
	}
	band := canvas.Rect(0, p.height-bandHeight, p.width, bandHeight)
	l.story.H = min(l.story.H, max(band.Y-l.story.Y, 0))
	l.hints = canvas.Rectangle{}
	l.status = canvas.Rect(4, p.height-1, p.width-6, 1)
	if p.toast.text == "" && p.prompt == nil {
		l.status = canvas.Rectangle{Y: band.Y}
	}
	return band
}

// hasBand says whether there is a band: where there is something to stand on it.
func (p *painter) hasBand() bool {
	return p.presents && (p.heading != "" || p.state.Chapter != "" || p.state.Caption != "")
}

// isSaid says whether a text is the caption that stands on the screen.
func (p *painter) isSaid(text string) bool {
	return text == p.state.Caption && (p.presents || p.now-p.state.CaptionAt < p.stretch(2*readingTime(text)))
}

// caption draws what a scenario says: on the band or, where nothing is presented,
// over the story as long as it takes to read it.
func (p *painter) caption(story, band canvas.Rectangle) {
	text := p.state.CaptionIn.In(p.language, p.state.Caption)
	if band.Empty() {
		if !p.presents && text != "" && p.isSaid(p.state.Caption) && !story.Empty() {
			lines := p.captionIn(text, story.W-4)
			lines = lines[:min(len(lines), story.H)]
			for i, line := range lines {
				y := story.Y + story.H - len(lines) + i
				p.Fill(canvas.Rect(story.X, y, story.W, 1), " ", style.Text)
				p.Put(story.X+2, y, story.W-4, line, style.Text|style.Bold)
			}
		}
		return
	}
	p.Fill(band, " ", style.Caption)
	w := band.W - 8
	if p.showKeys {
		w -= keycapRoom
	}
	if !p.outcry(canvas.Rect(band.X, band.Y, band.W, 1), w) {
		chapter := p.state.ChapterIn.In(p.language, p.state.Chapter)
		if chapter == "" {
			chapter = p.heading
		}
		p.Put(band.X+4, band.Y, w, chapter, style.Chapter)
	}
	for i, line := range p.captionIn(text, w) {
		p.Set(band.X+2, band.Y+1+i, p.glyphs.Cursor, style.Chapter)
		p.Put(band.X+4, band.Y+1+i, w, line, style.Caption|style.Bold)
	}
	if p.waiting {
		text := strings.TrimSpace(canvas.Sanitize(p.step) + "  " + p.glyphs.Play + " n")
		p.PutRight(band.X+band.W-2, band.Y+band.H-1, band.W/2, text, style.Chapter)
	}
}

// outcry says in a loud line, in at most w cells, which checks have come to be
// violated since the caption stands there, and reports whether any has.
func (p *painter) outcry(r canvas.Rectangle, w int) bool {
	broken := slices.DeleteFunc(violated(worseOf(p.state.Checks, p.hidden)), func(c trace.Check) bool { return c.At < p.state.CaptionAt })
	if len(broken) == 0 {
		return false
	}
	names := canvas.Sanitize(broken[0].Name)
	if more := len(broken) - 1; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	p.Fill(r, " ", style.Loud)
	p.Put(r.X+4, r.Y, w, fmt.Sprintf("%s %s violated: %s", p.glyphs.Bad, names, broken[0].Text), style.Loud|style.Bold)
	return true
}

// captionIn breaks a caption into lines of at most w cells, and shows that there
// is more of it if there is.
func (p *painter) captionIn(text string, w int) []string {
	lines := canvas.Wrap(canvas.Sanitize(text), w)
	if len(lines) > captionLines {
		lines = lines[:captionLines]
		lines[captionLines-1] = canvas.Truncate(lines[captionLines-1]+p.glyphs.More+p.glyphs.More, w, p.glyphs.More)
	}
	return lines
}

const (
	// keycapsMax is how many keys are shown at once; on the band it is one.
	keycapsMax = 6
	// keycapRoom is how much room captions leave for it.
	keycapRoom = 6
	// keycapHeight is how high a key is.
	keycapHeight = 3
)

// keycaps draws the keys that were pressed, large: on the band, beside what is said,
// or else above a row.
func (p *painter) keycaps(bottom int, band canvas.Rectangle) {
	corners, frame, face, most := p.glyphs.Frame, style.Accent|style.Bold, style.Text|style.Bold, keycapsMax
	if !band.Empty() {
		bottom, frame, face, most = band.Y+keycapHeight, style.Chapter|style.Bold, style.Caption|style.Bold, 1
	}
	x := p.width - 2
	for i := len(p.pressed) - 1; i >= max(len(p.pressed)-most, 0); i-- {
		name := canvas.Sanitize(p.pressed[i])
		w := max(canvas.Width(name)+4, 5)
		if x -= w; x < 0 {
			return
		}
		y := bottom - keycapHeight
		p.Put(x, y, w, corners[0]+strings.Repeat(corners[4], w-2)+corners[1], frame)
		p.Put(x, y+1, w, corners[5]+strings.Repeat(" ", w-2)+corners[5], frame)
		p.Put(x+2, y+1, w-4, name, face)
		p.Put(x, y+2, w, corners[3]+strings.Repeat(corners[4], w-2)+corners[2], frame)
		x--
	}
}
