package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"capsize/cluster/trace"
)

// lineReader parses events from lines of JSON. It parses lines that [Writer] wrote, of
// which there may be millions, in a fraction of the time that encoding/json takes, and
// leaves every other line to encoding/json.
type lineReader struct {
	line []byte
	at   int
	slow bool // the line needs encoding/json

	names map[string]string // interned names
	// The memory of packets and operations. It is used again for the next block once this
	// one is consumed.
	packets slab[trace.Packet]
	ops     slab[trace.Op]
}

// slab allocates values of one type and frees all of them at once: set used to 0.
type slab[T any] struct {
	places []T
	used   int
}

func (s *slab[T]) next() *T {
	if s.used == len(s.places) {
		s.places, s.used = make([]T, max(2*len(s.places), 64)), 0
	}
	place := &s.places[s.used]
	s.used++
	var zero T
	*place = zero
	return place
}

const (
	// namesMax is how many names are interned: an untrusted recording may have a new one
	// in every line.
	namesMax = 1 << 14
	// A line may hold up to that many objects and values, which take far more memory than
	// the few bytes of JSON for each.
	objectsMax = 1 << 18
	valuesMax  = 1 << 21
)

var errTooMuch = errors.New("too many objects in one line")

// event parses a line.
func (r *lineReader) event(line []byte, e *trace.Event) error {
	*e = trace.Event{}
	r.line, r.at, r.slow = line, 0, false
	r.object(func(key []byte) { r.eventField(key, e) })
	if !r.slow && r.at == len(line) {
		return nil
	}
	if len(line) > objectsMax && (bytes.Count(line, []byte("{")) > objectsMax || bytes.Count(line, []byte(",")) > valuesMax) {
		return errTooMuch
	}
	*e = trace.Event{}
	return json.Unmarshal(line, e)
}

func (r *lineReader) eventField(key []byte, e *trace.Event) {
	switch string(key) {
	case "seq":
		e.Seq = r.number()
	case "at":
		e.At = time.Duration(r.signed())
	case "kind":
		e.Kind = trace.Kind(r.name())
	case "node":
		e.Node = r.name()
	case "peer":
		e.Peer = r.name()
	case "life":
		e.Process = trace.ProcessState(r.name())
	case "role":
		e.Role = trace.Role(r.name())
	case "term":
		e.Term = r.number()
	case "index":
		e.Index = r.number()
	case "last":
		e.Last = r.number()
	case "value":
		e.Value = r.signed()
	case "size":
		e.Size = r.signed()
	case "text":
		e.Text = string(r.text())
	case "entries":
		r.entries(e)
	case "packet":
		r.slow = r.slow || e.Packet != nil
		e.Packet = r.packets.next()
		r.object(func(key []byte) { r.packetField(key, e.Packet) })
	case "op":
		r.slow = r.slow || e.Op != nil
		e.Op = r.ops.next()
		r.object(func(key []byte) { r.opField(key, e.Op) })
	default:
		r.slow = true
	}
}

func (r *lineReader) entries(e *trace.Event) {
	r.slow = r.slow || e.Entries != nil
	if !r.take('[') {
		return
	}
	for !r.slow && len(e.Entries) < objectsMax {
		var entry trace.Entry
		r.object(func(key []byte) { r.entryField(key, &entry) })
		e.Entries = append(e.Entries, entry)
		if r.at < len(r.line) && r.line[r.at] == ',' {
			r.at++
			continue
		}
		r.take(']')
		return
	}
	r.slow = true
}

func (r *lineReader) entryField(key []byte, e *trace.Entry) {
	switch string(key) {
	case "term":
		e.Term = r.number()
	case "kind":
		e.Kind = trace.EntryKind(r.name())
	case "delta":
		e.Delta = r.signed()
	case "client":
		e.Client = r.name()
	case "seq":
		e.Seq = r.number()
	case "sessionless":
		e.NoSession = r.boolTrue()
	default:
		r.slow = true
	}
}

