package cluster

import (
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"capsize/counter"

	"github.com/hashicorp/raft"
)

// timePlainRaft is the baseline for a cluster. It runs n nodes of raft with raft's own
// stores and transport in a bare synctest bubble, under rate operations a second, for
// benchRound of virtual time, and returns the real time taken.
func timePlainRaft(tb testing.TB, n, rate int) time.Duration {
	tb.Helper()
	start := time.Now() // real time
	synctest.Test(new(testing.T), func(*testing.T) {
		end := time.Now().Add(benchRound) // virtual time
		nodes := openPlainRaft(tb, n)
		for leaderOf(nodes) == nil {
			time.Sleep(10 * time.Millisecond)
		}
		stop := make(chan struct{})
		if rate > 0 {
			plainLoad(nodes, rate, stop)
		}
		time.Sleep(time.Until(end) - 100*time.Millisecond)
		close(stop)
		time.Sleep(time.Until(end)) // lets the last operations finish
		for _, r := range nodes {
			if err := r.Shutdown().Error(); err != nil {
				tb.Error(err)
			}
		}
	})
	return time.Since(start)
}

// openPlainRaft starts n connected nodes of raft with raft's in-memory stores.
func openPlainRaft(tb testing.TB, n int) (nodes []*raft.Raft) {
	tb.Helper()
	var first raft.Configuration
	transports := map[raft.ServerAddress]*farTransport{}
	for i := range n {
		address, inmem := raft.NewInmemTransport(raft.ServerAddress(fmt.Sprintf("n%d", i+1)))
		transports[address] = &farTransport{InmemTransport: inmem, peers: transports}
		first.Servers = append(first.Servers, raft.Server{ID: raft.ServerID(address), Address: address})
	}
	for _, server := range first.Servers {
		transport := transports[server.Address]
		for address, other := range transports {
			transport.Connect(address, other.InmemTransport)
		}
		conf := raft.DefaultConfig()
		conf.LocalID, conf.LogOutput, conf.NoLegacyTelemetry = server.ID, io.Discard, true
		store := raft.NewInmemStore()
		snapshots := raft.NewInmemSnapshotStore()
		if err := raft.BootstrapCluster(conf, store, store, snapshots, transport, first); err != nil {
			tb.Fatal(err)
		}
		r, err := raft.NewRaft(conf, counter.New(), store, store, snapshots, transport)
		if err != nil {
			tb.Fatal(err)
		}
		nodes = append(nodes, r)
	}
	return nodes
}

// farTransport is raft's in-memory transport with the cluster's default latency and, like
// the cluster's, with raft's production paths: it hands heartbeats to their handler, and
// pipelines.
type farTransport struct {
	*raft.InmemTransport
	peers     map[raft.ServerAddress]*farTransport
	heartbeat func(raft.RPC)
}

// cross waits for the time that a message is on its way.
func cross() { time.Sleep(DefaultSettings().Latency) }

func (t *farTransport) SetHeartbeatHandler(handle func(raft.RPC)) { t.heartbeat = handle }

func (t *farTransport) AppendEntries(
	id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse,
) error {
	cross()
	defer cross()
	if args.PrevLogEntry > 0 || len(args.Entries) > 0 || args.LeaderCommitIndex > 0 {
		return t.InmemTransport.AppendEntries(id, target, args, resp)
	}
	reply := make(chan raft.RPCResponse, 1)
	t.peers[target].heartbeat(raft.RPC{Command: args, RespChan: reply})
	select {
	case answer := <-reply:
		*resp = *answer.Response.(*raft.AppendEntriesResponse)
		return answer.Error
	case <-time.After(time.Second): // the peer has shut down
		return raft.ErrRaftShutdown
	}
}

func (t *farTransport) RequestVote(
	id raft.ServerID, target raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse,
) error {
	cross()
	defer cross()
	return t.InmemTransport.RequestVote(id, target, args, resp)
}

func (t *farTransport) AppendEntriesPipeline(id raft.ServerID, target raft.ServerAddress) (raft.AppendPipeline, error) {
	inner, err := t.InmemTransport.AppendEntriesPipeline(id, target)
	if err != nil {
		return nil, err
	}
	p := &farPipeline{AppendPipeline: inner, arrived: make(chan raft.AppendFuture, 16), closed: make(chan struct{})}
	go p.bringBack()
	return p, nil
}

// farPipeline adds the latency to a pipeline: the sender spends that of a request, and a
// goroutine that of the reply.
type farPipeline struct {
	raft.AppendPipeline
	arrived chan raft.AppendFuture
	closed  chan struct{}
}

func (p *farPipeline) AppendEntries(args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) (raft.AppendFuture, error) {
	cross()
	return p.AppendPipeline.AppendEntries(args, resp)
}

func (p *farPipeline) Consumer() <-chan raft.AppendFuture { return p.arrived }

func (p *farPipeline) bringBack() {
	for {
		select {
		case future := <-p.AppendPipeline.Consumer():
			cross()
			select {
			case p.arrived <- future:
			case <-p.closed:
				return
			}
		case <-p.closed:
			return
		}
	}
}

func (p *farPipeline) Close() error {
	close(p.closed)
	return p.AppendPipeline.Close()
}

// plainLoad puts the benchmark load on plain raft. A read confirms the leader with
// VerifyLeader.
func plainLoad(nodes []*raft.Raft, rate int, stop chan struct{}) {
	var seqs [benchClients]uint64
	benchLoad(rate, stop, func(client int, read bool) {
		leader := leaderOf(nodes)
		if leader == nil {
			return
		}
		if read {
			_ = leader.VerifyLeader().Error()
			return
		}
		seqs[client]++
		command := counter.Command{
			Op: counter.OpAdd, Client: fmt.Sprintf("c%d", client+1), Seq: seqs[client], Session: true, Delta: 1,
		}
		data, err := command.Encode()
		if err != nil {
			panic(err)
		}
		_ = leader.Apply(data, time.Second).Error()
	})
}

// leaderOf returns the node that leads, nil without a leader.
func leaderOf(nodes []*raft.Raft) *raft.Raft {
	if i := slices.IndexFunc(nodes, func(r *raft.Raft) bool { return r.State() == raft.Leader }); i >= 0 {
		return nodes[i]
	}
	return nil
}
