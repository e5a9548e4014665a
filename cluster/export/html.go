package export

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"capsize/cluster/trace"
)

const (
	// opsMax is the largest number of operations in the page.
	opsMax = 2000
	// checkTimeout bounds porcupine's search, in real time.
	checkTimeout = 5 * time.Second
)

// HTML writes porcupine's visualization of the clients' history: a row for each client, and
// a linearization of the operations, or the longest partial one. Annotations show leaders,
// failures of nodes, faults, violations and captions.
//
// The page checks the operations in the span. An increment with an unknown outcome takes
// effect at some time after its call if its entry was committed. An operation without
// effect is an annotation and is not checked.
//
// Errors: [ErrEmpty], too many operations or events, and those of w.
func HTML(w io.Writer, from Source, span Span) error {
	h := clientHistory{
		span: span, pending: map[uint64]timedOp{}, committed: map[trace.OpKey]bool{}, clients: map[string]int{},
		leadsSince: map[string]int64{}, hasRun: map[string]bool{},
	}
	h.state = from.state()
	h.unknownStart = h.state.Seq > 0
	for i := range h.state.Nodes {
		h.hasRun[h.state.Nodes[i].ID] = true
	}
	for e := range from.Events {
		if span.after(e.At) {
			break
		}
		if h.add(e); len(h.ops) > opsMax || len(h.pending) > opsMax || len(h.annotations) > itemsMax {
			return errTooMany
		}
	}
	h.endPending()
	if h.first == 0 {
		return ErrEmpty
	}
	operations := h.operations()
	result, info := porcupine.CheckOperationsVerbose(h.model(), operations, checkTimeout)
	h.addAnnotation("porcupine", map[porcupine.CheckResult]string{
		porcupine.Ok: "linearizable", porcupine.Illegal: "not linearizable", porcupine.Unknown: "undecided after " + checkTimeout.String(),
	}[result], "", h.first, h.first, result == porcupine.Illegal)
	for i := range h.state.Nodes {
		h.endLeadership(h.state.Nodes[i].ID)
	}
	info.AddAnnotations(h.annotations)
	return porcupine.Visualize(h.model(), info, w)
}

// clientHistory is the clients' operations, and annotations of the events around them.
type clientHistory struct {
	span         Span
	state        trace.State
	unknownStart bool // the counter's value before the span is unknown
	// The times of the span's first event and of the latest one, in nanoseconds. They differ
	// from virtual time where events would otherwise share a moment.
	first, latest int64
	ops           []timedOp
	pending       map[uint64]timedOp   // operations in flight, by ID
	committed     map[trace.OpKey]bool // the committed increments
	clients       map[string]int       // the row of each client
	leadsSince    map[string]int64     // of the nodes that lead now
	hasRun        map[string]bool      // the nodes that have ever run
	annotations   []porcupine.Annotation
}

// timedOp is an operation with the times of its call and its return.
type timedOp struct {
	trace.Op
	from, to int64
}

func (h *clientHistory) add(e *trace.Event) {
	if e.Kind == trace.KindLoaded && (e.Last > 0 || len(e.Entries) > 0) || e.Kind == trace.KindApplied && h.span.before(e.At) {
		h.unknownStart = true
	}
	if e.Kind == trace.KindCommitted {
		h.commit(e)
	}
	changes := isChange(&h.state, e)
	h.state.Apply(e)
	// Events at the same moment keep their order.
	h.latest = max(int64(e.At), h.latest+1)
	switch {
	case e.Kind == trace.KindInvoked && e.Op != nil:
		h.pending[e.Op.ID] = timedOp{*e.Op, h.latest, 0}
	case e.Kind == trace.KindReturned && e.Op != nil:
		h.endOp(*e.Op, h.span.before(e.At))
	}
	if h.span.before(e.At) {
		if e.Kind == trace.KindProcess {
			h.hasRun[e.Node] = true
		}
		return
	}
	if h.first == 0 {
		h.beginSpan()
	}
	if changes {
		h.annotate(e)
	}
}

// beginSpan begins the span. It drops operations that took effect before it.
func (h *clientHistory) beginSpan() {
	h.first = h.latest
	h.ops = slices.DeleteFunc(h.ops, func(op timedOp) bool { return h.committed[op.OpKey()] })
	for i := range h.state.Nodes {
		if n := &h.state.Nodes[i]; n.Role == trace.Leader && n.Process.Running() {
			h.leadsSince[n.ID] = h.latest
		}
	}
}

// annotate annotates an event that is not an operation.
func (h *clientHistory) annotate(e *trace.Event) {
	switch e.Kind {
	case trace.KindRole, trace.KindProcess:
		h.annotateNode(e)
	case trace.KindShape, trace.KindHealed:
		h.addAnnotation("network", e.Text, "", h.latest, h.latest, e.Kind == trace.KindShape)
	case trace.KindCaption, trace.KindChapter, trace.KindQuestion:
		if said := e.Said(); said != "" {
			h.addAnnotation("scenario", strings.Join(wrap(said, 40, 1), ""), said, h.latest, h.latest, false)
		}
	case trace.KindVerdict:
		if e.Verdict == trace.VerdictViolated {
			h.addAnnotation("checks", e.Check+" violated", e.Text, h.latest, h.latest, true)
		}
	case trace.KindDiskFault, trace.KindClockFault, trace.KindApplyFault, trace.KindInstalled:
		if text, bad := markText(e); text != "" {
			h.addAnnotation(e.Node, text, "", h.latest, h.latest, bad)
		}
	default:
	}
}

