package pane

import (
	"testing"

	"github.com/charmbracelet/x/ansi"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

func TestGlyphsAreOneCellWide(t *testing.T) {
	n := trace.Node{Process: trace.Up}
	for _, g := range []*style.Glyphs{style.Unicode, style.ASCII} {
		all := []string{
			g.More, g.Dot, g.Minus, g.Play, g.Cursor, g.Marked, g.Voted, g.Unvoted, g.Full, g.Empty, g.Prompt, g.Good, g.Bad, g.CutLink, g.SlowLink,
			g.LossyLink, g.RefuseLink, g.DoubleLink, g.MixedLink, g.JamLink, g.NarrowLink, g.Undecided, g.Loud, g.Told, g.Border, g.Snapshot, g.Forgotten, g.Led, g.Unled, g.Now, g.Heal, g.Start, g.Disk, g.Clock, g.Members, g.Words, g.Wall,
		}
		for _, life := range []trace.ProcessState{trace.Paused, trace.Killed, trace.Off, trace.Crashed, trace.Removed, trace.Wiped, ""} {
			n.Process = life
			all = append(all, StyleOfNode(g, &n).Glyph)
		}
		all = append(append(append(append(all, g.Spark...), g.Arrows[:]...), g.Frame[:]...), g.Leader, g.Follower, g.Candidate)
		for _, set := range []map[string]string{g.Packet, g.Reply} {
			for _, glyph := range set {
				all = append(all, glyph)
			}
		}
		for _, glyph := range all {
			if ansi.StringWidth(glyph) != 1 || canvas.Sanitize(glyph) != glyph {
				t.Errorf("%s: %q", g.Name, glyph)
			}
		}
	}
}
