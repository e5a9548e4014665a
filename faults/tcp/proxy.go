package tcp

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"capsize/faults"

	"github.com/hashicorp/raft"
)

// ProxyConfig is how a Proxy behaves before any fault is set.
type ProxyConfig struct {
	Listener net.Listener // nodes dial it
	Token    string       // of this run; a dialer without it is hung up on
	Seed     int64        // of all randomness, split per link
	// Latency is the one-way latency of every link, drawn uniformly from Latency-Jitter to
	// Latency+Jitter.
	Latency, Jitter time.Duration
	// Reach connects to a node's own listener. An error means that the node is down. Close waits for
	// Reach, so it must not block for long.
	Reach func(to raft.ServerAddress) (net.Conn, error)
	// Tap receives every message twice, as a [faults.Packet]: when it is sent, and when
	// it is delivered or lost, with the mark of its sender. A delivery is reported before the receiver
	// gets the message, with the mark that Tap returns instead of the sender's. Each connection
	// reports in order, different connections concurrently. Tap must not block.
	Tap func(p faults.Packet, mark uint64) uint64
}

// Proxy carries the connections between nodes, and lets links fail. Any goroutine may call its
// methods.
type Proxy struct {
	cfg     ProxyConfig
	packets atomic.Uint64
	rpcs    atomic.Uint64
	running sync.WaitGroup

	mu     sync.Mutex
	links  map[faults.Link]*link
	open   map[*connection]bool
	closed bool
}

// NewProxy returns a proxy that carries connections at once.
func NewProxy(cfg ProxyConfig) *Proxy {
	p := &Proxy{cfg: cfg, links: map[faults.Link]*link{}, open: map[*connection]bool{}}
	p.running.Go(p.listen)
	return p
}

// Possible returns why a fault cannot happen to a message over TCP, nil if it can.
func Possible(f faults.LinkFault) error {
	switch f.Name() {
	case faults.Lose{}.Name():
		return fmt.Errorf("%s is not possible between processes: TCP sends again what is lost; cut, jam or delay the link", f.Name())
	case faults.Duplicate{}.Name():
		return fmt.Errorf("%s is not possible between processes: TCP delivers every message once", f.Name())
	case faults.Reorder{}.Name():
		return fmt.Errorf("%s is not possible between processes: TCP delivers messages in order", f.Name())
	case faults.Hold{}.Name():
		return fmt.Errorf("%s is not possible between processes: time would have to stand still; jam holds all messages of a link", f.Name())
	}
	return nil
}

// Addr returns the address that nodes dial.
func (p *Proxy) Addr() net.Addr { return p.cfg.Listener.Addr() }

// SetFault sets a fault on one directed link and replaces a fault of the same name. It also applies
// to messages in flight.
func (p *Proxy) SetFault(from, to raft.ServerAddress, f faults.LinkFault) {
	p.link(faults.Link{From: from, To: to}).set(func(all []faults.LinkFault) []faults.LinkFault {
		i, found := slices.BinarySearchFunc(all, f.Name(), byName)
		if found {
			all[i] = f
			return all
		}
		return slices.Insert(all, i, f)
	})
}

// ClearFault clears the fault of that name: what it held goes on.
func (p *Proxy) ClearFault(from, to raft.ServerAddress, name string) {
	p.link(faults.Link{From: from, To: to}).set(func(all []faults.LinkFault) []faults.LinkFault {
		return slices.DeleteFunc(all, func(f faults.LinkFault) bool { return f.Name() == name })
	})
}

func byName(f faults.LinkFault, name string) int { return strings.Compare(f.Name(), name) }

// Faults returns the faults of one directed link, sorted by name.
func (p *Proxy) Faults(from, to raft.ServerAddress) []faults.LinkFault {
	l := p.link(faults.Link{From: from, To: to})
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.faults)
}

// Cut sets [faults.Cut] on each of the links.
func (p *Proxy) Cut(links []faults.Link) {
	for _, l := range links {
		p.SetFault(l.From, l.To, faults.Cut{})
	}
}

// Close closes the listener and all connections, and waits for their end. The tap gets nothing more
// afterwards.
func (p *Proxy) Close() {
	_ = p.cfg.Listener.Close()
	p.mu.Lock()
	p.closed = true
	open := p.open
	p.open = map[*connection]bool{}
	p.mu.Unlock()
	for c := range open {
		c.close()
	}
	p.running.Wait()
}

// link returns a link, and creates it if necessary.
func (p *Proxy) link(at faults.Link) *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.links[at]
	if l == nil {
		l = newLink(at, &p.cfg)
		p.links[at] = l
	}
	return l
}

// listen accepts connections until the proxy is closed.
func (p *Proxy) listen() {
	for {
		c, err := p.cfg.Listener.Accept()
		if err != nil {
			p.mu.Lock()
			closed := p.closed
			p.mu.Unlock()
			if closed || errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // as out of files
			continue
		}
		if conn := p.enter(c); conn != nil {
			p.running.Go(conn.serve)
		}
	}
}

// enter registers a connection, nil if the proxy is closed.
func (p *Proxy) enter(client net.Conn) *connection {
	c := &connection{
		proxy: p, client: client, r: bufio.NewReader(client),
		expected: make(chan asked, inFlightMax), gone: make(chan struct{}),
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = client.Close()
		return nil
	}
	p.open[c] = true
	return c
}

// leave forgets a connection.
func (p *Proxy) leave(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
}

// report tells the tap the new status of a message, and returns its mark.
func (p *Proxy) report(m *message, status faults.PacketStatus, why string) uint64 {
	packet := m.packet
	packet.Status, packet.Why = status, why
	if status != faults.Sent {
		packet.Delay, packet.Held = 0, false
	}
	return p.cfg.Tap(packet, m.mark)
}
