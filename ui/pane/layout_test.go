package pane

import (
	"testing"

	"capsize/ui/canvas"
)

// panes returns the rectangles by name.
func (l Layout) panes() map[string]canvas.Rectangle {
	return map[string]canvas.Rectangle{
		"header": l.Header, "ring": l.Ring, "cards": l.Cards, "table": l.Table, "clients": l.Clients,
		"log": l.Log, "time": l.Time, "story": l.Story, "status": l.status, "hints": l.hints,
	}
}

func TestPanesStayOnScreenAndDoNotOverlap(t *testing.T) {
	for w := MinWidth; w <= 320; w += 7 {
		for h := MinHeight; h <= 110; h++ {
			for _, n := range []int{0, 1, 3, 5, 9, 10, 17, 25, 26, 99} {
				checkPanes(t, w, h, n)
			}
		}
	}
}

func checkPanes(t *testing.T, w, h, n int) {
	t.Helper()
	panes := LayoutFor(w, h, n).panes()
	for name, r := range panes {
		if r.W < 0 || r.H < 0 || r.X < 0 || r.Y < 0 || r.X+r.W > w || r.Y+r.H > h {
			t.Fatalf("%dx%d, %d nodes: %s leaves the screen: %+v", w, h, n, name, r)
		}
		for other, o := range panes {
			if name < other && !r.Empty() && !o.Empty() && r.X < o.X+o.W && o.X < r.X+r.W && r.Y < o.Y+o.H && o.Y < r.Y+r.H {
				t.Fatalf("%dx%d, %d nodes: %s %+v and %s %+v overlap", w, h, n, name, r, other, o)
			}
		}
	}
	for _, name := range []string{"header", "log", "time", "story", "status", "hints"} {
		if panes[name].Empty() {
			t.Fatalf("%dx%d, %d nodes: %s is missing", w, h, n, name)
		}
	}
}

func TestLayoutDependsOnSizeAndNodes(t *testing.T) {
	for _, c := range []struct {
		w, h, nodes        int
		ring, cards, table bool
	}{
		{80, 24, 5, false, true, false},
		{60, 18, 9, false, true, false},
		{80, 24, 12, false, false, true},
		{120, 36, 1, true, false, true},
		{120, 36, 5, true, false, true},
		{120, 36, 9, true, false, true},
		{120, 36, 25, false, false, true},
		{200, 60, 25, true, false, true},
		{200, 60, 26, false, false, true},
		{300, 100, 99, false, false, true},
	} {
		l := LayoutFor(c.w, c.h, c.nodes)
		if ring, cards, table := !l.Ring.Empty(), !l.Cards.Empty(), !l.Table.Empty(); ring != c.ring || cards != c.cards || table != c.table {
			t.Errorf("%dx%d, %d nodes: ring %v, cards %v, table %v; want %v, %v, %v", c.w, c.h, c.nodes, ring, cards, table, c.ring, c.cards, c.table)
		}
	}
}

func TestFiveLogsFitOnEveryScreen(t *testing.T) {
	for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}, {200, 60}} {
		if l := LayoutFor(size[0], size[1], 5); l.Log.H != 6 {
			t.Errorf("%v: the log has %d lines, want 6", size, l.Log.H)
		}
	}
}
