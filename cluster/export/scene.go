package export

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
)

// scene is what a diagram shows, before anything has a place on paper.
type scene struct {
	span     Span // what it really covers
	settings trace.Settings
	nodes    []string // in the order of the lanes
	bars     []bar
	messages messages
	boxes    []boxes
	marks    []mark
	troubles []trouble
	ops      []trace.Op
	notes    []note
}

// bar is a stretch of time over which a node was the same.
type bar struct {
	node     string
	from, to time.Duration
	life     trace.ProcessState
	role     trace.Role
	term     uint64
}

// boxes are entries that a node appended, or cut off.
type boxes struct {
	node  string
	at    time.Duration
	index uint64 // of the first one
	terms []uint64
	cut   bool
}

// mark is something that happened at a moment, to a node or, without one, to all.
type mark struct {
	node, text string
	at         time.Duration
	bad, death bool
}

// trouble is a stretch of time over which links had faults.
type trouble struct {
	from, to time.Duration
	links    int  // how many at most
	closed   bool // they let nothing pass
}

// note is what a scenario said, with the logs as they stood when that was over.
type note struct {
	at      time.Duration
	text    string
	chapter bool
	leader  string // who led last before the next note
	logs    []shelf
}

// shelf is the end of the log of one node.
type shelf struct {
	node  string
	life  trace.ProcessState
	first uint64 // the index of terms[0]
	terms []uint64
	// committed says of each entry whether it is known to be committed.
	committed []bool
	covered   uint64 // the last entry of its snapshot
}

// thingsMax is how many things of each kind one picture may hold, packets aside.
const thingsMax = 3000

// errTooMuch says that a picture would be black.
var errTooMuch = errors.New("too much happens for one picture: choose a shorter time, with --from and --to")

// collector folds events into a scene.
type collector struct {
	scene
	s     trace.State
	begun bool
	open  map[string]*bar // by node
	ran   map[string]bool // which nodes have ever run
	links *trouble        // while they have faults
	// committed are the terms of the latest entries that are committed, by index.
	committed map[uint64]uint64
}

// collect reads the events up to the end of the span.
func collect(from Source, span Span) (*scene, error) {
	c := &collector{open: map[string]*bar{}, ran: map[string]bool{}, committed: map[uint64]uint64{}}
	c.messages = newMessages()
	c.s = from.state()
	for i := range c.s.Nodes {
		c.ran[c.s.Nodes[i].ID] = true
	}
	for e := range from.Events {
		if span.after(e.At) {
			break
		}
		if e.Kind == trace.KindCommitted {
			c.commit(e)
		}
		if !span.before(e.At) {
			if !c.begun {
				// A recording may begin late, as one of a branch does.
				at := span.From
				if at == 0 {
					at = e.At
				}
				c.begin(at)
			}
			c.before(e)
		}
		news := isNews(&c.s, e)
		c.s.Apply(e)
		if c.begun && news {
			c.after(e)
		}
		if e.Kind == trace.KindProcess {
			c.ran[e.Node] = true
		}
		if len(c.bars)+len(c.boxes)+len(c.marks)+len(c.ops) > thingsMax {
			return nil, errTooMuch
		}
	}
	if !c.begun {
		return nil, ErrEmpty
	}
	c.end(span)
	return &c.scene, nil
}

// begin starts the scene with the state as it is.
func (c *collector) begin(at time.Duration) {
	c.begun, c.span.From = true, at
	for i := range c.s.Nodes {
		c.track(&c.s.Nodes[i], at)
	}
	c.watchLinks(at)
}

// before notes what an event does away with.
func (c *collector) before(e *trace.Event) {
	n := c.s.Node(e.Node)
	switch {
	case e.Kind == trace.KindTruncated && n != nil:
		cut := boxes{node: e.Node, at: e.At, index: e.Index, cut: true}
		for index := e.Index; index <= e.Last; index++ {
			entry, ok := n.Entry(index)
			if !ok {
				break
			}
			cut.terms = append(cut.terms, entry.Term)
		}
		c.boxes = append(c.boxes, cut)
	case (e.Kind == trace.KindCaption || e.Kind == trace.KindChapter) && e.Peer == "":
		c.finishNote()
		said := note{at: e.At, text: trace.Sanitize(e.Text), chapter: e.Kind == trace.KindChapter}
		if leader := c.s.LeaderNode(); leader != nil {
			said.leader = leader.ID
		}
		c.notes = append(c.notes, said)
	}
}

// after notes what an event has made of the state.
func (c *collector) after(e *trace.Event) {
	switch e.Kind {
	case trace.KindPacket:
		if e.Packet != nil {
			c.messages.add(e.At, e.Packet, c.s.Settings.Latency)
		}
	case trace.KindAppended:
		b := boxes{node: e.Node, at: e.At, index: e.Index}
		for _, entry := range e.Entries {
			b.terms = append(b.terms, entry.Term)
		}
		c.boxes = append(c.boxes, b)
	case trace.KindReturned:
		if e.Op != nil {
			c.ops = append(c.ops, *e.Op)
		}
	case trace.KindLinkFault:
		c.watchLinks(e.At)
	case trace.KindProcess:
		// Nobody need be told that all start at the beginning.
		if text, bad := markOf(e); c.ran[e.Node] || e.Process != trace.Up {
			c.mark(mark{node: e.Node, text: trace.Sanitize(text), at: e.At, bad: bad, death: !e.Process.Running()})
		}
	default:
		if text, bad := markOf(e); text != "" {
			c.mark(mark{node: e.Node, text: trace.Sanitize(text), at: e.At, bad: bad})
		}
	}
	if e.Node == "" {
		return
	}
	if n := c.s.Node(e.Node); n != nil {
		c.track(n, e.At)
	}
}

