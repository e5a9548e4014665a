package tcp

import (
	"bufio"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"capsize/faults"

	"github.com/hashicorp/raft"
)

// inFlightMax is how many messages of a connection may be on the way in one direction. Raft sends
// less, and whoever sends more waits.
const inFlightMax = 256

// connection is one connection between two nodes: a request goes from the client, who dialed, to the
// server, and its reply back.
type connection struct {
	proxy  *Proxy
	client net.Conn
	r      *bufio.Reader // of the client
	there  *link         // from the client to the server
	back   *link

	mu     sync.Mutex
	server net.Conn // nil before it is reached
	closed bool
	gone   chan struct{} // closed with the connection
}

// close ends the connection at both ends. It may be called more than once.
func (c *connection) close() {
	c.mu.Lock()
	server, was := c.server, c.closed
	c.closed = true
	c.mu.Unlock()
	if was {
		return
	}
	close(c.gone)
	_ = c.client.Close()
	if server != nil {
		_ = server.Close()
	}
}

// serve carries the connection until it ends.
func (c *connection) serve() {
	defer c.proxy.leave(c)
	defer c.close()
	var token, from, to string
	_ = c.client.SetDeadline(time.Now().Add(helloTimeout))
	if readTexts(c.r, &token, &from, &to) != nil || token != c.proxy.cfg.Token {
		return
	}
	_ = c.client.SetDeadline(time.Time{})
	c.there = c.proxy.link(faults.Link{From: raft.ServerAddress(from), To: raft.ServerAddress(to)})
	c.back = c.proxy.link(faults.Link{From: raft.ServerAddress(to), To: raft.ServerAddress(from)})

	requests := &direction{c: c, link: c.there, queue: make(chan *transit, inFlightMax)}
	replies := &direction{c: c, link: c.back, queue: make(chan *transit, inFlightMax)}
	expected := make(chan faults.Packet, inFlightMax) // the requests that the server is to answer
	var running sync.WaitGroup
	defer running.Wait()
	defer c.close()
	running.Go(func() {
		defer c.close() // it also sees that the client gives up while it waits
		c.readRequests(requests)
	})
	if !c.await(c.there) {
		return
	}
	hello, ok := c.connect(token, from, to)
	if !ok {
		return
	}
	if _, err := c.client.Write(appendTexts(nil, hello.name)); err != nil {
		return
	}
	running.Go(func() { defer c.close(); c.readReplies(hello.r, replies, expected) })
	running.Go(func() {
		defer c.close()
		replies.deliver(c.client, nil)
	})
	requests.deliver(c.server, expected)
}

// await waits until a new connection can pass a link. It reports whether it can.
func (c *connection) await(l *link) bool {
	for {
		_, f := l.send(&message{packet: faults.Packet{From: l.From, To: l.To}})
		switch {
		case f.refused:
			return false
		case f.lost == "" && !f.held:
			return true
		}
		select {
		case <-f.changed:
		case <-c.gone:
			return false
		}
	}
}

// serverHello is what a server has said, and what it says next.
type serverHello struct {
	name string
	r    *bufio.Reader
}

// connect reaches the server.
func (c *connection) connect(token, from, to string) (hello serverHello, ok bool) {
	server, err := c.proxy.cfg.Reach(raft.ServerAddress(to))
	if err != nil {
		return hello, false
	}
	c.mu.Lock()
	c.server = server
	closed := c.closed
	c.mu.Unlock()
	if closed {
		_ = server.Close()
		return hello, false
	}
	if _, err := server.Write(appendTexts(nil, token, from, to)); err != nil {
		return hello, false
	}
	hello.r = bufio.NewReader(server)
	return hello, readTexts(hello.r, &hello.name) == nil
}

// readRequests reads what the client asks.
func (c *connection) readRequests(d *direction) {
	decoder := newDecoder(&frames{r: c.r})
	for {
		m, err := decoder.request()
		if err != nil {
			return
		}
		m.packet.RPC = c.proxy.rpcs.Add(1)
		if !d.send(m) {
			return
		}
	}
}

