package cluster

import (
	"testing"

	"capsize/cluster/trace"
)

func TestClusterReplicatesAndFailsOver(t *testing.T) {
	for _, storage := range []string{Memory, Bolt} {
		t.Run(storage, func(t *testing.T) {
			tc := open(t, 5, func(cfg *Config) { cfg.Settings.Storage = storage })
			for range 5 {
				if op := tc.add(1, RouteLeader); op.Outcome != trace.OK {
					tc.fatal("increment: got %+v, want outcome %s", op, trace.OK)
				}
			}
			tc.untilValue(5)
			before := tc.Trace().State()
			old := tc.leaderName()
			tc.must(func() error { return tc.Kill(old) })
			tc.untilValue(5)
			after := tc.Trace().State()
			if after.LeaderNode().ID == old || after.LeaderNode().Term <= before.LeaderNode().Term {
				tc.fatal("got leader %s of term %d after killing %s, want another leader with a term above %d",
					after.LeaderNode().ID, after.LeaderNode().Term, old, before.LeaderNode().Term)
			}
			tc.add(1, RouteLeader)
			tc.must(func() error { return tc.Restart(old) })
			tc.untilValue(6)
		})
	}
}
