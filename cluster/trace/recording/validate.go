package recording

import (
	"fmt"
	"time"

	"capsize/cluster/trace"
)

// What a recording from elsewhere may say. None of it is more than a real one says.
const (
	timeMax   = 1_000_000 * time.Hour
	textMax   = 1 << 16 // bytes
	faultsMax = 32      // on one link
	faultMax  = 256     // bytes
	proofMax  = 1 << 16
	seqMax    = 1 << 62

	// What an entry and one of its servers take in memory.
	entryBytes, serverBytes = 80, 24
)

// validate says why an event from elsewhere cannot be one, nil if it can.
func validate(e *trace.Event) error {
	w := &validator{}
	w.names(string(e.Kind), e.Node, e.Peer, string(e.Process), string(e.Role), e.Check, string(e.Verdict))
	w.text(e.Text)
	w.times(e.At)
	w.number(e.Seq < seqMax, "event")
	w.number(e.Term <= trace.IndexMax && e.Index <= trace.IndexMax && e.Last <= trace.IndexMax, "term or index")
	w.number(e.Factor >= 0 && e.Factor < 1e9, "factor")
	w.number(len(e.Servers) <= trace.NodesMax && len(e.Faults) <= faultsMax && len(e.Proof) <= proofMax && len(e.Entries) <= objectsMax, "how many")
	for i := range e.Entries {
		w.entry(&e.Entries[i])
	}
	w.servers(e.Servers)
	for _, fault := range e.Faults {
		w.number(len(fault) <= faultMax, "bytes of a fault")
	}
	if p := e.Packet; p != nil {
		w.names(string(p.Status), p.From, p.To, p.Kind)
		w.text(p.Why)
		w.text(p.Error)
		w.times(p.Delay)
		w.number(p.Entries >= 0 && p.SizeBytes >= 0, "size")
		w.number(max(p.Term, p.PrevIndex, p.PrevTerm, p.First, p.Commit, p.LastIndex, p.LastTerm) <= trace.IndexMax, "term or index")
	}
	if o := e.Op; o != nil {
		w.names(o.Client, string(o.Kind), o.Level, o.Route, o.Node, string(o.Outcome))
		w.text(o.Why)
		w.times(o.Invoked, o.Returned)
	}
	if s := e.Settings; s != nil {
		w.names(s.Storage)
		w.times(s.Heartbeat, s.Election, s.Lease, s.Latency, s.Jitter, s.Fsync, s.RPCTimeout, s.ClientTimeout)
	}
	return w.err
}

// validator notes the first thing that cannot be.
type validator struct{ err error }

func (d *validator) names(names ...string) {
	for _, name := range names {
		d.name(name)
	}
}

func (d *validator) name(name string) {
	if len(name) > nameMax {
		d.fail("a name has %d bytes", len(name))
		return
	}
	for i := range len(name) {
		b := name[i]
		if (b < '0' || b > '9') && (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && b != '-' && b != '.' && b != '_' {
			d.fail("%q is no name", name)
			return
		}
	}
}

func (d *validator) text(text string) {
	if len(text) > textMax {
		d.fail("a text has %d bytes", len(text))
	}
}

func (d *validator) times(times ...time.Duration) {
	for _, t := range times {
		if t < 0 || t > timeMax {
			d.fail("%s is no time", t)
		}
	}
}

func (d *validator) number(right bool, what string) {
	if !right {
		d.fail("its numbers are beyond all measure (%s)", what)
	}
}

func (d *validator) entry(e *trace.Entry) {
	d.name(string(e.Kind))
	d.name(e.Client)
	d.number(len(e.Servers) <= trace.NodesMax, "how many")
	d.servers(e.Servers)
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
