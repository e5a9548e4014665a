package history

import (
	"capsize/cluster/trace"
)

// state describes a state.
func (c *deltaCodec) state(s *trace.State) {
	outer := c.begin(3)
	b := firstBit
	near(c, b.next(), &s.Seq, &c.last.seq)
	near(c, b.next(), &s.At, &c.last.at)
	c.settings(&s.Settings)
	list(c, b.next(), &s.Nodes, (*deltaCodec).node)
	dictionary(c, b.next(), &s.Faults, (*deltaCodec).faults)
	list(c, b.next(), &s.InFlight, (*deltaCodec).inFlight)
	number(c, b.next(), &s.Traffic.Sent)
	number(c, b.next(), &s.Traffic.Delivered)
	number(c, b.next(), &s.Traffic.Lost)
	c.clients(&s.Clients)
	list(c, b.next(), &s.Story, (*deltaCodec).storyLine)
	list(c, b.next(), &s.LeaderTerms, (*deltaCodec).leaderTerm)
	c.text(b.next(), &s.Chapter)
	c.text(b.next(), &s.Caption)
	dictionary(c, b.next(), (*map[string]string)(&s.ChapterIn), (*deltaCodec).translation)
	dictionary(c, b.next(), (*map[string]string)(&s.CaptionIn), (*deltaCodec).translation)
	near(c, b.next(), &s.CaptionAt, &c.last.ns)
	near(c, b.next(), &s.Commit, &c.last.index)
	list(c, b.next(), &s.CommitTerms, (*deltaCodec).termRun)
	list(c, b.next(), &s.Checks, (*deltaCodec).check)
	list(c, b.next(), &s.Lost, (*deltaCodec).lostEntry)
	list(c, b.next(), &s.Waiting, (*deltaCodec).inFlight)
	list(c, b.next(), &s.Unanswered, (*deltaCodec).inFlight)
	c.questionAt(b.next(), &s.Question)
	near(c, b.next(), &s.QuestionAt, &c.last.ns)
	c.bool(b.next(), &s.QuestionShown)
	c.end(outer)
	if c.reading {
		s.IndexNodes()
	}
}

func (c *deltaCodec) node(n *trace.Node) {
	outer := c.begin(5)
	b := firstBit
	name(c, b.next(), &n.ID)
	name(c, b.next(), &n.Process)
	c.text(b.next(), &n.Why)
	near(c, b.next(), &n.Since, &c.last.ns)
	name(c, b.next(), &n.Role)
	near(c, b.next(), &n.RoleAt, &c.last.ns)
	near(c, b.next(), &n.Term, &c.last.term)
	near(c, b.next(), &n.VoteTerm, &c.last.term)
	name(c, b.next(), &n.Vote)
	name(c, b.next(), &n.Leader)
	near(c, b.next(), &n.LastHeard, &c.last.ns)
	name(c, b.next(), &n.LastHeardFrom)
	list(c, b.next(), &n.Votes, (*deltaCodec).str)
	dictionary(c, b.next(), &n.Peers, (*deltaCodec).progress)
	near(c, b.next(), &n.First, &c.last.index)
	list(c, b.next(), &n.Entries, (*deltaCodec).entry)
	near(c, b.next(), &n.Commit, &c.last.index)
	near(c, b.next(), &n.Applied, &c.last.index)
	near(c, b.next(), &n.Value, &c.last.value)
	near(c, b.next(), &n.ValueAt, &c.last.ns)
	near(c, b.next(), &n.ValueChangedAt, &c.last.ns)
	near(c, b.next(), &n.BehindSince, &c.last.ns)
	near(c, b.next(), &n.SnapshotIndex, &c.last.index)
	near(c, b.next(), &n.SnapshotTerm, &c.last.term)
	c.bytes(b.next(), &n.Snapshot)
	list(c, b.next(), &n.SnapshotServers, (*deltaCodec).server)
	list(c, b.next(), &n.Servers, (*deltaCodec).server)
	list(c, b.next(), &n.Truncated, (*deltaCodec).entry)
	near(c, b.next(), &n.TruncatedFirst, &c.last.index)
	near(c, b.next(), &n.TruncatedAt, &c.last.ns)
	list(c, b.next(), &n.LogLines, (*deltaCodec).logLine)
	c.text(b.next(), &n.DiskFault)
	c.bool(b.next(), &n.FaultSpent)
	c.text(b.next(), &n.Damage)
	c.float(b.next(), &n.ClockFactor)
	c.text(b.next(), &n.ApplyFault)
	c.text(b.next(), &n.Gap)
	c.end(outer)
}

