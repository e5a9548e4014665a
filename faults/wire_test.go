package faults_test

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// wire carries the connections of raft's own NetworkTransport in memory, so that it runs in
// virtual time. It shows what production does where a Network must do the same. Like a
// TCP connection, one of its connections buffers what nobody reads yet.
type wire struct {
	mu        sync.Mutex
	listeners map[raft.ServerAddress]*wireListener
	cut       bool // a black hole: what is written is gone, and dialing gets no answer
}

func newWire() *wire { return &wire{listeners: map[raft.ServerAddress]*wireListener{}} }

// setCut makes every connection a black hole, or ends that.
func (w *wire) setCut(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
}

func (w *wire) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// transport returns raft's own transport for an address.
func (w *wire) transport(addr raft.ServerAddress, timeout time.Duration) *raft.NetworkTransport {
	l := &wireListener{wire: w, addr: addr, accepts: make(chan net.Conn), closed: make(chan struct{})}
	w.mu.Lock()
	w.listeners[addr] = l
	w.mu.Unlock()
	return raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: l, MaxPool: 3, Timeout: timeout,
		Logger: hclog.New(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Off}),
	})
}

// wireListener is one node's end of a wire: a raft.StreamLayer.
type wireListener struct {
	wire      *wire
	addr      raft.ServerAddress
	accepts   chan net.Conn
	closed    chan struct{}
	closeOnce sync.Once

	mu    sync.Mutex
	conns []*wireConn
}

func (l *wireListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepts:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close closes the listener and all connections, as the death of its process would.
func (l *wireListener) Close() error {
	l.closeOnce.Do(func() {
		close(l.closed)
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, c := range l.conns {
			_ = c.Close()
		}
	})
	return nil
}

func (l *wireListener) Addr() net.Addr { return wireAddr(l.addr) }

func (l *wireListener) Dial(to raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	if l.wire.isCut() {
		time.Sleep(timeout)
		return nil, os.ErrDeadlineExceeded
	}
	l.wire.mu.Lock()
	server := l.wire.listeners[to]
	l.wire.mu.Unlock()
	if server == nil {
		return nil, errors.New("connection refused")
	}
	there, back := newWireQueue(), newWireQueue()
	client, accepted := &wireConn{l.wire, back, there}, &wireConn{l.wire, there, back}
	for listener, c := range map[*wireListener]*wireConn{l: client, server: accepted} {
		listener.mu.Lock()
		listener.conns = append(listener.conns, c)
		listener.mu.Unlock()
	}
	select {
	case server.accepts <- accepted:
		return client, nil
	case <-server.closed:
		return nil, errors.New("connection refused")
	}
}

type wireAddr string

func (wireAddr) Network() string  { return "wire" }
func (a wireAddr) String() string { return string(a) }

// wireConn is one end of a connection.
type wireConn struct {
	wire    *wire
	in, out *wireQueue
}

func (c *wireConn) Read(b []byte) (int, error) { return c.in.read(b) }

func (c *wireConn) Write(b []byte) (int, error) {
	if c.wire.isCut() {
		return len(b), nil
	}
	return c.out.write(b)
}

func (c *wireConn) Close() error {
	c.in.close()
	c.out.close()
	return nil
}

func (*wireConn) LocalAddr() net.Addr              { return wireAddr("") }
func (*wireConn) RemoteAddr() net.Addr             { return wireAddr("") }
func (*wireConn) SetWriteDeadline(time.Time) error { return nil } // the buffer has no limit
func (c *wireConn) SetDeadline(t time.Time) error  { return c.SetReadDeadline(t) }
func (c *wireConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(t)
	return nil
}

// wireQueue is one direction of a connection.
type wireQueue struct {
	mu       sync.Mutex
	changed  chan struct{} // closed at the next change
	data     []byte
	deadline time.Time
	closed   bool
}

func newWireQueue() *wireQueue { return &wireQueue{changed: make(chan struct{})} }

// change makes a change and wakes the reader.
func (q *wireQueue) change(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f()
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *wireQueue) close()                  { q.change(func() { q.closed = true }) }
func (q *wireQueue) setDeadline(t time.Time) { q.change(func() { q.deadline = t }) }

func (q *wireQueue) write(b []byte) (n int, err error) {
	q.change(func() {
		if q.closed {
			err = net.ErrClosed
			return
		}
		q.data, n = append(q.data, b...), len(b)
	})
	return n, err
}

func (q *wireQueue) read(b []byte) (int, error) {
	for {
		q.mu.Lock()
		wait, closed, deadline := q.changed, q.closed, q.deadline
		if n := copy(b, q.data); n > 0 {
			q.data = q.data[n:]
			q.mu.Unlock()
			return n, nil
		}
		q.mu.Unlock()
		if closed {
			return 0, io.EOF
		}
		if deadline.IsZero() {
			<-wait
			continue
		}
		left := time.Until(deadline)
		if left <= 0 {
			return 0, os.ErrDeadlineExceeded
		}
		timer := time.NewTimer(left)
		select {
		case <-wait:
		case <-timer.C:
		}
		timer.Stop()
	}
}
