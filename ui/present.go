package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/trace"
)

// captionLines is how many lines a caption has at most.
const captionLines = 2

// bandHeight is how high the band at the bottom is on which captions stand: the
// name of the part, the caption, and a line for whoever presents.
const bandHeight = 1 + captionLines + 1

// band makes room for captions at the bottom of the screen, below all that they
// may speak of, and returns it; it is empty where nothing is presented. The keys
// and the last command give way to it.
func (p *painter) band(l *layout) rect {
	if !p.hasBand() {
		if p.presents {
			l.hints = rect{}
		}
		return rect{}
	}
	band := rect{0, p.height - bandHeight, p.width, bandHeight}
	l.story.h = min(l.story.h, max(band.y-l.story.y, 0))
	l.hints = rect{}
	l.status = rect{4, p.height - 1, p.width - 6, 1}
	if p.toast.text == "" && p.prompt == nil {
		l.status = rect{y: band.y}
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
func (p *painter) caption(story, band rect) {
	text := p.state.CaptionIn.In(p.language, p.state.Caption)
	if band.empty() {
		if !p.presents && text != "" && p.isSaid(p.state.Caption) && !story.empty() {
			lines := p.captionIn(text, story.w-4)
			lines = lines[:min(len(lines), story.h)]
			for i, line := range lines {
				y := story.y + story.h - len(lines) + i
				p.fill(rect{story.x, y, story.w, 1}, " ", inkText)
				p.put(story.x+2, y, story.w-4, line, inkText|bold)
			}
		}
		return
	}
	p.fill(band, " ", inkCaption)
	w := band.w - 8
	if p.showKeys {
		w -= keycapRoom
	}
	if !p.outcry(rect{band.x, band.y, band.w, 1}, w) {
		chapter := p.state.ChapterIn.In(p.language, p.state.Chapter)
		if chapter == "" {
			chapter = p.heading
		}
		p.put(band.x+4, band.y, w, chapter, inkChapter)
	}
	for i, line := range p.captionIn(text, w) {
		p.set(band.x+2, band.y+1+i, p.glyphs.cursor, inkChapter)
		p.put(band.x+4, band.y+1+i, w, line, inkCaption|bold)
	}
	if p.waiting {
		text := strings.TrimSpace(clean(p.step) + "  " + p.glyphs.play + " n")
		p.putRight(band.x+band.w-2, band.y+band.h-1, band.w/2, text, inkChapter)
	}
}

// outcry says in a loud line, in at most w cells, which checks have come to be
// violated since the caption stands there, and reports whether any has.
func (p *painter) outcry(r rect, w int) bool {
	broken := slices.DeleteFunc(violated(worseOf(p.state.Checks, p.hidden)), func(c trace.Check) bool { return c.At < p.state.CaptionAt })
	if len(broken) == 0 {
		return false
	}
	names := clean(broken[0].Name)
	if more := len(broken) - 1; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	p.fill(r, " ", inkLoud)
	p.put(r.x+4, r.y, w, fmt.Sprintf("%s %s violated: %s", p.glyphs.bad, names, broken[0].Text), inkLoud|bold)
	return true
}

// captionIn breaks a caption into lines of at most w cells, and shows that there
// is more of it if there is.
func (p *painter) captionIn(text string, w int) []string {
	lines := wrap(clean(text), w)
	if len(lines) > captionLines {
		lines = lines[:captionLines]
		lines[captionLines-1] = truncate(lines[captionLines-1]+p.glyphs.more+p.glyphs.more, w, p.glyphs.more)
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
func (p *painter) keycaps(bottom int, band rect) {
	corners, frame, face, most := p.glyphs.frame, inkAccent|bold, inkText|bold, keycapsMax
	if !band.empty() {
		bottom, frame, face, most = band.y+keycapHeight, inkChapter|bold, inkCaption|bold, 1
	}
	x := p.width - 2
	for i := len(p.pressed) - 1; i >= max(len(p.pressed)-most, 0); i-- {
		name := clean(p.pressed[i])
		w := max(width(name)+4, 5)
		if x -= w; x < 0 {
			return
		}
		y := bottom - keycapHeight
		p.put(x, y, w, corners[0]+strings.Repeat(corners[4], w-2)+corners[1], frame)
		p.put(x, y+1, w, corners[5]+strings.Repeat(" ", w-2)+corners[5], frame)
		p.put(x+2, y+1, w-4, name, face)
		p.put(x, y+2, w, corners[3]+strings.Repeat(corners[4], w-2)+corners[2], frame)
		x--
	}
}

// presenter is the part of the screen that belongs to whoever presents.
type presenter struct {
	over    bool      // the scenario has ended
	left    bool      // and the keys are for the cluster again
	said    string    // the caption
	saidAt  time.Time // when it was said, in real time
	waits   time.Time // since when a step waits, zero while none does
	back    bool      // the past was shown
	stop    uint64    // the step at which the past that plays is to stop, 0 for none
	pressed []pressed
}

// pressed is a key that was pressed.
type pressed struct {
	name string
	at   time.Time
}

// pressedTime is how long a key that was pressed is shown.
const pressedTime = 2500 * time.Millisecond

// presents says whether a scenario is on stage.
func (m *model) presents() bool { return m.script != nil && !m.presenter.left }

// pressKey notes a key for those who are to see which are pressed, and hands the
// keys back to the cluster once a scenario has ended.
func (m *model) pressKey(msg tea.KeyPressMsg, now time.Time) {
	p := &m.presenter
	if p.over && !slices.Contains([]string{"n", "b", "enter", "pgdown", "pgup"}, msg.String()) {
		p.left = true
	}
	if m.options.Keys {
		p.pressed = append(p.pressed, pressed{m.keyName(msg), now})
		p.pressed = p.pressed[max(len(p.pressed)-keycapsMax, 0):]
	}
}

// keyName returns what is written on a key.
func (m *model) keyName(msg tea.KeyPressMsg) string {
	name := msg.String()
	arrows := map[string]int{"right": 0, "down": 1, "left": 2, "up": 3}
	if i, ok := arrows[name]; ok {
		return m.glyphs.arrows[i]
	}
	return name
}

// presentOn moves on what is presented.
func (m *model) presentOn(now time.Time) {
	p := &m.presenter
	if len(p.pressed) > 0 && now.Sub(p.pressed[0].at) > pressedTime {
		p.pressed, m.stale = p.pressed[1:], true
	}
	if said := m.state.CaptionIn.In(m.options.Lang, m.state.Caption); said != p.said {
		p.said, p.saidAt = said, now
	}
	switch {
	case m.presents() && m.travel.past:
		m.presentPast(now)
		p.back = true
	case !m.podium.waits():
		p.waits = time.Time{}
	case p.waits.IsZero() || p.back:
		p.waits, p.back, m.paused = now, false, true // the podium has stopped the clock
		m.setSpeed()
	case m.options.Autoplay && m.hasRead(now):
		m.goOn()
	}
}

// hasRead says whether the audience has had the time to read what was said.
func (m *model) hasRead(now time.Time) bool {
	p := &m.presenter
	return now.Sub(p.waits) >= stepLeast && now.Sub(p.saidAt) >= readingTime(p.said)
}

// goOn lets the step that waits go on, and time with it; it reports whether one did.
func (m *model) goOn() bool {
	if !m.podium.next() {
		return false
	}
	m.paused, m.presenter.waits = false, time.Time{}
	m.setSpeed()
	return true
}

// stageIn fills in what the audience sees.
func (m *model) stageIn(f *frame) {
	f.language, f.showKeys = m.options.Lang, m.options.Keys
	for _, key := range m.presenter.pressed {
		f.pressed = append(f.pressed, key.name)
	}
	if !m.presents() {
		return
	}
	f.presents, f.heading = true, m.script.Title
	f.route, f.level = "", ""
	f.step, f.waiting = m.podium.now()
	if m.travel.past {
		f.step, f.waiting = "", !m.travel.playing
	}
	f.waiting = f.waiting && !m.options.Autoplay
}

// title is what the window is called.
func (m *model) title() string {
	if m.script == nil || m.script.Title == "" {
		return "capsize"
	}
	return "capsize: " + clean(m.script.Title)
}
