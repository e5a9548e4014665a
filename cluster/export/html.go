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
	// opsMax is how many operations porcupine's picture may hold.
	opsMax = 2000
	// judgeWithin is how long porcupine may think, in real time.
	judgeWithin = 5 * time.Second
)

// HTML writes porcupine's own picture of what the clients asked and were told: a
// row for each client, and an order of the operations that explains all answers,
// or how far one comes. Beside it stand who led when, deaths, faults, verdicts and
// what a scenario said.
//
// The clients' operations are judged as far as they are in the span. An increment
// without an answer is one that counts, at any time after its call, if its entry
// was committed; what had no effect is shown, and not judged.
func HTML(w io.Writer, from Source, span Span) error {
	h := opHistory{span: span, calls: map[uint64]returned{}, taken: map[call]bool{}, clients: map[string]int{}, leads: map[string]int64{}, ran: map[string]bool{}}
	h.s = from.state()
	h.aged = h.s.Seq > 0
	for i := range h.s.Nodes {
		h.ran[h.s.Nodes[i].ID] = true
	}
	for e := range from.Events {
		if span.after(e.At) {
			break
		}
		if h.add(e); len(h.ops) > opsMax || len(h.calls) > opsMax || len(h.notes) > thingsMax {
			return errTooMuch
		}
	}
	h.giveUp()
	if h.first == 0 {
		return ErrEmpty
	}
	operations := h.operations()
	result, info := porcupine.CheckOperationsVerbose(h.model(), operations, judgeWithin)
	h.note("porcupine", map[porcupine.CheckResult]string{
		porcupine.Ok: "linearizable", porcupine.Illegal: "not linearizable", porcupine.Unknown: "not decided within " + judgeWithin.String(),
	}[result], "", h.first, h.first, result == porcupine.Illegal)
	for i := range h.s.Nodes {
		h.endReign(h.s.Nodes[i].ID)
	}
	info.AddAnnotations(h.notes)
	return porcupine.Visualize(h.model(), info, w)
}

// opHistory is what clients did and were told, and what happened meanwhile.
type opHistory struct {
	span       Span
	s          trace.State
	aged       bool  // the counter has a past that is not known
	first, now int64 // of the span and of the latest event, in nanoseconds, no two at once
	ops        []returned
	calls      map[uint64]returned // operations under way, by ID
	taken      map[call]bool       // which increments were committed
	clients    map[string]int      // the row of each client
	leads      map[string]int64    // since when a node leads
	ran        map[string]bool     // which nodes have ever run
	notes      []porcupine.Annotation
}

// returned is an operation from its call to its end.
type returned struct {
	trace.Op
	from, to int64
}

func (h *opHistory) add(e *trace.Event) {
	if e.Kind == trace.KindLoaded && (e.Last > 0 || len(e.Entries) > 0) || e.Kind == trace.KindApplied && h.span.before(e.At) {
		h.aged = true
	}
	if e.Kind == trace.KindCommitted {
		h.commit(e)
	}
	news := isNews(&h.s, e)
	h.s.Apply(e)
	// Where the clock stands still, the order of the events counts.
	h.now = max(int64(e.At), h.now+1)
	switch {
	case e.Kind == trace.KindInvoked && e.Op != nil:
		h.calls[e.Op.ID] = returned{*e.Op, h.now, 0}
	case e.Kind == trace.KindReturned && e.Op != nil:
		h.end(*e.Op, h.span.before(e.At))
	}
	if h.span.before(e.At) {
		if e.Kind == trace.KindProcess {
			h.ran[e.Node] = true
		}
		return
	}
	if h.first == 0 {
		h.begin()
	}
	if news {
		h.annotate(e)
	}
}

// begin begins the span: what had its effect before is not of it.
func (h *opHistory) begin() {
	h.first = h.now
	h.ops = slices.DeleteFunc(h.ops, func(op returned) bool { return h.taken[call{op.Client, op.Seq}] })
	for i := range h.s.Nodes {
		if n := &h.s.Nodes[i]; n.Role == trace.Leader && n.Process.Running() {
			h.leads[n.ID] = h.now
		}
	}
}

// annotate makes notes of what happens beside the operations.
func (h *opHistory) annotate(e *trace.Event) {
	switch e.Kind {
	case trace.KindRole, trace.KindProcess:
		h.watch(e)
	case trace.KindShape, trace.KindHealed:
		h.note("network", e.Text, "", h.now, h.now, e.Kind == trace.KindShape)
	case trace.KindCaption, trace.KindChapter:
		if e.Peer == "" {
			h.note("scenario", strings.Join(wrap(e.Text, 40, 1), ""), e.Text, h.now, h.now, false)
		}
	case trace.KindVerdict:
		if e.Verdict == trace.VerdictViolated {
			h.note("checks", e.Check+" violated", e.Text, h.now, h.now, true)
		}
	case trace.KindDiskFault, trace.KindClockFault, trace.KindInstalled:
		if text, bad := markOf(e); text != "" {
			h.note(e.Node, text, "", h.now, h.now, bad)
		}
	default:
	}
}

