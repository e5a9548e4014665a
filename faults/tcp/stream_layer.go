package tcp

import (
	"bufio"
	"errors"
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
	Name     string             // of this node
	Address  raft.ServerAddress // what raft calls this node
	Listener net.Listener       // where other nodes, or the proxy, reach it
	Token    string             // that every dialer must know
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
	once     sync.Once
}

var _ raft.StreamLayer = (*StreamLayer)(nil)

// NewStreamLayer returns a stream layer, and begins to accept.
func NewStreamLayer(cfg StreamConfig) *StreamLayer {
	s := &StreamLayer{cfg: cfg, accepted: make(chan net.Conn), closed: make(chan struct{})}
	go s.listen()
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
		go s.welcome(c)
	}
}

// welcome lets a new connection say who it is, and hands it to Accept.
func (s *StreamLayer) welcome(c net.Conn) {
	_ = c.SetDeadline(time.Now().Add(helloTimeout))
	r := bufio.NewReader(c)
	var token, from, to string
	err := readTexts(r, &token, &from, &to)
	if err == nil && (token != s.cfg.Token || to != string(s.cfg.Address)) {
		err = errForeign
	}
	if err == nil {
		_, err = c.Write(appendTexts(nil, s.cfg.Name))
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
	_, err = c.Write(appendTexts(nil, s.cfg.Token, s.cfg.Name, string(to)))
	if err == nil {
		err = readTexts(r, &name)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot reach %s: %w", to, err), c.Close())
	}
	_ = c.SetDeadline(time.Time{})
	return s.marked(c, r, name), nil
}

// Close ends the layer. Connections stay.
func (s *StreamLayer) Close() error {
	s.once.Do(func() { close(s.closed) })
	return s.cfg.Listener.Close()
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
func (m *marked) Write(b []byte) (int, error) {
	m.buffer = appendFrame(m.buffer[:0], m.mark(), b)
	if _, err := m.Conn.Write(m.buffer); err != nil {
		return 0, err
	}
	return len(b), nil
}
