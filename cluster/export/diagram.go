package export

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
)

// diagram is what a diagram shows, before anything has a place on paper.
type diagram struct {
	span     Span // what it really covers
	settings trace.Settings
	nodes    []string // in the order of the lanes
	bars     []roleBar
	messages messageLog
	appends  []appendMark
	marks    []mark
	outages  []linkOutage
	ops      []trace.Op
	captions []caption
}

// roleBar is a stretch of time over which a node was the same.
type roleBar struct {
	node     string
	from, to time.Duration
	life     trace.ProcessState
	role     trace.Role
	term     uint64
}

// appendMark are entries that a node appended, or cut off.
type appendMark struct {
	node      string
	at        time.Duration
	index     uint64 // of the first one
	terms     []uint64
	truncated bool
}

// mark is something that happened at a moment, to a node or, without one, to all.
type mark struct {
	node, text string
	at         time.Duration
	bad, death bool
}

// linkOutage is a stretch of time over which links had faults.
type linkOutage struct {
	from, to time.Duration
	links    int  // how many at most
	cut      bool // they let nothing pass
}

// caption is what a scenario said, with the logs as they stood when that was over.
type caption struct {
	at      time.Duration
	text    string
	chapter bool
	leader  string // who led last before the next note
	tails   []logTail
}

// logTail is the end of the log of one node.
type logTail struct {
	node    string
	process trace.ProcessState
	first   uint64 // the index of terms[0]
	terms   []uint64
	// committed says of each entry whether it is known to be committed.
	committed []bool
	snapshot  uint64 // the last entry of its snapshot
}

// itemsMax is how many things of each kind one picture may hold, packets aside.
const itemsMax = 3000

// errTooMany says that a picture would be black.
var errTooMany = errors.New("too much happens for one picture: choose a shorter time, with --from and --to")

// builder folds events into a scene.
type builder struct {
	diagram
	state   trace.State
	begun   bool
	current map[string]*roleBar // by node
	hasRun  map[string]bool     // which nodes have ever run
	outage  *linkOutage         // while they have faults
	// committed are the terms of the latest entries that are committed, by index.
	committed map[uint64]uint64
}

// buildDiagram reads the events up to the end of the span.
func buildDiagram(from Source, span Span) (*diagram, error) {
	c := &builder{current: map[string]*roleBar{}, hasRun: map[string]bool{}, committed: map[uint64]uint64{}}
	c.messages = newMessages()
	c.state = from.state()
	for i := range c.state.Nodes {
		c.hasRun[c.state.Nodes[i].ID] = true
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
			c.beforeEvent(e)
		}
		news := isChange(&c.state, e)
		c.state.Apply(e)
		if c.begun && news {
			c.afterEvent(e)
		}
		if e.Kind == trace.KindProcess {
			c.hasRun[e.Node] = true
		}
		if len(c.bars)+len(c.appends)+len(c.marks)+len(c.ops) > itemsMax {
			return nil, errTooMany
		}
	}
	if !c.begun {
		return nil, ErrEmpty
	}
	c.end(span)
	return &c.diagram, nil
}

// begin starts the scene with the state as it is.
func (c *builder) begin(at time.Duration) {
	c.begun, c.span.From = true, at
	for i := range c.state.Nodes {
		c.trackRole(&c.state.Nodes[i], at)
	}
	c.trackLinks(at)
}

// beforeEvent notes what an event does away with.
func (c *builder) beforeEvent(e *trace.Event) {
	n := c.state.Node(e.Node)
	switch {
	case e.Kind == trace.KindTruncated && n != nil:
		cut := appendMark{node: e.Node, at: e.At, index: e.Index, truncated: true}
		for index := e.Index; index <= e.Last; index++ {
			entry, ok := n.Entry(index)
			if !ok {
				break
			}
			cut.terms = append(cut.terms, entry.Term)
		}
		c.appends = append(c.appends, cut)
	case (e.Kind == trace.KindCaption || e.Kind == trace.KindChapter) && e.Peer == "":
		c.endCaption()
		said := caption{at: e.At, text: trace.Sanitize(e.Text), chapter: e.Kind == trace.KindChapter}
		if leader := c.state.LeaderNode(); leader != nil {
			said.leader = leader.ID
		}
		c.captions = append(c.captions, said)
	}
}

// afterEvent notes what an event has made of the state.
func (c *builder) afterEvent(e *trace.Event) {
	switch e.Kind {
	case trace.KindPacket:
		if e.Packet != nil {
			c.messages.add(e.At, e.Packet, c.state.Settings.Latency)
		}
	case trace.KindAppended:
		b := appendMark{node: e.Node, at: e.At, index: e.Index}
		for _, entry := range e.Entries {
			b.terms = append(b.terms, entry.Term)
		}
		c.appends = append(c.appends, b)
	case trace.KindReturned:
		if e.Op != nil {
			c.ops = append(c.ops, *e.Op)
		}
	case trace.KindLinkFault:
		c.trackLinks(e.At)
	case trace.KindProcess:
		// Nobody need be told that all start at the beginning.
		if text, bad := markText(e); c.hasRun[e.Node] || e.Process != trace.Up {
			c.addMark(mark{node: e.Node, text: trace.Sanitize(text), at: e.At, bad: bad, death: !e.Process.Running()})
		}
	default:
		if text, bad := markText(e); text != "" {
			c.addMark(mark{node: e.Node, text: trace.Sanitize(text), at: e.At, bad: bad})
		}
	}
	if e.Node == "" {
		return
	}
	if n := c.state.Node(e.Node); n != nil {
		c.trackRole(n, e.At)
	}
}

