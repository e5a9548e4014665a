package recording

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// lineWriter encodes events as lines of JSON, byte for byte as encoding/json does but in a
// fraction of the time: a recording must not slow down what it records.
type lineWriter struct {
	buf []byte
	// slow marks a line that needs encoding/json.
	slow bool
	// routes caches the encoded status, link and kind of packets, which recur.
	routes [history.SimilarSlots]route
}

// route is the status, link and kind of a packet, and their encoding.
type route struct {
	fate           trace.PacketStatus
	from, to, kind string
	text           []byte
}

// event appends the line of an event to buf.
func (w *lineWriter) event(e *trace.Event) {
	start := len(w.buf)
	w.slow = e.Factor != 0 || len(e.Data) > 0 || len(e.Proof) > 0 || len(e.Servers) > 0 || len(e.Faults) > 0 || e.Settings != nil || e.Reason != nil || e.Question != nil
	if !w.slow {
		w.fields(e)
	}
	if w.slow {
		w.buf = append(w.buf[:start], slowLine(e)...)
		return
	}
	w.buf = append(w.buf, "}\n"...)
}

// packetEvent appends the line of an event that carries nothing but a packet, as event does.
func (w *lineWriter) packetEvent(seq uint64, at time.Duration, p *trace.Packet) {
	start := len(w.buf)
	w.slow = false
	w.number(`{"seq":`, seq)
	w.signed(`,"at":`, int64(at))
	w.buf = append(w.buf, `,"kind":"packet"`...)
	w.packet(p)
	if w.slow {
		w.buf = append(w.buf[:start], slowLine(&trace.Event{Seq: seq, At: at, Kind: trace.KindPacket, Packet: p})...)
		return
	}
	w.buf = append(w.buf, "}\n"...)
}

func slowLine(e *trace.Event) []byte {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		// JSON has no NaN and no infinity, and no event of a cluster has either.
		e := *e
		e.Factor = 0
		return slowLine(&e)
	}
	return line.Bytes()
}

func (w *lineWriter) fields(e *trace.Event) {
	w.number(`{"seq":`, e.Seq)
	w.signed(`,"at":`, int64(e.At))
	w.text(`,"kind":`, string(e.Kind))
	w.textIf(`,"node":`, e.Node)
	w.textIf(`,"peer":`, e.Peer)
	w.textIf(`,"life":`, string(e.Process))
	w.textIf(`,"role":`, string(e.Role))
	w.numberIf(`,"term":`, e.Term)
	w.numberIf(`,"index":`, e.Index)
	w.numberIf(`,"last":`, e.Last)
	w.signedIf(`,"value":`, e.Value)
	w.signedIf(`,"size":`, e.Size)
	w.textIf(`,"check":`, e.Check)
	w.textIf(`,"verdict":`, string(e.Verdict))
	w.numberIf(`,"count":`, e.Count)
	w.textIf(`,"text":`, e.Text)
	for i := range e.Entries {
		if i == 0 {
			w.buf = append(w.buf, `,"entries":[`...)
		} else {
			w.buf = append(w.buf, ',')
		}
		w.entry(&e.Entries[i])
	}
	if len(e.Entries) > 0 {
		w.buf = append(w.buf, ']')
	}
	if e.Packet != nil {
		w.packet(e.Packet)
	}
	if e.Op != nil {
		w.op(e.Op)
	}
}

func (w *lineWriter) entry(e *trace.Entry) {
	w.slow = w.slow || len(e.Servers) > 0
	w.number(`{"term":`, e.Term)
	w.text(`,"kind":`, string(e.Kind))
	w.signedIf(`,"delta":`, e.Delta)
	w.textIf(`,"client":`, e.Client)
	w.numberIf(`,"seq":`, e.Seq)
	w.trueIf(`,"sessionless":true`, e.NoSession)
	w.buf = append(w.buf, '}')
}

