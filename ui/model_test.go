package ui

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/queue"
	"capsize/ui/view"
)

// stage is the screen over a real cluster; the test advances its clock.
type stage struct {
	*model
	t testing.TB
}

func newStage(tb testing.TB, nodes int) *stage {
	tb.Helper()
	return newStageFor(tb, nodes, nil)
}

// newStageFor is newStage with a scenario on stage.
func newStageFor(tb testing.TB, nodes int, script *scenario.Script) *stage {
	tb.Helper()
	e, err := openInMemory(nodes)
	if err != nil {
		tb.Fatal(err)
	}
	options := Options{Open: engine.OpenNative, Speed: 0, Look: pane.Look{Theme: "dark"}, Script: script}
	s := &stage{model: newModel(e, options), t: tb}
	tb.Cleanup(func() {
		s.queue.Close()
		if err := errors.Join(s.pool.Close(), e.Close()); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	if !engine.AwaitLeader(e, time.Minute) {
		tb.Fatal("no leader within a minute")
	}
	if script == nil {
		s.Init() // otherwise the test performs the scenario
	}
	s.Update(tea.WindowSizeMsg{Width: 120, Height: 36})
	s.tick()
	return s
}

// openInMemory opens a cluster for a screen.
func openInMemory(nodes int) (*engine.Native, error) {
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	cfg := cluster.Config{Nodes: nodes, Settings: settings, HistoryBudget: history.DefaultBudget}
	return engine.Open(cfg, engine.Options{Attended: true})
}

// native returns the engine of the live cluster.
func (s *stage) native() *engine.Native { return s.Engine.(*engine.Native) }

// plain returns the text of the screen as it would be drawn now.
func (s *stage) plain() string {
	c, _ := view.Paint(s.frame(), s.view())
	return ansi.Strip(c.Render(s.theme))
}

// tick shows the next frame.
func (s *stage) tick() { s.Update(tickMsg{}) }

// press presses keys, waits until the cluster has taken the commands, and shows the
// next frame. No virtual time passes.
func (s *stage) press(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		s.Update(keyPress(k))
	}
	s.settle()
	s.tick()
}

// settle waits until the cluster has taken the commands.
func (s *stage) settle() {
	taken := make(chan struct{})
	s.queue.Put(queue.Command{Step: func() { close(taken) }})
	<-taken
}

// keyPress returns the message that a key press sends.
func keyPress(k string) tea.KeyPressMsg {
	named := map[string]rune{"esc": tea.KeyEscape, "enter": tea.KeyEnter, "up": tea.KeyUp, "down": tea.KeyDown, "right": tea.KeyRight, "left": tea.KeyLeft, "tab": tea.KeyTab, "backspace": tea.KeyBackspace, "pgdown": tea.KeyPgDown}
	if k == "space" {
		return tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	}
	if name, ok := strings.CutPrefix(k, "shift+"); ok {
		return tea.KeyPressMsg{Code: named[name], Mod: tea.ModShift}
	}
	if code, ok := named[k]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	return tea.KeyPressMsg{Code: []rune(k)[0], Text: k}
}

// pass advances the clock.
func (s *stage) pass(d time.Duration) {
	s.t.Helper()
	if err := s.Engine.Advance(d); err != nil {
		s.t.Fatal(err)
	}
	s.tick()
}

// until advances the clock until the state is as wanted, for at most a minute.
func (s *stage) until(what string, want func(*trace.State) bool) {
	s.t.Helper()
	for range 3000 {
		if want(&s.state) {
			return
		}
		s.pass(20 * time.Millisecond)
	}
	s.t.Fatalf("not within a minute: %s\n%s", what, s.screen())
}

// screen returns the text of the screen.
func (s *stage) screen() string {
	s.t.Helper()
	return ansi.Strip(s.View().Content)
}

func (s *stage) wants(text string) {
	s.t.Helper()
	if !strings.Contains(s.screen(), text) {
		s.t.Fatalf("the screen does not say %q:\n%s", text, s.screen())
	}
}

func everyValue(value int64) func(*trace.State) bool {
	return func(s *trace.State) bool {
		for i := range s.Nodes {
			if n := &s.Nodes[i]; n.Process == trace.Up && n.Value != value {
				return false
			}
		}
		return s.HasLeader()
	}
}

// TestMainStoryByKeys is what a newcomer does first, by keys alone.
func TestMainStoryByKeys(t *testing.T) {
	s := newStage(t, 5)
	s.press("i", "i", "i", "i", "i")
	s.until("every node shows 5", everyValue(5))
	s.wants("(" + s.state.LeaderNode().ID + ")")

	old, term := s.state.LeaderNode().ID, s.state.LeaderNode().Term
	s.press("k")
	s.wants("kill " + old)
	s.until("another leader", func(st *trace.State) bool { return st.LeaderNode() != nil && st.HasLeader() })
	if leader := s.state.LeaderNode(); leader.ID == old || leader.Term <= term || leader.Value != 5 {
		t.Fatalf("%s leads term %d with %d", leader.ID, leader.Term, leader.Value)
	}
	s.press("k") // the dead one is still selected: it comes back
	s.wants("restart " + old)
	s.until("it has caught up", func(st *trace.State) bool { return st.Node(old).Value == 5 })

	s.press("esc")
	cut := s.cursor
	s.press("p", "v", "i")
	s.wants("increment via " + cut)
	s.until("it is cut off with an entry that the others do not have", func(st *trace.State) bool {
		return st.Isolated(cut) && st.Node(cut).LastIndex() > st.Node(cut).Commit && st.HasLeader()
	})
	s.press("h")
	s.until("its entry is gone and all agree", func(st *trace.State) bool { return st.Node(cut).TruncatedAt > 0 && everyValue(5)(st) })

	s.press("P", "2")
	s.until("the larger half has a leader", func(st *trace.State) bool { return st.HasLeader() })
	s.press("P", "a")
	s.until("nobody leads", func(st *trace.State) bool { return st.LeaderNode() == nil })
	s.wants("no leader: no node reaches 3 of 5 voters")
	s.press("H")
	s.until("all is well", everyValue(5))
}

// TestEveryKeyDoesSomething presses every key on a live cluster.
func TestEveryKeyDoesSomething(t *testing.T) {
	s := newStage(t, 3)
	s.press("i", "r")
	s.pass(time.Second)
	for _, b := range s.keys {
		// A past that is shorter than the time view does not scroll.
		if b.Help().Key == "q" || b.Help().Desc == "scroll" {
			continue
		}
		for _, k := range b.Keys() {
			s.showView(s.views.Stage)
			if len(b.In) > 0 {
				s.current = slices.IndexFunc(s.views.All, func(v view.View) bool { return v.Name() == b.In[0] })
			}
			s.setToast("", "", false)
			before := s.screen()
			s.press(k)
			if k != "esc" && k != "x" && !strings.Contains("123456789", k) && s.screen() == before {
				t.Errorf("%s changes nothing on the screen", k)
			}
			s.press("esc", "esc")
		}
	}
}

func TestKeysAreUniqueAndExplained(t *testing.T) {
	type place struct {
		key string
		own bool // of the view alone
	}
	for _, v := range view.New(nil).All {
		seen := map[place]bool{}
		for _, b := range keymap.ForView(Keys(), v.Name()) {
			if b.Help().Key == "" || b.Help().Desc == "" || len(b.Keys()) == 0 {
				t.Errorf("%v is not explained", b.Keys())
			}
			for _, k := range b.Keys() {
				at := place{k, len(b.In) > 0}
				if seen[at] {
					t.Errorf("%s view: %s is bound twice", v.Name(), k)
				}
				seen[at] = true
			}
		}
	}
}

func TestHelpListsEveryKeyOfTheView(t *testing.T) {
	s := newStage(t, 1)
	for i, v := range s.views.All {
		s.current = i
		for _, size := range []tea.WindowSizeMsg{{Width: 80, Height: 24}, {Width: 120, Height: 36}} {
			s.Update(size)
			s.press("?")
			pages := s.screen()
			for range keymap.HelpGroups(s.keys) {
				s.press("down")
				pages += s.screen()
			}
			for _, b := range keymap.ForView(s.keys, v.Name()) {
				if !strings.Contains(pages, b.Help().Desc) {
					t.Errorf("%s view, %d wide: the help does not say %q", v.Name(), size.Width, b.Help().Desc)
				}
			}
			s.press("?")
		}
	}
}

func TestFooterKeepsHelpOnASmallScreen(t *testing.T) {
	s := newStage(t, 5)
	s.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	s.wants("? help")
}

func TestIrreversibleActionsAskFirst(t *testing.T) {
	s := newStage(t, 5)
	s.press("3", "-")
	s.wants("remove n3 from the members?")
	s.press("enter") // the answer under the cursor is no
	s.wants("cancelled")
	s.press("-", "-") // nor is the asking key a yes
	s.press("esc", "d", "w")
	s.wants("wipe the disk of n3?")
	s.press("n")
	if n := s.state.Node("n3"); n.Process != trace.Up {
		t.Fatalf("n3 is %s", n.Process)
	}
	s.press("-", "y")
	s.until("n3 is removed", func(st *trace.State) bool { return st.Node("n3").Process == trace.Removed })
	s.until("n3 is out of sight", func(st *trace.State) bool { return st.Node("n3") == nil })
}

func TestSelection(t *testing.T) {
	s := newStage(t, 5)
	if leader := s.state.LeaderNode(); s.cursor != leader.ID {
		t.Fatalf("at first %s is selected, not the leader %s", s.cursor, leader.ID)
	}
	s.press("2", "shift+down", "shift+right", "p")
	s.wants("partition n2,n3,n4 | others")
	s.press("9")
	s.wants("no node number 9")
	s.press("esc")
	if !s.follow || len(s.selected) != 0 {
		t.Fatal("esc does not let go of the selection")
	}
}

func TestClicksSelectNodesAndPressHints(t *testing.T) {
	s := newStage(t, 5)
	s.View()
	for _, h := range s.lastFrame.hits {
		if h.Node == "n4" {
			s.Update(tea.MouseClickMsg{X: h.X + h.W/2, Y: h.Y + h.H/2, Button: tea.MouseLeft})
			break
		}
	}
	if s.cursor != "n4" {
		t.Fatalf("a click on n4 selects %s", s.cursor)
	}
	for _, h := range s.lastFrame.hits {
		if h.Key == "k" {
			s.Update(tea.MouseClickMsg{X: h.X, Y: h.Y, Button: tea.MouseLeft})
		}
	}
	s.press()
	if n := s.state.Node("n4"); n.Process != trace.Killed {
		t.Fatalf("after a click on the hint for k n4 is %s", n.Process)
	}
}

func TestRefusedCommandsSayWhy(t *testing.T) {
	s := newStage(t, 3)
	followers := slices.DeleteFunc([]string{"1", "2", "3"}, func(number string) bool { return "n"+number == s.cursor })
	s.press(followers[0], "v", "i")
	s.pass(time.Second)
	s.wants("failed: n" + followers[0] + ": node is not the leader")
	s.press("k", "s")
	s.wants("cannot pause n" + followers[0] + ": it is killed: restart it first")
}

// TestScreenNeverOverflows resizes a busy screen.
func TestScreenNeverOverflows(t *testing.T) {
	s := newStage(t, 5)
	s.press("i", "l", "P", "2")
	s.pass(3 * time.Second)
	for _, size := range [][2]int{{1, 1}, {20, 5}, {60, 18}, {61, 19}, {80, 24}, {104, 28}, {120, 36}, {200, 60}, {300, 100}} {
		for _, overlay := range []string{"", "?", "d", "w"} {
			s.Update(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			if overlay != "" {
				s.press(overlay)
			}
			lines := strings.Split(s.View().Content, "\n")
			if len(lines) != size[1] {
				t.Errorf("%v %s: %d lines", size, overlay, len(lines))
			}
			for _, line := range lines {
				if w := ansi.StringWidth(line); w > size[0] {
					t.Errorf("%v %s: a line of %d cells: %q", size, overlay, w, ansi.Strip(line))
				}
			}
			s.press("esc")
		}
	}
}

func TestSpeedsAndPause(t *testing.T) {
	s := newStage(t, 3)
	s.press("space")
	if got := s.Engine.Speed(); got != 1 {
		t.Fatalf("space lets time run at %v", got)
	}
	s.press("<", "<")
	s.wants("speed 0.1")
	s.press(">", ">", ">", ">", ">", ">", ">", ">", ">")
	s.wants("speed max")
	s.press("space")
	if got := s.Engine.Speed(); got != 0 {
		t.Fatalf("space lets time run at %v", got)
	}
}

// BenchmarkFrameOfALiveCluster measures a frame outside the cluster: pulling the
// state, advancing, drawing.
func BenchmarkFrameOfALiveCluster(b *testing.B) {
	for _, nodes := range []int{5, 25, 99} {
		b.Run(fmt.Sprint(nodes), func(b *testing.B) {
			s := newStage(b, nodes)
			s.press("l")
			s.pass(10 * time.Second)
			for b.Loop() {
				s.dirty = true
				s.refresh(pane.FrameEvery)
				s.View()
			}
		})
	}
}
