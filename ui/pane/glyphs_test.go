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
			g.Ellipsis, g.Dot, g.Minus, g.Play, g.Cursor, g.Selected, g.Voted, g.Unvoted, g.BarFull, g.BarEmpty, g.Prompt, g.Good, g.Bad, g.CutLink, g.DelayLink,
			g.LoseLink, g.RefuseLink, g.DuplicateLink, g.ReorderLink, g.JamLink, g.BandwidthLink, g.Undecided, g.Alarm, g.Acked, g.CommitBorder, g.Snapshot, g.Compacted, g.Leading, g.Leaderless, g.Now, g.Heal, g.Start, g.Disk, g.Clock, g.Members, g.Caption, g.Wall,
		}
		for _, life := range []trace.ProcessState{trace.Paused, trace.Killed, trace.Off, trace.Crashed, trace.Removed, trace.Wiped, ""} {
			n.Process = life
			all = append(all, StyleOfNode(g, &n).Glyph)
		}
		all = append(append(append(append(all, g.Sparkline...), g.Arrows[:]...), g.Box[:]...), g.Leader, g.Follower, g.Candidate)
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
