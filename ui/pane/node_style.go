package pane

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// NodeStyle is how the state of a node is shown everywhere: with a glyph and a word, never by
// colour alone.
type NodeStyle struct {
	Glyph, Word string
	Style       style.Style
}

// StyleOfNode returns how the state of a node is shown: its role while it is up, otherwise its
// process.
func StyleOfNode(g *style.Glyphs, n *trace.Node) NodeStyle {
	switch n.Process {
	case trace.Up:
	case trace.Paused:
		return NodeStyle{g.Paused, "paused", style.Warn}
	case trace.Killed:
		return NodeStyle{g.Killed, "killed", style.Bad}
	case trace.Off:
		return NodeStyle{g.Off, "off", style.Bad}
	case trace.Crashed:
		return NodeStyle{g.Crashed, "crashed", style.Bad}
	case trace.Removed:
		return NodeStyle{g.Removed, "removed", style.Dim}
	case trace.Wiped:
		return NodeStyle{g.Wiped, "wiped", style.Bad}
	case trace.Unreachable:
		return NodeStyle{g.Unreachable, "unreachable", style.Warn}
	default:
		return NodeStyle{g.Starting, "new", style.Dim}
	}
	switch n.Role {
	case trace.Leader:
		return NodeStyle{g.Leader, "leader", style.Accent}
	case trace.Candidate:
		return NodeStyle{g.Candidate, "candidate", style.Warn}
	case trace.Follower:
	}
	return NodeStyle{g.Follower, "follower", style.Text}
}

// entriesBehind returns how many committed entries a node has not applied or, while it is
// down, does not have on disk. Entries that the cluster has lost do not count, because no node
// can get them any more.
func entriesBehind(s *trace.State, n *trace.Node) uint64 {
	has := n.Applied
	if n.Process.Down() {
		has = n.LastIndex()
	}
	commit := s.Commit
	if leader := s.LeaderNode(); leader != nil && len(s.Lost) > 0 {
		commit = leader.Commit
	}
	if n.Process == trace.Removed || n.Process == trace.Unreachable || has >= commit {
		return 0
	}
	return commit - has
}

// ValueOf returns a node's value as text, "" if it has none, and the style to show it in.
func (p *Painter) ValueOf(n *trace.Node) (value string, st style.Style) {
	if n.Process == trace.Wiped || n.Process == "" {
		return "", style.Dim
	}
	value = fmt.Sprint(n.Value)
	switch {
	case !n.Process.Running():
		return value, style.Dim
	case p.flash[n.ID] > 0:
		return value, style.Good | style.Bold
	case p.BehindText(n) != "":
		return value, style.Dim
	}
	return value, style.Text | style.Bold
}

// BehindText returns how many entries a node is behind, such as −3, or "" if it is not.
func (p *Painter) BehindText(n *trace.Node) string {
	if b := entriesBehind(p.State, n); b > 0 && !p.catchingUp[n.ID] {
		return p.Glyphs.Minus + canvas.Compact(b, 4)
	}
	return ""
}

// faultsOf returns the faults of a node as short texts, worst first.
func (p *Painter) faultsOf(n *trace.Node) []canvas.Span {
	var notes []canvas.Span
	if n.Process.Running() && p.State.Isolated(n.ID) {
		notes = append(notes, canvas.Styled(p.Glyphs.CutLink+" isolated", style.Bad))
	} else if cut := p.cutText(n); cut != "" {
		notes = append(notes, canvas.Styled(p.Glyphs.CutLink+" "+cut, style.Bad))
	}
	if (n.Process == trace.Paused || n.Process == trace.Unreachable) && n.Role != "" && n.Role != trace.Follower {
		notes = append(notes, canvas.Styled("was "+string(n.Role), style.Dim))
	}
	if n.DiskFault != "" {
		notes = append(notes, canvas.Styled(p.Glyphs.Disk+" disk "+n.DiskFault, style.Warn))
	}
	if n.ClockFactor != 1 && n.ClockFactor != 0 {
		notes = append(notes, canvas.Styled(fmt.Sprintf("%s timeouts x%.3g", p.Glyphs.Clock, n.ClockFactor), style.Warn))
	}
	if n.ApplyFault != "" {
		notes = append(notes, canvas.Styled(p.Glyphs.Clock+" apply "+n.ApplyFault, style.Warn))
	}
	if (n.Process == trace.Crashed || n.Process == trace.Unreachable) && n.Why != "" {
		notes = append(notes, canvas.Styled(n.Why, StyleOfNode(p.Glyphs, n).Style))
	}
	return notes
}

