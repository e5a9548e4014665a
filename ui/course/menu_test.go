package course

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"capsize/ui/pane"
	"capsize/ui/style"
)

// page returns the menu of somebody who has done two lessons and begun a third, on a screen.
func page(t *testing.T, width, height int) Page {
	t.Helper()
	m := &Menu{Lessons: lessons(t), Store: opened(t, t.TempDir())}
	m.Begin(someDay.AddDate(0, 0, -1))
	m.End(someDay.AddDate(0, 0, -1), 3, 4)
	m.End(someDay, 3, 3)
	m.Begin(someDay)
	if m.Message != "" {
		t.Fatal(m.Message)
	}
	return Page{Menu: m, Width: width, Height: height, Glyphs: style.Unicode, Today: someDay}
}

// plain draws a page as text without styles.
func plain(p Page) string {
	c, _ := Paint(p)
	return ansi.Strip(c.Render(style.Mono))
}

func TestMenuMatchesGolden(t *testing.T) {
	for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}, {200, 60}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			golden.RequireEqual(t, plain(page(t, size[0], size[1])))
		})
	}
	t.Run("chinese", func(t *testing.T) {
		p := page(t, 120, 36)
		p.Language = "zh_CN"
		golden.RequireEqual(t, plain(p))
	})
	t.Run("ascii", func(t *testing.T) {
		p := page(t, 80, 24)
		p.Glyphs, p.Message = style.ASCII, "/home/me/.local/state/capsize/course.json: damaged (not JSON): kept as course.json.damaged-1; progress starts anew"
		golden.RequireEqual(t, plain(p))
	})
	t.Run("colour", func(t *testing.T) {
		c, _ := Paint(page(t, 80, 24))
		golden.RequireEqual(t, c.Render(style.Dark))
	})
}

func TestMenuFitsEveryScreen(t *testing.T) {
	p := page(t, 0, 0)
	for _, language := range []string{"", "zh"} {
		for _, width := range []int{0, 1, 40, pane.MinWidth, 79, 80, 103, 120, 200, 300} {
			for _, height := range []int{0, 1, 10, pane.MinHeight, 23, 24, 30, 36, 43, 60, 100} {
				p.Width, p.Height = width, height
				p.Language, p.Message = language, strings.Repeat("a long message ", 30)
				for cursor := range p.Lessons {
					p.Cursor = cursor
					c, hits := Paint(p)
					lines := strings.Split(c.Render(style.Mono), "\n")
					if len(lines) != max(height, 1) {
						t.Fatalf("%dx%d: %d lines", width, height, len(lines))
					}
					for _, line := range lines {
						if w := ansi.StringWidth(line); w > width || strings.ContainsFunc(ansi.Strip(line), unicode.IsControl) {
							t.Fatalf("%dx%d: a line is %d wide: %q", width, height, w, line)
						}
					}
					for _, h := range hits {
						if h.X < 0 || h.Y < 0 || h.X+h.W > width || h.Y+h.H > height {
							t.Fatalf("%dx%d: %+v is off the screen", width, height, h)
						}
					}
				}
			}
		}
	}
}

// All lessons, and what one learns in the one under the cursor, are on a screen of 80x24.
func TestMenuShowsAllLessons(t *testing.T) {
	for _, language := range []string{"en", "zh"} {
		p := page(t, 80, 24)
		p.Language = language
		text := strings.Join(strings.Fields(plain(p)), " ")
		for _, l := range p.Lessons {
			if title := l.Script.TitleIn.In(language, l.Script.Title); !strings.Contains(text, title) {
				t.Errorf("no %q in\n%s", title, plain(p))
			}
		}
		summary := p.Lesson().Script.SummaryIn.In(language, p.Lesson().Script.Summary)
		if language == "en" && !strings.Contains(text, summary) {
			t.Errorf("no %q in\n%s", summary, plain(p))
		}
	}
}

func TestClickStartsTheLessonItShows(t *testing.T) {
	p := page(t, 120, 36)
	_, hits := Paint(p)
	if len(hits) != len(p.Lessons) {
		t.Fatalf("%d lessons can be clicked", len(hits))
	}
	for i, h := range hits {
		if p.Press(h.Key) != Start || p.Cursor != i {
			t.Errorf("a click on lesson %d starts lesson %d", i+1, p.Cursor+1)
		}
	}
}

func TestMenuKeys(t *testing.T) {
	m := page(t, 80, 24).Menu
	m.Cursor = 0
	for _, step := range []struct {
		key    string
		want   Action
		cursor int
	}{
		{"up", Nothing, 0},
		{"down", Nothing, 1},
		{"end", Nothing, 9},
		{"down", Nothing, 9},
		{"home", Nothing, 0},
		{"x", Nothing, 0},
		{"enter", Start, 0},
		{"3", Start, 2},
		{"0", Start, 9},
		{"q", Leave, 9},
		{"esc", Leave, 9},
	} {
		if got := m.Press(step.key); got != step.want || m.Cursor != step.cursor {
			t.Errorf("%s: action %d, lesson %d, want %d, %d", step.key, got, m.Cursor, step.want, step.cursor)
		}
	}
}

func TestCursorGoesToTheNextLesson(t *testing.T) {
	m := page(t, 80, 24).Menu
	if m.Cursor != 2 {
		t.Errorf("after two lessons, the cursor is on lesson %d", m.Cursor+1)
	}
	m.Cursor = 9
	m.First()
	if m.Cursor != 2 {
		t.Errorf("the first lesson not done is %d, want 3", m.Cursor+1)
	}
	m.Cursor = 9
	if m.End(time.Time{}, 0, 0); m.Cursor != 9 {
		t.Errorf("after the last lesson, the cursor is on lesson %d", m.Cursor+1)
	}
	m.report(errors.New("no space"))
	m.report(nil)
	if m.Message != "no space" {
		t.Errorf("the message is %q", m.Message)
	}
}
