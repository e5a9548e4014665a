package cluster

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/hashicorp/raft"
)

// FireElection makes the election timer of a follower or a candidate fire now, and no other timer.
// It takes a few nanoseconds of virtual time. The error says why the node has no such timer.
//
// For that long the node's timeout is next to nothing, as on a clock that runs very fast: raft
// itself finds that it has heard nothing for longer than that.
func (c *Inside) FireElection(name string) error {
	p, r, err := c.raftOf(name)
	if err != nil {
		return err
	}
	switch {
	case r.State() == raft.Leader:
		return fmt.Errorf("%s leads: a leader has no election timer", name)
	case !isVoter(r, name):
		return fmt.Errorf("%s is not a voter: it starts no election", name)
	}
	before := p.startCampaignByHand()
	err = p.shorten(r, func() bool { return p.campaigns() > before })
	p.mu.Lock()
	p.why.byHand = false
	p.mu.Unlock()
	c.Settle() // all of its requests are sent
	return err
}

// startCampaignByHand notes that a user fires the election timer, and returns how many elections
// the node has started before.
func (p *process) startCampaignByHand() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.why.byHand = true
	return p.why.campaigns
}

func (p *process) campaigns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why.campaigns
}

// A fired timer is set to between firedTimeout and twice as much (raft.go, randomTimeout). An
// election that starts in the meantime sets another such timer, so shorten looks every firedPoll:
// it must restore the timeout before that one fires.
const (
	firedTimeout = 2 * time.Nanosecond
	firedPoll    = time.Nanosecond
	firedMax     = 20 * time.Nanosecond
)

// shorten shortens the timeout that the node waits for, until it has started an election.
func (p *process) shorten(r *raft.Raft, started func() bool) error {
	conf, err := liveConfig(r)
	if err != nil {
		return err
	}
	wake, err := liveChannel(r, "followerNotifyCh")
	if err != nil {
		return err
	}
	candidate := r.State() == raft.Candidate
	p.setTimeouts(conf, func(live *raft.Config) {
		if candidate {
			live.ElectionTimeout = firedTimeout
		} else {
			live.HeartbeatTimeout = firedTimeout
		}
	})
	notify(wake)
	for waited := time.Duration(0); !started() && waited < firedMax && !p.c.Closed(); waited += firedPoll {
		p.c.Sleep(firedPoll)
	}
	p.setTimeouts(conf, func(live *raft.Config) {
		t := p.timeouts()
		live.HeartbeatTimeout, live.ElectionTimeout = t.heartbeat, t.election
	})
	if r.State() != raft.Follower {
		notify(wake) // a candidate draws its next timeout again
	}
	if beat, err := liveChannel(r, "leaderNotifyCh"); err == nil {
		notify(beat) // so does a leader that is elected already
	}
	if !started() {
		return fmt.Errorf("%s does not start an election: its raft is busy", p.node.name)
	}
	return nil
}

// setTimeouts changes a live configuration. It never waits while it holds the lock of reloads.
func (p *process) setTimeouts(conf *atomic.Value, change func(*raft.Config)) {
	p.node.reloading.Lock()
	defer p.node.reloading.Unlock()
	live := conf.Load().(raft.Config)
	change(&live)
	conf.Store(live)
}

// FireHeartbeat makes a leader send its next heartbeats now. A follower whose last heartbeat has
// not been answered gets none.
func (c *Inside) FireHeartbeat(name string) error {
	_, r, err := c.leaderAt(name, "sends heartbeats")
	if err != nil {
		return err
	}
	wake, err := liveChannel(r, "leaderNotifyCh")
	if err != nil {
		return err
	}
	notify(wake)
	c.Settle()
	return nil
}

// leaseCheck is how long after the end of a lease raft may look at it (raft.go, minCheckInterval),
// twice.
const leaseCheck = 20 * time.Millisecond

// FireLease lets time pass until a leader steps down because it has lost contact with its quorum:
// at most its lease. The election timers of all other nodes are put off meanwhile. The error says
// that a quorum has replied in time.
func (c *Inside) FireLease(name string) error {
	p, r, err := c.leaderAt(name, "has a lease")
	if err != nil {
		return err
	}
	limit := p.timeouts().lease + leaseCheck
	restore := c.putOffElections(name, limit)
	defer restore()
	for end := c.Now() + limit; r.State() == raft.Leader && c.Now() < end && !c.Closed(); {
		c.Sleep(time.Millisecond)
	}
	if r.State() == raft.Leader {
		return fmt.Errorf("%s keeps its lease: a quorum has replied within %s", name, p.timeouts().lease)
	}
	return nil
}

// putOffElections makes the followers other than one tolerate a longer silence, until restore is
// called.
func (c *Inside) putOffElections(except string, by time.Duration) (restore func()) {
	change := func(by time.Duration) {
		for _, n := range c.allNodes() {
			p := n.running()
			if p == nil || n.name == except {
				continue
			}
			r := p.raft.Load()
			if r == nil {
				continue
			}
			if conf, err := liveConfig(r); err == nil {
				p.setTimeouts(conf, func(live *raft.Config) {
					live.HeartbeatTimeout = p.timeouts().heartbeat + by
				})
			}
		}
	}
	change(by)
	return func() { change(0) }
}

// leaderAt returns a node that leads. The error says that only a leader does that.
func (c *Inside) leaderAt(name, does string) (*process, *raft.Raft, error) {
	p, r, err := c.raftOf(name)
	if err == nil && r.State() != raft.Leader {
		err = fmt.Errorf("%s does not lead: only a leader %s", name, does)
	}
	return p, r, err
}

// raftOf returns the running raft of a node.
func (c *Inside) raftOf(name string) (*process, *raft.Raft, error) {
	n, err := c.node(name)
	if err != nil {
		return nil, nil, err
	}
	if p := n.running(); p != nil {
		if r := p.raft.Load(); r != nil {
			return p, r, nil
		}
	}
	return nil, nil, fmt.Errorf("%s is down: its timers do not run; restart it first", name)
}

// isVoter reports whether a node is a voter in its own configuration.
func isVoter(r *raft.Raft, name string) bool {
	future := r.GetConfiguration() // answered at once
	return future.Error() == nil && slices.ContainsFunc(future.Configuration().Servers, func(s raft.Server) bool {
		return string(s.ID) == name && s.Suffrage == raft.Voter
	})
}

// liveChannel returns one of the channels by which raft tells its main loop that its timeouts have
// changed (raft.go; api.go, ReloadConfig). ReloadConfig itself accepts no timeout as short as a
// timer that fires at once, so the channel is used in the same way: a value is put into it without
// waiting.
func liveChannel(r *raft.Raft, name string) (chan struct{}, error) {
	field := reflect.ValueOf(r).Elem().FieldByName(name)
	if !field.IsValid() || field.Type() != reflect.TypeFor[chan struct{}]() {
		return nil, errors.New("cannot fire a timer of this version of hashicorp/raft: it is woken in an unknown way")
	}
	return *(*chan struct{})(unsafe.Pointer(field.UnsafeAddr())), nil
}

// notify is raft's asyncNotifyCh (util.go).
func notify(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
