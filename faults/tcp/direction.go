package tcp

import (
	"net"
	"sync/atomic"
	"time"

	"capsize/faults"
)

// inFlightMax is how many messages of a connection may be on their way in one direction. Raft has
// fewer in flight; a sender of more waits.
const inFlightMax = 256

// Why a message is lost.
const (
	behindLost = "its connection waits for a lost packet"
	callerGone = "no caller is waiting"
	closedConn = "the connection is closed"
)

// direction is one direction of a connection. One goroutine sends, another one delivers.
type direction struct {
	c     *connection
	link  *link
	to    net.Conn // nil if the receiver is down
	queue chan *transit
	frame []byte // of the message that is written

	receiverGone *atomic.Bool
	goneWhy      string // why messages to a receiver that is gone are lost

	lost   bool        // the sender's: a message is lost at once, and so are those after it
	silent atomic.Bool // a message is lost on its way, and so are those after it

	inFlight, held atomic.Int64 // messages in the queue or about to arrive; those of them that were held when sent
	lastDue        time.Time    // the sender's: when the message before arrives
}

func newDirection(c *connection, at faults.Link, receiverGone *atomic.Bool, goneWhy string) *direction {
	return &direction{
		c: c, link: c.proxy.link(at), queue: make(chan *transit, inFlightMax),
		receiverGone: receiverGone, goneWhy: goneWhy,
	}
}

// send puts a message on its way. It returns false if the connection is closed.
func (d *direction) send(m *message) bool {
	p := d.c.proxy
	m.packet.ID, m.packet.From, m.packet.To = p.packets.Add(1), d.link.From, d.link.To
	if d.lost || d.silent.Load() {
		p.report(m, faults.Sent, "")
		p.report(m, faults.Lost, behindLost)
		return true
	}
	t, f := d.link.send(m)
	if f.lost != "" {
		d.lost = true
		p.report(m, faults.Sent, "")
		d.lose(m, f)
		return !f.refused
	}
	d.foresee(t, f)
	p.report(m, faults.Sent, "")
	return d.enqueue(t)
}

// foresee sets when a message will arrive, as far as the present faults tell. It arrives after those
// before it.
func (d *direction) foresee(t *transit, f fate) {
	due := f.due
	if d.inFlight.Load() > 0 && d.lastDue.After(due) {
		due = d.lastDue
	}
	d.lastDue = due
	t.held = f.held
	if t.held {
		d.held.Add(1)
	}
	if d.held.Load() > 0 {
		t.packet.Held = true
		return
	}
	t.packet.Delay = max(0, due.Sub(t.sentAt))
}

// sendEnd sends the end of the direction on its way. It returns false if the connection has to be
// closed: no end arrives behind a lost message, so the server would wait for ever for a client that
// is gone. A client gives up by itself.
func (d *direction) sendEnd() bool {
	if d.lost {
		return d == d.c.replies
	}
	t, _ := d.link.send(nil)
	return d.enqueue(t)
}

func (d *direction) enqueue(t *transit) bool {
	d.inFlight.Add(1)
	select {
	case d.queue <- t:
		return true
	case <-d.c.gone:
		d.abandoned(t)
		return false
	}
}

// lose loses a message. The connection goes on, in silence, unless the message is refused.
func (d *direction) lose(m *message, f fate) {
	d.c.proxy.report(m, faults.Lost, f.lost)
	if f.refused {
		d.c.close()
	}
}

// deliver delivers the messages, in order, until the connection is closed.
func (d *direction) deliver(to net.Conn) {
	d.to = to
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case t := <-d.queue:
			f, ok := d.wait(t, timer)
			if t.held {
				d.held.Add(-1)
			}
			d.inFlight.Add(-1)
			switch {
			case !ok:
				d.abandoned(t)
				return
			case t.message == nil:
				d.arriveEnd(f)
			default:
				d.arrive(t, f)
			}
		case <-d.c.gone:
			return
		}
	}
}

// wait waits until a message is due or lost. It returns false if the connection is closed.
func (d *direction) wait(t *transit, timer *time.Timer) (fate, bool) {
	for {
		f := d.link.judge(t)
		rest := time.Until(f.due)
		isDue := rest <= 0 || d.to == nil // a client learns at once that nothing listens there
		if f.lost != "" || d.silent.Load() || isDue && !f.held {
			return f, !d.c.isClosed()
		}
		var due <-chan time.Time
		if !f.held {
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

func (c *connection) isClosed() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// arrive hands a message to its receiver, unless it is lost.
func (d *direction) arrive(t *transit, f fate) {
	p := d.c.proxy
	switch {
	case d.silent.Load():
		p.report(t.message, faults.Lost, behindLost)
	case f.lost != "":
		d.silent.Store(true)
		d.lose(t.message, f)
	case d.receiverGone.Load():
		p.report(t.message, faults.Lost, d.goneWhy)
		if d.to == nil {
			d.c.close()
		}
	default:
		d.hand(t)
	}
}

// hand writes a message to its receiver. The tap comes first, because what the receiver does with
// the message comes after it.
func (d *direction) hand(t *transit) {
	mark := d.c.proxy.report(t.message, faults.Delivered, "")
	if d == d.c.requests {
		select {
		case d.c.expected <- asked{t.packet.Kind, t.packet.RPC, t.packet.Term}:
		case <-d.c.gone:
			return
		}
	}
	var err error
	if d.frame, _, err = writeFrames(d.to, d.frame, mark, t.raw); err != nil {
		d.receiverGone.Store(true) // its reader notices, too, and ends the connection
	}
}

// arriveEnd ends the direction at its receiver. A client does not learn of an end that is lost.
func (d *direction) arriveEnd(f fate) {
	lost := d.silent.Load() || f.lost != "" && !f.refused
	switch {
	case d == d.c.replies && lost:
	case d == d.c.replies, lost, f.refused, !closeWrite(d.to):
		d.c.close()
	}
}

// closeWrite tells the other end that nothing more comes. It returns false if that is not possible.
func closeWrite(c net.Conn) bool {
	half, ok := c.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

// abandon loses the messages that are still on their way when the connection has ended.
func (d *direction) abandon() {
	for {
		select {
		case t := <-d.queue:
			d.abandoned(t)
		default:
			return
		}
	}
}

func (d *direction) abandoned(t *transit) {
	why := closedConn
	if d.receiverGone.Load() {
		why = d.goneWhy
	}
	if t.message != nil {
		d.c.proxy.report(t.message, faults.Lost, why)
	}
}
