package tcp

import (
	"bufio"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// helloTimeout is how long a new connection may take to say who it is.
const helloTimeout = 5 * time.Second

// StreamConfig is how a node reaches other nodes, and they it.
type StreamConfig struct {
	Name     string             // of this node; behind a proxy the same as Address
	Address  raft.ServerAddress // what raft calls this node
	Listener net.Listener       // where other nodes, or the proxy, reach it
	Token    string             // of this run; a dialer without it is hung up on
	// Dial connects to another node, or to the proxy.
	Dial func(to raft.ServerAddress, timeout time.Duration) (net.Conn, error)
	// Mark is called before each write, and written with it.
	Mark func() uint64
	// Seen is called with the mark of another node before raft gets what came with it.
	Seen func(peer string, mark uint64)
}

// StreamLayer is the stream layer of a node's raft.NetworkTransport.
type StreamLayer struct {
	cfg      StreamConfig
	accepted chan net.Conn // that have said who they are
	closed   chan struct{}
	running  sync.WaitGroup

	mu        sync.Mutex
	isClosed  bool
	strangers map[net.Conn]bool // connections that have not said who they are
}

var _ raft.StreamLayer = (*StreamLayer)(nil)

// NewStreamLayer returns a stream layer, and begins to accept.
func NewStreamLayer(cfg StreamConfig) *StreamLayer {
	s := &StreamLayer{cfg: cfg, accepted: make(chan net.Conn), closed: make(chan struct{}), strangers: map[net.Conn]bool{}}
	s.running.Go(s.listen)
	return s
}

// listen accepts connections until the layer is closed.
func (s *StreamLayer) listen() {
	for {
		c, err := s.cfg.Listener.Accept()
		if err != nil {
			select {
			case <-s.closed:
				return
			case <-time.After(10 * time.Millisecond): // as out of files
				continue
			}
		}
		if s.enter(c) {
			s.running.Go(func() { s.welcome(c) })
		}
	}
}

// enter registers a connection, so that Close can end it. It returns false if the layer is closed.
func (s *StreamLayer) enter(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed {
		_ = c.Close()
		return false
	}
	s.strangers[c] = true
	return true
}

// leave forgets a connection.
func (s *StreamLayer) leave(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.strangers, c)
}

// welcome lets a new connection say who it is, and hands it to Accept.
func (s *StreamLayer) welcome(c net.Conn) {
	defer s.leave(c)
	_ = c.SetDeadline(time.Now().Add(helloTimeout))
	r := bufio.NewReader(c)
	var token, from, to string
	err := readTexts(r, &token, &from, &to)
	if err == nil && (!sameToken(token, s.cfg.Token) || to != string(s.cfg.Address)) {
		err = errForeign
	}
	if err == nil {
		_, err = c.Write(helloOf(s.cfg.Name))
	}
	if err != nil {
		_ = c.Close()
		return
	}
	_ = c.SetDeadline(time.Time{})
	select {
	case s.accepted <- s.marked(c, r, from):
	case <-s.closed:
		_ = c.Close()
	}
}

// Accept returns the next connection.
func (s *StreamLayer) Accept() (net.Conn, error) {
	select {
	case c := <-s.accepted:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Dial connects to another node.
func (s *StreamLayer) Dial(to raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	end := time.Now().Add(timeout)
	c, err := s.cfg.Dial(to, timeout)
	if err != nil {
		return nil, err
	}
	if timeout > 0 {
		_ = c.SetDeadline(end)
	}
	r := bufio.NewReader(c)
	var name string
	_, err = c.Write(helloOf(s.cfg.Token, s.cfg.Name, string(to)))
	if err == nil {
		err = readTexts(r, &name)
	}
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("cannot reach %s: %w", to, err)
	}
	_ = c.SetDeadline(time.Time{})
	return s.marked(c, r, name), nil
}

// Close closes the listener and waits for the end of what the layer has begun. The connections that
// Accept and Dial have returned stay.
func (s *StreamLayer) Close() error {
	s.mu.Lock()
	if !s.isClosed {
		close(s.closed)
	}
	s.isClosed = true
	for c := range s.strangers {
		_ = c.Close()
	}
	s.mu.Unlock()
	err := s.cfg.Listener.Close()
	s.running.Wait()
	return err
}

// Addr returns what raft calls this node.
func (s *StreamLayer) Addr() net.Addr { return address(s.cfg.Address) }

// address is a node's address as raft has it.
type address string

func (address) Network() string  { return "raft" }
func (a address) String() string { return string(a) }

// marked is a connection to another node.
type marked struct {
	net.Conn
	frames frames
	mark   func() uint64
	buffer []byte // of Write, which raft calls from one goroutine at a time
}

func (s *StreamLayer) marked(c net.Conn, r *bufio.Reader, peer string) *marked {
	return &marked{
		Conn: c, mark: s.cfg.Mark,
		frames: frames{r: r, seen: func(mark uint64) { s.cfg.Seen(peer, mark) }},
	}
}

// Read reads raft's bytes.
func (m *marked) Read(b []byte) (int, error) { return m.frames.Read(b) }

// Write writes raft's bytes with the present mark.
func (m *marked) Write(b []byte) (written int, err error) {
	m.buffer, written, err = writeFrames(m.Conn, m.buffer, m.mark(), b)
	return written, err
}
