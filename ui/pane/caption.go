package pane

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// CaptionLines is the maximum number of lines of a caption.
const CaptionLines = 2

// BandHeight is the height of the band at the bottom that holds captions: a line for the
// chapter, the caption, and a line for the presenter.
const BandHeight = 1 + CaptionLines + 1

// Band makes room for captions at the bottom of the screen, below everything they may be
// about, and returns that room. It is empty unless something is presented. The footer and
// the status line give way to it.
func (p *Painter) Band(l *Layout) canvas.Rectangle {
	if !p.hasBand() {
		if p.Presenting {
			l.hints = canvas.Rectangle{}
		}
		return canvas.Rectangle{}
	}
	band := canvas.Rect(0, p.Height-BandHeight, p.Width, BandHeight)
	l.Story.H = min(l.Story.H, max(band.Y-l.Story.Y, 0))
	l.hints = canvas.Rectangle{}
	l.status = canvas.Rect(4, p.Height-1, p.Width-6, 1)
	if p.Toast.Text == "" && p.Prompt == nil {
		l.status = canvas.Rectangle{Y: band.Y}
	}
	return band
}

// hasBand reports whether the screen has a band: something is presented and has a text.
func (p *Painter) hasBand() bool {
	return p.Presenting && (p.ScenarioTitle != "" || p.State.Chapter != "" || p.State.Caption != "" || p.State.QuestionShown)
}

// ShowsQuestion reports whether the audience looks at the latest question: nothing was said since
// and, if nothing is presented, there was no time yet to read it.
func (p *Painter) ShowsQuestion() bool {
	if p.State.Question == nil || !p.State.QuestionShown {
		return false
	}
	return p.Presenting || p.Now-p.State.QuestionAt < p.virtualTime(2*ReadingTime(ToRead(p.State, p.Language)))
}

// ToRead returns what an audience has to read now, in a language: the caption or the question.
func ToRead(s *trace.State, language string) string {
	q := s.Question
	switch {
	case !s.QuestionShown || q == nil:
		return s.CaptionIn.In(language, s.Caption)
	case q.Judged:
		return q.BecauseIn.In(language, q.Because)
	case !q.Waits():
		return "" // it was read when it was asked
	}
	text := q.In.In(language, q.Text)
	for i := range q.Choices {
		text += " " + q.Choices[i].In.In(language, q.Choices[i].Text)
	}
	return text
}

// isCurrentCaption reports whether text is the caption on screen. The story omits it then.
func (p *Painter) isCurrentCaption(text string) bool {
	return text == p.State.Caption && (p.Presenting || p.Now-p.State.CaptionAt < p.virtualTime(2*ReadingTime(text)))
}

// Caption draws what a scenario says: on the band or, if nothing is presented, over the story
// for as long as people need to read it. A question takes its place.
func (p *Painter) Caption(l *Layout, band canvas.Rectangle) {
	story, text := l.Story, p.State.CaptionIn.In(p.Language, p.State.Caption)
	if p.State.QuestionShown {
		text = ""
	}
	if band.Empty() {
		if !p.Presenting && text != "" && p.isCurrentCaption(p.State.Caption) && !story.Empty() {
			p.captionOver(story, text)
		}
		return
	}
	p.Fill(band, " ", style.Caption)
	w := band.W - 8
	if p.ShowKeys {
		w -= keycapRoom
	}
	if !p.violationBanner(canvas.Rect(band.X, band.Y, band.W, 1), w) {
		chapter := p.State.ChapterIn.In(p.Language, p.State.Chapter)
		if chapter == "" {
			chapter = p.ScenarioTitle
		}
		p.Put(band.X+4, band.Y, w, chapter, style.Chapter)
	}
	for i, line := range p.wrapCaption(text, w) {
		p.Set(band.X+2, band.Y+1+i, p.Glyphs.Cursor, style.Chapter)
		p.Put(band.X+4, band.Y+1+i, w, line, style.Caption|style.Bold)
	}
	if p.StepWaiting {
		text := strings.TrimSpace(canvas.Sanitize(p.StepText) + p.GoesOn() + "  " + p.Glyphs.Play + " n")
		p.PutRight(band.X+band.W-2, band.Y+band.H-1, band.W/2, text, style.Chapter)
	}
}