func (r *lineReader) packetField(key []byte, p *trace.Packet) {
	switch string(key) {
	case "id":
		p.ID = r.number()
	case "rpc":
		p.RPC = r.number()
	case "fate":
		p.Status = trace.PacketStatus(r.name())
	case "from":
		p.From = r.name()
	case "to":
		p.To = r.name()
	case "kind":
		p.Kind = r.name()
	case "reply":
		p.Reply = r.boolTrue()
	case "duplicate":
		p.Duplicate = r.boolTrue()
	case "held":
		p.Held = r.boolTrue()
	case "why":
		p.Why = r.name()
	case "delay":
		p.Delay = time.Duration(r.signed())
	case "deadline":
		p.Deadline = time.Duration(r.signed())
	case "size":
		p.SizeBytes = int(r.signed())
	case "term":
		p.Term = r.number()
	case "ok":
		p.OK = r.boolTrue()
	case "prev_index":
		p.PrevIndex = r.number()
	case "prev_term":
		p.PrevTerm = r.number()
	case "first":
		p.First = r.number()
	case "entries":
		p.Entries = int(r.signed())
	case "commit":
		p.Commit = r.number()
	case "last_index":
		p.LastIndex = r.number()
	case "last_term":
		p.LastTerm = r.number()
	case "error":
		p.Error = string(r.text())
	default:
		r.slow = true
	}
}

func (r *lineReader) opField(key []byte, o *trace.Op) {
	switch string(key) {
	case "id":
		o.ID = r.number()
	case "client":
		o.Client = r.name()
	case "kind":
		o.Kind = trace.EntryKind(r.name())
	case "delta":
		o.Delta = r.signed()
	case "level":
		o.Level = r.name()
	case "route":
		o.Route = r.name()
	case "seq":
		o.Seq = r.number()
	case "invoked":
		o.Invoked = time.Duration(r.signed())
	case "returned":
		o.Returned = time.Duration(r.signed())
	case "node":
		o.Node = r.name()
	case "attempts":
		o.Attempts = int(r.signed())
	case "outcome":
		o.Outcome = trace.Outcome(r.name())
	case "value":
		o.Value = r.signed()
	case "why":
		o.Why = string(r.text())
	default:
		r.slow = true
	}
}

// object parses an object without white space; field parses the value of a key.
func (r *lineReader) object(field func(key []byte)) {
	if !r.take('{') {
		return
	}
	for !r.slow {
		key := r.text()
		if !r.take(':') {
			return
		}
		field(key)
		if r.at < len(r.line) && r.line[r.at] == ',' {
			r.at++
			continue
		}
		r.take('}')
		return
	}
}

// take skips the next byte if it is b.
func (r *lineReader) take(b byte) bool {
	if r.slow || r.at >= len(r.line) || r.line[r.at] != b {
		r.slow = true
		return false
	}
	r.at++
	return true
}

// text parses a string without escapes or bytes beyond ASCII.
func (r *lineReader) text() []byte {
	if !r.take('"') {
		return nil
	}
	for i, b := range r.line[r.at:] {
		if b == '"' {
			text := r.line[r.at : r.at+i]
			r.at += i + 1
			return text
		}
		if !isPlain(b) {
			break
		}
	}
	r.slow = true
	return nil
}

// name parses a string that is likely to recur, and interns it.
func (r *lineReader) name() string {
	text := r.text()
	if name, ok := r.names[string(text)]; ok {
		return name
	}
	name := string(text)
	if len(name) > nameMax {
		return name
	}
	if len(r.names) >= namesMax || r.names == nil {
		r.names = map[string]string{}
	}
	r.names[name] = name
	return name
}

func (r *lineReader) boolTrue() bool {
	const yes = "true"
	if r.slow || len(r.line)-r.at < len(yes) || string(r.line[r.at:r.at+len(yes)]) != yes {
		r.slow = true
		return false
	}
	r.at += len(yes)
	return true
}

// number parses a number without sign, point or exponent.
func (r *lineReader) number() (n uint64) {
	start := r.at
	for ; r.at < len(r.line) && r.line[r.at] >= '0' && r.line[r.at] <= '9'; r.at++ {
		n = n*10 + uint64(r.line[r.at]-'0')
	}
	digits := r.line[start:r.at]
	switch {
	case len(digits) == 0 || len(digits) > 1 && digits[0] == '0':
		r.slow = true
	case len(digits) > 19: // may overflow
		var err error
		n, err = strconv.ParseUint(string(digits), 10, 64)
		r.slow = r.slow || err != nil
	}
	return n
}

func (r *lineReader) signed() int64 {
	negative := r.at < len(r.line) && r.line[r.at] == '-'
	if negative {
		r.at++
	}
	n := r.number()
	if n > math.MaxInt64 || negative && n == 0 {
		r.slow = true
	}
	if negative {
		return -int64(n)
	}
	return int64(n)
}

// nameMax is the longest name, in bytes.
const nameMax = 64
