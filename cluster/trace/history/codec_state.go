package history

import (
	"capsize/cluster/trace"
)

// state describes a state.
func (c *coder) state(s *trace.State) {
	outer := c.begin(3)
	b := firstBit
	near(c, b.next(), &s.Seq, &c.last.seq)
	near(c, b.next(), &s.At, &c.last.at)
	c.settings(&s.Settings)
	list(c, b.next(), &s.Nodes, (*coder).node)
	dictionary(c, b.next(), &s.Faults, (*coder).faults)
	list(c, b.next(), &s.InFlight, (*coder).flight)
	number(c, b.next(), &s.Traffic.Sent)
	number(c, b.next(), &s.Traffic.Delivered)
	number(c, b.next(), &s.Traffic.Lost)
	c.clients(&s.Clients)
	list(c, b.next(), &s.Story, (*coder).line)
	list(c, b.next(), &s.LeaderTerms, (*coder).reign)
	c.text(b.next(), &s.Chapter)
	c.text(b.next(), &s.Caption)
	dictionary(c, b.next(), (*map[string]string)(&s.ChapterIn), (*coder).translation)
	dictionary(c, b.next(), (*map[string]string)(&s.CaptionIn), (*coder).translation)
	near(c, b.next(), &s.CaptionAt, &c.last.ns)
	near(c, b.next(), &s.Commit, &c.last.index)
	list(c, b.next(), &s.Checks, (*coder).check)
	list(c, b.next(), &s.Lost, (*coder).lost)
	c.end(outer)
	if c.reading {
		s.IndexNodes()
	}
}

func (c *coder) node(n *trace.Node) {
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
	list(c, b.next(), &n.Votes, (*coder).word)
	dictionary(c, b.next(), &n.Peers, (*coder).contact)
	near(c, b.next(), &n.First, &c.last.index)
	list(c, b.next(), &n.Entries, (*coder).entry)
	near(c, b.next(), &n.Commit, &c.last.index)
	near(c, b.next(), &n.Applied, &c.last.index)
	near(c, b.next(), &n.Value, &c.last.value)
	near(c, b.next(), &n.ValueAt, &c.last.ns)
	near(c, b.next(), &n.ValueChangedAt, &c.last.ns)
	near(c, b.next(), &n.BehindSince, &c.last.ns)
	near(c, b.next(), &n.SnapshotIndex, &c.last.index)
	near(c, b.next(), &n.SnapshotTerm, &c.last.term)
	c.bytes(b.next(), &n.Snapshot)
	list(c, b.next(), &n.SnapshotServers, (*coder).server)
	list(c, b.next(), &n.Servers, (*coder).server)
	list(c, b.next(), &n.Truncated, (*coder).entry)
	near(c, b.next(), &n.TruncatedFirst, &c.last.index)
	near(c, b.next(), &n.TruncatedAt, &c.last.ns)
	list(c, b.next(), &n.LogLines, (*coder).logLine)
	c.text(b.next(), &n.DiskFault)
	c.float(b.next(), &n.ClockFactor)
	c.end(outer)
}

func (c *coder) contact(id *string, contact *trace.Progress) {
	outer := c.begin(1)
	b := firstBit
	name(c, b.next(), id)
	near(c, b.next(), &contact.LastHeard, &c.last.ns)
	near(c, b.next(), &contact.Match, &c.last.index)
	c.end(outer)
}

func (c *coder) faults(link *trace.Link, faults *[]string) {
	outer := c.begin(1)
	b := firstBit
	name(c, b.next(), &link.From)
	name(c, b.next(), &link.To)
	list(c, b.next(), faults, (*coder).word)
	c.end(outer)
}

func (c *coder) flight(f *trace.InFlight) {
	outer := c.begin(1)
	b := firstBit
	near(c, b.next(), &f.SentAt, &c.last.ns)
	near(c, b.next(), &f.EndedAt, &c.last.ns)
	c.packetOf(&f.Packet)
	c.end(outer)
}

func (c *coder) clients(clients *trace.Clients) {
	outer := c.begin(1)
	b := firstBit
	number(c, b.next(), &clients.OK)
	number(c, b.next(), &clients.Failed)
	number(c, b.next(), &clients.Unknown)
	number(c, b.next(), &clients.InFlight)
	list(c, b.next(), &clients.Recent, (*coder).op)
	list(c, b.next(), &clients.Pending, (*coder).op)
	list(c, b.next(), &clients.OKAt, (*coder).seq)
	number(c, b.next(), &clients.OKSecond)
	c.end(outer)
}

func (c *coder) translation(language, text *string) {
	outer := c.begin(1)
	b := firstBit
	name(c, b.next(), language)
	c.text(b.next(), text)
	c.end(outer)
}

func (c *coder) logLine(l *trace.LogLine) {
	outer := c.begin(1)
	b := firstBit
	near(c, b.next(), &l.At, &c.last.ns)
	c.text(b.next(), &l.Text)
	c.end(outer)
}

func (c *coder) line(l *trace.StoryLine) {
	outer := c.begin(1)
	b := firstBit
	near(c, b.next(), &l.At, &c.last.ns)
	near(c, b.next(), &l.Seq, &c.last.seq)
	name(c, b.next(), &l.Topic)
	name(c, b.next(), &l.Node)
	c.text(b.next(), &l.Text)
	dictionary(c, b.next(), (*map[string]string)(&l.In), (*coder).translation)
	number(c, b.next(), &l.Count)
	c.end(outer)
}

func (c *coder) reign(r *trace.LeaderTerm) {
	outer := c.begin(1)
	b := firstBit
	name(c, b.next(), &r.Node)
	near(c, b.next(), &r.Term, &c.last.term)
	near(c, b.next(), &r.From, &c.last.ns)
	near(c, b.next(), &r.To, &c.last.ns)
	c.end(outer)
}

func (c *coder) check(k *trace.Check) {
	outer := c.begin(1)
	b := firstBit
	name(c, b.next(), &k.Name)
	name(c, b.next(), &k.Verdict)
	c.text(b.next(), &k.Text)
	list(c, b.next(), &k.Proof, (*coder).seq)
	number(c, b.next(), &k.Count)
	near(c, b.next(), &k.At, &c.last.ns)
	near(c, b.next(), &k.Seq, &c.last.seq)
	c.end(outer)
}

func (c *coder) lost(l *trace.LostEntry) {
	outer := c.begin(1)
	b := firstBit
	near(c, b.next(), &l.Index, &c.last.index)
	c.entry(&l.Entry)
	c.end(outer)
}