// timeGoesOn says, beside what waits for the presenter, that the cluster does not.
var timeGoesOn = trace.Localized{"zh": "时间不会停"}

// GoesOn returns what says that time goes on meanwhile, "" where it stands still.
func (p *Painter) GoesOn() string {
	if !p.TimeGoesOn {
		return ""
	}
	return "  (" + timeGoesOn.In(p.Language, "time goes on") + ")"
}

// captionOver draws a caption over the last lines of the story.
func (p *Painter) captionOver(story canvas.Rectangle, text string) {
	lines := p.wrapCaption(text, story.W-4)
	lines = lines[:min(len(lines), story.H)]
	for i, line := range lines {
		y := story.Y + story.H - len(lines) + i
		p.Fill(canvas.Rect(story.X, y, story.W, 1), " ", style.Text)
		p.Put(story.X+2, y, story.W-4, line, style.Text|style.Bold)
	}
}

// violationBanner draws, in at most w cells, the checks violated since the caption appeared.
// It reports whether there are any.
func (p *Painter) violationBanner(r canvas.Rectangle, w int) bool {
	broken := slices.DeleteFunc(Violated(MergeChecks(p.State.Checks, p.Unreported)), func(c trace.Check) bool { return c.At < p.State.CaptionAt })
	if len(broken) == 0 {
		return false
	}
	names := canvas.Sanitize(broken[0].Name)
	if more := len(broken) - 1; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	p.Fill(r, " ", style.Alarm)
	p.Put(r.X+4, r.Y, w, fmt.Sprintf("%s %s violated: %s", p.Glyphs.Bad, names, broken[0].Text), style.Alarm|style.Bold)
	return true
}

// wrapCaption breaks a caption into lines of at most w cells. If it has too many lines, the
// last one ends in an ellipsis.
func (p *Painter) wrapCaption(text string, w int) []string {
	lines := canvas.Wrap(canvas.Sanitize(text), w)
	if len(lines) > CaptionLines {
		lines = lines[:CaptionLines]
		lines[CaptionLines-1] = canvas.Truncate(lines[CaptionLines-1]+p.Glyphs.Ellipsis+p.Glyphs.Ellipsis, w, p.Glyphs.Ellipsis)
	}
	return lines
}

const (
	// KeycapsMax is the number of pressed keys shown at once. The band shows one.
	KeycapsMax = 6
	// keycapRoom is the room that captions leave for a key, in cells.
	keycapRoom = 6
	// keycapHeight is the height of a key in rows.
	keycapHeight = 3
)

// keycaps draws the pressed keys, large: on the band beside the caption, or above row bottom if
// there is no band.
func (p *Painter) keycaps(bottom int, band canvas.Rectangle) {
	corners, frame, face, most := p.Glyphs.Box, style.Accent|style.Bold, style.Text|style.Bold, KeycapsMax
	if !band.Empty() {
		bottom, frame, face, most = band.Y+keycapHeight, style.Chapter|style.Bold, style.Caption|style.Bold, 1
	}
	x := p.Width - 2
	for i := len(p.PressedKeys) - 1; i >= max(len(p.PressedKeys)-most, 0); i-- {
		name := canvas.Sanitize(p.PressedKeys[i])
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

const (
	// readingStart is the time before people start to read.
	readingStart = time.Second
	// readingPerCell is the time per cell of text: about 18 letters a second, or 9 Chinese
	// characters.
	readingPerCell = 55 * time.Millisecond
	// MinStepTime is how long a step waits at least before it continues by itself, to let people
	// see what happened last.
	MinStepTime = time.Second
)

// ReadingTime returns the real time that people need to read a text.
func ReadingTime(text string) time.Duration {
	if text == "" {
		return 0
	}
	return readingStart + time.Duration(canvas.Width(canvas.Sanitize(text)))*readingPerCell
}