// mark notes a mark. What happens to a node at one moment is one mark.
func (c *collector) mark(m mark) {
	for i := len(c.marks) - 1; i >= 0 && c.marks[i].at == m.at; i-- {
		if was := &c.marks[i]; was.node == m.node && m.node != "" {
			was.text += ", " + m.text
			was.bad, was.death = was.bad || m.bad, was.death || m.death
			return
		}
	}
	c.marks = append(c.marks, m)
}

// isNews says whether an event changes anything that is marked, before it does.
func isNews(s *trace.State, e *trace.Event) bool {
	n := s.Node(e.Node)
	switch e.Kind {
	case trace.KindDiskFault:
		return n == nil && e.Text != "" || n != nil && e.Text != n.DiskFault
	case trace.KindClockFault:
		return n == nil && e.Factor != 1 || n != nil && e.Factor != n.ClockFactor
	case trace.KindVerdict:
		was := s.Check(e.Check)
		return was == nil || was.Verdict != trace.VerdictViolated
	default:
		return true
	}
}

// markOf says in a word or two what an event does to a node.
func markOf(e *trace.Event) (text string, bad bool) {
	switch e.Kind {
	case trace.KindProcess:
		switch e.Process {
		case trace.Up:
			return "up", false
		case trace.Off:
			return "no power", true
		default:
			return string(e.Process), true
		}
	case trace.KindDiskFault:
		if e.Text == "" {
			return "disk ok", false
		}
		return "disk " + e.Text, true
	case trace.KindClockFault:
		return fmt.Sprintf("clock ×%g", e.Factor), e.Factor != 1
	case trace.KindSnapshot:
		return fmt.Sprintf("snapshot to %d", e.Index), false
	case trace.KindInstalled:
		return fmt.Sprintf("installs snapshot to %d", e.Index), false
	case trace.KindVerdict:
		if e.Verdict == trace.VerdictViolated {
			return e.Check + " violated", true
		}
	default:
	}
	return "", false
}

// track ends the bar of a node that has become another, and begins the next one.
func (c *collector) track(n *trace.Node, at time.Duration) {
	now := bar{node: n.ID, from: at, life: n.Process, role: n.Role, term: n.Term}
	was := c.open[n.ID]
	if was != nil && was.life == now.life && was.role == now.role && was.term == now.term {
		return
	}
	if was != nil && at > was.from {
		was.to = at
		c.bars = append(c.bars, *was)
	}
	c.open[n.ID] = &now
	if now.role == trace.Leader && len(c.notes) > 0 {
		c.notes[len(c.notes)-1].leader = n.ID
	}
}

// watchLinks notes for how long links have faults; closed ones count first.
func (c *collector) watchLinks(at time.Duration) {
	now := trouble{from: at}
	for link := range c.s.Faults {
		if c.s.Blocked(link.From, link.To) {
			now.links++
		}
	}
	if now.closed = now.links > 0; !now.closed {
		now.links = len(c.s.Faults)
	}
	if was := c.links; was != nil && was.closed == now.closed && now.links > 0 {
		was.links = max(was.links, now.links)
		return
	}
	c.endTrouble(at)
	if now.links > 0 {
		c.links = &now
	}
}

func (c *collector) endTrouble(at time.Duration) {
	if c.links != nil && at > c.links.from {
		c.links.to = at
		c.troubles = append(c.troubles, *c.links)
	}
	c.links = nil
}

// finishNote draws up the logs for the latest note, before the next one begins.
func (c *collector) finishNote() {
	if len(c.notes) == 0 {
		return
	}
	last := &c.notes[len(c.notes)-1]
	for i := range c.s.Nodes {
		n := &c.s.Nodes[i]
		if n.Process == trace.Removed {
			continue
		}
		end := shelf{node: n.ID, life: n.Process, first: n.First, covered: n.SnapshotIndex}
		skip := max(0, len(n.Entries)-shelfMax)
		end.first += uint64(skip)
		for i, entry := range n.Entries[skip:] {
			end.terms = append(end.terms, entry.Term)
			end.committed = append(end.committed, c.committed[end.first+uint64(i)] == entry.Term)
		}
		last.logs = append(last.logs, end)
	}
}

// commit notes which entries a node says are committed.
func (c *collector) commit(e *trace.Event) {
	n := c.s.Node(e.Node)
	if n == nil {
		return
	}
	fork := false // something else was committed here once
	// Only the ends of logs are ever looked at.
	for index := e.Index; index > 0 && index+2*shelfMax > e.Index; index-- {
		if entry, ok := n.Entry(index); ok {
			was, known := c.committed[index]
			fork = fork || known && was != entry.Term
			c.committed[index] = entry.Term
		}
	}
	for index := range c.committed {
		if index+4*shelfMax < e.Index || fork && index > e.Index {
			delete(c.committed, index)
		}
	}
}

// end closes all that is open.
func (c *collector) end(span Span) {
	c.span.To = c.s.At
	if span.To != 0 {
		c.span.To = min(span.To, c.s.At)
	}
	c.finishNote()
	for i := range c.s.Nodes {
		id := c.s.Nodes[i].ID
		if b := c.open[id]; b != nil {
			b.to = c.span.To
			c.bars = append(c.bars, *b)
		}
		// Who was removed before the span has no lane in it.
		if slices.ContainsFunc(c.bars, func(b bar) bool { return b.node == id && b.life != trace.Removed }) {
			c.nodes = append(c.nodes, id)
		}
	}
	c.endTrouble(c.span.To)
	c.settings = c.s.Settings
	slices.SortStableFunc(c.ops, func(a, b trace.Op) int { return int(a.Invoked - b.Invoked) })
}
