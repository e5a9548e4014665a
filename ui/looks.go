package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// look is how a node is shown everywhere: a glyph, a word and an ink, so that
// no state is told by colour alone.
type look struct {
	glyph, word string
	ink         style.Style
}

// styleOfNode says how a node is shown.
func styleOfNode(g *style.Glyphs, n *trace.Node) look {
	switch n.Process {
	case trace.Up:
	case trace.Paused:
		return look{g.Paused, "paused", style.Warn}
	case trace.Killed:
		return look{g.Killed, "killed", style.Bad}
	case trace.Off:
		return look{g.Off, "off", style.Bad}
	case trace.Crashed:
		return look{g.Crashed, "crashed", style.Bad}
	case trace.Removed:
		return look{g.Removed, "removed", style.Dim}
	case trace.Wiped:
		return look{g.Wiped, "wiped", style.Bad}
	default:
		return look{g.Starting, "new", style.Dim}
	}
	switch n.Role {
	case trace.Leader:
		return look{g.Leader, "leader", style.Accent}
	case trace.Candidate:
		return look{g.Candidate, "candidate", style.Warn}
	case trace.Follower:
	}
	return look{g.Follower, "follower", style.Text}
}

// behind returns how many committed entries are not yet in a node's value or,
// while it is down, not on its disk.
func behind(s *trace.State, n *trace.Node) uint64 {
	has := n.Applied
	if !n.Process.Running() {
		has = n.LastIndex()
	}
	commit := s.Commit
	if leader := s.LeaderNode(); leader != nil && len(s.Lost) > 0 {
		commit = leader.Commit // nobody can still get what is lost
	}
	if n.Process == trace.Removed || has >= commit {
		return 0
	}
	return commit - has
}

// valueOf says how a node's value is shown: the number, "" when it has none,
// and in which ink.
func (p *painter) valueOf(n *trace.Node) (value string, k style.Style) {
	if n.Process == trace.Wiped || n.Process == "" {
		return "", style.Dim
	}
	value = fmt.Sprint(n.Value)
	switch {
	case !n.Process.Running():
		return value, style.Dim
	case p.flash[n.ID] > 0:
		return value, style.Good | style.Bold
	case p.behindText(n) != "":
		return value, style.Dim
	}
	return value, style.Text | style.Bold
}

// behindText says how far behind a node is, "" if it is not.
func (p *painter) behindText(n *trace.Node) string {
	if b := behind(p.state, n); b > 0 && !p.fresh[n.ID] {
		return p.glyphs.Minus + canvas.Compact(canvas.Count(b), 4)
	}
	return ""
}

// faultsOf lists what is wrong with a node, worst first.
func (p *painter) faultsOf(n *trace.Node) []canvas.Span {
	var notes []canvas.Span
	if n.Process.Running() && p.state.Isolated(n.ID) {
		notes = append(notes, canvas.Styled(p.glyphs.CutLink+" cut off", style.Bad))
	} else if cut := p.cutFrom(n); len(cut) > 0 {
		notes = append(notes, canvas.Styled(p.glyphs.CutLink+" "+names(cut, 3), style.Bad))
	}
	if n.Process == trace.Paused && n.Role != "" && n.Role != trace.Follower {
		notes = append(notes, canvas.Styled("was "+string(n.Role), style.Dim))
	}
	if n.DiskFault != "" {
		notes = append(notes, canvas.Styled(p.glyphs.Disk+" disk "+n.DiskFault, style.Warn))
	}
	if n.ClockFactor != 1 && n.ClockFactor != 0 {
		notes = append(notes, canvas.Styled(fmt.Sprintf("%s clock x%.3g", p.glyphs.Clock, n.ClockFactor), style.Warn))
	}
	if n.Process == trace.Crashed && n.Why != "" {
		notes = append(notes, canvas.Styled(n.Why, style.Bad))
	}
	return notes
}

// notesOf lists all there is to say of a node beside its numbers.
func (p *painter) notesOf(n *trace.Node) []canvas.Span {
	notes := p.faultsOf(n)
	if !n.Process.Running() {
		return notes
	}
	if p.isNonVoter(n.ID) {
		notes = append(notes, canvas.Styled("no voter", style.Dim))
	}
	if n.Vote != "" && n.VoteTerm == n.Term && n.Term > 0 {
		notes = append(notes, canvas.Styled("voted "+n.Vote, style.Dim))
	}
	return notes
}

// isNonVoter says whether a node is a member without a vote.
func (p *painter) isNonVoter(id string) bool {
	return len(p.voters) > 0 && !slices.Contains(p.voters, id)
}

// cutFrom lists the running nodes to or from which a link of a node is closed.
func (p *painter) cutFrom(n *trace.Node) []string {
	if len(p.state.Faults) == 0 || !n.Process.Running() {
		return nil
	}
	var cut []string
	for i := range p.state.Nodes {
		other := &p.state.Nodes[i]
		if other.ID != n.ID && other.Process.Running() && (p.state.Blocked(n.ID, other.ID) || p.state.Blocked(other.ID, n.ID)) {
			cut = append(cut, other.ID)
		}
	}
	return cut
}

