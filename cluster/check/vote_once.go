package check

import (
	"fmt"
	"maps"

	"capsize/cluster/trace"
)

// voteOnce checks vote-once: a node votes for at most one candidate in a term, on a
// first-come-first-served basis (Raft paper, section 5.2), and stores its vote before
// it answers (Figure 2). A vote once stored binds the node even if its disk has lost
// it.
type voteOnce struct {
	report
	stored map[ballot]vote
}

// ballot identifies a node's vote in a term.
type ballot struct {
	node string
	term uint64
}

type vote struct {
	candidate string
	seq       uint64 // the event that stored it
}

func (c *voteOnce) observe(s *state, e *trace.Event) {
	switch {
	case e.Kind == trace.KindPacket:
		if p := e.Packet; p.Reply && p.Error == "" {
			c.checkSent(s, p, e.Seq)
		}
	case e.Kind == trace.KindVote && e.Peer != "":
		c.store(ballot{e.Node, e.Term}, vote{e.Peer, e.Seq})
	case e.Process == trace.Removed: // a new node of the same name has not voted yet
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
		c.violate([]uint64{was.seq, now.seq}, "%s votes for %s in term %d after voting for %s: a node has one vote per term",
			b.node, now.candidate, b.term, was.candidate)
	}
}

// checkSent checks a granted vote that has just been sent.
func (c *voteOnce) checkSent(s *state, p *trace.Packet, seq uint64) {
	switch was, known := c.stored[ballot{p.From, p.Term}]; {
	case !known && s.startsMidRun():
		c.giveUp(fmt.Sprintf("%s grants a vote in term %d, but the trace starts too late to show what it had stored", p.From, p.Term))
	case !known:
		c.violate([]uint64{seq}, "%s grants %s its vote in term %d without storing it: a vote must be stored before it is sent", p.From, p.To, p.Term)
	case was.candidate != p.To:
		c.violate([]uint64{was.seq, seq}, "%s grants %s its vote in term %d after voting for %s: a node has one vote per term", p.From, p.To, p.Term, was.candidate)
	}
}
