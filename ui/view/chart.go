package view

import (
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/ui/pane"
)

// chart is a stretch of the past, put together for the time view: what each node
// was when, what happened, and which messages went where. It is built from the
// history once, and then only goes on.
type chart struct {
	from    time.Duration  // it tells of the time from here on
	Last    trace.Position // what it knows last
	lanes   []lane         // sorted by name
	broken  []rift
	faulty  map[trace.Link]bool // the links that have a fault at last
	clients []mark
	chapter []mark
	okAt    []time.Duration // when clients were told ok
	shape   string          // what was done to the network last, and when
	shapeAt time.Duration
	// messages, and where in them the one of a packet's number is. Crowded says
	// that there were too many to look at each.
	messages []message
	flying   map[uint64]int
	quiet    map[uint64]bool // requests that carry nothing new, by RPC
	crowded  bool
}

// lane is what is known of one node.
type lane struct {
	node  string
	spans []span
	marks []mark
	// What was wrong with its disk and its clock last.
	disk  string
	clock float64
}

// span is a time for which a node stayed what it was. To is 0 while it lasts.
type span struct {
	from, to time.Duration
	life     trace.ProcessState
	role     trace.Role
	term     uint64
}

// rift is a time for which links had faults. To is 0 while it lasts.
type rift struct {
	from, to time.Duration
	text     string // what was done to the network last
}

// mark is something that happened at one moment. Of marks in one place the one of
// most weight is seen.
type mark struct {
	at     time.Duration
	topic  trace.StoryTopic
	text   string // in a word or two
	weight int
}

// message is a packet from when it was sent on.
type message struct {
	packet      trace.Packet
	sent, ended time.Duration // ended is 0 on its way
	quiet       bool
}

// chartEvents is how many events a chart looks at one by one; of more it takes
// only those that matter.
const chartEvents = 60_000

// newChart makes a chart of the time from a moment on.
func newChart(h *history.History, from time.Duration) *chart {
	var s trace.State
	first, _ := h.Span()
	seq := max(h.SeqAt(max(from, first.At)), first.Seq)
	c := &chart{from: from, flying: map[uint64]int{}, quiet: map[uint64]bool{}, faulty: map[trace.Link]bool{}}
	if !h.StateAt(seq, &s) {
		return c
	}
	c.Last = trace.Position{Seq: seq, At: s.At}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		l := c.lane(n.ID)
		l.disk, l.clock = n.DiskFault, n.ClockFactor
		l.spans = append(l.spans, span{from: max(s.At, from), life: n.Process, role: n.Role, term: n.Term})
	}
	for link := range s.Faults {
		c.breakLink(link, true, from)
	}
	for i := range s.InFlight {
		if f := &s.InFlight[i]; f.ID != 0 && f.Status == trace.Sent {
			c.send(&f.Packet, f.SentAt)
		}
	}
	return c
}

// goOn takes in what happened until a moment.
func (c *chart) goOn(h *history.History, to trace.Position) {
	if to.Seq <= c.Last.Seq {
		return
	}
	look := h.Events
	if to.Seq-c.Last.Seq > chartEvents {
		look, c.crowded = h.Significant, true
	}
	look(c.Last.Seq+1, to.Seq, func(e *trace.Event) bool {
		c.add(e)
		return true
	})
	c.Last = to
}

// lane returns the lane of a node, a new one if there is none.
func (c *chart) lane(id string) *lane {
	at, ok := slices.BinarySearchFunc(c.lanes, id, func(l lane, id string) int { return trace.CompareNames(l.node, id) })
	if !ok {
		c.lanes = slices.Insert(c.lanes, at, lane{node: id, clock: 1})
	}
	return &c.lanes[at]
}

// add takes in an event.
func (c *chart) add(e *trace.Event) {
	switch e.Kind {
	case trace.KindPacket:
		if e.Packet != nil && !c.crowded {
			c.addPacket(e.Packet, e.At)
		}
	case trace.KindLinkFault:
		c.breakLink(trace.Link{From: e.Node, To: e.Peer}, len(e.Faults) > 0, e.At)
	case trace.KindShape:
		// The words come before the links or after them, at the same moment.
		c.shape, c.shapeAt = e.Text, e.At
		if end := len(c.broken) - 1; end >= 0 && c.broken[end].to == 0 {
			c.broken[end].text = e.Text
		}
	case trace.KindChapter:
		c.chapter = append(c.chapter, mark{e.At, trace.TopicPresentation, e.Text, 1})
	case trace.KindReturned:
		if e.Op != nil {
			c.addOp(e.Op, e.At)
		}
	case trace.KindVerdict:
		if e.Verdict == trace.VerdictViolated {
			c.clients = append(c.clients, mark{e.At, trace.TopicRefusal, e.Check + " violated", 3})
		}
	default:
		if e.Node != "" {
			c.lane(e.Node).add(e)
		}
	}
}

