package ui

import (
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/present"
)

// presenter is the state of a presentation.
type presenter struct {
	ended      bool      // the scenario has ended
	released   bool      // and the keys control the cluster again
	caption    string    // the caption shown
	captionAt  time.Time // when it appeared, in real time
	waitsSince time.Time // since when a step waits, zero while none does
	inPast     bool      // the past was shown last
	stopAtSeq  uint64    // the step at which the playback stops, 0 for none
	pressed    []shownKey
	asking     asking
}

// shownKey is a pressed key to show.
type shownKey struct {
	name string
	at   time.Time
}

// keyShownFor is how long a pressed key is shown.
const keyShownFor = 2500 * time.Millisecond

// presents reports whether a scenario is on stage.
func (m *model) presents() bool { return m.script != nil && !m.presenter.released }

// noteKeyPress notes a key to show, and gives the keys back to the cluster once a
// scenario has ended.
func (m *model) noteKeyPress(msg tea.KeyPressMsg, now time.Time) {
	p := &m.presenter
	if p.ended && !slices.Contains([]string{"n", "b", "enter", "pgdown", "pgup"}, msg.String()) {
		p.released = true
	}
	if m.options.Keys {
		p.pressed = append(p.pressed, shownKey{m.keyName(msg), now})
		p.pressed = p.pressed[max(len(p.pressed)-pane.KeycapsMax, 0):]
	}
}

// keyName returns the label of a key.
func (m *model) keyName(msg tea.KeyPressMsg) string {
	name := msg.String()
	arrows := map[string]int{"right": 0, "down": 1, "left": 2, "up": 3}
	if i, ok := arrows[name]; ok {
		return m.glyphs.Arrows[i]
	}
	return name
}

// updatePresenter advances the presentation, once a frame.
func (m *model) updatePresenter(now time.Time) {
	p := &m.presenter
	if len(p.pressed) > 0 && now.Sub(p.pressed[0].at) > keyShownFor {
		p.pressed, m.dirty = p.pressed[1:], true
	}
	if said := pane.ToRead(&m.state, m.options.Lang); said != p.caption {
		p.caption, p.captionAt = said, now
	}
	switch {
	case m.presents() && m.travel.past:
		m.updatePastPresenter(now)
		p.inPast = true
	case !m.scenarioStage.Waits():
		p.waitsSince = time.Time{}
	case p.waitsSince.IsZero() || p.inPast || m.scenarioStage.Holds():
		p.waitsSince, p.inPast, m.paused = now, false, !m.IsRealTime() // the stage has paused the clock
		p.asking = asking{}
		m.setSpeed()
		m.scenarioStage.See()
	case m.options.Autoplay && m.captionRead(now):
		m.continueStep()
	}
}

// skip excludes a span of real time in which nobody could read.
func (p *presenter) skip(passed time.Duration) {
	p.captionAt = p.captionAt.Add(passed)
	if !p.waitsSince.IsZero() {
		p.waitsSince = p.waitsSince.Add(passed)
	}
}

// captionRead reports whether people have had time to read the caption.
func (m *model) captionRead(now time.Time) bool {
	p := &m.presenter
	return now.Sub(p.waitsSince) >= pane.MinStepTime && now.Sub(p.captionAt) >= pane.ReadingTime(p.caption)
}

// continueStep continues the waiting step and the clock, and reports whether a step waited.
func (m *model) continueStep() bool {
	if !m.scenarioStage.Next() {
		return false
	}
	m.paused, m.presenter.waitsSince = false, time.Time{}
	m.setSpeed()
	return true
}

