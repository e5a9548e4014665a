package control

import (
	"bufio"
	"encoding/gob"
	"io"
	"sync"
	"time"
)

// Conn carries messages. One goroutine may receive; any may send.
type Conn struct {
	decoder *gob.Decoder
	closer  io.Closer

	mu      sync.Mutex
	buffer  *bufio.Writer
	encoder *gob.Encoder
	err     error // why nothing can be sent any more

	dirty     chan struct{} // something waits to be flushed
	closed    chan struct{}
	closeOnce sync.Once
}

// flushEvery is how long a message may wait for others before all of them are written.
const flushEvery = time.Millisecond

// New returns a connection over a stream.
func New(r io.Reader, w io.Writer, closer io.Closer) *Conn {
	c := &Conn{
		decoder: gob.NewDecoder(bufio.NewReaderSize(r, 64<<10)), closer: closer,
		buffer: bufio.NewWriterSize(w, 32<<10), dirty: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	c.encoder = gob.NewEncoder(c.buffer)
	go c.flushSoon()
	return c
}

// Send sends a message, a [ToNode] or a [FromNode], with the next Flush, or soon by itself. The
// error says that the connection has ended.
func (c *Conn) Send(message any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.closed:
		return io.ErrClosedPipe
	default:
	}
	if c.err == nil {
		c.err = c.encoder.Encode(message)
	}
	select {
	case c.dirty <- struct{}{}:
	default:
	}
	return c.err
}

// Flush writes what was sent.
func (c *Conn) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && c.buffer.Buffered() > 0 {
		c.err = c.buffer.Flush()
	}
	return c.err
}

// flushSoon flushes messages after which nobody calls Flush.
func (c *Conn) flushSoon() {
	for {
		select {
		case <-c.dirty:
		case <-c.closed:
			return
		}
		time.Sleep(flushEvery)
		_ = c.Flush() // the next Send returns the error
	}
}

// Receive receives the next message into a pointer to a zero [ToNode] or [FromNode]. The error is
// io.EOF when the other end has closed the connection.
func (c *Conn) Receive(message any) error { return c.decoder.Decode(message) }

// Close ends the connection.
func (c *Conn) Close() (err error) {
	c.closeOnce.Do(func() {
		close(c.closed)
		err = c.closer.Close() // first, because a write may wait for the other end
	})
	return err
}
