package check

import (
	"fmt"
	"maps"

	"capsize/cluster/trace"
)

// voteOnce is vote-once: a node votes for at most one candidate in a term, on a
// first-come-first-served basis (Raft paper, section 5.2), and stores its vote
// before it answers (Figure 2). What a node was once seen to store it is held to,
// even if its disk has forgotten it.
type voteOnce struct {
	report
	stored map[ballot]vote
}

// ballot is the vote of one node in one term.
type ballot struct {
	node string
	term uint64
}

type vote struct {
	candidate string
	seq       uint64 // the event of its being stored
}

func (c *voteOnce) observe(s *state, e *trace.Event) {
	switch {
	case e.Kind == trace.KindPacket:
		if p := e.Packet; p.Reply && p.Error == "" {
			c.checkSent(s, p, e.Seq)
		}
	case e.Kind == trace.KindVote && e.Peer != "":
		c.store(ballot{e.Node, e.Term}, vote{e.Peer, e.Seq})
	case e.Process == trace.Removed: // another machine that gets its name has voted for nobody
		maps.DeleteFunc(c.stored, func(b ballot, _ vote) bool { return b.node == e.Node })
	}
}

func (c *voteOnce) store(b ballot, now vote) {
	if c.stored == nil {
		c.stored = map[ballot]vote{}
	}
	was, known := c.stored[b]
	switch {
	case !known:
		c.stored[b] = now
		forgetOldTerms(c.stored, func(b ballot) uint64 { return b.term })
	case was.candidate != now.candidate:
		c.violate([]uint64{was.seq, now.seq}, "%s votes for %s in term %d, and had voted for %s: a node has one vote in a term", b.node, now.candidate, b.term, was.candidate)
	}
}

// checkSent looks at a granted vote that is on its way.
func (c *voteOnce) checkSent(s *state, p *trace.Packet, seq uint64) {
	switch was, known := c.stored[ballot{p.From, p.Term}]; {
	case !known && s.startsMidRun():
		c.giveUp(fmt.Sprintf("%s grants a vote in term %d, but the vote it stored before the trace starts is unknown", p.From, p.Term))
	case !known:
		c.violate([]uint64{seq}, "%s grants its vote in term %d to %s and has not stored it: a vote is stored before it is sent", p.From, p.Term, p.To)
	case was.candidate != p.To:
		c.violate([]uint64{was.seq, seq}, "%s grants its vote in term %d to %s, and had voted for %s: a node has one vote in a term", p.From, p.Term, p.To, was.candidate)
	}
}
