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

// Reader reads a recording into a history, and goes on as the recording grows. A
// recording may come from anywhere: what is wrong in it is left out and said.
//
// One goroutine takes the file apart into blocks of lines, some make events of
// these, and whoever calls [Open] and [Reader.Follow] puts them into the history.
type Reader struct {
	history    *history.History
	observe    func(*trace.Event) // nil: nobody wants to
	limits     limits
	header     *Header     // nil until it was read
	state      trace.State // after the last event
	stop       chan struct{}
	closing    sync.Once
	blocks     chan *block // as they stand in the file
	freeBlocks chan *block // that nobody needs any more
	read       atomic.Int64
	ended      error // why nothing comes any more

	started  bool    // the history has its first keyframe
	damage   defects // what was left out
	gaps     defects // events that are missing
	tornSize int     // bytes of a last line that has no end yet
}

// The bounds of what is read. A recording of a hundred nodes for a day is well
// within them.
var defaultLimits = limits{line: 16 << 20, expanded: 64 << 20, state: 512 << 20}

// limits are in bytes.
type limits struct {
	line     int // the log of a node that starts is one line
	expanded int // compressed, of a file that unfolds to more than expansionMax times its size
	state    int // that it takes in memory, more or less
}

const (
	blockMin = 1 << 18 // bytes of lines that are taken at once
	// expansionMax is how many times its size a compressed file may have if it is large.
	// Recordings have about ten times.
	expansionMax = 200
	// pollEvery is how often it is looked whether a file has grown, in real time.
	pollEvery = 100 * time.Millisecond
	// followMax is for how long Follow goes on at most, in real time.
	followMax = 10 * time.Millisecond
)

// block is a number of lines, and the events in them.
type block struct {
	lines  []byte // whole ones
	first  int    // the number of the first of them
	ready  chan struct{}
	idle   bool  // there was no more in the file
	torn   int   // bytes behind the last whole line
	err    error // why there is no block after this one
	header []byte

	events []trace.Event
	places []int // the number of the line of each event
	bad    defects
	reader lineReader
}

// defects counts things that are wrong, and says what the first was.
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

// Open reads a recording into a history, as far as it goes. See, if it is not nil,
// sees each event that is read, here and in [Reader.Follow], and must not keep the
// pointer nor what the event points to, but for its entries. Progress, if it is
// not nil, is told now and then how many bytes of how many were read. The errors say
// in one line what is wrong with a file that cannot be read at all; what is wrong
// with a part of one, [Reader.Missing] says.
func Open(name string, h *history.History, see func(*trace.Event), progress func(bytesRead, size int64)) (*Reader, Header, error) {
	return open(name, h, see, progress, defaultLimits)
}

func open(name string, h *history.History, see func(*trace.Event), progress func(bytesRead, size int64), most limits) (*Reader, Header, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, Header{}, fmt.Errorf("%s: there is no such file", name)
	case err != nil:
		return nil, Header{}, withoutOp(name, err)
	case !info.Mode().IsRegular():
		return nil, Header{}, fmt.Errorf("%s: it is no file; a recording is one that --trace has written", name)
	case info.Size() == 0:
		return nil, Header{}, fmt.Errorf("%s: the file is empty; a recording begins with a line that says so", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, Header{}, withoutOp(name, err)
	}
	r := newReader(h, most)
	r.observe = see
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

// withoutOp says what is wrong with a file, and not which call to the system found out.
func withoutOp(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}

func newReader(h *history.History, most limits) *Reader {
	workers := runtime.GOMAXPROCS(0)
	return &Reader{
		history: h, limits: most, stop: make(chan struct{}),
		blocks: make(chan *block, 2*workers), freeBlocks: make(chan *block, 4*workers),
	}
}

// Start says why what was read is no recording.
func (r *Reader) checkStarted() error {
	switch {
	case r.header == nil && r.ended != nil:
		return r.ended
	case r.header == nil:
		return errors.New("its first line has no end; a recording begins with a line that says so")
	case !r.started && r.damage.count > 0:
		return fmt.Errorf("none of its %d lines is an event: %s", r.damage.count, r.damage.first)
	case !r.started:
		r.history.Start(&r.state)
		r.started = true
	}
	return nil
}

// Follow reads what has been added to the recording since, without waiting for
// more, and returns how many events that were. It takes about a hundredth of a
// second at most, and is to be called again.
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

// Missing says in a line what of the recording could not be read, "" if all of it
// could.
func (r *Reader) Missing() string {
	var what []byte
	say := func(format string, args ...any) {
		if len(what) > 0 {
			what = append(what, "; "...)
		}
		what = fmt.Appendf(what, format, args...)
	}
	if r.damage.count > 0 {
		say("%s left out, the first: %s", counted(r.damage.count, "line"), r.damage.first)
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

// counted says how many things there are, and that they are.
func counted(count uint64, thing string) string {
	if count == 1 {
		return "1 " + thing + " is"
	}
	return fmt.Sprintf("%d %ss are", count, thing)
}

// Close ends the reading. The history keeps what it has.
func (r *Reader) Close() { r.closing.Do(func() { close(r.stop) }) }

// consume puts the events of a block into the history.
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
		r.ended = fmt.Errorf("what its nodes hold takes more than %d MB", r.limits.state>>20)
	}
}

// add adds an event, if it may come after those before it.
func (r *Reader) add(e *trace.Event, line int) {
	first := r.state.Seq == 0 && !r.started
	switch {
	case e.At < r.state.At:
		r.damage.add(1, "line %d: its time is %s, after %s", line, e.At, r.state.At)
		return
	case r.started && e.Seq <= r.state.Seq, e.Seq < r.state.Seq, e.Seq == 0:
		r.damage.add(1, "line %d: it is event %d, after event %d", line, e.Seq, r.state.Seq)
		return
	case !first && e.Seq > r.state.Seq+1:
		r.gaps.add(e.Seq-r.state.Seq-1, "after event %d", r.state.Seq)
	}
	// What begins in the middle tells how things stood in events that all carry the
	// number of the last one before.
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
		r.ended = fmt.Errorf(`it is no recording of capsize: its first line is %.40q; that of a recording begins with {"capsize":%d`, line, fileVersion)
	case header.Capsize > fileVersion:
		r.ended = fmt.Errorf("a later version of capsize wrote it, in format %d: this one reads format %d, so a newer one is needed", header.Capsize, fileVersion)
	default:
		r.header = &header
	}
}

// freeBlock has a block used again.
func (r *Reader) freeBlock(b *block) {
	if cap(b.lines) > 4*blockMin {
		return // such long lines are rare
	}
	r.history.Flush() // events that wait in it point into the block
	select {
	case r.freeBlocks <- b:
	default:
	}
}

// newBlock returns a block without lines, with room for some.
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

// parse makes events of the lines.
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
		err = fmt.Errorf("it is no event: %.40q", text)
	}
	if err != nil {
		b.events = b.events[:len(b.events)-1]
		b.bad.add(1, "line %d: %v", line, err)
		return
	}
	b.places = append(b.places, line)
}
