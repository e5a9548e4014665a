package recording

import (
	"capsize/cluster/trace"
)

// Lines encodes events as the lines of a recording, for a reader that is not a file. It
// implements [trace.Sink].
type Lines struct {
	write func(line []byte)
	line  lineWriter
}

// NewLines returns a sink that calls write with the line of each event, with its line end. Write
// must not keep the line.
func NewLines(write func(line []byte)) *Lines {
	return &Lines{write: write}
}

// Start writes nothing: the reader knows the state.
func (l *Lines) Start(*trace.State) {}

// Add writes the line of an event.
func (l *Lines) Add(e *trace.Event, _ *trace.State) {
	l.line.event(e)
	l.flush()
}

func (l *Lines) flush() {
	l.write(l.line.buf)
	l.line.buf = l.line.buf[:0]
}

// AddPacket writes the line of a packet's event.
func (l *Lines) AddPacket(p *trace.Packet, s *trace.State) {
	l.line.packetEvent(s.Seq, s.At, p)
	l.flush()
}

// Decoder parses lines that [Lines] or a [Writer] wrote.
type Decoder struct{ reader lineReader }

// NewDecoder returns a decoder.
func NewDecoder() *Decoder { return &Decoder{lineReader{names: map[string]string{}}} }

// Decode parses a line into an event. The event's packet is valid until the next call.
func (d *Decoder) Decode(line []byte, e *trace.Event) error {
	d.reader.packets.used = 0
	return d.reader.event(line, e)
}
