package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/ui/canvas"
	"capsize/ui/course"
	"capsize/ui/pane"
	"capsize/ui/source"
	"capsize/ui/view"
)

// openedMsg reports that a scenario's cluster has started, or why it has not.
type openedMsg struct {
	source source.Source
	script *scenario.Script
	err    error
}

// scenariosMenu lists the built-in scenarios.
func (m *model) scenariosMenu() {
	note := "enter: start on its own cluster    esc: cancel"
	if m.options.Processes {
		note += "    left out: what needs virtual time"
	}
	o := m.open("scenarios", note)
	for _, name := range scenario.Names() {
		data, _ := scenario.Builtin(name)
		script, err := scenario.Parse(name, data)
		if err != nil {
			continue // a test holds that every one parses
		}
		if m.options.Processes && script.CheckRealTime() != nil {
			continue
		}
		o.add("", name, script.Title, false, func() { m.menuCmd = m.openScenario(script) })
	}
}

// openScenario starts the cluster of a scenario.
func (m *model) openScenario(script *scenario.Script) tea.Cmd {
	return func() tea.Msg {
		s, err := m.pool.Start(m.options.Open, cluster.Config{Nodes: script.Nodes, Settings: script.Settings, HistoryBudget: m.historyBudget()})
		return openedMsg{source: s, script: script, err: err}
	}
}

// onOpened replaces what is shown by a scenario and its cluster.
func (m *model) onOpened(msg openedMsg) tea.Cmd {
	if msg.err != nil {
		m.setToast("", "cannot start the scenario: "+msg.err.Error(), true)
		if m.lessons != nil {
			m.lessons.opening, m.lessons.Message = false, m.toast.Text
		}
		return nil
	}
	m.stopLive()
	m.pool.Release(msg.source.Engine)
	m.paused = false
	if m.coursed() {
		m.beginLesson(msg.script)
	}
	m.showSource(msg.source, msg.script)
	m.setToast("play "+msg.script.Name, msg.script.Title+m.unrecorded(), false)
	return m.perform(msg.script)
}

// savedMsg reports where the session was saved, or why it was not.
type savedMsg struct {
	text string
	bad  bool
}

// save writes the session so far as a scenario, into a new file in the current directory.
func (m *model) save() tea.Cmd {
	if !m.IsLive() {
		m.rejectIfReadOnly()
		return nil
	}
	if m.branches[m.branch].parent != "" {
		m.setToast("", "cannot save a branch: a scenario starts with a new cluster", true)
		return nil
	}
	e := m.Engine
	return func() tea.Msg {
		saved := engine.Do(e, engine.Order{Save: true})
		if err := saved.End.Err; err != nil {
			return savedMsg{text: "cannot save: " + err.Error(), bad: true}
		}
		for i := 1; ; i++ {
			name := fmt.Sprintf("session-%d.capsize", i)
			file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				continue
			}
			if err == nil {
				_, err = file.WriteString(saved.Text)
				err = errors.Join(err, file.Close())
			}
			if err != nil {
				return savedMsg{text: "cannot save: " + err.Error(), bad: true}
			}
			return savedMsg{text: "saved as " + name + ": capsize run " + name}
		}
	}
}

// lessons is the course, and the lesson on stage.
type lessons struct {
	*course.Menu
	open    bool // the menu is shown
	opening bool // and a lesson's cluster is starting
	script  *scenario.Script
	answers map[int]bool // to its questions that are judged, by number: whether they were right
}

// beginCourse shows the menu of the course, or its lesson that is on stage already.
func (m *model) beginCourse() {
	if m.options.Course == nil {
		return
	}
	m.lessons = &lessons{Menu: m.options.Course, open: m.options.Script == nil}
	if m.options.Script != nil {
		m.beginLesson(m.options.Script)
	}
}

// coursed reports whether the menu of the course is shown.
func (m *model) coursed() bool { return m.lessons != nil && m.lessons.open }

// openCourse shows the menu of the course; time stands still meanwhile.
func (m *model) openCourse() {
	m.lessons.open = true
	m.setSpeed()
}

// handleCourseKey moves the cursor of the course, starts a lesson or quits.
func (m *model) handleCourseKey(pressed string) tea.Cmd {
	if m.lessons.opening {
		return nil
	}
	switch m.lessons.Press(pressed) {
	case course.Leave:
		return tea.Quit
	case course.Start:
		m.lessons.opening = true
		return m.openScenario(m.lessons.Lesson().Script)
	case course.Nothing:
	}
	return nil
}

// beginLesson notes that a lesson goes on stage.
func (m *model) beginLesson(lesson *scenario.Script) {
	m.lessons.Begin(time.Now())
	m.lessons.open, m.lessons.opening, m.lessons.script, m.lessons.answers = false, false, lesson, map[int]bool{}
}

// noteAnswer notes whether the answer to the question shown was right. Of a room, that is what most
// people picked.
func (m *model) noteAnswer() {
	q := m.state.Question
	if m.lessons == nil || m.script == nil || m.script != m.lessons.script || q == nil || !q.Judged {
		return
	}
	_, known := m.lessons.answers[q.Number]
	if !known {
		m.lessons.answers[q.Number] = q.Votes() > 0 && slices.ContainsFunc(q.True(), func(i int) bool { return q.Picked[i] == slices.Max(q.Picked) })
	}
}

// endLesson records a lesson that was played to its end, and reports whether it was one.
func (m *model) endLesson() bool {
	if m.lessons == nil || m.script == nil || m.script != m.lessons.script {
		return false
	}
	right := 0
	for _, isRight := range m.lessons.answers {
		if isRight {
			right++
		}
	}
	m.lessons.End(time.Now(), right, len(m.lessons.answers))
	return true
}

// quit leaves the program or, in the course, goes back to its menu.
func (m *model) quit() tea.Cmd {
	if m.lessons == nil {
		return tea.Quit
	}
	m.openCourse()
	return nil
}

// paint draws what is on the screen, and returns what can be clicked.
func (m *model) paint() (*canvas.Canvas, []pane.HitBox) {
	if m.coursed() {
		return course.Paint(course.Page{
			Menu: m.lessons.Menu, Width: m.width, Height: m.height, Glyphs: m.glyphs, Language: m.options.Lang, Today: time.Now(),
		})
	}
	return view.Paint(m.frame(), m.drawer())
}