// readReplies reads what the server answers, in the order in which it was asked.
func (c *connection) readReplies(r *bufio.Reader, d *direction, expected <-chan faults.Packet) {
	decoder := newDecoder(&frames{r: r})
	for {
		if _, err := decoder.r.Peek(1); err != nil { // the end of the server, while nothing is asked
			return
		}
		var request faults.Packet
		select {
		case request = <-expected:
		case <-c.gone:
			return
		}
		m, err := decoder.reply(request.Kind)
		if err != nil {
			return
		}
		m.packet.RPC, m.packet.RequestTerm = request.RPC, request.Term
		if !d.send(m) {
			return
		}
	}
}

// direction is one direction of a connection.
type direction struct {
	c      *connection
	link   *link
	queue  chan *transit
	silent atomic.Bool // a message is lost, and so is what comes later
}

// behindLost is why a message is lost after an earlier one of its connection.
const behindLost = "its connection waits for a lost packet"

// send puts a message on its way. It reports whether the connection goes on.
func (d *direction) send(m *message) bool {
	p := d.c.proxy
	m.packet.ID, m.packet.From, m.packet.To = p.packets.Add(1), d.link.From, d.link.To
	t, f := d.link.send(m)
	m.packet.Held = f.held
	if f.lost == "" && !f.held {
		m.packet.Delay = max(0, time.Until(f.due))
	}
	p.report(m, faults.Sent, "")
	if d.silent.Load() {
		p.report(m, faults.Lost, behindLost)
		return true
	}
	if f.lost != "" {
		return d.lose(m, f)
	}
	select {
	case d.queue <- t:
		return true
	case <-d.c.gone:
		p.report(m, faults.Lost, "the connection is closed")
		return false
	}
}

// lose loses a message. It reports whether the connection goes on, in silence.
func (d *direction) lose(m *message, f fate) bool {
	d.silent.Store(true)
	d.c.proxy.report(m, faults.Lost, f.lost)
	if f.refused {
		d.c.close()
	}
	return !f.refused
}

// deliver writes the messages that are due, in order. It tells expected, if it is not nil, which
// requests are to be answered.
func (d *direction) deliver(to net.Conn, expected chan<- faults.Packet) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var frame []byte
	for {
		var t *transit
		select {
		case t = <-d.queue:
		case <-d.c.gone:
			d.abandon()
			return
		}
		f, ok := d.wait(t, timer)
		switch {
		case !ok:
			d.c.proxy.report(t.message, faults.Lost, "the connection is closed")
			d.abandon()
			return
		case d.silent.Load():
			d.c.proxy.report(t.message, faults.Lost, behindLost)
			continue
		case f.lost != "":
			if !d.lose(t.message, f) {
				d.abandon()
				return
			}
			continue
		}
		// The tap comes first: what the receiver does comes after it.
		d.c.proxy.report(t.message, faults.Delivered, "")
		if expected != nil {
			select {
			case expected <- t.packet:
			case <-d.c.gone:
			}
		}
		frame = appendFrame(frame[:0], t.mark, t.raw)
		if _, err := to.Write(frame); err != nil {
			d.c.close()
		}
	}
}

// wait waits until a message is due or lost. It reports false if the connection ends.
func (d *direction) wait(t *transit, timer *time.Timer) (fate, bool) {
	for {
		f := d.link.judge(t)
		if f.lost != "" {
			return f, true
		}
		var due <-chan time.Time
		if !f.held {
			rest := time.Until(f.due)
			if rest <= 0 {
				return f, true
			}
			timer.Reset(rest)
			due = timer.C
		}
		select {
		case <-due:
		case <-f.changed:
		case <-d.c.gone:
			return f, false
		}
	}
}

// abandon loses what is still on its way when the connection ends.
func (d *direction) abandon() {
	for {
		select {
		case t := <-d.queue:
			d.c.proxy.report(t.message, faults.Lost, "the connection is closed")
		default:
			return
		}
	}
}
