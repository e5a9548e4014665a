package course

import (
	"fmt"
	"slices"
	"time"
)

// Menu is the list of lessons, with a cursor.
type Menu struct {
	Lessons []Lesson
	Store   *Store
	Cursor  int    // index into Lessons
	Message string // what the learner has to know, "" for nothing
}

// Action is what a key of the menu asks for.
type Action int

// The actions.
const (
	Nothing Action = iota
	Start          // the lesson under the cursor
	Leave          // the course
)

// Press moves the cursor, or says what else a key asks for.
func (m *Menu) Press(pressed string) Action {
	last := len(m.Lessons) - 1
	switch pressed {
	case "up", "k":
		m.Cursor = max(m.Cursor-1, 0)
	case "down", "j":
		m.Cursor = min(m.Cursor+1, last)
	case "home", "pgup":
		m.Cursor = 0
	case "end", "pgdown":
		m.Cursor = last
	case "enter", "space", "n":
		return Start
	case "esc", "q":
		return Leave
	default:
		i := slices.IndexFunc(m.Lessons, func(l Lesson) bool { return l.key() == pressed })
		if i < 0 {
			return Nothing
		}
		m.Cursor = i
		return Start
	}
	return Nothing
}

// key returns the key that starts a lesson at once, "" for none.
func (l Lesson) key() string {
	if l.Number > 10 {
		return ""
	}
	return fmt.Sprint(l.Number % 10)
}

// Lesson returns the lesson under the cursor.
func (m *Menu) Lesson() Lesson { return m.Lessons[m.Cursor] }

// Begin records that the lesson under the cursor is being played. The message says what went wrong.
func (m *Menu) Begin(now time.Time) {
	m.report(m.Store.Update(m.Lesson().Name(), func(r *Result) { r.Visited = now }))
}

// End records that the lesson under the cursor was played to its end, and moves the cursor to the
// next one.
func (m *Menu) End(now time.Time, right, asked int) {
	m.report(m.Store.Update(m.Lesson().Name(), func(r *Result) {
		*r = Result{Done: true, Right: right, Asked: asked, Visited: now}
	}))
	m.Cursor = min(m.Cursor+1, len(m.Lessons)-1)
}

// First moves the cursor to the first lesson that is not done yet.
func (m *Menu) First() {
	m.Cursor = max(slices.IndexFunc(m.Lessons, func(l Lesson) bool { return !m.Store.Result(l.Name()).Done }), 0)
}

// report shows a problem until there is another one.
func (m *Menu) report(problem error) {
	if problem != nil {
		m.Message = problem.Error()
	}
}