// names joins at most so many names, and says how many more there are.
func names(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, " ")
	}
	return fmt.Sprintf("%s +%d", strings.Join(all[:most], " "), len(all)-most)
}

// patience is how long a follower waits for its leader before it may stand.
func (p *painter) patience(n *trace.Node) time.Duration {
	patience := max(p.state.Settings.Heartbeat, p.state.Settings.Election)
	if n.ClockFactor > 0 {
		patience = time.Duration(float64(patience) * n.ClockFactor)
	}
	return patience
}

// lease returns how long ago a leader last had word from a quorum.
func (p *painter) lease(n *trace.Node) time.Duration {
	var heard []time.Duration
	for _, id := range p.voters {
		if id != n.ID {
			heard = append(heard, n.Peers[id].LastHeard)
		}
	}
	slices.SortFunc(heard, func(a, b time.Duration) int { return int(b - a) })
	// The leader itself is one of the quorum.
	others := trace.Quorum(len(p.voters)) - 1
	if others < 1 || len(heard) < others {
		return 0
	}
	// A new leader counts from its election until the first answers are there.
	return p.now - max(heard[others-1], n.RoleAt)
}

// heard draws what a node waits for: a follower for its leader, a leader for
// the answers that keep its lease, a candidate for votes; of one that is down,
// since when.
func (p *painter) heard(n *trace.Node, x, y, w, bar int) {
	if w < 4 {
		return
	}
	bar = min(bar, w-6)
	if !n.Process.Running() {
		if n.Process != "" {
			text := "since " + canvas.Age(p.now-n.Since)
			if len(text) > w {
				text = canvas.Age(p.now - n.Since)
			}
			p.Put(x, y, w, text, style.Dim)
		}
		return
	}
	switch n.Role {
	case trace.Leader:
		age, lease := p.lease(n), p.state.Settings.Lease
		left := 1.0
		if lease > 0 {
			left = 1 - float64(age)/float64(lease)
		}
		word, k := "lease", style.Accent
		if left <= 0 {
			word, k = "lapsed", style.Bad
		}
		p.bar(x, y, bar, left, k)
		p.Put(x+bar+1, y, w-bar-1, word, style.Dim)
	case trace.Candidate:
		p.votes(n, x, y, w)
	default:
		silence := p.now - n.LastHeard
		k := style.Text
		if silence > p.patience(n) {
			k = style.Warn
		}
		p.bar(x, y, bar, float64(silence)/float64(max(p.patience(n), 1)), k)
		p.Put(x+bar+1, y, w-bar-1, canvas.Age(silence), style.Dim)
	}
}

// votes draws a candidate's votes as dots as long as they fit, then the count.
func (p *painter) votes(n *trace.Node, x, y, w int) {
	total := max(len(p.voters), len(n.Votes))
	count := fmt.Sprintf("%d/%d", len(n.Votes), trace.Quorum(total))
	if total+1+len(count) > w {
		p.Put(x, y, w, count+" votes", style.Warn)
		return
	}
	for i := range total {
		if i < len(n.Votes) {
			p.Set(x+i, y, p.glyphs.Voted, style.Warn)
		} else {
			p.Set(x+i, y, p.glyphs.Unvoted, style.Dim)
		}
	}
	p.Put(x+total+1, y, w-total-1, count, style.Dim)
}

// bar draws a part of a whole.
func (p *painter) bar(x, y, w int, part float64, k style.Style) {
	full := int(min(max(part, 0), 1)*float64(w) + 0.5)
	for i := range w {
		if i < full {
			p.Set(x+i, y, p.glyphs.Full, k)
		} else {
			p.Set(x+i, y, p.glyphs.Empty, style.Faint)
		}
	}
}

// nameInk is how a node's name is shown: the cursor stands out most.
func (p *painter) nameInk(n *trace.Node) style.Style {
	switch {
	case n.ID == p.cursor:
		return style.Accent | style.Bold
	case p.selected[n.ID]:
		return style.Accent
	case !n.Process.Running():
		return style.Dim
	}
	return style.Text
}

// markNode draws the marks of the cursor and of a selected node.
func (p *painter) markNode(n *trace.Node, x, y int) {
	if p.selected[n.ID] {
		p.Set(x, y, p.glyphs.Marked, style.Accent)
	}
	if p.cursorOn(n.ID) {
		p.Set(x, y, p.glyphs.Cursor, p.cursorInk())
		if p.selected[n.ID] {
			p.Set(x+1, y, p.glyphs.Marked, style.Accent)
		}
	}
}

// cursorOn says whether the cursor is seen on a node: an audience need not know
// where it is as long as it only follows the leader.
func (p *painter) cursorOn(id string) bool { return id == p.cursor && (!p.presents || !p.follow) }

// cursorInk is quiet as long as the cursor only follows the leader.
func (p *painter) cursorInk() style.Style {
	if p.follow {
		return style.Dim
	}
	return style.Accent
}
