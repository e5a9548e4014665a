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

// shivizPattern tells ShiViz how to parse a line. It is the first line of a log. The second
// one is the delimiter between several runs: empty, as there is one run.
const shivizPattern = `(?<date>\S+) (?<host>\S+) (?<clock>\{[^}]*\}) (?<event>.*)`

// hostsMax bounds the nodes and clients in a log for ShiViz: each line has a number for each
// of them.
const hostsMax = 500

// shivizBytesMax bounds a log for ShiViz, which loads the whole log into a browser tab.
const shivizBytesMax = 16 << 20

// ShiViz writes a log for ShiViz (bestchai.bitbucket.io/shiviz): a line for each event, with
// its host and the host's vector clock. Nodes and clients are hosts. It leaves out
// heartbeats, lost packets, and events of no host.
//
// The delivery of a packet comes after its sending, the append of an entry after its
// client's call, and the return of an operation after what its node did before.
//
// A log ends after about 16 MB, with a line of the host capsize that says so.
//
// Errors: [ErrEmpty], [ErrTruncated], too many hosts or packets in flight, and those of w.
func ShiViz(w io.Writer, from Source, span Span) error {
	v := vectorClocks{
		w: bufio.NewWriter(w), span: span, clocks: map[string]map[string]uint64{},
		inFlight: map[uint64]map[string]uint64{}, calls: map[trace.OpKey]map[string]uint64{},
	}
	_, _ = v.w.WriteString(shivizPattern + "\n\n") // an error stays until Flush
	for e := range from.Events {
		if span.after(e.At) {
			break
		}
		if span.before(e.At) {
			continue
		}
		if v.bytes > shivizBytesMax {
			return v.truncate(e.At)
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

// vectorClocks writes events with the vector clocks of their hosts.
type vectorClocks struct {
	w        *bufio.Writer
	span     Span
	bytes    int // written so far
	clocks   map[string]map[string]uint64
	inFlight map[uint64]map[string]uint64      // at the sending of packets in flight, by ID
	calls    map[trace.OpKey]map[string]uint64 // at the call of operations in flight
}

// record writes an event of a host, which comes after the causes.
func (v *vectorClocks) record(at time.Duration, host, text string, causes ...map[string]uint64) error {
	host = strings.ReplaceAll(trace.Sanitize(host), " ", "_")
	c := v.clocks[host]
	if c == nil {
		if len(v.clocks) == hostsMax {
			return fmt.Errorf("more than %d nodes and clients: choose a shorter span with --from and --to", hostsMax)
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
	n, err := fmt.Fprintf(v.w, "%s %s %s %s\n", trace.ClockMillis(at), host, vector, trace.Sanitize(text))
	v.bytes += n
	return err
}

// truncate ends the log before an event that does not fit.
func (v *vectorClocks) truncate(at time.Duration) error {
	_, _ = fmt.Fprintf(v.w, "%s capsize {\"capsize\":1} the log ends here: more than %d MB; choose a shorter span with --from and --to\n",
		trace.ClockMillis(at), shivizBytesMax>>20)
	if err := v.w.Flush(); err != nil {
		return err
	}
	return fmt.Errorf("%w at %s: more than %d MB; choose a shorter span with --from and --to", ErrTruncated, trace.ClockMillis(at), shivizBytesMax>>20)
}

// clockOf returns a copy of a host's clock.
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

// eventText describes an event of a node; "" for one that the log leaves out.
func eventText(e *trace.Event) string {
	switch e.Kind {
	case trace.KindProcess:
		return strings.TrimSuffix(fmt.Sprintf("is %s: %s", e.Process, e.Text), ": ")
	case trace.KindRole:
		return fmt.Sprintf("becomes %s in term %d", e.Role, e.Term)
	case trace.KindVote:
		if e.Peer != "" {
			return fmt.Sprintf("votes for %s in term %d", e.Peer, e.Term)
		}
	case trace.KindTruncated:
		return "truncates " + entriesText(e.Index, e.Last)
	case trace.KindCommitted:
		return fmt.Sprintf("learns that entry %d is committed", e.Index)
	case trace.KindSnapshot:
		return fmt.Sprintf("takes a snapshot up to entry %d", e.Index)
	case trace.KindInstalled:
		return fmt.Sprintf("installs a snapshot up to entry %d", e.Index)
	case trace.KindDiskFault:
		if e.Text == "" {
			return "its disk is healthy"
		}
		return "its disk: " + e.Text
	case trace.KindApplyFault:
		if e.Text == "" {
			return "its state machine is at full speed"
		}
		return "its state machine is " + e.Text
	default:
	}
	return ""
}

// inFlightMax bounds the packets in flight at once.
const inFlightMax = 1 << 16

func (v *vectorClocks) packet(at time.Duration, p *trace.Packet) error {
	switch p.Status {
	case trace.Sent:
		if err := v.record(at, p.From, fmt.Sprintf("sends %s to %s", packetText(p), p.To)); err != nil {
			return err
		}
		if len(v.inFlight) == inFlightMax {
			return errors.New("too many packets in flight at once: choose a shorter span with --from and --to")
		}
		v.inFlight[p.ID] = v.clockOf(p.From)
	case trace.Delivered:
		sent, ok := v.inFlight[p.ID]
		delete(v.inFlight, p.ID)
		if ok {
			return v.record(at, p.To, fmt.Sprintf("receives %s from %s", packetText(p), p.From), sent)
		}
	case trace.Lost:
		delete(v.inFlight, p.ID)
	case trace.Waiting, trace.Expired: // it is neither a sending nor an arrival
	}
	return nil
}

// packetText describes a packet: "entries 4 to 6 (term 2)", "a vote reply (granted, term 2)".
func packetText(p *trace.Packet) string {
	switch {
	case p.Reply:
		return fmt.Sprintf("%s reply (%s, term %d)", packetKind(p.Kind), replyText(p), p.Term)
	case p.Entries > 0:
		return fmt.Sprintf("%s (term %d)", entriesText(p.First, p.First+uint64(p.Entries)-1), p.Term)
	case p.Kind == "append":
		return fmt.Sprintf("an empty append (term %d)", p.Term)
	default:
		return fmt.Sprintf("%s request (term %d)", packetKind(p.Kind), p.Term)
	}
}

// packetKind returns a kind of packet with its article.
func packetKind(kind string) string {
	switch kind {
	case "append":
		return "an append"
	case "prevote":
		return "a pre-vote"
	default:
		return "a " + kind
	}
}

// replyText returns the result that a reply carries.
func replyText(p *trace.Packet) string {
	votes := p.Kind == "vote" || p.Kind == "prevote"
	switch {
	case votes && p.OK:
		return "granted"
	case votes:
		return "denied"
	case p.OK:
		return "ok"
	default:
		return "rejected"
	}
}

// entriesText names a range of entries: "entry 4", "entries 4 to 6".
func entriesText(first, last uint64) string {
	if first == last {
		return fmt.Sprintf("entry %d", first)
	}
	return fmt.Sprintf("entries %d to %d", first, last)
}

func (v *vectorClocks) op(e *trace.Event) error {
	op := e.Op
	what := "a read"
	if op.Kind == trace.EntryAdd {
		what = fmt.Sprintf("%+d", op.Delta)
	}
	if e.Kind == trace.KindInvoked {
		err := v.record(e.At, op.Client, fmt.Sprintf("calls %s via %s", what, op.Route))
		if op.Seq > 0 && len(v.calls) < inFlightMax {
			v.calls[op.OpKey()] = v.clockOf(op.Client)
		}
		return err
	}
	delete(v.calls, op.OpKey())
	text := fmt.Sprintf("%s %s: %s", what, op.Outcome, op.Why)
	if op.Outcome == trace.OK {
		// The node that replied did so after its own events.
		return v.record(e.At, op.Client, fmt.Sprintf("%s returns %d", what, op.Value), v.clockOf(op.Node))
	}
	return v.record(e.At, op.Client, text)
}

func (v *vectorClocks) appended(e *trace.Event) error {
	var causes []map[string]uint64
	for _, entry := range e.Entries {
		if c, ok := v.calls[entry.OpKey()]; ok && entry.Client != "" {
			causes = append(causes, c)
		}
	}
	return v.record(e.At, e.Node, "appends "+entriesText(e.Index, e.Index+uint64(len(e.Entries))-1), causes...)
}
