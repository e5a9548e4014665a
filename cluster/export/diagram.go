package export

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/spacetime"
)

// diagram is the content of an SVG, before anything has a place on the page.
type diagram struct {
	span     Span // as far as the trace covers it
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

// roleBar is a role span of a node.
type roleBar struct {
	node string
	spacetime.RoleSpan
}

// appendMark is a run of entries that a node appended or truncated.
type appendMark struct {
	node      string
	at        time.Duration
	index     uint64 // of the first entry
	terms     []uint64
	truncated bool
}

// mark is something that happened at one moment: to a node or, if node is "", to the
// cluster.
type mark struct {
	node, text string
	at         time.Duration
	bad, death bool
}

// linkOutage is a stretch of time over which links have faults.
type linkOutage struct {
	from, to time.Duration
	links    int  // the most links at a time
	cut      bool // these links deliver nothing
}

// caption is a caption or chapter of a scenario, with the logs at its end: the moment of
// the next caption.
type caption struct {
	at      time.Duration
	text    string
	chapter bool
	leader  string // the last leader before the end
	tails   []logTail
}

// logTail is the end of a node's log.
type logTail struct {
	node      string
	process   trace.ProcessState
	first     uint64 // the index of terms[0]
	terms     []uint64
	committed []bool // of each entry: known to be committed
	snapshot  uint64 // the last entry that the node's snapshot covers
}

// itemsMax bounds the bars, marks, appends and operations in one diagram, together.
const itemsMax = 3000

// errTooMany is returned when the span holds more than a reader could tell apart.
var errTooMany = errors.New("too many events for one picture: choose a shorter span with --from and --to")

// builder folds events into a diagram.
type builder struct {
	diagram
	state     trace.State
	begun     bool                          // the span has begun
	current   map[string]spacetime.RoleSpan // by node
	hasRun    map[string]bool               // the nodes that have ever run
	outage    *linkOutage                   // nil while no link has faults
	committed map[uint64]uint64             // the terms of the latest committed entries, by index
}

// buildDiagram folds the events up to the end of the span. It returns [ErrEmpty] if none
// is in the span, and errTooMany.
func buildDiagram(from Source, span Span) (*diagram, error) {
	b := &builder{current: map[string]spacetime.RoleSpan{}, hasRun: map[string]bool{}, committed: map[uint64]uint64{}}
	b.messages.inFlight = map[uint64]message{}
	b.state = from.state()
	for i := range b.state.Nodes {
		b.hasRun[b.state.Nodes[i].ID] = true
	}
	for e := range from.Events {
		if span.after(e.At) {
			break
		}
		if e.Kind == trace.KindCommitted {
			b.commit(e)
		}
		if !span.before(e.At) {
			if !b.begun {
				// The recording of a branch begins after 0.
				at := span.From
				if at == 0 {
					at = e.At
				}
				b.begin(at)
			}
			b.beforeEvent(e)
		}
		changes := isChange(&b.state, e)
		b.state.Apply(e)
		if b.begun && changes {
			b.afterEvent(e)
		} else if !b.begun && e.Kind == trace.KindPacket && e.Packet != nil && e.Packet.Status == trace.Sent {
			b.messages.classes.Classify(e.Packet) // its reply may be in the span
		}
		if e.Kind == trace.KindProcess {
			b.hasRun[e.Node] = true
		}
		if len(b.bars)+len(b.appends)+len(b.marks)+len(b.ops) > itemsMax {
			return nil, errTooMany
		}
	}
	if !b.begun {
		return nil, ErrEmpty
	}
	b.end(span)
	return &b.diagram, nil
}

// begin starts the span with the current state.
func (b *builder) begin(at time.Duration) {
	b.begun, b.span.From = true, at
	for i := range b.state.Nodes {
		n := &b.state.Nodes[i]
		b.beginRole(n.ID, spacetime.RoleSpanOf(n, at))
	}
	b.trackLinks(at)
}

// beforeEvent records what an event is about to overwrite.
func (b *builder) beforeEvent(e *trace.Event) {
	n := b.state.Node(e.Node)
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
		b.appends = append(b.appends, cut)
	case e.Said() != "":
		b.endCaption()
		said := caption{at: e.At, text: trace.Sanitize(e.Said()), chapter: e.Kind == trace.KindChapter}
		if leader := b.state.LeaderNode(); leader != nil {
			said.leader = leader.ID
		}
		b.captions = append(b.captions, said)
	}
}

// afterEvent records an event that the state has applied.
func (b *builder) afterEvent(e *trace.Event) {
	switch e.Kind {
	case trace.KindPacket:
		if e.Packet != nil {
			b.messages.add(e.At, e.Packet, b.state.Settings.Latency)
		}
	case trace.KindAppended:
		added := appendMark{node: e.Node, at: e.At, index: e.Index}
		for _, entry := range e.Entries {
			added.terms = append(added.terms, entry.Term)
		}
		b.appends = append(b.appends, added)
	case trace.KindReturned:
		if e.Op != nil {
			b.ops = append(b.ops, *e.Op)
		}
	case trace.KindLinkFault:
		b.trackLinks(e.At)
	case trace.KindProcess:
		// The first start of a node goes without saying.
		if text, bad := markText(e); b.hasRun[e.Node] || e.Process != trace.Up {
			b.addMark(mark{node: e.Node, text: trace.Sanitize(text), at: e.At, bad: bad, death: e.Process.Down()})
		}
	default:
		if text, bad := markText(e); text != "" {
			b.addMark(mark{node: e.Node, text: trace.Sanitize(text), at: e.At, bad: bad})
		}
	}
	if e.Node == "" {
		return
	}
	if was, ok := b.current[e.Node]; !ok {
		if n := b.state.Node(e.Node); n != nil {
			b.beginRole(n.ID, spacetime.RoleSpanOf(n, e.At))
		}
	} else if next, changed := was.Next(e); changed {
		b.endRole(e.Node, e.At)
		b.beginRole(e.Node, next)
	}
}

