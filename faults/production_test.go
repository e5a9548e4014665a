package faults_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"capsize/faults"
	"capsize/faults/wiretest"

	"github.com/hashicorp/raft"
)

// joins are the two ways to join the nodes of a test: this package's Network, and raft's
// own transport. Where production matters, both must do the same.
var joins = map[string]func(timeout time.Duration, nodes int) joined{
	"network": func(timeout time.Duration, nodes int) joined {
		n := faults.NewNetwork(faults.NetworkConfig{RPCTimeout: timeout, MaxRPCsInFlight: raft.DefaultMaxRPCsInFlight})
		j := joined{cut: func() { n.Cut(faults.Isolate(netAddrs(nodes), netAddrs(nodes)...)) }, heal: n.HealAll, close: n.Close}
		for _, addr := range netAddrs(nodes) {
			j.transports = append(j.transports, n.Transport(addr))
		}
		return j
	},
	"raft's own": func(timeout time.Duration, nodes int) joined {
		w := wiretest.New(0)
		j := joined{cut: func() { w.SetCut(true) }, heal: func() { w.SetCut(false) }}
		var closers []func() error
		for _, addr := range netAddrs(nodes) {
			t := w.Transport(addr, timeout)
			j.transports, closers = append(j.transports, t), append(closers, t.Close)
		}
		j.close = func() {
			for _, f := range closers {
				_ = f()
			}
		}
		return j
	},
}

// joined is the nodes' transports and what can happen to all links at once, in one test.
type joined struct {
	t                *testing.T
	transports       []raft.Transport
	cut, heal, close func()
}

// inBothJoins runs f in virtual time with each of the joins.
func inBothJoins(t *testing.T, timeout time.Duration, nodes int, f func(j joined)) {
	t.Helper()
	for name, join := range joins {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := join(timeout, nodes)
				j.t = t
				defer j.close()
				f(j)
			})
		})
	}
}

// answerAfter serves a transport's requests, each after a time, until stop is closed.
func answerAfter(t raft.Transport, d time.Duration, stop <-chan struct{}) {
	for {
		select {
		case rpc := <-t.Consumer():
			time.Sleep(d)
			rpc.Respond(netAnswer(rpc.Command))
		case <-stop:
			return
		}
	}
}

// appendRequest returns a request that its index identifies.
func appendRequest(index uint64) *raft.AppendEntriesRequest {
	return &raft.AppendEntriesRequest{RPCHeader: raft.RPCHeader{Addr: []byte("n1")}, Term: 1, PrevLogEntry: index}
}

func openPipeline(t *testing.T, from raft.Transport) raft.AppendPipeline {
	t.Helper()
	p, err := from.AppendEntriesPipeline("n2", "n2")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The server handles one request of a connection at a time, and the client sends two before
// it waits.
func TestPipelineKeepsOrderAndBoundsWhatIsInFlight(t *testing.T) {
	inBothJoins(t, time.Second, 2, func(j joined) {
		stop := make(chan struct{})
		defer close(stop)
		go answerAfter(j.transports[1], 100*time.Millisecond, stop)
		p := openPipeline(j.t, j.transports[0])
		defer func() { _ = p.Close() }()
		start := time.Now()
		var sent, answered []time.Duration
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 4 {
				future := <-p.Consumer()
				if err := future.Error(); err != nil || future.Response().LastLog != uint64(i+1) || future.Request().PrevLogEntry != uint64(i+1) {
					j.t.Errorf("reply %d: %+v, %v", i+1, future.Response(), err)
				}
				answered = append(answered, time.Since(start))
			}
		}()
		for i := range uint64(4) {
			if _, err := p.AppendEntries(appendRequest(i+1), new(raft.AppendEntriesResponse)); err != nil {
				j.t.Fatal(err)
			}
			sent = append(sent, time.Since(start))
		}
		<-done
		const ms = time.Millisecond
		if want := []time.Duration{0, 100 * ms, 200 * ms, 300 * ms}; !slices.Equal(sent, want) {
			j.t.Errorf("handed over at %v, want %v", sent, want)
		}
		if want := []time.Duration{100 * ms, 200 * ms, 300 * ms, 400 * ms}; !slices.Equal(answered, want) {
			j.t.Errorf("answered at %v, want %v", answered, want)
		}
	})
}