// commit records the increments that a node learns are committed.
func (h *clientHistory) commit(e *trace.Event) {
	n := h.state.Node(e.Node)
	if n == nil {
		return
	}
	for index := max(n.Commit+1, n.First); index <= e.Index; index++ {
		entry, ok := n.Entry(index)
		if !ok {
			break
		}
		if entry.Kind == trace.EntryAdd {
			h.committed[entry.OpKey()] = true
		}
	}
}

// annotateNode annotates a change of a node's role or process.
func (h *clientHistory) annotateNode(e *trace.Event) {
	_, leads := h.leadsSince[e.Node]
	switch {
	case e.Kind == trace.KindRole && e.Role == trace.Leader && !leads:
		h.leadsSince[e.Node] = h.latest
	case leads && e.Role != trace.Leader:
		h.endLeadership(e.Node)
	}
	// The first start of a node goes without saying.
	if text, bad := markText(e); text != "" && (bad || h.hasRun[e.Node]) {
		h.addAnnotation(e.Node, text, e.Text, h.latest, h.latest, bad)
	}
	h.hasRun[e.Node] = true
}

// endLeadership annotates the time that a node led, if it leads.
func (h *clientHistory) endLeadership(node string) {
	from, leads := h.leadsSince[node]
	if leads {
		h.addAnnotation(node, "leads", "", from, h.latest, false)
	}
	delete(h.leadsSince, node)
}

func (h *clientHistory) addAnnotation(tag, text, details string, from, to int64, bad bool) {
	colour := "#e5e7eb"
	if bad {
		colour = "#f8c9c4"
	}
	h.annotations = append(h.annotations, porcupine.Annotation{
		Tag: trace.Sanitize(tag), Start: from, End: to, Description: trace.Sanitize(text), Details: trace.Sanitize(details), TextColor: ink, BackgroundColor: colour,
	})
}

// endOp records the return of an operation. Of those that returned before the span, only an
// increment with an unknown outcome may take effect in it.
func (h *clientHistory) endOp(op trace.Op, early bool) {
	called, ok := h.pending[op.ID]
	delete(h.pending, op.ID)
	if ok && (!early || op.Outcome == trace.Unknown && op.Kind == trace.EntryAdd) {
		h.ops = append(h.ops, timedOp{op, called.from, h.latest})
	}
}

// endPending ends the operations in flight, with an unknown outcome.
func (h *clientHistory) endPending() {
	for _, id := range slices.Sorted(maps.Keys(h.pending)) {
		op := h.pending[id]
		op.Outcome, op.to = trace.Unknown, h.latest
		h.ops = append(h.ops, op)
	}
}

// row returns the row of a client, a new one if it has none.
func (h *clientHistory) row(client string) int {
	row, ok := h.clients[client]
	if !ok {
		row = len(h.clients)
		h.clients[client] = row
	}
	return row
}

// operations returns the operations to check, and annotates the rest.
func (h *clientHistory) operations() []porcupine.Operation {
	var all []porcupine.Operation
	for _, op := range h.ops {
		one := porcupine.Operation{ClientId: h.row(op.Client), Input: op.Op, Output: op.Op, Call: op.from, Return: op.to}
		switch {
		case op.Outcome == trace.OK:
		case op.Outcome == trace.Unknown && op.Kind == trace.EntryAdd && h.committed[op.OpKey()]:
			// It may take effect while its client continues, so it has a row of its own.
			one.ClientId, one.Return = h.row(fmt.Sprintf("%s operation %d", op.Client, op.ID)), h.latest+1
		default:
			h.annotations = append(h.annotations, porcupine.Annotation{
				ClientId: one.ClientId, Start: op.from, End: op.to, Description: opLabel(op.Op), Details: trace.Sanitize(op.Why),
				TextColor: ink, BackgroundColor: map[bool]string{true: "#fde2b8", false: "#f3d4d4"}[op.Outcome == trace.Unknown],
			})
			continue
		}
		all = append(all, one)
	}
	return all
}

// counterState is the counter in the model. While its value is unknown, any first result
// is right.
type counterState struct {
	value int64
	known bool
}

// model is the sequential specification of the counter.
func (h *clientHistory) model() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return counterState{known: !h.unknownStart} },
		Step: func(state, input, _ any) (bool, any) {
			s, op := state.(counterState), input.(trace.Op)
			delta := op.Delta
			if op.Kind != trace.EntryAdd {
				delta = 0
			}
			if op.Outcome == trace.Unknown {
				s.value += delta
				return true, s
			}
			return !s.known || s.value+delta == op.Value, counterState{op.Value, true}
		},
		Equal: func(a, b any) bool { return a == b },
		DescribeOperation: func(input, _ any) string {
			op := input.(trace.Op)
			label := opLabel(op)
			if op.Kind == trace.EntryRead {
				label = trace.Sanitize(op.Level) + " " + label
			}
			return label + " (" + trace.Sanitize(op.Node) + ")"
		},
		DescribeState: func(state any) string {
			if s := state.(counterState); s.known {
				return fmt.Sprint(s.value)
			}
			return "?"
		},
	}
}