// commit notes the increments that a node says are committed.
func (h *opHistory) commit(e *trace.Event) {
	n := h.s.Node(e.Node)
	if n == nil {
		return
	}
	for index := max(n.Commit+1, n.First); index <= e.Index; index++ {
		entry, ok := n.Entry(index)
		if !ok {
			break
		}
		if entry.Kind == trace.EntryAdd {
			h.taken[call{entry.Client, entry.Seq}] = true
		}
	}
}

// watch notes reigns and deaths.
func (h *opHistory) watch(e *trace.Event) {
	_, leads := h.leads[e.Node]
	switch {
	case e.Kind == trace.KindRole && e.Role == trace.Leader && !leads:
		h.leads[e.Node] = h.now
	case leads && e.Role != trace.Leader:
		h.endReign(e.Node)
	}
	// Nobody need be told that all start at the beginning.
	if text, bad := markOf(e); text != "" && (bad || h.ran[e.Node]) {
		h.note(e.Node, text, e.Text, h.now, h.now, bad)
	}
	h.ran[e.Node] = true
}

// endReign notes for how long a node led, if it does.
func (h *opHistory) endReign(node string) {
	from, leads := h.leads[node]
	if leads {
		h.note(node, "leads", "", from, h.now, false)
	}
	delete(h.leads, node)
}

func (h *opHistory) note(tag, text, details string, from, to int64, bad bool) {
	colour := "#e5e7eb"
	if bad {
		colour = "#f8c9c4"
	}
	h.notes = append(h.notes, porcupine.Annotation{
		Tag: trace.Sanitize(tag), Start: from, End: to, Description: trace.Sanitize(text), Details: trace.Sanitize(details), TextColor: ink, BackgroundColor: colour,
	})
}

// end notes an operation that has ended. Of those that ended before the span, only
// an increment without an answer may have its effect in it.
func (h *opHistory) end(op trace.Op, early bool) {
	called, ok := h.calls[op.ID]
	delete(h.calls, op.ID)
	if ok && (!early || op.Outcome == trace.Unknown && op.Kind == trace.EntryAdd) {
		h.ops = append(h.ops, returned{op, called.from, h.now})
	}
}

// giveUp ends what is still under way, without an answer.
func (h *opHistory) giveUp() {
	for _, id := range slices.Sorted(maps.Keys(h.calls)) {
		op := h.calls[id]
		op.Outcome, op.to = trace.Unknown, h.now
		h.ops = append(h.ops, op)
	}
}

// row returns the row of a client.
func (h *opHistory) row(client string) int {
	row, ok := h.clients[client]
	if !ok {
		row = len(h.clients)
		h.clients[client] = row
	}
	return row
}

// operations returns what is to be judged, and makes notes of the rest.
func (h *opHistory) operations() []porcupine.Operation {
	var all []porcupine.Operation
	for _, op := range h.ops {
		one := porcupine.Operation{ClientId: h.row(op.Client), Input: op.Op, Output: op.Op, Call: op.from, Return: op.to}
		switch {
		case op.Outcome == trace.OK:
		case op.Outcome == trace.Unknown && op.Kind == trace.EntryAdd && h.taken[call{op.Client, op.Seq}]:
			// It may still count while its client goes on, so it has a row of its own.
			one.ClientId, one.Return = h.row(fmt.Sprintf("%s operation %d", op.Client, op.ID)), h.now+1
		default:
			h.notes = append(h.notes, porcupine.Annotation{
				ClientId: one.ClientId, Start: op.from, End: op.to, Description: opLabel(op.Op), Details: trace.Sanitize(op.Why),
				TextColor: ink, BackgroundColor: map[bool]string{true: "#fde2b8", false: "#f3d4d4"}[op.Outcome == trace.Unknown],
			})
			continue
		}
		all = append(all, one)
	}
	return all
}

// total is the counter as the model sees it. With a past that is not known, the
// first answer says what it was.
type total struct {
	value int64
	known bool
}

// model is the sequential specification of the counter.
func (h *opHistory) model() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return total{known: !h.aged} },
		Step: func(state, input, _ any) (bool, any) {
			s, op := state.(total), input.(trace.Op)
			delta := op.Delta
			if op.Kind != trace.EntryAdd {
				delta = 0
			}
			if op.Outcome == trace.Unknown {
				s.value += delta
				return true, s
			}
			return !s.known || s.value+delta == op.Value, total{op.Value, true}
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
			if s := state.(total); s.known {
				return fmt.Sprint(s.value)
			}
			return "?"
		},
	}
}
