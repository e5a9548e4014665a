package cluster

import (
	"errors"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
)

// TestTransferByALeaderThatIsCutOffIsNotDone asks an isolated leader for a transfer. Raft reports
// success when the leader's lease runs out.
func TestTransferByALeaderThatIsCutOffIsNotDone(t *testing.T) {
	for _, plain := range []bool{false, true} {
		for _, behind := range []bool{false, true} {
			tc := open(t, 3)
			tc.pass(time.Second) // all have the leader's first entry
			leader, to := tc.leaderName(), tc.followers()[0]
			if plain {
				to = ""
			}
			tc.must(func() error { return tc.Isolate(leader) })
			if behind { // raft brings the target up to date before it tells it to start an election
				for _, name := range tc.followers() {
					tc.must(func() error { return tc.SetLink(leader, name, faults.Cut{}) })
				}
				tc.inBubble(func() { tc.bubble.Go(func() { tc.Add(1, RouteLeader) }) })
				tc.pass(retryEvery)
			}
			sent := false
			tc.Trace().Subscribe(func(e trace.Event) {
				sent = sent || e.Packet != nil && e.Packet.Kind == faults.KindTimeoutNow.String()
			})
			err := tc.do(func() error { return tc.Transfer(to) })
			if err == nil || !strings.Contains(err.Error(), leader+" lost leadership before the transfer finished") {
				t.Errorf("plain %t, behind %t: got %v", plain, behind, err)
			}
			if sent == behind || errors.Is(err, ErrUnknown) != sent {
				t.Errorf("plain %t, behind %t: TimeoutNow sent %t, got %v: want an unknown outcome if sent", plain, behind, sent, err)
			}
		}
	}
}

// A transfer that waits for its successor ends with the cluster, and does not keep it from ending.
func TestTransferEndsWithTheCluster(t *testing.T) {
	tc := open(t, 3)
	to := tc.followers()[0]
	for _, name := range []string{"n1", "n2", "n3"} { // it starts an election that it cannot win
		if name != to {
			tc.must(func() error {
				return tc.SetLink(to, name, faults.Only(faults.Cut{}, faults.KindVote, faults.KindPreVote))
			})
		}
	}
	tc.inBubble(func() { tc.bubble.Go(func() { _ = tc.Transfer(to) }) })
	tc.until(to+" is a candidate", func(s *trace.State) bool { return s.Node(to).Role == trace.Candidate })
	tc.pass(600 * time.Millisecond) // the leader gives up, and the transfer waits for its successor
}