// fillAudience fills the frame's part for the audience.
func (m *model) fillAudience(f *pane.Frame) {
	f.Language, f.ShowKeys = m.options.Lang, m.options.Keys
	for _, key := range m.presenter.pressed {
		f.PressedKeys = append(f.PressedKeys, key.name)
	}
	if !m.presents() {
		return
	}
	f.Presenting, f.ScenarioTitle = true, m.script.TitleIn.In(m.options.Lang, m.script.Title)
	f.Route, f.Level = "", ""
	f.StepText, f.StepWaiting = m.scenarioStage.Waiting()
	f.InHand, f.TimeGoesOn = !m.travel.past && m.inHand(), m.IsRealTime() && !m.travel.past
	if m.presenter.ended && m.lessons != nil {
		f.StepText, f.StepWaiting = "to the lessons", true
	}
	if m.travel.past {
		f.StepText, f.StepWaiting = "", !m.travel.playing
	}
	f.StepWaiting = f.StepWaiting && !m.options.Autoplay
	if m.asks() && !m.options.Autoplay {
		a := &m.presenter.asking
		f.Asking = &pane.Asking{Room: m.options.Room, Typed: a.typed, Votes: a.votes, Problem: a.problem}
	}
}

// title is the title of the window.
func (m *model) title() string {
	if m.script == nil || m.script.Title == "" {
		return "capsize"
	}
	return "capsize: " + canvas.Sanitize(m.script.TitleIn.In(m.options.Lang, m.script.Title))
}

// perform starts a scenario on stage, and the clock with it: what happens must not depend on how
// long the screen took to start. The end of the scenario is a performedMsg, unless its cluster was
// replaced by another.
func (m *model) perform(script *scenario.Script) tea.Cmd {
	ended := make(chan engine.Answer, 1)
	m.Engine.Submit(engine.Order{Scenario: script}, func(a engine.Answer) { ended <- a })
	m.starting = false
	m.setSpeed()
	return func() tea.Msg {
		a := <-ended
		if !a.Performed {
			return nil
		}
		return performedMsg{failures: a.Failures}
	}
}

// performedMsg reports that a scenario has ended.
type performedMsg struct{ failures []scenario.Failure }

func (m *model) onPerformed(msg performedMsg) {
	m.presenter.ended = true
	isLesson := m.endLesson()
	if len(msg.failures) > 0 {
		m.setToast("", msg.failures[0].Error(), true)
		return
	}
	if isLesson {
		m.setToast("", "lesson ended: n returns to the lessons, other keys control the cluster", false)
		return
	}
	m.setToast("", "scenario ended: the keys control the cluster", false)
}

// chapterBack goes to the start of the chapter or, from there, of the previous one.
func (m *model) chapterBack() {
	parts := present.Chapters(m.History)
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i].Seq < m.moment().Seq {
			m.presenter.stopAtSeq = 0
			m.setPlaying(false)
			m.showMoment(parts[i])
			return
		}
	}
	if m.script == nil && len(parts) == 0 {
		m.setToast("", noScenario, true)
		return
	}
	m.setToast("", "no earlier chapter", true)
}

// noScenario answers a presenter's key without a scenario.
const noScenario = "no scenario on stage: o opens one"

// nextStep continues the waiting step. In the past, it plays the recording up to its next
// step; while that plays, it jumps there.
func (m *model) nextStep() {
	if !m.travel.past {
		switch {
		case m.continueStep():
		case m.script != nil && m.presenter.ended && m.lessons != nil:
			m.openCourse()
		case m.script != nil && m.presenter.ended:
			m.setToast("", "scenario ended: b goes back, other keys control the cluster", false)
		case m.presents():
			m.setToast("", "the next step is not ready yet", false)
		default:
			m.setToast("", noScenario, true)
		}
		return
	}
	stop, found := present.NextStep(m.History, m.moment().Seq, m.Now().Seq)
	switch {
	case m.travel.playing && found:
		m.stopAt(stop)
	case m.travel.playing:
		m.showLive()
	default:
		m.presenter.stopAtSeq = 0
		if found {
			m.presenter.stopAtSeq = stop.Seq
		}
		m.setPlaying(true)
	}
}

