package cluster

import (
	"sync"

	"capsize/faults"

	"github.com/hashicorp/raft"
)

// leadershipConfirmations notes who confirmed that a process leads, and when. Raft's
// VerifyLeader takes any answer for a confirmation, also one to a heartbeat that
// was sent before it was called (hashicorp/raft replication.go, notifyAll). With a
// slow link back such an answer can be older than the election of another leader,
// and a read that relies on it is stale.
type leadershipConfirmations struct {
	mu       sync.Mutex
	sent     uint64                   // how many requests were sent
	accepted map[raft.ServerID]uint64 // the latest request each one accepted
}

// quorumSince says whether a majority of the voters accepted a request that was sent
// after the one numbered start.
func (c *leadershipConfirmations) quorumSince(start uint64, self raft.ServerID, members []raft.Server) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	voters, confirmed := 0, 0
	for _, s := range members {
		if s.Suffrage != raft.Voter {
			continue
		}
		voters++
		if s.ID == self || c.accepted[s.ID] > start {
			confirmed++
		}
	}
	return confirmed > voters/2
}

func (c *leadershipConfirmations) lastSent() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

func (c *leadershipConfirmations) nextRequest() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent++
	return c.sent
}

func (c *leadershipConfirmations) confirm(id raft.ServerID, request uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.accepted == nil {
		c.accepted = map[raft.ServerID]uint64{}
	}
	c.accepted[id] = max(c.accepted[id], request)
}

// transport is a process's endpoint of the network, which notes the confirmations.
type transport struct {
	*faults.Transport
	confirmations *leadershipConfirmations
}

var (
	_ raft.Transport   = transport{}
	_ raft.WithPreVote = transport{}
	_ raft.WithClose   = transport{}
)

// AppendEntries sends entries or a heartbeat. Who answers in the same term takes
// the sender for the leader, even if the entries do not fit its log.
func (t transport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	request := t.confirmations.nextRequest()
	err := t.Transport.AppendEntries(id, target, args, resp)
	if err == nil && resp.Term == args.Term {
		t.confirmations.confirm(id, request)
	}
	return err
}
