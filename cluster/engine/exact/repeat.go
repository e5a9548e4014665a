package exact

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"sync/atomic"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
)

// Errors of [ReadRecorded] and [Program.Repeat].
var (
	ErrNotExact     = errors.New("it was not recorded with --exact, so it cannot be run anew")
	ErrOtherVersion = errors.New("it was recorded with another version of the exact engine")
)

// Recorded is the recording of an exact run, ready to be run anew.
type Recorded struct {
	name     string
	header   recording.Header
	settings *trace.Settings
	replay   replay
	lines    []uint64 // a hash of each event's line
	seed     maphash.Seed
}

// ReadRecorded reads a recording. The error is one line: ErrNotExact, or why it is not a whole
// recording. It calls progress as [recording.Open] does.
func ReadRecorded(name string, progress func(bytesRead, size int64)) (*Recorded, error) {
	r := &Recorded{name: name, seed: maphash.MakeSeed()}
	var bad error
	encode := recording.NewLines(func(line []byte) { r.lines = append(r.lines, maphash.Bytes(r.seed, line)) })
	reader, header, err := recording.Open(name, history.New(historyBytes), func(e *trace.Event) {
		encode.Add(e, nil)
		switch {
		case e.Seq == 1 && e.Settings != nil:
			settings := *e.Settings
			r.settings = &settings
		case e.Kind == trace.KindOrder:
			order, err := orderIn(e)
			bad = errors.Join(bad, err)
			r.replay.orders = append(r.replay.orders, order)
		}
		r.replay.hold, r.replay.holdAt = e.Seq, e.At
	}, progress)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	r.header = header
	switch missing := reader.Missing(); {
	case header.Exact == nil || header.Exact.Version == "":
		return nil, fmt.Errorf("%s: %w", name, ErrNotExact)
	case bad != nil:
		return nil, fmt.Errorf("%s: %w", name, bad)
	case missing != "":
		return nil, fmt.Errorf("%s: %s", name, missing)
	case r.settings != nil && r.settings.Seed != header.Seed:
		return nil, fmt.Errorf("%s: the seed in its header is not that of its events", name)
	case r.settings == nil || r.replay.hold != uint64(len(r.lines)):
		return nil, fmt.Errorf("%s: events are missing", name)
	}
	return r, nil
}

// historyBytes is enough for the events of a recording that nobody looks at.
const historyBytes = 1 << 20

// Repetition is what came of running a recording anew.
type Repetition struct {
	// Engine stands still at the end of the recording. It is nil if an event differs.
	Engine *Engine
	Events uint64 // that are the same
	// Recorded and Now describe the first event that differs, "" if none does.
	Recorded, Now string
}

// Repeat runs a recording anew, and compares the events. The caller closes the engine. The error
// may be ErrOtherVersion.
func (p *Program) Repeat(ctx context.Context, r *Recorded, historyBudget int64) (Repetition, error) {
	if r.header.Exact.Version != p.version {
		return Repetition{}, fmt.Errorf("%s: %w: %s, and this is %s", r.name, ErrOtherVersion, r.header.Exact.Version, p.version)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := comparison{recorded: r, stop: stop}
	c.encode = recording.NewLines(c.compare)
	cfg := cluster.Config{Nodes: r.header.Exact.Nodes, Settings: *r.settings, HistoryBudget: historyBudget, Sink: &c}
	e, err := p.branch(cfg, engine.Options{Attended: r.header.Exact.Attended}, nil, r.replay)
	if err != nil {
		return Repetition{}, fmt.Errorf("%s: %w", r.name, err)
	}
	e.runToHold()
	context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.replay.held = true
		e.moved.Broadcast()
	})
	if err := e.awaitHold(); err != nil {
		return Repetition{}, errors.Join(err, e.Close())
	}
	e.Run(0)
	same := Repetition{Engine: e, Events: c.same.Load()}
	if !c.differs.Load() && ctx.Err() != nil {
		return Repetition{}, errors.Join(ctx.Err(), e.Close())
	}
	if c.differs.Load() {
		same.Engine, same.Now = nil, c.now
		recorded, line := r.find(same.Events + 1)
		if same.Recorded = recorded; recorded == c.now {
			same.Recorded, same.Now = firstDifference(line, c.line)
		}
		return same, e.Close()
	}
	return same, nil
}

// comparison is a sink that compares the events of a run with those of a recording.
type comparison struct {
	recorded *Recorded
	encode   *recording.Lines
	stop     func() // at the first difference

	event   *trace.Event // being compared
	same    atomic.Uint64
	differs atomic.Bool
	now     string // the first event that differs
	line    string // its line
}

// Start implements [trace.Sink].
func (c *comparison) Start(*trace.State) {}

// Add implements [trace.Sink].
func (c *comparison) Add(e *trace.Event, s *trace.State) {
	c.event = e
	c.encode.Add(e, s)
}

// AddPacket implements [trace.Sink].
func (c *comparison) AddPacket(p *trace.Packet, s *trace.State) {
	c.Add(&trace.Event{Seq: s.Seq, At: s.At, Kind: trace.KindPacket, Packet: p}, s)
}

// compare compares the line of the present event.
func (c *comparison) compare(line []byte) {
	at := c.same.Load()
	switch {
	case c.differs.Load() || at >= uint64(len(c.recorded.lines)):
	case maphash.Bytes(c.recorded.seed, line) == c.recorded.lines[at]:
		c.same.Add(1)
	default:
		c.now, c.line = describe(c.event), string(line)
		c.differs.Store(true)
		c.stop()
	}
}

// find returns what describe says about an event of the recording, and its line.
func (r *Recorded) find(seq uint64) (text, line string) {
	encode := recording.NewLines(func(encoded []byte) { line = string(encoded) })
	reader, _, err := recording.Open(r.name, history.New(historyBytes), func(e *trace.Event) {
		if e.Seq == seq {
			text = describe(e)
			encode.Add(e, nil)
		}
	}, nil)
	if err != nil {
		return err.Error(), ""
	}
	reader.Close()
	return text, line
}

// firstDifference returns the fields of two lines in which they differ first.
func firstDifference(a, b string) (inA, inB string) {
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	from := max(strings.LastIndexAny(a[:at], ",{"), 0)
	field := func(line string) string {
		end := strings.IndexAny(line[at:], ",}\n")
		if end < 0 {
			end = len(line) - at
		}
		return strings.Trim(line[from:at+end], ",{}\n")
	}
	return field(a), field(b)
}

// describe names an event in a few words.
func describe(e *trace.Event) string {
	what := string(e.Kind)
	switch {
	case e.Packet != nil:
		what += fmt.Sprintf(" %s %s from %s to %s", e.Packet.Kind, e.Packet.Status, e.Packet.From, e.Packet.To)
	case e.Node != "":
		what += " of " + e.Node
	}
	return fmt.Sprintf("%s at %s", what, trace.ClockMillis(e.At))
}
