package recording

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// Reader reads a recording into a history, also while the recording grows. It skips what
// it cannot read and reports it.
//
// One goroutine splits the file into blocks of lines, several parse the blocks, and the
// caller of [Open] and [Reader.Follow] adds the events to the history, in order.
type Reader struct {
	history    *history.History
	observe    func(*trace.Event) // may be nil
	limits     limits
	header     *Header     // nil until it is read
	state      trace.State // after the last event
	stop       chan struct{}
	closing    sync.Once
	blocks     chan *block  // in the order of the file
	freeBlocks chan *block  // to be used again
	read       atomic.Int64 // bytes of the file
	ended      error        // why no more events come

	started  bool    // the history has its first keyframe
	damage   defects // lines that were skipped
	gaps     defects // missing events
	tornSize int     // bytes of a last line without an end
}

// defaultLimits leave ample room for a recording of a hundred nodes over a day.
var defaultLimits = limits{line: 16 << 20, expanded: 64 << 20, state: 512 << 20}

// limits bounds what a recording may take, in bytes.
type limits struct {
	line     int // of one line; the log that a node loads is one line
	expanded int // after decompression, of a file that grows beyond expansionMax times its size
	state    int // of the logs and snapshots of all nodes, estimated
}

const (
	blockMin = 1 << 18 // bytes of lines in a block
	// expansionMax is by which factor a large compressed file may grow. Recordings grow by
	// about ten.
	expansionMax = 200
	// pollEvery is how often, in real time, the reader checks whether the file has grown.
	pollEvery = 100 * time.Millisecond
	// followMax is for how long, in real time, one Follow reads.
	followMax = 10 * time.Millisecond
)

// block is a number of whole lines, and the events in them.
type block struct {
	lines  []byte
	first  int           // the number of the first line
	ready  chan struct{} // closed when the events are parsed; nil without lines
	idle   bool          // the file ended here
	torn   int           // bytes after the last whole line
	err    error         // why no block follows
	header []byte        // the first line of the file

	events []trace.Event
	places []int // the line of each event
	bad    defects
	reader lineReader
}

// defects counts defects and describes the first.
type defects struct {
	count uint64
	first string
}

func (d *defects) add(count uint64, format string, args ...any) {
	if d.count == 0 {
		d.first = fmt.Sprintf(format, args...)
	}
	d.count += count
}

// Open reads a recording into a history, as far as the file goes now. It calls observe, if
// not nil, with each event, as does [Reader.Follow]; observe must not keep the pointer or
// what the event points to, except its entries. Open calls progress, if not nil, from time
// to time with the bytes read so far. An error is one line about a file that is not a
// recording; [Reader.Missing] reports damage to parts of one. The caller must close the
// reader.
func Open(name string, h *history.History, observe func(*trace.Event), progress func(bytesRead, size int64)) (*Reader, Header, error) {
	return open(name, h, observe, progress, defaultLimits)
}

func open(
	name string, h *history.History, observe func(*trace.Event), progress func(bytesRead, size int64), lim limits,
) (*Reader, Header, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, Header{}, fmt.Errorf("%s: no such file", name)
	case err != nil:
		return nil, Header{}, withoutOp(name, err)
	case !info.Mode().IsRegular():
		return nil, Header{}, fmt.Errorf("%s: not a regular file; a recording is a file that --trace wrote", name)
	case info.Size() == 0:
		return nil, Header{}, fmt.Errorf("%s: the file is empty; a recording starts with a header line", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, Header{}, withoutOp(name, err)
	}
	r := newReader(h, lim)
	r.observe = observe
	go r.readFile(file)
	for {
		b := <-r.blocks
		r.consume(b)
		if progress != nil {
			progress(r.read.Load(), info.Size())
		}
		if r.ended != nil || b.idle {
			break
		}
		r.freeBlock(b)
	}
	if err := r.checkStarted(); err != nil {
		r.Close()
		return nil, Header{}, fmt.Errorf("%s: %w", name, err)
	}
	return r, *r.header, nil
}

// withoutOp returns an error that names the file but not the system call that failed.
func withoutOp(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}

func newReader(h *history.History, lim limits) *Reader {
	workers := runtime.GOMAXPROCS(0)
	return &Reader{
		history: h, limits: lim, stop: make(chan struct{}),
		blocks: make(chan *block, 2*workers), freeBlocks: make(chan *block, 4*workers),
	}
}

// checkStarted returns an error if what was read is not a recording. A recording without
// events starts the history at the zero state.
func (r *Reader) checkStarted() error {
	switch {
	case r.header == nil && r.ended != nil:
		return r.ended
	case r.header == nil:
		return errors.New("its first line is incomplete; a recording starts with a header line")
	case !r.started && r.damage.count > 0:
		return fmt.Errorf("none of its %d lines is an event: %s", r.damage.count, r.damage.first)
	case !r.started:
		r.history.Start(&r.state)
		r.started = true
	}
	return nil
}

