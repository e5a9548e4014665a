package cluster

import (
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// leadershipConfirmations records which nodes confirmed a process's leadership, and with which
// request. Raft's VerifyLeader counts every reply as a confirmation, even to a heartbeat sent
// before the call (hashicorp/raft replication.go, notifyAll). On a slow return link, such a
// reply can be older than the election of another leader, and a read that relies on it is
// stale.
type leadershipConfirmations struct {
	mu       sync.Mutex
	sent     uint64                   // number of requests sent
	accepted map[raft.ServerID]uint64 // the latest request that each node accepted
	lease    lease
	handed   uint64 // number of TimeoutNow requests sent
}

// quorumSince reports whether a majority of the voters has accepted a request sent after
// request start. The leader itself counts.
func (c *leadershipConfirmations) quorumSince(start uint64, self raft.ServerID, members []raft.Server) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	confirmed, voters := countVoters(members, func(id raft.ServerID) bool { return id == self || c.accepted[id] > start })
	return confirmed > voters/2
}

// countVoters returns how many voters a configuration has, and how many of them match.
func countVoters(members []raft.Server, match func(raft.ServerID) bool) (matching, voters int) {
	for _, s := range members {
		if s.Suffrage != raft.Voter {
			continue
		}
		voters++
		if match(s.ID) {
			matching++
		}
	}
	return matching, voters
}

// lastSent returns the number of the latest request.
func (c *leadershipConfirmations) lastSent() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

// nextRequest counts a request and returns its number.
func (c *leadershipConfirmations) nextRequest() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent++
	return c.sent
}

// confirm records that a node accepted a request.
func (c *leadershipConfirmations) confirm(id raft.ServerID, request uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.accepted == nil {
		c.accepted = map[raft.ServerID]uint64{}
	}
	c.accepted[id] = max(c.accepted[id], request)
}

// handovers returns how many times the process has told a node to start an election.
func (c *leadershipConfirmations) handovers() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handed
}

// transport is a process's network endpoint. It records confirmations of leadership.
type transport struct {
	endpoint
	confirmations *leadershipConfirmations
}

var (
	_ raft.Transport   = transport{}
	_ raft.WithPreVote = transport{}
	_ raft.WithClose   = transport{}
)

// AppendEntries sends entries or a heartbeat. A node that replies in the same term accepts the
// sender as leader, even if the entries do not match its log.
func (t transport) AppendEntries(id raft.ServerID, target raft.ServerAddress,
	args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse,
) error {
	request, sent := t.confirmations.nextRequest(), time.Now()
	err := t.endpoint.AppendEntries(id, target, args, resp)
	if err == nil && resp.Term == args.Term {
		t.confirmations.confirm(id, request)
		t.confirmations.contact(id, args.Term, sent)
	}
	return err
}

// TimeoutNow tells a node to start an election at once, which ends the leader's lease.
func (t transport) TimeoutNow(id raft.ServerID, target raft.ServerAddress,
	args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse,
) error {
	t.confirmations.handOver()
	return t.endpoint.TimeoutNow(id, target, args, resp)
}
