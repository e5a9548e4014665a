package tcp

import (
	"bufio"
	"crypto/subtle"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"capsize/faults"

	"github.com/hashicorp/raft"
)

// lingerMax is how many connections of a link may carry on after their client has closed them. It
// bounds what a link that holds messages for hours keeps open.
const lingerMax = 16

// connection is one connection between two nodes: a request goes from the client, who dialed, to the
// server, and its reply back.
type connection struct {
	proxy    *Proxy
	client   net.Conn
	r        *bufio.Reader // of the client
	requests *direction
	replies  *direction
	expected chan asked // the requests that the server has and has not answered, in order

	established            atomic.Bool // the client may send
	lingers                atomic.Bool // counts as lingering on the link of its requests
	clientGone, serverGone atomic.Bool // takes and sends nothing more

	mu     sync.Mutex
	server net.Conn // nil before it is reached
	closed bool
	gone   chan struct{} // closed with the connection
}

// asked is what the reply to a request repeats of it.
type asked struct {
	kind      faults.Kind
	rpc, term uint64
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
	if readTexts(c.r, &token, &from, &to) != nil || !sameToken(token, c.proxy.cfg.Token) {
		return
	}
	_ = c.client.SetDeadline(time.Time{})
	at := faults.Link{From: raft.ServerAddress(from), To: raft.ServerAddress(to)}
	c.requests = newDirection(c, at, &c.serverGone, to+" is down")
	c.replies = newDirection(c, faults.Link{From: at.To, To: at.From}, &c.clientGone, callerGone)

	var running sync.WaitGroup
	defer c.abandon()
	defer running.Wait()
	defer c.close()
	running.Go(c.readRequests) // from the start, to notice that the client gives up
	if !c.await(c.requests.link) {
		return
	}
	hello := c.connect(token, from, to)
	c.established.Store(true)
	if _, err := c.client.Write(helloOf(hello.name)); err != nil {
		return
	}
	if hello.r != nil {
		running.Go(func() { c.readReplies(hello.r) })
	}
	running.Go(func() { c.replies.deliver(c.client) })
	c.requests.deliver(hello.server)
}

// sameToken compares two tokens in constant time.
func sameToken(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// await waits until a new connection can pass a link. It returns false if the link refuses it or if
// the client gives up.
func (c *connection) await(l *link) bool {
	for {
		_, f := l.send(nil)
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
	name   string
	server net.Conn      // nil if the server is down
	r      *bufio.Reader // nil if the server is down
}

// connect reaches the server. If that is down, the proxy speaks for it, so that the tap learns what
// the client would have sent.
func (c *connection) connect(token, from, to string) serverHello {
	hello := serverHello{name: to}
	if c.reach(token, from, to, &hello) != nil {
		c.serverGone.Store(true)
		hello.server, hello.r = nil, nil
	}
	return hello
}

func (c *connection) reach(token, from, to string, hello *serverHello) error {
	server, err := c.proxy.cfg.Reach(raft.ServerAddress(to))
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.server = server
	closed := c.closed
	c.mu.Unlock()
	if closed {
		_ = server.Close()
		return net.ErrClosed
	}
	hello.server, hello.r = server, bufio.NewReader(server)
	if _, err := server.Write(helloOf(token, from, to)); err != nil {
		return err
	}
	return readTexts(hello.r, &hello.name)
}

// readRequests reads what the client asks.
func (c *connection) readRequests() {
	in := &frames{r: c.r}
	decoder := newDecoder(in)
	for {
		m, err := decoder.request()
		if err != nil {
			c.clientGone.Store(true)
			if !in.ended || !c.linger() || !c.ends(c.requests) {
				c.close()
			}
			return
		}
		m.packet.RPC = c.proxy.rpcs.Add(1)
		if !c.requests.send(m) {
			return
		}
	}
}

// linger decides whether requests go on after the client has closed the connection. They do, as
// over TCP: what is sent before the end arrives before the end.
func (c *connection) linger() bool {
	if !c.established.Load() {
		return false
	}
	if c.requests.link.lingering.Add(1) > lingerMax {
		c.requests.link.lingering.Add(-1)
		return false
	}
	c.lingers.Store(true)
	return true
}

// readReplies reads what the server answers, in the order in which it was asked.
func (c *connection) readReplies(r *bufio.Reader) {
	in := &frames{r: r}
	decoder := newDecoder(in)
	for {
		m, err := c.readReply(decoder)
		if err != nil {
			c.serverGone.Store(true)
			if !in.ended || !c.ends(c.replies) {
				c.close()
			}
			return
		}
		if !c.replies.send(m) {
			return
		}
	}
}

func (c *connection) readReply(decoder *decoder) (*message, error) {
	if _, err := decoder.r.Peek(1); err != nil { // the server may end while nothing is asked
		return nil, err
	}
	var request asked
	select {
	case request = <-c.expected:
	case <-c.gone:
		return nil, io.ErrClosedPipe
	}
	m, err := decoder.reply(request.kind)
	if err != nil {
		return nil, err
	}
	m.packet.RPC, m.packet.RequestTerm = request.rpc, request.term
	return m, nil
}

// ends sends the end of a direction on its way, behind the messages before it. It returns false if
// the whole connection ends now.
func (c *connection) ends(d *direction) bool {
	if c.clientGone.Load() && c.serverGone.Load() {
		return false
	}
	return d.sendEnd()
}

// abandon loses what is still on its way after the end of the connection.
func (c *connection) abandon() {
	c.requests.abandon()
	c.replies.abandon()
	if c.lingers.Load() {
		c.requests.link.lingering.Add(-1)
	}
}
