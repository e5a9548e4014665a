package cluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// settleTime is how much virtual time passes after something that a user does by hand. All that it
// sets off without a timer has happened then, and nothing else.
const settleTime = time.Nanosecond

// Settle lets everything happen that does not wait for a timer. It takes a nanosecond.
func (c *Inside) Settle() { c.Sleep(settleTime) }

// Hold makes the packets on links wait until a user delivers or drops them, those in flight too.
// It takes the latency of the network: until then the senders of packets in flight sleep.
func (c *Inside) Hold(links []trace.Link, hold faults.LinkFault) error {
	if len(links) == 0 {
		return errors.New("a single node has no link to hold")
	}
	for _, l := range links {
		if err := c.checkLink(l.From, l.To); err != nil {
			return err
		}
	}
	for _, l := range links {
		c.network.SetFault(raft.ServerAddress(l.From), raft.ServerAddress(l.To), hold)
		c.emitLink(l.From, l.To)
	}
	what := "messages wait"
	if _, kinds, limited := strings.Cut(hold.String(), " only "); limited {
		what = strings.ReplaceAll(kinds, ",", ", ") + " messages wait"
	}
	switch names := len(c.Names()); len(links) {
	case 1:
		c.emitShape("%s from %s to %s until delivered by hand", what, links[0].From, links[0].To)
	case names * (names - 1):
		c.emitShape("%s on every link until delivered by hand", what)
	default:
		c.emitShape("%s on %d links until delivered by hand", what, len(links))
	}
	c.Sleep(c.packets.CallerSleep())
	return nil
}

// extendHold holds the links of a new node too, if all other links are held.
func (c *Inside) extendHold(name string) {
	hold := faults.LinkFault(nil)
	for _, l := range c.AllLinks() {
		if l.From == name || l.To == name {
			continue
		}
		set := c.network.Faults(raft.ServerAddress(l.From), raft.ServerAddress(l.To))
		i := slices.IndexFunc(set, func(f faults.LinkFault) bool { return f.Name() == faults.Hold{}.Name() })
		if i < 0 {
			return
		}
		hold = set[i]
	}
	if hold == nil {
		return
	}
	for _, l := range c.AllLinks() {
		if l.From == name || l.To == name {
			c.network.SetFault(raft.ServerAddress(l.From), raft.ServerAddress(l.To), hold)
			c.emitLink(l.From, l.To)
		}
	}
}

// Release ends every hold: the packets that wait arrive, in the order of each link. The error says
// that nothing is held.
func (c *Inside) Release() error {
	var held []trace.Link
	c.stream.Read(func(s *trace.State) {
		for _, l := range c.AllLinks() {
			if s.Holds(l) {
				held = append(held, l)
			}
		}
	})
	if len(held) == 0 {
		return errors.New("no link is held: hold all holds every link")
	}
	for _, l := range held {
		c.network.ClearFault(raft.ServerAddress(l.From), raft.ServerAddress(l.To), faults.Hold{}.Name())
		c.emitLink(l.From, l.To)
	}
	c.emitHealed("messages flow again")
	return nil
}

// AllLinks returns the links between the nodes, in order.
func (c *Inside) AllLinks() (all []trace.Link) {
	names := c.Names()
	for _, from := range names {
		for _, to := range names {
			if from != to {
				all = append(all, trace.Link{From: from, To: to})
			}
		}
	}
	return all
}

// Deliver delivers a packet that waits on a held link, and with twice a copy of it. When it
// returns, the receiver has done what it can without time passing.
func (c *Inside) Deliver(at trace.Link, id uint64, twice bool) error {
	defer c.Settle()
	return handError(id, c.packets.Deliver(linkAt(at), id, twice))
}

// Drop loses a packet that waits on a held link.
func (c *Inside) Drop(at trace.Link, id uint64) error {
	defer c.Settle()
	return handError(id, c.packets.Drop(linkAt(at), id))
}

// Expire lets the deadlines pass of RPCs from one node to another: of all, or of some kinds.
func (c *Inside) Expire(at trace.Link, kinds ...faults.Kind) error {
	if err := c.checkLink(at.From, at.To); err != nil {
		return err
	}
	defer c.Settle()
	if err := c.packets.Expire(raft.ServerAddress(at.From), raft.ServerAddress(at.To), kinds...); err != nil {
		return fmt.Errorf("%s is not waiting for a reply from %s", at.From, at.To)
	}
	return nil
}

func linkAt(l trace.Link) faults.Link {
	return faults.Link{From: raft.ServerAddress(l.From), To: raft.ServerAddress(l.To)}
}

// handError says which packet an error is about.
func handError(id uint64, err error) error {
	switch {
	case errors.Is(err, faults.ErrNotWaiting):
		return fmt.Errorf("#%d: %w: it was delivered or dropped before, or its link is not held", id, err)
	case err != nil:
		return fmt.Errorf("#%d: %w", id, err)
	}
	return nil
}