// addMark notes a mark. What happens to a node at one moment is one mark.
func (c *builder) addMark(m mark) {
	for i := len(c.marks) - 1; i >= 0 && c.marks[i].at == m.at; i-- {
		if was := &c.marks[i]; was.node == m.node && m.node != "" {
			was.text += ", " + m.text
			was.bad, was.death = was.bad || m.bad, was.death || m.death
			return
		}
	}
	c.marks = append(c.marks, m)
}

// isChange says whether an event changes anything that is marked, before it does.
func isChange(s *trace.State, e *trace.Event) bool {
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

// markText says in a word or two what an event does to a node.
func markText(e *trace.Event) (text string, bad bool) {
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

// trackRole ends the bar of a node that has become another, and begins the next one.
func (c *builder) trackRole(n *trace.Node, at time.Duration) {
	now := roleBar{node: n.ID, from: at, life: n.Process, role: n.Role, term: n.Term}
	was := c.current[n.ID]
	if was != nil && was.life == now.life && was.role == now.role && was.term == now.term {
		return
	}
	if was != nil && at > was.from {
		was.to = at
		c.bars = append(c.bars, *was)
	}
	c.current[n.ID] = &now
	if now.role == trace.Leader && len(c.captions) > 0 {
		c.captions[len(c.captions)-1].leader = n.ID
	}
}

// trackLinks notes for how long links have faults; closed ones count first.
func (c *builder) trackLinks(at time.Duration) {
	now := linkOutage{from: at}
	for link := range c.state.Faults {
		if c.state.Blocked(link.From, link.To) {
			now.links++
		}
	}
	if now.cut = now.links > 0; !now.cut {
		now.links = len(c.state.Faults)
	}
	if was := c.outage; was != nil && was.cut == now.cut && now.links > 0 {
		was.links = max(was.links, now.links)
		return
	}
	c.endOutage(at)
	if now.links > 0 {
		c.outage = &now
	}
}

func (c *builder) endOutage(at time.Duration) {
	if c.outage != nil && at > c.outage.from {
		c.outage.to = at
		c.outages = append(c.outages, *c.outage)
	}
	c.outage = nil
}

// endCaption draws up the logs for the latest note, before the next one begins.
func (c *builder) endCaption() {
	if len(c.captions) == 0 {
		return
	}
	last := &c.captions[len(c.captions)-1]
	for i := range c.state.Nodes {
		n := &c.state.Nodes[i]
		if n.Process == trace.Removed {
			continue
		}
		end := logTail{node: n.ID, process: n.Process, first: n.First, snapshot: n.SnapshotIndex}
		skip := max(0, len(n.Entries)-logTailMax)
		end.first += uint64(skip)
		for i, entry := range n.Entries[skip:] {
			end.terms = append(end.terms, entry.Term)
			end.committed = append(end.committed, c.committed[end.first+uint64(i)] == entry.Term)
		}
		last.tails = append(last.tails, end)
	}
}

// commit notes which entries a node says are committed.
func (c *builder) commit(e *trace.Event) {
	n := c.state.Node(e.Node)
	if n == nil {
		return
	}
	fork := false // something else was committed here once
	// Only the ends of logs are ever looked at.
	for index := e.Index; index > 0 && index+2*logTailMax > e.Index; index-- {
		if entry, ok := n.Entry(index); ok {
			was, known := c.committed[index]
			fork = fork || known && was != entry.Term
			c.committed[index] = entry.Term
		}
	}
	for index := range c.committed {
		if index+4*logTailMax < e.Index || fork && index > e.Index {
			delete(c.committed, index)
		}
	}
}

// end closes all that is open.
func (c *builder) end(span Span) {
	c.span.To = c.state.At
	if span.To != 0 {
		c.span.To = min(span.To, c.state.At)
	}
	c.endCaption()
	for i := range c.state.Nodes {
		id := c.state.Nodes[i].ID
		if b := c.current[id]; b != nil {
			b.to = c.span.To
			c.bars = append(c.bars, *b)
		}
		// Who was removed before the span has no lane in it.
		if slices.ContainsFunc(c.bars, func(b roleBar) bool { return b.node == id && b.life != trace.Removed }) {
			c.nodes = append(c.nodes, id)
		}
	}
	c.endOutage(c.span.To)
	c.settings = c.state.Settings
	slices.SortStableFunc(c.ops, func(a, b trace.Op) int { return int(a.Invoked - b.Invoked) })
}