// notesOf returns the remarks on a node: its faults, whether it votes, and its vote.
func (p *Painter) notesOf(n *trace.Node) []canvas.Span {
	notes := p.faultsOf(n)
	if n.Gap != "" {
		notes = append(notes, canvas.Styled(p.Glyphs.Unreachable+" events missing", style.Warn))
	}
	if !n.Process.Running() {
		return notes
	}
	switch leader := p.State.LeaderNode(); {
	case leader != nil && leader.IsOutside(n.ID):
		notes = append(notes, canvas.Styled("no member", style.Warn))
	case p.isNonVoter(n.ID):
		notes = append(notes, canvas.Styled("nonvoter", style.Dim))
	}
	if n.Vote != "" && n.VoteTerm == n.Term && n.Term > 0 {
		notes = append(notes, canvas.Styled("voted "+n.Vote, style.Dim))
	}
	return notes
}

// isNonVoter reports whether a node has no vote in the current configuration.
func (p *Painter) isNonVoter(id string) bool {
	return len(p.voters) > 0 && !slices.Contains(p.voters, id)
}

// blockedPeers returns the running nodes with a blocked link to or from a running node.
func (p *Painter) blockedPeers(n *trace.Node) []string {
	if len(p.State.Faults) == 0 || !n.Process.Running() {
		return nil
	}
	var cut []string
	for i := range p.State.Nodes {
		other := &p.State.Nodes[i]
		if other.ID != n.ID && other.Process.Running() && (p.State.Blocked(n.ID, other.ID) || p.State.Blocked(other.ID, n.ID)) {
			cut = append(cut, other.ID)
		}
	}
	return cut
}

// cutText returns the nodes that a node cannot reach, "" for none. In a large cluster, only
// nodes that are cut off from most others say so.
func (p *Painter) cutText(n *trace.Node) string {
	cut := p.blockedPeers(n)
	if len(p.State.Nodes) <= fullNodesMax {
		return JoinNames(cut, 3)
	}
	most := len(p.State.Nodes) / 2
	if len(cut) > most {
		return fmt.Sprintf("%d nodes", len(cut))
	}
	return JoinNames(slices.DeleteFunc(cut, func(id string) bool { return len(p.blockedPeers(p.State.Node(id))) > most }), 3)
}

// JoinNames joins at most so many names. The number of others follows: n1 n2 +3.
func JoinNames(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, " ")
	}
	return fmt.Sprintf("%s +%d", strings.Join(all[:most], " "), len(all)-most)
}

// electionTimeout returns how long a follower waits for its leader before it starts an
// election.
func (p *Painter) electionTimeout(n *trace.Node) time.Duration {
	patience := max(p.State.Settings.Heartbeat, p.State.Settings.Election)
	if n.ClockFactor > 0 {
		patience = time.Duration(float64(patience) * n.ClockFactor)
	}
	return patience
}

// leaseAge returns how long ago a leader last heard from a quorum.
func (p *Painter) leaseAge(n *trace.Node) time.Duration {
	var heard []time.Duration
	for _, id := range p.voters {
		if id != n.ID {
			heard = append(heard, n.Peers[id].LastHeard)
		}
	}
	slices.SortFunc(heard, func(a, b time.Duration) int { return int(b - a) })
	// The leader is one of the quorum itself.
	others := trace.Quorum(len(p.voters)) - 1
	if others < 1 || len(heard) < others {
		return 0
	}
	// The lease of a new leader starts with its election.
	return p.Now - max(heard[others-1], n.RoleAt)
}

