// Package wiretest connects raft nodes with raft's own NetworkTransport, over in-memory
// connections. Tests and benchmarks compare package faults with it, because production uses
// that transport.
package wiretest

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// Wire carries the connections of raft's NetworkTransports in memory, so that they run in
// virtual time. Like a TCP connection, each one buffers bytes until they are read.
type Wire struct {
	latency time.Duration

	mu        sync.Mutex
	listeners map[raft.ServerAddress]*wireListener
	cut       bool
}

// New returns a wire on which each byte takes latency from one end to the other.
func New(latency time.Duration) *Wire {
	return &Wire{latency: latency, listeners: map[raft.ServerAddress]*wireListener{}}
}

// SetCut turns every connection into a black hole, or ends that: written bytes are lost, and
// dialing times out.
func (w *Wire) SetCut(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
}

func (w *Wire) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// Transport returns raft's own transport for an address. timeout bounds its RPCs.
func (w *Wire) Transport(addr raft.ServerAddress, timeout time.Duration) *raft.NetworkTransport {
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
	wire      *Wire
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

// Close closes the listener and all its connections, as if its process had died.
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
	there, back := newWireQueue(l.wire.latency), newWireQueue(l.wire.latency)
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
	wire    *Wire
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
	latency time.Duration

	mu       sync.Mutex
	changed  chan struct{} // closed at the next change
	written  []chunk
	deadline time.Time
	closed   bool
}

// chunk is what one write has sent.
type chunk struct {
	data []byte
	due  time.Time
}

func newWireQueue(latency time.Duration) *wireQueue {
	return &wireQueue{latency: latency, changed: make(chan struct{})}
}

// change makes a change and wakes the reader.
func (q *wireQueue) change(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f()
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *wireQueue) close() { q.change(func() { q.closed = true }) }

func (q *wireQueue) setDeadline(t time.Time) { q.change(func() { q.deadline = t }) }

func (q *wireQueue) write(b []byte) (n int, err error) {
	q.change(func() {
		if q.closed {
			err = net.ErrClosed
			return
		}
		n = len(b)
		q.written = append(q.written, chunk{bytes.Clone(b), time.Now().Add(q.latency)})
	})
	return n, err
}

func (q *wireQueue) read(b []byte) (int, error) {
	for {
		n, changed, until, err := q.tryRead(b)
		if n > 0 || err != nil {
			return n, err
		}
		if until.IsZero() {
			<-changed
			continue
		}
		timer := time.NewTimer(time.Until(until))
		select {
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// tryRead reads what has arrived. If nothing has, it returns what to wait for: a change, or
// a moment unless that is zero.
func (q *wireQueue) tryRead(b []byte) (n int, changed <-chan struct{}, until time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if len(q.written) > 0 {
		first := &q.written[0]
		if !first.due.After(now) {
			n = copy(b, first.data)
			if first.data = first.data[n:]; len(first.data) == 0 {
				q.written = q.written[1:]
			}
			return n, nil, time.Time{}, nil
		}
		until = first.due
	}
	switch {
	case q.closed:
		return 0, nil, time.Time{}, io.EOF
	case !q.deadline.IsZero() && !q.deadline.After(now):
		return 0, nil, time.Time{}, os.ErrDeadlineExceeded
	case until.IsZero() || !q.deadline.IsZero() && q.deadline.Before(until):
		until = q.deadline
	}
	return 0, q.changed, until, nil
}
