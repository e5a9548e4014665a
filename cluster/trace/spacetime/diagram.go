package spacetime

import (
	"slices"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// Diagram is what a space-time diagram shows of the past from one moment on.
type Diagram struct {
	From     time.Duration
	Last     trace.Position // the last event folded in
	Lanes    []Lane         // sorted by trace.CompareNames
	Outages  []Outage
	Clients  []Mark // operations that failed or whose outcome is unknown; violations
	Chapters []Mark
	OKAt     []time.Duration // when operations succeeded
	Messages []Message       // in the order of their sending
	Crowded  bool            // messages are missing: too many events for one look at each

	inFlight map[uint64]int // indexes into Messages, by Packet.ID
	classes  Classifier
	faulty   map[trace.Link]bool
	shape    string // the last change to the network's shape
	shapeAt  time.Duration
}

// Lane is the past of one node.
type Lane struct {
	Node  string
	Spans []RoleSpan // contiguous, none of them empty; only the last has no end
	Marks []Mark
	// The node's faults after the last event.
	disk  string
	clock float64
	apply string
}

// Outage is a stretch of time over which links have faults.
type Outage struct {
	From, To time.Duration // To is 0 while the outage lasts
	Text     string        // the last change to the network
}

// eventsMax bounds the events that one Extend looks at one by one. Of more it folds in
// only the significant ones.
const eventsMax = 60_000

// New returns a diagram that starts at a moment, or where the history starts if that is
// later. Its first spans are the state at that moment.
func New(h *history.History, from time.Duration) *Diagram {
	var s trace.State
	first, _ := h.Span()
	seq := max(h.SeqAt(max(from, first.At)), first.Seq)
	d := &Diagram{From: from, inFlight: map[uint64]int{}, faulty: map[trace.Link]bool{}}
	if !h.StateAt(seq, &s) {
		return d
	}
	d.Last = trace.Position{Seq: seq, At: s.At}
	for i := range s.Nodes {
		n := &s.Nodes[i]
		l := d.Lane(n.ID)
		l.disk, l.clock, l.apply = n.DiskFault, n.ClockFactor, n.ApplyFault
		l.Spans = append(l.Spans, RoleSpanOf(n, max(s.At, from)))
	}
	for link := range s.Faults {
		d.setFaulty(link, true, from)
	}
	for i := range s.InFlight {
		if f := &s.InFlight[i]; f.ID != 0 && f.Status == trace.Sent {
			d.send(&f.Packet, f.SentAt)
		}
	}
	for i := range s.Waiting { // a hold may keep them for so long that InFlight forgets them
		f := &s.Waiting[i]
		if _, known := d.inFlight[f.ID]; !known {
			d.send(&f.Packet, f.SentAt)
		}
	}
	return d
}

// Extend folds in the events up to a position. It does nothing if the diagram is there
// already.
func (d *Diagram) Extend(h *history.History, to trace.Position) {
	if to.Seq <= d.Last.Seq {
		return
	}
	events := h.Events
	if to.Seq-d.Last.Seq > eventsMax {
		events, d.Crowded = h.Significant, true
	}
	events(d.Last.Seq+1, to.Seq, func(e *trace.Event) bool {
		d.add(e)
		return true
	})
	d.Last = to
}

// Lane returns the lane of a node, and adds it if it is missing. The pointer is valid
// until the next lane is added.
func (d *Diagram) Lane(node string) *Lane {
	at, ok := slices.BinarySearchFunc(d.Lanes, node, func(l Lane, node string) int { return trace.CompareNames(l.Node, node) })
	if !ok {
		d.Lanes = slices.Insert(d.Lanes, at, Lane{Node: node, clock: 1})
	}
	return &d.Lanes[at]
}

func (d *Diagram) add(e *trace.Event) {
	switch e.Kind {
	case trace.KindPacket:
		if e.Packet != nil && !d.Crowded {
			d.addPacket(e.Packet, e.At)
		}
	case trace.KindLinkFault:
		d.setFaulty(trace.Link{From: e.Node, To: e.Peer}, len(e.Faults) > 0, e.At)
	case trace.KindShape:
		// This event comes before those of its links or after them, at the same moment.
		d.shape, d.shapeAt = e.Text, e.At
		if end := len(d.Outages) - 1; end >= 0 && d.Outages[end].To == 0 {
			d.Outages[end].Text = e.Text
		}
	case trace.KindChapter:
		d.Chapters = append(d.Chapters, Mark{e.At, trace.TopicPresentation, e.Text, 1})
	case trace.KindReturned:
		if e.Op != nil {
			d.addOp(e.Op, e.At)
		}
	case trace.KindVerdict:
		if e.Verdict == trace.VerdictViolated {
			d.Clients = append(d.Clients, Mark{e.At, trace.TopicRefusal, e.Check + " violated", 3})
		}
	default:
		if e.Node != "" {
			d.Lane(e.Node).add(e)
		}
	}
}

// setFaulty records whether a link has faults. An outage lasts from the first faulty link
// until no link is faulty.
func (d *Diagram) setFaulty(link trace.Link, faulty bool, at time.Duration) {
	before := len(d.faulty)
	if faulty {
		d.faulty[link] = true
	} else {
		delete(d.faulty, link)
	}
	switch {
	case before == 0 && len(d.faulty) > 0:
		o := Outage{From: at, Text: "faulty links"}
		if d.shapeAt == at && d.shape != "" {
			o.Text = d.shape
		}
		d.Outages = append(d.Outages, o)
	case before > 0 && len(d.faulty) == 0:
		d.Outages[len(d.Outages)-1].To = at
	}
}

func (d *Diagram) addOp(op *trace.Op, at time.Duration) {
	switch op.Outcome {
	case trace.OK:
		d.OKAt = append(d.OKAt, at)
	case trace.Failed, trace.Unknown:
		d.Clients = append(d.Clients, Mark{at, trace.TopicClient, string(op.Outcome), 2})
	case trace.Pending:
	}
}

func (d *Diagram) addPacket(p *trace.Packet, at time.Duration) {
	switch p.Status {
	case trace.Sent:
		d.send(p, at)
		return
	case trace.Waiting, trace.Expired: // it is in flight until it is delivered or dropped
		return
	case trace.Delivered, trace.Lost:
	}
	if i, ok := d.inFlight[p.ID]; ok {
		m := &d.Messages[i]
		m.Ended, m.Packet.Status = at, p.Status
		delete(d.inFlight, p.ID)
	}
}

func (d *Diagram) send(p *trace.Packet, at time.Duration) {
	d.inFlight[p.ID] = len(d.Messages)
	d.Messages = append(d.Messages, Message{Packet: *p, Sent: at, Quiet: d.classes.Classify(p).Quiet(p)})
}

// current returns the lane's last span, the zero value if it has none.
func (l *Lane) current() RoleSpan {
	if len(l.Spans) == 0 {
		return RoleSpan{}
	}
	return l.Spans[len(l.Spans)-1]
}

func (l *Lane) add(e *trace.Event) {
	if m, ok := l.markOf(e); ok {
		l.Marks = append(l.Marks, m)
	}
	switch e.Kind {
	case trace.KindDiskFault:
		l.disk = e.Text
	case trace.KindClockFault:
		l.clock = e.Factor
	case trace.KindApplyFault:
		l.apply = e.Text
	default:
	}
	next, changed := l.current().Next(e)
	if !changed {
		return
	}
	if end := len(l.Spans) - 1; end >= 0 {
		l.Spans[end].To = e.At
		if l.Spans[end].From == e.At {
			l.Spans = l.Spans[:end] // no time has passed in it
		}
	}
	l.Spans = append(l.Spans, next)
}