// Contact draws what decides about a node's role: how long ago a follower heard from its
// leader, how much is left of a leader's lease, a candidate's votes. For a node that is down it
// draws since when. A bar takes at most bar cells.
func (p *Painter) Contact(n *trace.Node, x, y, w, bar int) {
	if w < 4 {
		return
	}
	bar = min(bar, w-6)
	if !n.Process.Running() {
		if n.Process != "" {
			text := trace.Age(p.Now-n.Since) + " ago"
			if len(text) > w {
				text = trace.Age(p.Now - n.Since)
			}
			p.Put(x, y, w, text, style.Dim)
		}
		return
	}
	if p.hearsNothing() && n.Role != trace.Candidate {
		p.Put(x, y, w, "not seen", style.Dim)
		return
	}
	switch n.Role {
	case trace.Leader:
		age, lease := p.leaseAge(n), n.Lease(&p.State.Settings)
		left := 1.0
		if lease > 0 {
			left = 1 - float64(age)/float64(lease)
		}
		word, st := "lease", style.Accent
		if left <= 0 {
			word, st = "expired", style.Bad
		}
		p.bar(x, y, bar, left, st)
		p.Put(x+bar+1, y, w-bar-1, word, style.Dim)
	case trace.Candidate:
		p.votes(n, x, y, w)
	default:
		silence := p.Now - n.LastHeard
		st := style.Text
		if silence > p.electionTimeout(n) {
			st = style.Warn
		}
		p.bar(x, y, bar, float64(silence)/float64(max(p.electionTimeout(n), 1)), st)
		p.Put(x+bar+1, y, w-bar-1, trace.Age(silence), style.Dim)
	}
}

// hearsNothing reports whether nobody tells which packets the nodes exchange, as on nodes of other
// hosts: a leader of several voters was elected without any. Who has heard from whom is not known then.
func (p *Painter) hearsNothing() bool {
	return p.State.Traffic.Sent == 0 && len(p.State.LeaderTerms) > 0 && len(p.voters) > 1
}

// votes draws a candidate's votes: as dots with the count if they fit, otherwise the count.
func (p *Painter) votes(n *trace.Node, x, y, w int) {
	total := max(len(p.voters), len(n.Votes))
	count := fmt.Sprintf("%d/%d", len(n.Votes), trace.Quorum(total))
	if total+1+len(count) > w {
		p.Put(x, y, w, count+" votes", style.Warn)
		return
	}
	for i := range total {
		if i < len(n.Votes) {
			p.Set(x+i, y, p.Glyphs.Voted, style.Warn)
		} else {
			p.Set(x+i, y, p.Glyphs.Unvoted, style.Dim)
		}
	}
	p.Put(x+total+1, y, w-total-1, count, style.Dim)
}

// bar draws a bar that is filled up to part, 0 to 1.
func (p *Painter) bar(x, y, w int, part float64, st style.Style) {
	full := int(min(max(part, 0), 1)*float64(w) + 0.5)
	for i := range w {
		if i < full {
			p.Set(x+i, y, p.Glyphs.BarFull, st)
		} else {
			p.Set(x+i, y, p.Glyphs.BarEmpty, style.Faint)
		}
	}
}

// NameStyle returns the style of a node's name. The node under the cursor stands out most.
func (p *Painter) NameStyle(n *trace.Node) style.Style {
	switch {
	case n.ID == p.Cursor:
		return style.Accent | style.Bold
	case p.Selected[n.ID]:
		return style.Accent
	case !n.Process.Running():
		return style.Dim
	}
	return style.Text
}

// MarkNode draws the cursor and the mark of a selected node, if the node has them.
func (p *Painter) MarkNode(n *trace.Node, x, y int) {
	if p.Selected[n.ID] {
		p.Set(x, y, p.Glyphs.Selected, style.Accent)
	}
	if p.cursorOn(n.ID) {
		p.Set(x, y, p.Glyphs.Cursor, p.cursorStyle())
		if p.Selected[n.ID] {
			p.Set(x+1, y, p.Glyphs.Selected, style.Accent)
		}
	}
}

// cursorOn reports whether to draw the cursor on a node. An audience does not see it while it
// only follows the leader.
func (p *Painter) cursorOn(id string) bool {
	return id == p.Cursor && (!p.Presenting || !p.FollowsLeader)
}

// cursorStyle returns the style of the cursor. It is dim while it only follows the leader.
func (p *Painter) cursorStyle() style.Style {
	if p.FollowsLeader {
		return style.Dim
	}
	return style.Accent
}
