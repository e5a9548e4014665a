package check

import (
	"maps"
	"slices"

	"capsize/cluster/trace"
)

// termsMax is how many terms a check remembers when snapshots do not bound its past.
// Beyond that it forgets the older half.
const termsMax = 1 << 16

// electionSafety checks election-safety: at most one leader can be elected in a given
// term (Raft paper, section 5.2). A node that sends entries, heartbeats or snapshots
// claims to lead the term they carry.
type electionSafety struct {
	report
	latest  leaderClaim            // repeated by most packets, so compared first
	leaders map[uint64]leaderClaim // by term
}

// leaderClaim is a node's claim to lead a term, and the event that shows it.
type leaderClaim struct {
	term uint64
	node string
	seq  uint64
}

// isRelevant reports whether a packet matters to any check: it claims leadership or
// carries a granted vote.
func isRelevant(p *trace.Packet) bool {
	if p.Status != trace.Sent {
		return false
	}
	if p.Reply {
		return p.OK && p.Kind == "vote"
	}
	return p.Kind == "append" || p.Kind == "heartbeat" || p.Kind == "snapshot"
}

func (c *electionSafety) observe(s *state, e *trace.Event) {
	switch {
	case e.Kind == trace.KindPacket:
		if p := e.Packet; !p.Reply && (p.Term != c.latest.term || p.From != c.latest.node) {
			c.addClaim(leaderClaim{p.Term, p.From, e.Seq})
		}
	case e.Role == trace.Leader:
		c.addClaim(leaderClaim{s.step.node.leadTerm(e.Term), e.Node, e.Seq})
	}
}

func (c *electionSafety) addClaim(now leaderClaim) {
	if c.leaders == nil {
		c.leaders = map[uint64]leaderClaim{}
	}
	was, known := c.leaders[now.term]
	switch {
	case known && was.node != now.node:
		c.violate([]uint64{was.seq, now.seq}, "%s and %s both lead term %d: a term has at most one leader", was.node, now.node, now.term)
		return
	case !known:
		c.leaders[now.term] = now
		forgetOldTerms(c.leaders, func(term uint64) uint64 { return term })
	}
	if now.term > c.latest.term {
		c.latest = now
	}
}

// forgetOldTerms deletes the older half of a map keyed by term once it exceeds
// termsMax.
func forgetOldTerms[K comparable, V any](known map[K]V, term func(K) uint64) {
	if len(known) <= termsMax {
		return
	}
	terms := make([]uint64, 0, len(known))
	for k := range known {
		terms = append(terms, term(k))
	}
	slices.Sort(terms)
	median := terms[len(terms)/2]
	maps.DeleteFunc(known, func(k K, _ V) bool { return term(k) <= median })
}
