package export

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"capsize/cluster/trace"
)

// shivizPattern is how ShiViz is to read a line. It stands in the first line of a
// log; the second, left empty, would tell several runs apart.
const shivizPattern = `(?<date>\S+) (?<host>\S+) (?<clock>\{[^}]*\}) (?<event>.*)`

// hostsMax is how many nodes and clients a log for ShiViz may name: each line has
// a number for each of them.
const hostsMax = 500

// ShiViz writes a log for ShiViz (bestchai.bitbucket.io/shiviz): a line for each
// event, with who it happened at and that one's vector clock. The nodes are hosts,
// and so are the clients. Left out are heartbeats, what is lost on its way, and
// what is no event of somebody's.
//
// A packet that arrives comes after its sending, an entry in the log after the
// client's call, and an answer to a client after what its node did before.
func ShiViz(w io.Writer, from Source, span Span) error {
	v := vectorClocks{
		w: bufio.NewWriter(w), span: span, clocks: map[string]map[string]uint64{},
		inFlight: map[uint64]map[string]uint64{}, calls: map[opKey]map[string]uint64{},
	}
	_, _ = v.w.WriteString(shivizPattern + "\n\n") // an error stays until Flush
	for e := range from.Events {
		if span.after(e.At) {
			break
		}
		if span.before(e.At) {
			continue
		}
		if err := v.add(e); err != nil {
			return err
		}
	}
	if len(v.clocks) == 0 {
		return ErrEmpty
	}
	return v.w.Flush()
}

// opKey is an operation by which its entry in a log is known.
type opKey struct {
	client string
	seq    uint64
}

// vectorClocks holds the vector clocks.
type vectorClocks struct {
	w        *bufio.Writer
	span     Span
	clocks   map[string]map[string]uint64
	inFlight map[uint64]map[string]uint64 // of packets under way, by ID
	calls    map[opKey]map[string]uint64  // of operations under way
}

// record writes an event of a host, which comes after the causes.
func (v *vectorClocks) record(at time.Duration, host, text string, causes ...map[string]uint64) error {
	host = strings.ReplaceAll(trace.Sanitize(host), " ", "_")
	c := v.clocks[host]
	if c == nil {
		if len(v.clocks) == hostsMax {
			return fmt.Errorf("more than %d nodes and clients: choose a shorter time, with --from and --to", hostsMax)
		}
		c = map[string]uint64{}
		v.clocks[host] = c
	}
	for _, cause := range causes {
		for other, n := range cause {
			c[other] = max(c[other], n)
		}
	}
	c[host]++
	vector, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(v.w, "%s %s %s %s\n", trace.ClockMillis(at), host, vector, trace.Sanitize(text))
	return err
}

// clockOf returns a copy of the clock of a host.
func (v *vectorClocks) clockOf(host string) map[string]uint64 {
	return maps.Clone(v.clocks[strings.ReplaceAll(trace.Sanitize(host), " ", "_")])
}

func (v *vectorClocks) add(e *trace.Event) error {
	switch e.Kind {
	case trace.KindPacket:
		if e.Packet != nil && e.Packet.Kind != "heartbeat" {
			return v.packet(e.At, e.Packet)
		}
	case trace.KindInvoked, trace.KindReturned:
		if e.Op != nil {
			return v.op(e)
		}
	case trace.KindAppended:
		return v.appended(e)
	default:
		if text := eventText(e); text != "" && e.Node != "" {
			return v.record(e.At, e.Node, text)
		}
	}
	return nil
}