// Follow adds the events that have been written since to the history and returns how many
// there were. It does not wait for more, and returns after 10 ms at the latest, so the
// caller calls it again and again.
func (r *Reader) Follow() (added uint64) {
	until := time.Now().Add(followMax)
	before := r.state.Seq
	for r.ended == nil && time.Now().Before(until) {
		select {
		case b := <-r.blocks:
			r.consume(b)
			r.freeBlock(b)
			continue
		default:
		}
		break
	}
	return r.state.Seq - before
}

// Missing describes in one line what of the recording could not be read; it is "" if
// everything could.
func (r *Reader) Missing() string {
	var what []byte
	say := func(format string, args ...any) {
		if len(what) > 0 {
			what = append(what, "; "...)
		}
		what = fmt.Appendf(what, format, args...)
	}
	if r.damage.count > 0 {
		say("%s skipped, the first: %s", counted(r.damage.count, "line"), r.damage.first)
	}
	if r.gaps.count > 0 {
		say("%s missing, the first %s", counted(r.gaps.count, "event"), r.gaps.first)
	}
	if r.ended != nil {
		say("it ends early: %v", r.ended)
	} else if r.tornSize > 0 {
		say("its last line is torn off after %d bytes", r.tornSize)
	}
	return string(what)
}

// counted returns a number with its noun.
func counted(count uint64, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}

// Close stops reading. The history keeps what it has.
func (r *Reader) Close() { r.closing.Do(func() { close(r.stop) }) }

// consume adds the events of a block to the history.
func (r *Reader) consume(b *block) {
	if b.ready != nil {
		<-b.ready
	}
	if b.header != nil {
		r.readHeader(b.header)
		if r.ended != nil {
			return
		}
	}
	if b.bad.count > 0 {
		r.damage.add(b.bad.count, "%s", b.bad.first)
	}
	for i := range b.events {
		r.add(&b.events[i], b.places[i])
	}
	r.tornSize = b.torn
	if r.ended = b.err; r.ended == nil && stateBytes(&r.state) > r.limits.state {
		r.ended = fmt.Errorf("the logs of its nodes take more than %d MB", r.limits.state>>20)
	}
}

// add adds an event to the history, unless its number or its time cannot follow the last
// one.
func (r *Reader) add(e *trace.Event, line int) {
	first := r.state.Seq == 0 && !r.started
	switch {
	case e.At < r.state.At:
		r.damage.add(1, "line %d: time %s comes after %s", line, e.At, r.state.At)
		return
	case r.started && e.Seq <= r.state.Seq, e.Seq < r.state.Seq, e.Seq == 0:
		r.damage.add(1, "line %d: event %d comes after event %d", line, e.Seq, r.state.Seq)
		return
	case !first && e.Seq > r.state.Seq+1:
		r.gaps.add(e.Seq-r.state.Seq-1, "after event %d", r.state.Seq)
	}
	// A recording that starts mid-run begins with events that add up to the state; all
	// carry the number of the last event before it. The history starts after them.
	if !r.started && (first && e.Seq == 1 || !first && e.Seq > r.state.Seq) {
		r.history.Start(&r.state)
		r.started = true
	}
	r.state.Apply(e)
	if r.started {
		r.history.Add(e, &r.state)
	}
	if r.observe != nil {
		r.observe(e)
	}
}

func (r *Reader) readHeader(line []byte) {
	var header Header
	err := json.Unmarshal(line, &header)
	switch {
	case err != nil || header.Capsize < 1:
		r.ended = fmt.Errorf(`not a capsize recording: its first line is %.40q, expected a header like {"capsize":%d,...}`, line, fileVersion)
	case header.Capsize > fileVersion:
		r.ended = fmt.Errorf("written by a newer capsize, in format %d; this one reads format %d: update capsize", header.Capsize, fileVersion)
	default:
		r.header = &header
	}
}

// freeBlock returns a block for reuse.
func (r *Reader) freeBlock(b *block) {
	if cap(b.lines) > 4*blockMin {
		return // such long lines are rare: let the memory go
	}
	r.history.Flush() // its batch still points into the block
	select {
	case r.freeBlocks <- b:
	default:
	}
}

// newBlock returns an empty block.
func (r *Reader) newBlock() *block {
	select {
	case b := <-r.freeBlocks:
		b.reader.packets.used, b.reader.ops.used = 0, 0
		*b = block{lines: b.lines[:0], events: b.events[:0], places: b.places[:0], reader: b.reader}
		return b
	default:
		return &block{lines: make([]byte, 0, blockMin+blockMin/4)}
	}
}

// parse parses the lines into events.
func (b *block) parse() {
	defer close(b.ready)
	line := b.first
	for text := range bytes.Lines(b.lines) {
		b.parseLine(bytes.TrimRight(text, "\r\n"), line)
		line++
	}
}

func (b *block) parseLine(text []byte, line int) {
	if len(text) == 0 {
		return
	}
	b.events = append(b.events, trace.Event{})
	e := &b.events[len(b.events)-1]
	err := b.reader.event(text, e)
	if err == nil {
		err = validate(e)
	} else if !errors.Is(err, errTooMuch) {
		err = fmt.Errorf("not an event: %.40q", text)
	}
	if err != nil {
		b.events = b.events[:len(b.events)-1]
		b.bad.add(1, "line %d: %v", line, err)
		return
	}
	b.places = append(b.places, line)
}
