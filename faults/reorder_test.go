package faults_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"capsize/faults"
)

// overtaken returns how many percent of n votes, one every gap, arrive after the next one.
func overtaken(t *testing.T, percent float64, n int, gap time.Duration) (share float64) {
	t.Helper()
	cfg := faults.NetworkConfig{Seed: 7, Latency: 5 * time.Millisecond, RPCTimeout: time.Second}
	inNetBubble(t, cfg, func(rig *netRig) {
		rig.SetFault("n1", "n2", faults.Reorder{Percent: percent})
		for term := range uint64(n) {
			go func() {
				req := &raft.RequestVoteRequest{Term: term}
				_ = rig.nodes["n1"].RequestVote("n2", "n2", req, &raft.RequestVoteResponse{})
			}()
			time.Sleep(gap)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		arrived := map[uint64]int{} // by term: the place in which it arrived
		for place, rpc := range rig.nodes["n2"].seen {
			arrived[rpc.Command.(*raft.RequestVoteRequest).Term] = place
		}
		if len(arrived) != n {
			rig.t.Fatalf("%d of %d votes have arrived", len(arrived), n)
		}
		count := 0
		for term := range uint64(n - 1) {
			if arrived[term] > arrived[term+1] {
				count++
			}
		}
		share = 100 * float64(count) / float64(n-1)
	})
	return share
}

func TestReorderOvertakesItsPercentage(t *testing.T) {
	for _, percent := range []float64{0, 10, 30, 50, 80, 100} {
		for _, gap := range []time.Duration{time.Millisecond, 20 * time.Millisecond} {
			share := overtaken(t, percent, 2000, gap)
			t.Logf("reorder %g%%, a message every %s: the next one overtakes %.1f%%", percent, gap, share)
			// What has waited for 200 ms arrives, together with those behind it: the last of
			// them is overtaken by none.
			least := percent * (1 - float64(gap)/float64(200*time.Millisecond))
			if share < least-3 || share > percent+3 {
				t.Errorf("reorder %g%%, a message every %s: the next one overtakes %.1f%%", percent, gap, share)
			}
		}
	}
}

// The packets of one connection keep their order, whatever is reordered.
func TestReorderKeepsTheOrderOfAConnection(t *testing.T) {
	cfg := faults.NetworkConfig{Seed: 7, Latency: 5 * time.Millisecond, RPCTimeout: time.Second}
	inNetBubble(t, cfg, func(rig *netRig) {
		rig.SetFault("n1", "n2", faults.Reorder{Percent: 60})
		pipeline, err := rig.nodes["n1"].AppendEntriesPipeline("n2", "n2")
		if err != nil {
			rig.t.Fatal(err)
		}
		done := make(chan struct{})
		defer close(done)
		go func() {
			for {
				select {
				case <-pipeline.Consumer(): // makes room for replies
				case <-done:
					return
				}
			}
		}()
		for i := range uint64(300) {
			if _, err := pipeline.AppendEntries(&raft.AppendEntriesRequest{Term: 1, PrevLogEntry: i + 1}, &raft.AppendEntriesResponse{}); err != nil {
				rig.t.Fatal(err)
			}
			go func() {
				_ = rig.nodes["n1"].RequestVote("n2", "n2", &raft.RequestVoteRequest{Term: i}, &raft.RequestVoteResponse{})
			}()
			time.Sleep(7 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		last, count := uint64(0), 0
		for _, rpc := range rig.nodes["n2"].seen {
			if req, ok := rpc.Command.(*raft.AppendEntriesRequest); ok {
				count++
				if req.PrevLogEntry <= last {
					rig.t.Fatalf("append %d arrives after %d", req.PrevLogEntry, last)
				}
				last = req.PrevLogEntry
			}
		}
		if count != 300 {
			rig.t.Errorf("%d of 300 appends have arrived", count)
		}
		_ = pipeline.Close()
	})
}
