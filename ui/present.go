package ui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/ui/canvas"
)

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
		return m.glyphs.Arrows[i]
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
	return "capsize: " + canvas.Sanitize(m.script.Title)
}