func (w *lineWriter) packet(p *trace.Packet) {
	w.number(`,"packet":{"id":`, p.ID)
	w.number(`,"rpc":`, p.RPC)
	w.route(p)
	w.trueIf(`,"reply":true`, p.Reply)
	w.trueIf(`,"duplicate":true`, p.Duplicate)
	w.trueIf(`,"held":true`, p.Held)
	w.textIf(`,"why":`, p.Why)
	w.signedIf(`,"delay":`, int64(p.Delay))
	w.signedIf(`,"deadline":`, int64(p.Deadline))
	w.signedIf(`,"size":`, int64(p.SizeBytes))
	w.numberIf(`,"term":`, p.Term)
	w.trueIf(`,"ok":true`, p.OK)
	w.numberIf(`,"prev_index":`, p.PrevIndex)
	w.numberIf(`,"prev_term":`, p.PrevTerm)
	w.numberIf(`,"first":`, p.First)
	w.signedIf(`,"entries":`, int64(p.Entries))
	w.numberIf(`,"commit":`, p.Commit)
	w.numberIf(`,"last_index":`, p.LastIndex)
	w.numberIf(`,"last_term":`, p.LastTerm)
	w.textIf(`,"error":`, p.Error)
	w.buf = append(w.buf, '}')
}

func (w *lineWriter) route(p *trace.Packet) {
	like := &w.routes[history.Similarity(p)]
	if like.fate == p.Status && like.from == p.From && like.to == p.To && like.kind == p.Kind && like.text != nil {
		w.buf = append(w.buf, like.text...)
		return
	}
	start := len(w.buf)
	w.text(`,"fate":`, string(p.Status))
	w.text(`,"from":`, p.From)
	w.text(`,"to":`, p.To)
	w.text(`,"kind":`, p.Kind)
	if !w.slow {
		*like = route{p.Status, p.From, p.To, p.Kind, append(like.text[:0], w.buf[start:]...)}
	}
}

func (w *lineWriter) op(o *trace.Op) {
	w.number(`,"op":{"id":`, o.ID)
	w.text(`,"client":`, o.Client)
	w.text(`,"kind":`, string(o.Kind))
	w.signedIf(`,"delta":`, o.Delta)
	w.textIf(`,"level":`, o.Level)
	w.text(`,"route":`, o.Route)
	w.numberIf(`,"seq":`, o.Seq)
	w.signed(`,"invoked":`, int64(o.Invoked))
	w.signedIf(`,"returned":`, int64(o.Returned))
	w.textIf(`,"node":`, o.Node)
	w.signedIf(`,"attempts":`, int64(o.Attempts))
	w.textIf(`,"outcome":`, string(o.Outcome))
	w.signedIf(`,"value":`, o.Value)
	w.textIf(`,"why":`, o.Why)
	w.buf = append(w.buf, '}')
}

func (w *lineWriter) number(key string, n uint64) {
	w.buf = append(w.buf, key...)
	w.buf = strconv.AppendUint(w.buf, n, 10)
}

func (w *lineWriter) numberIf(key string, n uint64) {
	if n != 0 {
		w.number(key, n)
	}
}

func (w *lineWriter) signed(key string, n int64) {
	w.buf = append(w.buf, key...)
	w.buf = strconv.AppendInt(w.buf, n, 10)
}

func (w *lineWriter) signedIf(key string, n int64) {
	if n != 0 {
		w.signed(key, n)
	}
}

func (w *lineWriter) trueIf(text string, is bool) {
	if is {
		w.buf = append(w.buf, text...)
	}
}

func (w *lineWriter) text(key, text string) {
	w.buf = append(w.buf, key...)
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, text...)
	w.buf = append(w.buf, '"')
	for i := range len(text) {
		if !isPlain(text[i]) {
			w.slow = true
			return
		}
	}
}

func (w *lineWriter) textIf(key, text string) {
	if text != "" {
		w.text(key, text)
	}
}

// isPlain reports whether a byte needs no escape in a JSON string.
func isPlain(b byte) bool { return b >= ' ' && b < 0x7f && b != '"' && b != '\\' }
