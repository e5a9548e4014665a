package recording

import (
	"fmt"
	"math"
	"time"

	"capsize/cluster/trace"
)

// The limits of an event from an untrusted recording. No real one reaches them.
const (
	timeMax   = 1_000_000 * time.Hour
	textMax   = 1 << 16 // bytes
	faultsMax = 32      // on one link
	faultMax  = 256     // bytes
	proofMax  = 1 << 16
	seqMax    = 1 << 62
	// Of a question: the bytes of one text, and its languages.
	questionMax  = 4 << 10
	languagesMax = 64

	// The memory of an entry and of one of its servers.
	entryBytes, serverBytes = 80, 24
)

// validate returns an error if an event is beyond what any recording of a cluster holds.
func validate(e *trace.Event) error {
	v := &validator{}
	v.names(string(e.Kind), e.Node, e.Peer, string(e.Process), string(e.Role), e.Check, string(e.Verdict))
	v.text(e.Text)
	v.times(e.At)
	v.number(e.Seq < seqMax, "event number")
	v.number(e.Term <= trace.IndexMax && e.Index <= trace.IndexMax && e.Last <= trace.IndexMax, "term or index")
	v.number(e.Factor >= 0 && !math.Signbit(e.Factor) && e.Factor < 1e9, "factor")
	v.number(len(e.Servers) <= trace.NodesMax && len(e.Entries) <= objectsMax, "number of items")
	v.number(len(e.Faults) <= faultsMax && len(e.Proof) <= proofMax, "number of items")
	for i := range e.Entries {
		v.entry(&e.Entries[i])
	}
	v.servers(e.Servers)
	for _, fault := range e.Faults {
		v.number(len(fault) <= faultMax, "length of a fault")
	}
	if p := e.Packet; p != nil {
		v.names(string(p.Status), p.From, p.To, p.Kind)
		v.text(p.Why)
		v.text(p.Error)
		v.times(p.Delay, p.Deadline)
		v.number(p.Entries >= 0 && p.SizeBytes >= 0, "size")
		v.number(max(p.Term, p.PrevIndex, p.PrevTerm, p.First, p.Commit, p.LastIndex, p.LastTerm) <= trace.IndexMax, "term or index")
	}
	if r := e.Reason; r != nil {
		v.reason(r)
	}
	if o := e.Op; o != nil {
		v.names(o.Client, string(o.Kind), o.Level, o.Route, o.Node, string(o.Outcome))
		v.text(o.Why)
		v.times(o.Invoked, o.Returned)
	}
	if q := e.Question; q != nil {
		v.question(q)
	}
	if s := e.Settings; s != nil {
		v.names(s.Storage)
		v.times(s.Heartbeat, s.Election, s.Lease, s.Latency, s.Jitter, s.Fsync, s.RPCTimeout, s.ClientTimeout)
	}
	return v.err
}

// validator keeps the first error.
type validator struct{ err error }

func (d *validator) names(names ...string) {
	for _, name := range names {
		d.name(name)
	}
}

func (d *validator) name(name string) {
	if len(name) > nameMax {
		d.fail("a name of %d bytes, more than %d", len(name), nameMax)
		return
	}
	for i := range len(name) {
		b := name[i]
		if (b < '0' || b > '9') && (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && b != '-' && b != '.' && b != '_' {
			d.fail("%q is not a valid name", name)
			return
		}
	}
}

func (d *validator) text(text string) {
	if len(text) > textMax {
		d.fail("a text of %d bytes, more than %d", len(text), textMax)
	}
}

func (d *validator) times(times ...time.Duration) {
	for _, t := range times {
		if t < 0 || t > timeMax {
			d.fail("%s is not a valid time", t)
		}
	}
}

func (d *validator) number(ok bool, what string) {
	if !ok {
		d.fail("%s out of range", what)
	}
}

func (d *validator) entry(e *trace.Entry) {
	d.name(string(e.Kind))
	d.name(e.Client)
	d.number(len(e.Servers) <= trace.NodesMax, "number of items")
	d.servers(e.Servers)
}

func (d *validator) reason(r *trace.Reason) {
	d.names(string(r.Decision), string(r.Cause), r.Peer, r.Other)
	d.number(max(r.Term, r.OwnTerm, r.LastIndex, r.LastTerm, r.PeerIndex, r.PeerTerm) <= trace.IndexMax, "term or index")
	d.number(min(r.Count, r.Total) >= 0 && max(r.Count, r.Total, len(r.Voters)) <= trace.NodesMax, "number of items")
	d.times(r.Silence)
	d.names(r.Voters...)
	d.text(r.Error)
}

func (d *validator) question(q *trace.Question) {
	d.number(q.Number >= 0 && q.Number <= trace.QuestionsMax, "number of a question")
	d.number(len(q.Choices) <= trace.ChoicesMax && len(q.Picked) <= len(q.Choices), "number of choices")
	d.translated(q.Text, q.In)
	d.translated(q.Because, q.BecauseIn)
	for i := range q.Choices {
		d.translated(q.Choices[i].Text, q.Choices[i].In)
	}
	for _, n := range q.Picked {
		d.number(n >= 0 && n <= trace.PickedMax, "number of votes")
	}
}

// translated checks a text of a question.
func (d *validator) translated(text string, in trace.Localized) {
	d.number(len(text) <= questionMax && len(in) <= languagesMax, "length of a question")
	for language, text := range in {
		d.name(language)
		d.number(len(text) <= questionMax, "length of a question")
	}
}

func (d *validator) servers(servers []trace.Server) {
	for i := range servers {
		d.name(servers[i].ID)
	}
}

func (d *validator) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

// stateBytes returns about how many bytes of memory a state takes.
func stateBytes(s *trace.State) (bytes int) {
	for i := range s.Nodes {
		n := &s.Nodes[i]
		bytes += (len(n.Entries)+len(n.Truncated))*entryBytes + len(n.Snapshot)
		for i := range n.Entries {
			bytes += len(n.Entries[i].Servers) * serverBytes
		}
	}
	return bytes
}
