package cluster

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

// errNoLease is why a leader rejects a lease read.
var errNoLease = errors.New("its lease has expired")

// lease is what a leader knows about its own lease. Raft measures its lease from the arrival of
// a reply, which is enough to step down in time. A read needs more: a follower restarts its
// timeout when it gets the request, so this lease starts when the request was sent.
type lease struct {
	term     uint64                      // of the contacts
	contacts map[raft.ServerID]time.Time // by node: when the latest request that it accepted was sent
	// givenUp is the last term in which the leader started a leadership transfer. From then on the
	// target may win an election at any time, even while followers hear from the leader.
	givenUp uint64
}

// contact records that a node accepted a request, with the request's term and sending time.
func (c *leadershipConfirmations) contact(id raft.ServerID, term uint64, sent time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := &c.lease
	if term > l.term {
		l.term, l.contacts = term, map[raft.ServerID]time.Time{}
	}
	if term == l.term && sent.After(l.contacts[id]) {
		l.contacts[id] = sent
	}
}

// handOver counts a request to start an election, which ends the lease for the rest of the term.
func (c *leadershipConfirmations) handOver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handed++
	c.lease.givenUp = c.lease.term
}

// holdsLease returns nil if the leader of a term still holds its lease: a majority of the voters,
// itself included, has accepted a request that it sent less than length ago. The error says why
// it holds none.
func (c *leadershipConfirmations) holdsLease(length time.Duration, term uint64, self raft.ServerID, members []raft.Server) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lease.givenUp >= term {
		return fmt.Errorf("%w: it started a leadership transfer in term %d", errNoLease, term)
	}
	contacted, voters := countVoters(members, func(id raft.ServerID) bool {
		at, ok := c.lease.contacts[id]
		return id == self || ok && c.lease.term == term && time.Since(at) < length
	})
	if contacted > voters/2 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d voters answered within %s", errNoLease, contacted, voters, length)
}
