package view

import (
	"strings"
	"testing"
	"unicode"

	"capsize/cluster/trace"
	"capsize/ui/pane"
	"capsize/ui/style"
	"capsize/ui/uitest"
)

func TestTextIsNeverFaint(t *testing.T) {
	faint := style.Dark.SGR[style.Faint] + "m"
	for name, w := range uitest.Samples() {
		for _, size := range [][2]int{{80, 24}, {120, 36}, {200, 60}} {
			for v := range New(nil).All {
				f := full(frameOf(w, size[0], size[1]))
				f.view = f.All[v]
				picture, _ := f.render()
				for _, run := range strings.Split(picture, "\x1b")[1:] {
					_, text, is := strings.Cut(run, faint)
					if is && strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
						t.Errorf("%s %v, %s view: %q is faint", name, size, f.view.Name(), text)
					}
				}
			}
		}
	}
}

func TestStatesDifferWithoutColour(t *testing.T) {
	states := []struct {
		life trace.ProcessState
		role trace.Role
		word string
	}{
		{trace.Up, trace.Follower, "follower"},
		{trace.Up, trace.Candidate, "candidate"},
		{trace.Up, trace.Leader, "leader"},
		{trace.Paused, trace.Follower, "paused"},
		{trace.Killed, "", "killed"},
		{trace.Off, "", "off"},
		{trace.Crashed, "", "crashed"},
		{trace.Removed, "", "removed"},
		{trace.Wiped, "", "wiped"},
	}
	for _, g := range []*style.Glyphs{style.Unicode, style.ASCII} {
		for _, nodes := range []int{5, 25} {
			for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}} {
				seen := map[string]string{}
				for _, s := range states {
					w := uitest.Healthy(nodes)
					n := w.State.Node("n2")
					n.Process, n.Role = s.life, s.role
					f := frameOf(w, size[0], size[1])
					f.Theme, f.Glyphs, f.Cursor = style.Mono, g, "n2"
					text := plain(f)
					if twin, ok := seen[text]; ok {
						t.Errorf("%s, %d nodes, %v: %s looks the same as %s", g.Name, nodes, size, s.word, twin)
					}
					if nodes == 5 && size[0] == 120 && !strings.Contains(text, pane.StyleOfNode(g, n).Glyph+" "+s.word) {
						t.Errorf("%s: no word %q on the screen:\n%s", g.Name, s.word, text)
					}
					seen[text] = s.word
				}
			}
		}
	}
}