// addMark adds a mark, or extends the one that its node has at that moment.
func (b *builder) addMark(m mark) {
	for i := len(b.marks) - 1; i >= 0 && b.marks[i].at == m.at; i-- {
		if was := &b.marks[i]; was.node == m.node && m.node != "" {
			was.text += ", " + m.text
			was.bad, was.death = was.bad || m.bad, was.death || m.death
			return
		}
	}
	b.marks = append(b.marks, m)
}

// isChange reports whether an event changes the state that its mark is about. The state is
// as before the event. Other events count as changes.
func isChange(s *trace.State, e *trace.Event) bool {
	n := s.Node(e.Node)
	switch e.Kind {
	case trace.KindDiskFault:
		return n == nil && e.Text != "" || n != nil && e.Text != n.DiskFault
	case trace.KindClockFault:
		return n == nil && e.Factor != 1 || n != nil && e.Factor != n.ClockFactor
	case trace.KindApplyFault:
		return n == nil && e.Text != "" || n != nil && e.Text != n.ApplyFault
	case trace.KindVerdict:
		was := s.Check(e.Check)
		return was == nil || was.Verdict != trace.VerdictViolated
	default:
		return true
	}
}

// markText returns an event as a label of one to three words, "" if it has none, and
// whether the event is a fault or a violation.
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
	case trace.KindApplyFault:
		if e.Text == "" {
			return "apply ok", false
		}
		return "apply " + e.Text, true
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

// beginRole begins a role span of a node.
func (b *builder) beginRole(node string, span spacetime.RoleSpan) {
	b.current[node] = span
	if span.Role == trace.Leader && len(b.captions) > 0 {
		b.captions[len(b.captions)-1].leader = node
	}
}

// endRole ends the current role span of a node, and drops it if it lasted no time.
func (b *builder) endRole(node string, at time.Duration) {
	if span := b.current[node]; at > span.From {
		span.To = at
		b.bars = append(b.bars, roleBar{node, span})
	}
}

// trackLinks begins or ends an outage. While any link is cut, an outage counts cut links
// only.
func (b *builder) trackLinks(at time.Duration) {
	now := linkOutage{from: at}
	for link := range b.state.Faults {
		if b.state.Blocked(link.From, link.To) {
			now.links++
		}
	}
	now.cut = now.links > 0
	if !now.cut {
		now.links = len(b.state.Faults)
	}
	if was := b.outage; was != nil && was.cut == now.cut && now.links > 0 {
		was.links = max(was.links, now.links)
		return
	}
	b.endOutage(at)
	if now.links > 0 {
		b.outage = &now
	}
}

func (b *builder) endOutage(at time.Duration) {
	if b.outage != nil && at > b.outage.from {
		b.outage.to = at
		b.outages = append(b.outages, *b.outage)
	}
	b.outage = nil
}

// endCaption records the logs at the end of the latest caption.
func (b *builder) endCaption() {
	if len(b.captions) == 0 {
		return
	}
	last := &b.captions[len(b.captions)-1]
	for i := range b.state.Nodes {
		n := &b.state.Nodes[i]
		if n.Process == trace.Removed {
			continue
		}
		end := logTail{node: n.ID, process: n.Process, first: n.First, snapshot: n.SnapshotIndex}
		skip := max(0, len(n.Entries)-logTailMax)
		end.first += uint64(skip)
		for i, entry := range n.Entries[skip:] {
			end.terms = append(end.terms, entry.Term)
			end.committed = append(end.committed, b.committed[end.first+uint64(i)] == entry.Term)
		}
		last.tails = append(last.tails, end)
	}
}

// commit records the entries that a node learns are committed.
func (b *builder) commit(e *trace.Event) {
	n := b.state.Node(e.Node)
	if n == nil {
		return
	}
	fork := false // another entry was committed here: Raft's safety is violated
	// Only the ends of logs are drawn.
	for index := e.Index; index > 0 && index+2*logTailMax > e.Index; index-- {
		if entry, ok := n.Entry(index); ok {
			was, known := b.committed[index]
			fork = fork || known && was != entry.Term
			b.committed[index] = entry.Term
		}
	}
	for index := range b.committed {
		if index+4*logTailMax < e.Index || fork && index > e.Index {
			delete(b.committed, index)
		}
	}
}

// end ends the span, and with it every bar, outage and caption.
func (b *builder) end(span Span) {
	b.span.To = b.state.At
	if span.To != 0 {
		b.span.To = min(span.To, b.state.At)
	}
	b.endCaption()
	for i := range b.state.Nodes {
		id := b.state.Nodes[i].ID
		if span, ok := b.current[id]; ok {
			span.To = b.span.To
			b.bars = append(b.bars, roleBar{id, span}) // even one that lasted no time
		}
		// A node that was removed before the span has no lane.
		if slices.ContainsFunc(b.bars, func(bar roleBar) bool { return bar.node == id && bar.Process != trace.Removed }) {
			b.nodes = append(b.nodes, id)
		}
	}
	b.endOutage(b.span.To)
	b.settings = b.state.Settings
	slices.SortStableFunc(b.ops, func(a, b trace.Op) int { return int(a.Invoked - b.Invoked) })
}