func TestBlackHoleBreaksAPipelineAtItsReadDeadline(t *testing.T) {
	inBothJoins(t, time.Second, 2, func(j joined) {
		stop := make(chan struct{})
		defer close(stop)
		go answerAfter(j.transports[1], 0, stop)
		p := openPipeline(j.t, j.transports[0])
		defer func() { _ = p.Close() }()
		send := func(index uint64) error {
			_, err := p.AppendEntries(appendRequest(index), new(raft.AppendEntriesResponse))
			return err
		}
		if err := send(1); err != nil || (<-p.Consumer()).Error() != nil {
			j.t.Fatalf("before the cut: %v", err)
		}
		j.cut()
		start := time.Now()
		second := make(chan error, 1)
		if err := send(2); err != nil {
			j.t.Fatalf("sending into the black hole: %v", err)
		}
		go func() { second <- send(3) }()
		var ends []time.Duration
		for range 2 {
			if future := <-p.Consumer(); future.Error() == nil || future.Response().Success {
				j.t.Errorf("request %d got the reply %+v", future.Request().PrevLogEntry, future.Response())
			}
			ends = append(ends, time.Since(start))
		}
		if err := <-second; err != nil {
			j.t.Errorf("second request: %v", err)
		}
		if want := []time.Duration{time.Second, time.Second}; !slices.Equal(ends, want) {
			j.t.Errorf("what was in flight failed after %v, want %v", ends, want)
		}
		j.heal()
		if err := send(4); err == nil {
			j.t.Error("a broken pipeline took a request")
		}
	})
}

// A sender waits for its turn as long as nobody takes the replies. The RPC timeout of its
// request starts after that.
func TestRequestsWaitUntilRepliesAreTaken(t *testing.T) {
	inBothJoins(t, time.Second, 2, func(j joined) {
		stop := make(chan struct{})
		defer close(stop)
		go answerAfter(j.transports[1], 700*time.Millisecond, stop)
		p := openPipeline(j.t, j.transports[0])
		defer func() { _ = p.Close() }()
		sent := make(chan error, 2)
		go func() {
			for i := range uint64(2) {
				_, err := p.AppendEntries(appendRequest(i+1), new(raft.AppendEntriesResponse))
				sent <- err
			}
		}()
		time.Sleep(3 * time.Second)
		if len(sent) != 1 {
			j.t.Errorf("%d requests were handed over, want 1", len(sent))
		}
		for i := range 2 {
			if err := errors.Join((<-p.Consumer()).Error(), <-sent); err != nil {
				j.t.Errorf("request %d: %v", i+1, err)
			}
		}
	})
}

func TestPipelineEndsWithTheProcessAtItsOtherEnd(t *testing.T) {
	inBothJoins(t, time.Second, 2, func(j joined) {
		p := openPipeline(j.t, j.transports[0])
		defer func() { _ = p.Close() }()
		if _, err := p.AppendEntries(appendRequest(1), new(raft.AppendEntriesResponse)); err != nil {
			j.t.Fatal(err)
		}
		<-j.transports[1].Consumer()
		start := time.Now()
		_ = j.transports[1].(raft.WithClose).Close()
		if err := (<-p.Consumer()).Error(); err == nil || time.Since(start) != 0 {
			j.t.Errorf("request to a dead process ended with %v after %v, want an error at once", err, time.Since(start))
		}
	})
}

func TestClosingAPipelineFailsWhatIsInFlight(t *testing.T) {
	inBothJoins(t, time.Second, 2, func(j joined) {
		p := openPipeline(j.t, j.transports[0])
		first, err := p.AppendEntries(appendRequest(1), new(raft.AppendEntriesResponse))
		if err != nil {
			j.t.Fatal(err)
		}
		second := make(chan error, 1)
		go func() {
			_, err := p.AppendEntries(appendRequest(2), new(raft.AppendEntriesResponse))
			second <- err
		}()
		synctest.Wait()
		start := time.Now()
		_ = p.Close()
		if err := <-second; !errors.Is(err, raft.ErrPipelineShutdown) {
			j.t.Errorf("request that waited: %v, want ErrPipelineShutdown", err)
		}
		if err := first.Error(); err == nil || time.Since(start) != 0 {
			j.t.Errorf("request in flight: %v after %v, want an error at once", err, time.Since(start))
		}
	})
}

// A heartbeat passes the requests before it, whatever the main loop is busy with.
func TestHeartbeatTakesTheFastPath(t *testing.T) {
	inBothJoins(t, time.Second, 2, func(j joined) {
		beats := 0
		j.transports[1].SetHeartbeatHandler(func(rpc raft.RPC) {
			beats++
			rpc.Respond(netAnswer(rpc.Command))
		})
		send := func(request *raft.AppendEntriesRequest) error {
			return j.transports[0].AppendEntries("n2", "n2", request, new(raft.AppendEntriesResponse))
		}
		beat := raft.AppendEntriesRequest{RPCHeader: raft.RPCHeader{Addr: []byte("n1")}, Term: 1}
		if err := send(&beat); err != nil || beats != 1 {
			j.t.Errorf("heartbeat: %v, %d handled", err, beats)
		}
		// What lacks a term, or a leader, or carries anything else, is not one.
		for i, change := range []func(*raft.AppendEntriesRequest){
			func(r *raft.AppendEntriesRequest) { r.Term = 0 },
			func(r *raft.AppendEntriesRequest) { r.Addr = nil },
			func(r *raft.AppendEntriesRequest) { r.PrevLogEntry = 1 },
			func(r *raft.AppendEntriesRequest) { r.PrevLogTerm = 1 },
			func(r *raft.AppendEntriesRequest) { r.LeaderCommitIndex = 1 },
			func(r *raft.AppendEntriesRequest) { r.Entries = []*raft.Log{{Index: 1}} },
		} {
			request := beat
			change(&request)
			result := make(chan error, 1)
			go func() { result <- send(&request) }()
			rpc := <-j.transports[1].Consumer()
			rpc.Respond(netAnswer(rpc.Command))
			if err := <-result; err != nil || beats != 1 {
				j.t.Errorf("request %d: %v, %d heartbeats", i, err, beats)
			}
		}
	})
}

