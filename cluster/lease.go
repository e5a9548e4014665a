package cluster

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

// errNoLease is why a leader refuses to read by its lease.
var errNoLease = errors.New("its lease has run out")

// lease is what a leader knows about its own lease. Raft measures its lease from when a reply
// came in, which is enough to step down in time. A read needs more: the follower has counted its
// timeout from when it got the request, so the lease runs from when that was sent.
type lease struct {
	term     uint64                      // of the contacts
	contacts map[raft.ServerID]time.Time // when the latest request was sent that each node accepted
	// givenUp is the last term in which the leader has tried to transfer its leadership. The other
	// node may win an election at any time after that, whatever followers have heard.
	givenUp uint64
}

// contact records that a node has accepted, in a term, a request sent at a time.
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

// giveUpLease ends the lease for the rest of the term.
func (c *leadershipConfirmations) giveUpLease() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lease.givenUp = c.lease.term
}

// holdsLease returns nil if a leader of a term, with a lease of that length, still has it: a
// majority of the voters has accepted a request that it sent less than that ago. The leader itself
// counts. The error says why it has none.
func (c *leadershipConfirmations) holdsLease(length time.Duration, term uint64, self raft.ServerID, members []raft.Server) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lease.givenUp >= term {
		return fmt.Errorf("%w: it has tried to transfer its leadership in term %d", errNoLease, term)
	}
	voters, contacted := 0, 0
	for _, s := range members {
		if s.Suffrage != raft.Voter {
			continue
		}
		voters++
		at, ok := c.lease.contacts[s.ID]
		if s.ID == self || ok && c.lease.term == term && time.Since(at) < length {
			contacted++
		}
	}
	if contacted > voters/2 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d voters have answered within %s", errNoLease, contacted, voters, length)
}