// breakLink notes that a link has faults, or none.
func (c *chart) breakLink(link trace.Link, faulty bool, at time.Duration) {
	before := len(c.faulty)
	if faulty {
		c.faulty[link] = true
	} else {
		delete(c.faulty, link)
	}
	switch {
	case before == 0 && len(c.faulty) > 0:
		r := rift{from: at, text: "faults on links"}
		if c.shapeAt == at && c.shape != "" {
			r.text = c.shape
		}
		c.broken = append(c.broken, r)
	case before > 0 && len(c.faulty) == 0:
		c.broken[len(c.broken)-1].to = at
	}
}

func (c *chart) addOp(op *trace.Op, at time.Duration) {
	switch op.Outcome {
	case trace.OK:
		c.okAt = append(c.okAt, at)
	case trace.Failed, trace.Unknown:
		c.clients = append(c.clients, mark{at, trace.TopicClient, string(op.Outcome), 2})
	case trace.Pending:
	}
}

func (c *chart) addPacket(p *trace.Packet, at time.Duration) {
	if p.Status == trace.Sent {
		c.send(p, at)
		return
	}
	if i, ok := c.flying[p.ID]; ok {
		m := &c.messages[i]
		m.ended, m.packet.Status = at, p.Status
		delete(c.flying, p.ID)
	}
}

func (c *chart) send(p *trace.Packet, at time.Duration) {
	quiet := p.Kind == "heartbeat" || p.Kind == "append" && !p.Reply && p.Entries == 0 || p.Reply && p.OK && c.quiet[p.RPC]
	if quiet && !p.Reply {
		c.quiet[p.RPC] = true
	}
	if p.Reply {
		delete(c.quiet, p.RPC)
	}
	c.flying[p.ID] = len(c.messages)
	c.messages = append(c.messages, message{packet: *p, sent: at, quiet: quiet})
}

// add takes in an event of the node.
func (l *lane) add(e *trace.Event) {
	var now span
	if len(l.spans) > 0 {
		now = l.spans[len(l.spans)-1]
	}
	was := now
	switch e.Kind {
	case trace.KindProcess:
		now.life = e.Process
		switch {
		case e.Process == trace.Up && was.life != trace.Paused:
			now.role = trace.Follower
		case !e.Process.Running():
			now.role = ""
		}
	case trace.KindRole:
		now.role, now.term = e.Role, max(now.term, e.Term)
	case trace.KindTerm:
		now.term = max(now.term, e.Term)
	default:
	}
	if m, ok := l.markFor(e, was); ok {
		l.marks = append(l.marks, m)
	}
	switch e.Kind {
	case trace.KindDiskFault:
		l.disk = e.Text
	case trace.KindClockFault:
		l.clock = e.Factor
	default:
	}
	if now == was {
		return
	}
	if len(l.spans) > 0 {
		l.spans[len(l.spans)-1].to = e.At
	}
	now.from, now.to = e.At, 0
	l.spans = append(l.spans, now)
}

// markFor returns how an event of the node is marked, which until then was so.
func (l *lane) markFor(e *trace.Event, was span) (mark, bool) {
	switch e.Kind {
	case trace.KindProcess:
		return lifeMark(e, was)
	case trace.KindRole:
		switch {
		case e.Role == trace.Leader:
			return mark{e.At, trace.TopicLeader, "leads", 5}, true
		case e.Role == trace.Candidate:
			return mark{e.At, trace.TopicElection, "asks for votes", 3}, true
		case was.role == trace.Leader:
			return mark{e.At, trace.TopicStepDown, "steps down", 4}, true
		}
	case trace.KindVote:
		return mark{e.At, trace.TopicMembers, "votes " + e.Peer, 1}, e.Peer != e.Node
	case trace.KindTruncated:
		return mark{e.At, trace.TopicLog, "cuts " + pane.EntryRange(e.Index, e.Last), 4}, true
	case trace.KindInstalled:
		return mark{e.At, trace.TopicLog, "installs a snapshot", 3}, true
	case trace.KindSnapshot:
		return mark{e.At, trace.TopicLog, "snapshot", 2}, true
	case trace.KindDiskFault:
		if e.Text == "" {
			return mark{e.At, trace.TopicHealing, "disk ok", 2}, l.disk != ""
		}
		return mark{e.At, trace.TopicDisk, "disk " + e.Text, 3}, true
	case trace.KindClockFault:
		return mark{e.At, trace.TopicClock, fmt.Sprintf("clock x%g", e.Factor), 3}, l.clock != e.Factor
	default:
	}
	return mark{}, false
}

func lifeMark(e *trace.Event, was span) (mark, bool) {
	switch {
	case e.Process == trace.Up && was.life == trace.Paused:
		return mark{e.At, trace.TopicStart, "goes on", 4}, true
	case e.Process == trace.Up:
		return mark{e.At, trace.TopicStart, "starts", 4}, true
	case e.Process == trace.Paused:
		return mark{e.At, trace.TopicPause, "paused", 4}, true
	}
	return mark{e.At, trace.TopicDeath, string(e.Process), 6}, true
}
