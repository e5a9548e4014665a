package tcp_test

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"capsize/faults"
	"capsize/faults/tcp"

	"github.com/hashicorp/raft"
)

// Whatever fails, the tap gets every message as sent and then once as delivered or lost, no reply
// without its request, and every link in the order of its connections; and nothing is left running.
func TestEveryMessageHasOneFate(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{Seed: 1, Latency: time.Millisecond, Jitter: time.Millisecond})
	names := []raft.ServerAddress{"n1", "n2", "n3"}
	for _, name := range names {
		r.start(name, 20*time.Millisecond)
	}
	var done atomic.Bool
	var running sync.WaitGroup
	for i, from := range names {
		running.Go(func() { chatter(r, from, names[(i+1)%3], &done) })
		running.Go(func() { stream(r, from, names[(i+2)%3], &done) })
	}
	rng := rand.New(rand.NewPCG(2, 3))
	for range 150 {
		meddle(r, rng, names)
		before := len(r.reports())
		r.waitFor("traffic", func() bool { return len(r.reported) > before })
	}
	done.Store(true)
	running.Wait()
	r.Close()
	checkFates(t, r.reports())
}

// node returns the node of a name, nil if it is down.
func (r *rig) node(name raft.ServerAddress) *node {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.nodes[name]
}

// chatter makes single RPCs.
func chatter(r *rig, from, to raft.ServerAddress, done *atomic.Bool) {
	for !done.Load() {
		n := r.node(from)
		if n == nil {
			time.Sleep(time.Millisecond)
			continue
		}
		_ = n.vote(to)
		_ = n.AppendEntries("", to, heartbeat(n), &raft.AppendEntriesResponse{})
	}
}

// stream appends over pipelines.
func stream(r *rig, from, to raft.ServerAddress, done *atomic.Bool) {
	for !done.Load() {
		n := r.node(from)
		if n == nil {
			time.Sleep(time.Millisecond)
			continue
		}
		p, err := n.AppendEntriesPipeline("", to)
		if err != nil {
			continue
		}
		for range 5 {
			if _, err := p.AppendEntries(appendOf(n, 1, []byte("x")), &raft.AppendEntriesResponse{}); err != nil {
				break
			}
		}
		_ = p.Close()
	}
}

// meddle sets or clears a fault, or kills or starts a node.
func meddle(r *rig, rng *rand.Rand, names []raft.ServerAddress) {
	all := []faults.LinkFault{
		faults.Cut{},
		faults.Refuse{},
		faults.Jam{},
		faults.Delay{Mean: 5 * time.Millisecond, Jitter: 5 * time.Millisecond},
		faults.Bandwidth{BytesPerSecond: 100_000},
		faults.Only(faults.Cut{}, faults.KindVote), faults.Only(faults.Jam{}, faults.KindHeartbeat),
	}
	from := names[rng.IntN(3)]
	to := names[(rng.IntN(2)+1+int(from[1]-'1'))%3]
	switch f := all[rng.IntN(len(all))]; rng.IntN(8) {
	case 0, 1, 2:
		r.SetFault(from, to, f)
	case 3:
		if n := r.node(from); n != nil {
			n.kill()
		}
	default:
		for _, f := range r.Faults(from, to) {
			r.ClearFault(from, to, f.Name())
		}
		if r.node(from) == nil {
			r.start(from, 20*time.Millisecond)
		}
	}
}

// checkFates checks what the tap has got of a proxy that is closed.
func checkFates(t *testing.T, all []report) {
	t.Helper()
	type state struct{ sent, ended bool }
	packets, delivered := map[uint64]state{}, map[uint64]bool{}
	counts := map[string]int{}
	for _, p := range all {
		s := packets[p.ID]
		if isSent := p.Status == faults.Sent; isSent == s.sent || s.ended {
			t.Fatalf("%+v after %+v", p, s)
		}
		if p.Status == faults.Sent && p.Reply && !delivered[p.RPC] {
			t.Fatalf("a reply to a request that has not arrived: %+v", p)
		}
		if p.Status == faults.Delivered && !p.Reply {
			delivered[p.RPC] = true
		}
		packets[p.ID] = state{sent: true, ended: p.Status != faults.Sent}
		counts[p.Status.String()+" "+p.Why]++
	}
	for id, s := range packets {
		if !s.ended {
			t.Errorf("packet %d has no fate", id)
		}
	}
	t.Logf("%d packets: %v", len(packets), counts)
}