// slowStore is a log store with slow writes.
type slowStore struct {
	*raft.InmemStore
	takes atomic.Int64 // time per write, in nanoseconds
}

func (s *slowStore) StoreLogs(logs []*raft.Log) error {
	time.Sleep(time.Duration(s.takes.Load()))
	return s.InmemStore.StoreLogs(logs)
}

func (s *slowStore) StoreLog(log *raft.Log) error { return s.StoreLogs([]*raft.Log{log}) }

// Followers with slow or hung disks do not depose their leader. With slow ones it still
// commits.
func TestSlowFollowersKeepTheirLeader(t *testing.T) {
	for disk, takes := range map[string]time.Duration{"slow": 700 * time.Millisecond, "hung": time.Hour} {
		t.Run(disk, func(t *testing.T) {
			inBothJoins(t, 5*time.Second, 3, func(j joined) {
				var stores []*slowStore
				nodes, elections := startNetRaftsOver(j.t, j.transports, func(s *raft.InmemStore) raft.LogStore {
					stores = append(stores, &slowStore{InmemStore: s})
					return stores[len(stores)-1]
				})
				leader := (<-elections).Raft
				if err := leader.Barrier(time.Second).Error(); err != nil {
					j.t.Fatal(err)
				}
				before := leader.CurrentTerm()
				for i, r := range nodes {
					if r != leader {
						stores[i].takes.Store(int64(takes))
					}
				}
				answered := make(chan error, 17)
				for range cap(answered) {
					go func() { answered <- leader.Apply([]byte("increment"), time.Second).Error() }()
					time.Sleep(time.Second)
				}
				time.Sleep(5 * time.Second)
				if leader.State() != raft.Leader || leader.CurrentTerm() != before {
					j.t.Errorf("the leader of term %d is now a %s in term %d", before, leader.State(), leader.CurrentTerm())
				}
				if disk == "slow" && len(answered) != cap(answered) {
					j.t.Errorf("%d of %d writes were answered", len(answered), cap(answered))
				}
				for range len(answered) {
					if err := <-answered; err != nil {
						j.t.Errorf("a write failed: %v", err)
					}
				}
				for _, s := range stores {
					s.takes.Store(0)
				}
			})
		})
	}
}

// A leader behind a black hole steps down after its lease. Where the RPC timeout is shorter
// than the lease, raft counts the request of a pipeline that times out as contact
// (replication.go, pipelineDecode), so the leader stays that much longer.
func TestCutLeaderStepsDownAsOverRaftsOwnTransport(t *testing.T) {
	const (
		lease  = 500 * time.Millisecond // raft.DefaultConfig
		resend = 100 * time.Millisecond // the longest pause between two requests, raft.DefaultConfig().CommitTimeout twice
		slack  = 50 * time.Millisecond
	)
	for _, test := range []struct{ timeout, least, most time.Duration }{
		{2 * time.Second, lease - resend - slack, lease + slack},
		{400 * time.Millisecond, lease + 400*time.Millisecond, lease + 400*time.Millisecond + resend + slack},
		{100 * time.Millisecond, lease + 100*time.Millisecond, lease + 100*time.Millisecond + resend + slack},
	} {
		t.Run(test.timeout.String(), func(t *testing.T) {
			inBothJoins(t, test.timeout, 3, func(j joined) {
				_, elections := startNetRafts(j.t, j.transports)
				leader := (<-elections).Raft
				if err := leader.Barrier(time.Second).Error(); err != nil {
					j.t.Fatal(err)
				}
				time.Sleep(time.Second)
				j.cut()
				start := time.Now()
				for leader.State() == raft.Leader {
					time.Sleep(time.Millisecond)
				}
				if took := time.Since(start); took < test.least || took > test.most {
					j.t.Errorf("stepped down after %v, want %v to %v", took, test.least, test.most)
				}
				j.heal()
			})
		})
	}
}