// stopAt pauses the playback at a step.
func (m *model) stopAt(step trace.Position) {
	m.presenter.stopAtSeq = 0
	m.setPlaying(false)
	m.showMoment(step)
}

// updatePastPresenter advances the presentation in the past.
func (m *model) updatePastPresenter(now time.Time) {
	p := &m.presenter
	if m.travel.playing {
		p.waitsSince = time.Time{}
		if e, ok := m.History.Event(p.stopAtSeq); ok && m.moment().Seq >= p.stopAtSeq {
			m.stopAt(trace.Position{Seq: e.Seq, At: e.At})
		}
		return
	}
	if p.waitsSince.IsZero() {
		p.waitsSince = now
	}
	if m.options.Autoplay && m.captionRead(now) {
		m.nextStep()
	}
}

// asking is how the question that waits is being answered.
type asking struct {
	typed   string // the votes of a room, so far
	last    string // what was typed for votes
	votes   []int  // once they are typed
	problem string // what is wrong with them
}

// typedMax is how many characters of votes can be typed.
const typedMax = 60

// asks reports whether a question waits for an answer.
func (m *model) asks() bool {
	return m.presents() && !m.travel.past && m.scenarioStage.Choices() > 0
}

// handleQuestionKey hands a key to the question that waits, and reports whether it took it.
func (m *model) handleQuestionKey(pressed string) bool {
	if !m.asks() {
		return false
	}
	choices := m.scenarioStage.Choices()
	isDigit := len(pressed) == 1 && pressed >= "1" && pressed <= "9"
	switch {
	case m.options.Room && m.typeVotes(pressed, choices):
	case isDigit && int(pressed[0]-'0') > choices:
		m.setToast("", fmt.Sprintf("the choices are 1 to %d", choices), true)
	case isDigit:
		votes := make(engine.Votes, choices)
		votes[pressed[0]-'1'] = 1
		m.answer(votes)
	case pressed == "n":
		m.nextStep()
	case pressed == "enter": // it would skip the question of those who look for a cursor
		m.setToast("", fmt.Sprintf("1 to %d answer, n skips the question", choices), true)
	default:
		return false
	}
	return true
}

// typeVotes edits the votes of a room, and reports whether a key does.
func (m *model) typeVotes(pressed string, choices int) bool {
	a := &m.presenter.asking
	switch {
	case len(pressed) == 1 && (pressed >= "0" && pressed <= "9" || pressed == ":"), pressed == "space" && a.typed != "":
		if pressed == "space" {
			pressed = " "
		}
		if len(a.typed) < typedMax {
			a.typed += pressed
		}
		a.votes, a.problem = nil, ""
	case pressed == "backspace" && a.votes != nil:
		*a = asking{typed: a.last}
	case pressed == "backspace" && a.typed != "":
		a.typed, a.problem = a.typed[:len(a.typed)-1], ""
	case pressed == "esc" && (a.typed != "" || a.votes != nil):
		*a = asking{}
	case (pressed == "enter" || pressed == "n") && a.typed != "":
		votes, err := present.ParseVotes(a.typed, choices)
		if err != nil {
			a.problem = err.Error()
			break
		}
		*a = asking{votes: votes, last: a.typed}
	case (pressed == "enter" || pressed == "n") && a.votes != nil:
		m.answer(a.votes)
	case len(pressed) == 1 && a.typed != "" && len(a.typed) < typedMax: // a letter must not do what it does elsewhere
		a.typed += pressed // seen, so backspace takes it back
		a.problem = a.typed + ": write CHOICE:VOTES, like 1:12 2:30"
	case pressed == "enter" && a.typed == "":
		a.problem = "type the votes, like 1:12 2:30; n skips"
	default:
		return false
	}
	return true
}

// answer answers the question that waits, and continues the clock.
func (m *model) answer(votes engine.Votes) {
	if !m.scenarioStage.Answer(votes) {
		return
	}
	m.paused, m.presenter.waitsSince = false, time.Time{}
	m.setSpeed()
}
