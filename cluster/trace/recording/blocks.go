package recording

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// splitter splits a file into blocks of whole lines.
type splitter struct {
	*Reader
	work     chan *block
	block    *block
	line     int  // the number of the next line
	skipping bool // the present line is too long
	fresh    bool // bytes were read since the last idle block
}

// readFile splits a file, and parses its blocks, until the reader is closed or the file
// turns out to be damaged.
func (r *Reader) readFile(file *os.File) {
	defer func() { _ = file.Close() }() // it was only read
	s := &splitter{Reader: r, work: make(chan *block, cap(r.blocks)), block: r.newBlock(), line: 1, fresh: true}
	defer close(s.work)
	for range cap(r.blocks) / 2 {
		go func() {
			for b := range s.work {
				b.parse()
			}
		}()
	}
	err := s.run(&tailReader{splitter: s, file: file})
	s.emitBlock(false)
	s.block.lines, s.block.err = s.block.lines[:0], err // the rest is not a whole line
	s.send(0)
}

// run reads until no more can follow, and returns why. At the end of a file it waits for
// the file to grow.
func (s *splitter) run(file *tailReader) error {
	buffered := bufio.NewReaderSize(file, 1<<16)
	from := io.Reader(buffered)
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		zip, err := gzip.NewReader(buffered)
		if err != nil {
			return fmt.Errorf("cannot decompress it: %w", err)
		}
		from = &boundedGzipReader{file: buffered, zip: zip, read: &s.read, free: int64(s.limits.expanded)}
	}
	// Not read into s.block directly: while Read waits for the file to grow, tailReader
	// emits that block.
	piece := make([]byte, blockMin/2)
	for {
		n, err := from.Read(piece)
		s.block.lines = append(s.block.lines, piece[:n]...)
		s.fresh = s.fresh || n > 0
		if err != nil {
			return err
		}
		if len(s.block.lines) >= blockMin {
			s.emitBlock(false)
		}
	}
}

// emitBlock sends the whole lines read so far and keeps the rest for the next block. idle
// marks the block as the last one for now.
func (s *splitter) emitBlock(idle bool) {
	b := s.block
	end := bytes.LastIndexByte(b.lines, '\n') + 1
	if s.skipping && end > 0 {
		// This is the end of the line that is too long.
		past := bytes.IndexByte(b.lines, '\n') + 1
		b.lines, end, s.skipping = b.lines[past:], end-past, false
		s.line++
	}
	rest := b.lines[end:]
	if s.skipping || len(rest) > s.limits.line {
		if !s.skipping {
			b.bad.add(1, "line %d: longer than %d MB", s.line+bytes.Count(b.lines[:end], []byte("\n")), s.limits.line>>20)
		}
		s.skipping, rest = true, nil
	}
	if end == 0 && b.bad.count == 0 && !idle {
		b.lines = append(b.lines[:0], rest...)
		return
	}
	next := s.newBlock()
	next.lines = append(next.lines, rest...)
	b.lines, b.idle = b.lines[:end], idle
	s.send(len(rest))
	s.block = next
}

// send passes the block, which holds whole lines, to the parsers and the consumer. torn is
// the number of bytes after them.
func (s *splitter) send(torn int) {
	b := s.block
	b.torn, b.first, b.ready = torn, s.line, make(chan struct{})
	s.line += bytes.Count(b.lines, []byte("\n"))
	if b.first == 1 && len(b.lines) > 0 {
		end := bytes.IndexByte(b.lines, '\n')
		b.header, b.lines, b.first = bytes.Clone(b.lines[:end]), b.lines[end+1:], 2
	}
	select {
	case s.work <- b:
	case <-s.stop:
		close(b.ready)
		return
	}
	select {
	case s.blocks <- b:
	case <-s.stop:
	}
}

// tailReader reads a file that may grow. At its end it emits an idle block and waits.
type tailReader struct {
	*splitter
	file *os.File
}

// errClosed ends the reading of a file after Close.
var errClosed = errors.New("the recording was closed")

func (g *tailReader) Read(p []byte) (int, error) {
	for {
		n, err := g.file.Read(p)
		g.read.Add(int64(n))
		if n > 0 || err != nil && !errors.Is(err, io.EOF) {
			return n, err
		}
		if g.fresh {
			g.fresh = false
			g.emitBlock(true)
		}
		select {
		case <-g.stop:
			return 0, errClosed
		case <-time.After(pollEvery):
		}
		if info, err := g.file.Stat(); err == nil && info.Size() < g.read.Load() {
			return 0, errors.New("the file was truncated while being read")
		}
	}
}

// boundedGzipReader decompresses a file, and fails on a suspicious ratio (a zip bomb).
type boundedGzipReader struct {
	file        *bufio.Reader
	zip         *gzip.Reader
	read        *atomic.Int64 // bytes of the file
	free        int64         // how many bytes it may expand to whatever the ratio
	expanded    int64
	memberEnded bool // a gzip member has ended; another may follow
}

func (u *boundedGzipReader) Read(p []byte) (int, error) {
	var n int
	var err error
	if u.memberEnded {
		err = u.zip.Reset(u.file)
		u.memberEnded = false
	}
	if err == nil {
		u.zip.Multistream(false) // else it waits for the next member before returning the end of this one
		n, err = u.zip.Read(p)
	}
	if errors.Is(err, io.EOF) {
		u.memberEnded, err = true, nil
	}
	u.expanded += int64(n)
	if u.expanded > u.free && u.expanded/expansionMax > u.read.Load() {
		return n, fmt.Errorf("it expands to more than %d times its size, which no recording does", expansionMax)
	}
	if err != nil && !errors.Is(err, errClosed) {
		err = fmt.Errorf("cannot decompress it any further: %w", err)
	}
	return n, err
}