// eventText says what happened at a node; "" if it does not matter here.
func eventText(e *trace.Event) string {
	switch e.Kind {
	case trace.KindProcess:
		return strings.TrimSuffix(fmt.Sprintf("is %s: %s", e.Process, e.Text), ": ")
	case trace.KindRole:
		return fmt.Sprintf("is %s of term %d", e.Role, e.Term)
	case trace.KindVote:
		if e.Peer != "" {
			return fmt.Sprintf("votes for %s in term %d", e.Peer, e.Term)
		}
	case trace.KindTruncated:
		return fmt.Sprintf("cuts off entries %d to %d", e.Index, e.Last)
	case trace.KindCommitted:
		return fmt.Sprintf("knows that entry %d is committed", e.Index)
	case trace.KindSnapshot:
		return fmt.Sprintf("takes a snapshot up to entry %d", e.Index)
	case trace.KindInstalled:
		return fmt.Sprintf("installs a snapshot up to entry %d", e.Index)
	case trace.KindDiskFault:
		if e.Text == "" {
			return "its disk is sound"
		}
		return "its disk: " + e.Text
	default:
	}
	return ""
}

// inFlightMax is how many packets may be under way at once.
const inFlightMax = 1 << 16

func (v *vectorClocks) packet(at time.Duration, p *trace.Packet) error {
	switch p.Status {
	case trace.Sent:
		if err := v.record(at, p.From, fmt.Sprintf("sends %s to %s", packetText(p), p.To)); err != nil {
			return err
		}
		if len(v.inFlight) == inFlightMax {
			return errors.New("too many packets are under way at once: choose a shorter time, with --from and --to")
		}
		v.inFlight[p.ID] = v.clockOf(p.From)
	case trace.Delivered:
		sent, ok := v.inFlight[p.ID]
		delete(v.inFlight, p.ID)
		if ok {
			return v.record(at, p.To, fmt.Sprintf("gets %s from %s", packetText(p), p.From), sent)
		}
	case trace.Lost:
		delete(v.inFlight, p.ID)
	}
	return nil
}

// packetText says what a packet is.
func packetText(p *trace.Packet) string {
	if !p.Reply {
		switch {
		case p.Entries > 0:
			return fmt.Sprintf("entries %d to %d (term %d)", p.First, p.First+uint64(p.Entries)-1, p.Term)
		case p.Kind == "append":
			return fmt.Sprintf("an append without entries (term %d)", p.Term)
		}
		return fmt.Sprintf("a %s request (term %d)", p.Kind, p.Term)
	}
	answer := "yes"
	if !p.OK {
		answer = "no"
	}
	return fmt.Sprintf("the answer %s to its %s request (term %d)", answer, p.Kind, p.Term)
}

func (v *vectorClocks) op(e *trace.Event) error {
	op := e.Op
	what := "a read"
	if op.Kind == trace.EntryAdd {
		what = fmt.Sprintf("%+d", op.Delta)
	}
	if e.Kind == trace.KindInvoked {
		err := v.record(e.At, op.Client, fmt.Sprintf("calls for %s via %s", what, op.Route))
		if op.Seq > 0 && len(v.calls) < inFlightMax {
			v.calls[opKey{op.Client, op.Seq}] = v.clockOf(op.Client)
		}
		return err
	}
	delete(v.calls, opKey{op.Client, op.Seq})
	text := fmt.Sprintf("is told %s for %s: %s", op.Outcome, what, op.Why)
	if op.Outcome == trace.OK {
		// What it was told, the node that answered knew.
		return v.record(e.At, op.Client, fmt.Sprintf("is told ok for %s: the counter is %d", what, op.Value), v.clockOf(op.Node))
	}
	return v.record(e.At, op.Client, text)
}

func (v *vectorClocks) appended(e *trace.Event) error {
	var causes []map[string]uint64
	for _, entry := range e.Entries {
		if c, ok := v.calls[opKey{entry.Client, entry.Seq}]; ok && entry.Client != "" {
			causes = append(causes, c)
		}
	}
	last := e.Index + uint64(len(e.Entries)) - 1
	text := fmt.Sprintf("appends entries %d to %d", e.Index, last)
	if e.Index == last {
		text = fmt.Sprintf("appends entry %d", last)
	}
	return v.record(e.At, e.Node, text, causes...)
}