func (c *deltaCodec) progress(id *string, contact *trace.Progress) {
	outer := c.begin(1)
	b := firstBit
	name(c, b.next(), id)
	near(c, b.next(), &contact.LastHeard, &c.last.ns)
	near(c, b.next(), &contact.Match, &c.last.index)
	c.end(outer)
}

func (c *deltaCodec) faults(link *trace.Link, faults *[]string) {
	outer := c.begin(1)
	b := firstBit
	name(c, b.next(), &link.From)
	name(c, b.next(), &link.To)
	list(c, b.next(), faults, (*deltaCodec).str)
	c.end(outer)
}

func (c *deltaCodec) inFlight(f *trace.InFlight) {
	outer := c.begin(1)
	b := firstBit
	near(c, b.next(), &f.SentAt, &c.last.ns)
	near(c, b.next(), &f.EndedAt, &c.last.ns)
	c.deltaPacket(&f.Packet)
	c.end(outer)
}

func (c *deltaCodec) clients(clients *trace.Clients) {
	outer := c.begin(1)
	b := firstBit
	number(c, b.next(), &clients.OK)
	number(c, b.next(), &clients.Failed)
	number(c, b.next(), &clients.Unknown)
	number(c, b.next(), &clients.InFlight)
	list(c, b.next(), &clients.Recent, (*deltaCodec).op)
	list(c, b.next(), &clients.Pending, (*deltaCodec).op)
	list(c, b.next(), &clients.OKAt, (*deltaCodec).seq)
	number(c, b.next(), &clients.OKSecond)
	c.end(outer)
}

func (c *deltaCodec) translation(language, text *string) {
	outer := c.begin(1)
	b := firstBit
	name(c, b.next(), language)
	c.text(b.next(), text)
	c.end(outer)
}

func (c *deltaCodec) logLine(l *trace.LogLine) {
	outer := c.begin(1)
	b := firstBit
	near(c, b.next(), &l.At, &c.last.ns)
	c.text(b.next(), &l.Text)
	c.end(outer)
}

func (c *deltaCodec) storyLine(l *trace.StoryLine) {
	outer := c.begin(1)
	b := firstBit
	near(c, b.next(), &l.At, &c.last.ns)
	near(c, b.next(), &l.Seq, &c.last.seq)
	name(c, b.next(), &l.Topic)
	name(c, b.next(), &l.Node)
	c.text(b.next(), &l.Text)
	dictionary(c, b.next(), (*map[string]string)(&l.In), (*deltaCodec).translation)
	number(c, b.next(), &l.Count)
	c.end(outer)
}

func (c *deltaCodec) leaderTerm(r *trace.LeaderTerm) {
	outer := c.begin(1)
	b := firstBit
	name(c, b.next(), &r.Node)
	near(c, b.next(), &r.Term, &c.last.term)
	near(c, b.next(), &r.From, &c.last.ns)
	near(c, b.next(), &r.To, &c.last.ns)
	c.end(outer)
}

func (c *deltaCodec) termRun(r *trace.TermRun) {
	outer := c.begin(1)
	b := firstBit
	near(c, b.next(), &r.First, &c.last.index)
	near(c, b.next(), &r.Term, &c.last.term)
	c.end(outer)
}

func (c *deltaCodec) check(k *trace.Check) {
	outer := c.begin(1)
	b := firstBit
	name(c, b.next(), &k.Name)
	name(c, b.next(), &k.Verdict)
	c.text(b.next(), &k.Text)
	list(c, b.next(), &k.Proof, (*deltaCodec).seq)
	number(c, b.next(), &k.Count)
	near(c, b.next(), &k.At, &c.last.ns)
	near(c, b.next(), &k.Seq, &c.last.seq)
	c.end(outer)
}

func (c *deltaCodec) lostEntry(l *trace.LostEntry) {
	outer := c.begin(1)
	b := firstBit
	near(c, b.next(), &l.Index, &c.last.index)
	c.entry(&l.Entry)
	c.end(outer)
}
