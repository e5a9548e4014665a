package ui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/present"
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
		p.pressed = p.pressed[max(len(p.pressed)-pane.KeycapsMax, 0):]
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
	case !m.podium.Waits():
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
	return now.Sub(p.waits) >= pane.StepLeast && now.Sub(p.saidAt) >= pane.ReadingTime(p.said)
}

// goOn lets the step that waits go on, and time with it; it reports whether one did.
func (m *model) goOn() bool {
	if !m.podium.Next() {
		return false
	}
	m.paused, m.presenter.waits = false, time.Time{}
	m.setSpeed()
	return true
}

// stageIn fills in what the audience sees.
func (m *model) stageIn(f *pane.Frame) {
	f.Language, f.ShowKeys = m.options.Lang, m.options.Keys
	for _, key := range m.presenter.pressed {
		f.Pressed = append(f.Pressed, key.name)
	}
	if !m.presents() {
		return
	}
	f.Presents, f.Heading = true, m.script.Title
	f.Route, f.Level = "", ""
	f.Step, f.Waiting = m.podium.Now()
	if m.travel.past {
		f.Step, f.Waiting = "", !m.travel.playing
	}
	f.Waiting = f.Waiting && !m.options.Autoplay
}

// title is what the window is called.
func (m *model) title() string {
	if m.script == nil || m.script.Title == "" {
		return "capsize"
	}
	return "capsize: " + canvas.Sanitize(m.script.Title)
}

// perform puts a scenario on stage. Its end is a performedMsg; one whose cluster was
// left for another has no end.
func (m *model) perform(script *scenario.Script) tea.Cmd {
	c, podium := m.Cluster, m.podium
	return func() tea.Msg {
		failures, whole := present.Perform(c, script, podium)
		if !whole {
			return nil
		}
		return performedMsg{failures: failures}
	}
}

// performedMsg says that a scenario has ended.
type performedMsg struct{ failures []scenario.Failure }

func (m *model) performed(msg performedMsg) {
	m.presenter.over = true
	if len(msg.failures) > 0 {
		m.say("", msg.failures[0].Error(), true)
		return
	}
	m.say("", "the scenario has ended: the cluster is yours", false)
}

// chapterBack goes back to where the present chapter began or, from there, to
// where the one before it did.
func (m *model) chapterBack() {
	parts := present.Chapters(m.History)
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i].Seq < m.moment().Seq {
			m.presenter.stop = 0
			m.playPast(false)
			m.show(parts[i])
			return
		}
	}
	m.say("", "there is no chapter before this moment", true)
}

// nextStep lets the step that waits go on. In the past, it plays the recording up
// to its next step; while that plays, it goes there at once.
func (m *model) nextStep() {
	if !m.travel.past {
		switch {
		case m.goOn():
		case m.script != nil && m.presenter.over:
			m.say("", "the scenario has ended: b goes back, other keys are for the cluster", false)
		case m.presents():
			m.say("", "the next step is not yet there", false)
		default:
			m.say("", "no scenario is on stage: o opens one", true)
		}
		return
	}
	stop, found := present.NextStep(m.History, m.moment().Seq, m.Now().Seq)
	switch {
	case m.travel.playing && found:
		m.stopAt(stop)
	case m.travel.playing:
		m.toNow()
	default:
		m.presenter.stop = 0
		if found {
			m.presenter.stop = stop.Seq
		}
		m.playPast(true)
	}
}

// stopAt has the past stand still at a step.
func (m *model) stopAt(step trace.Position) {
	m.presenter.stop = 0
	m.playPast(false)
	m.show(step)
}

// presentPast moves on the past that is presented.
func (m *model) presentPast(now time.Time) {
	p := &m.presenter
	if m.travel.playing {
		p.waits = time.Time{}
		if e, ok := m.History.Event(p.stop); ok && m.moment().Seq >= p.stop {
			m.stopAt(trace.Position{Seq: e.Seq, At: e.At})
		}
		return
	}
	if p.waits.IsZero() {
		p.waits = now
	}
	if m.options.Autoplay && m.hasRead(now) {
		m.nextStep()
	}
}
