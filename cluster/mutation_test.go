package cluster

import (
	"math/rand/v2"
	"testing"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/counter"

	"github.com/hashicorp/raft"
)

// A check is worth having only if it detects bugs. Each mutation here breaks one part of
// a cluster of real nodes. The test injects faults that a correct cluster survives and
// expects the named check to report a violation.

// mutation breaks one part of the cluster.
type mutation struct {
	name   string
	check  string // the check that must report a violation
	tamper func(*raftDeps)
	change func(*Config)                // adjusts the configuration, nil for no change
	inject func(*testCluster, *nemesis) // runs one round of faults, nil for injectFault
}

// brokenFSM is a counter that applies replace's command instead of the one in the log.
type brokenFSM struct {
	*fsm
	replace func(counter.Command) counter.Command
}

func (m brokenFSM) Apply(log *raft.Log) any {
	command, err := counter.Decode(log.Data)
	if err != nil {
		return m.fsm.Apply(log)
	}
	changed := *log
	if changed.Data, err = m.replace(command).Encode(); err != nil {
		return err
	}
	return m.fsm.Apply(&changed)
}

// breakFSM replaces commands on every node's counter.
func breakFSM(instead func(counter.Command) counter.Command) func(*raftDeps) {
	return func(p *raftDeps) { p.fsm = brokenFSM{p.fsm.(*fsm), instead} }
}

// falseMatchTransport reports entries as stored on the follower without sending them.
type falseMatchTransport struct{ transport }

func (t falseMatchTransport) AppendEntries(
	id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse,
) error {
	if len(args.Entries) == 0 {
		return t.transport.AppendEntries(id, target, args, resp)
	}
	time.Sleep(time.Millisecond)
	last := args.Entries[len(args.Entries)-1].Index
	*resp = raft.AppendEntriesResponse{RPCHeader: args.RPCHeader, Term: args.Term, LastLog: last, Success: true}
	return nil
}

// voteForgettingStore stores votes but never returns one.
type voteForgettingStore struct{ raft.StableStore }

func (s voteForgettingStore) Get(key []byte) ([]byte, error) {
	if string(key) == keyLastVoteCand {
		return nil, nil
	}
	return s.StableStore.Get(key)
}

// lateVoteStore reports a vote as stored 20 ms before it stores it.
type lateVoteStore struct{ raft.StableStore }

func (s lateVoteStore) Set(key, value []byte) error {
	if string(key) != keyLastVoteCand {
		return s.StableStore.Set(key, value)
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		_ = s.StableStore.Set(key, value)
	}()
	return nil
}

// noVoteStore reports votes as stored and drops them.
type noVoteStore struct{ raft.StableStore }

func (s noVoteStore) Set(key, value []byte) error {
	if string(key) == keyLastVoteCand {
		return nil
	}
	return s.StableStore.Set(key, value)
}

// corruptingLog changes every 50th increment before it reaches the disk.
type corruptingLog struct{ raft.LogStore }

func (s corruptingLog) StoreLogs(logs []*raft.Log) error {
	changed := make([]*raft.Log, len(logs))
	for i, log := range logs {
		changed[i] = log
		if command, err := counter.Decode(log.Data); err == nil && log.Index%50 == 0 {
			wrong := *log
			command.Delta += 7
			if wrong.Data, err = command.Encode(); err != nil {
				return err
			}
			changed[i] = &wrong
		}
	}
	return s.LogStore.StoreLogs(changed)
}

// rewritingLog deletes its last entry and stores it again before an append at every 50th
// index, while its node leads.
type rewritingLog struct {
	raft.LogStore
	p *process
}

func (s rewritingLog) StoreLogs(logs []*raft.Log) error {
	if first := logs[0].Index; first%50 == 0 && s.p.raft.Load().State() == raft.Leader {
		var last raft.Log
		if err := s.GetLog(first-1, &last); err != nil {
			return err
		}
		if err := s.DeleteRange(first-1, first-1); err != nil {
			return err
		}
		logs = append([]*raft.Log{&last}, logs...)
	}
	return s.LogStore.StoreLogs(logs)
}

// splitVotes makes several nodes start elections at once: no pre-vote, high latency.
func splitVotes(cfg *Config) {
	cfg.Settings.PreVote, cfg.Settings.Latency = false, 200*time.Millisecond
}

var mutations = []mutation{
	{
		name: "counter applies a retry twice", check: check.ExactlyOnce,
		tamper: breakFSM(func(c counter.Command) counter.Command { c.Session = false; return c }),
	},
	{
		name: "counter doubles increments", check: check.ExactlyOnce,
		tamper: breakFSM(func(c counter.Command) counter.Command { c.Delta *= 2; return c }),
	},
	{
		name: "counter doubles increments", check: check.Linearizable,
		tamper: breakFSM(func(c counter.Command) counter.Command { c.Delta *= 2; return c }),
	},
	{
		name: "counter loses an increment", check: check.ExactlyOnce,
		tamper: breakFSM(func(c counter.Command) counter.Command {
			if c.Seq%50 == 0 {
				c.Delta = 0
			}
			return c
		}),
	},
	{
		name: "one counter differs from the others", check: check.StateMachineSafety,
		tamper: func(p *raftDeps) {
			if m := p.fsm.(*fsm); m.p.node.name == "n2" {
				p.fsm = brokenFSM{m, func(c counter.Command) counter.Command { c.Delta = min(c.Delta, 0); return c }}
			}
		},
	},
	{
		name: "store drops votes", check: check.VoteOnce,
		tamper: func(p *raftDeps) { p.stable = noVoteStore{p.stable} },
	},
	{
		name: "store writes a vote after it was sent", check: check.VoteOnce,
		tamper: func(p *raftDeps) { p.stable = lateVoteStore{p.stable} },
	},
	{
		name: "store forgets a vote", check: check.VoteOnce, change: splitVotes, inject: killLeaders,
		tamper: func(p *raftDeps) { p.stable = voteForgettingStore{p.stable} },
	},
	{
		name: "store forgets a vote", check: check.ElectionSafety, change: splitVotes, inject: killLeaders,
		tamper: func(p *raftDeps) { p.stable = voteForgettingStore{p.stable} },
	},
	{
		name: "transport reports a false match", check: check.AckedDurable, inject: killLeaders,
		tamper: func(p *raftDeps) { p.transport = falseMatchTransport{p.transport.(transport)} },
	},
	{
		name: "transport reports a false match", check: check.StateMachineSafety, inject: killLeaders,
		tamper: func(p *raftDeps) { p.transport = falseMatchTransport{p.transport.(transport)} },
	},
	{
		name: "log changes an entry", check: check.LogMatching,
		tamper: func(p *raftDeps) {
			if logs := p.logs.(logStore); logs.p.node.name == "n3" {
				p.logs = corruptingLog{logs}
			}
		},
	},
	{
		name: "leader rewrites its log", check: check.LeaderAppendOnly,
		tamper: func(p *raftDeps) { p.logs = rewritingLog{p.logs, p.logs.(logStore).p} },
	},
	{
		name: "disks lose synced entries", check: check.LeaderCompleteness, inject: forgetEntries,
	},
	{
		name: "disks lose synced entries", check: check.AckedDurable, inject: forgetEntries,
	},
}

// forgetEntries kills all nodes, deletes the last entries from their logs, and restarts
// the nodes.
func forgetEntries(tc *testCluster, n *nemesis) {
	for _, name := range tc.Names() {
		tc.must(func() error { return tc.Kill(name) })
	}
	for _, node := range tc.allNodes() {
		backend, closeDisk, err := node.storage.open()
		if err != nil {
			tc.t.Fatal(err)
		}
		last, _ := backend.Logs.LastIndex()
		first, _ := backend.Logs.FirstIndex()
		if last > first+5 {
			if err := backend.Logs.DeleteRange(last-3, last); err != nil {
				tc.t.Fatal(err)
			}
		}
		if err := closeDisk(); err != nil {
			tc.t.Fatal(err)
		}
	}
	for _, name := range tc.Names() {
		tc.must(func() error { return tc.Restart(name) })
	}
	tc.pass(time.Duration(5+n.rng.IntN(5)) * time.Second)
}

// killLeaders kills the leader after two seconds, waits five seconds for an election,
// and restarts the old leader.
func killLeaders(tc *testCluster, _ *nemesis) {
	tc.pass(2 * time.Second)
	state := tc.Trace().State()
	leader := state.LeaderNode()
	if leader == nil {
		return
	}
	tc.must(func() error { return tc.Kill(leader.ID) })
	tc.pass(5 * time.Second)
	tc.must(func() error { return tc.Restart(leader.ID) })
}

func TestChecksDetectMutations(t *testing.T) {
	const within = 20 * time.Minute
	for _, m := range mutations {
		t.Run(m.check+"/"+m.name, func(t *testing.T) {
			tc := open(t, 5, func(cfg *Config) {
				cfg.tamper = m.tamper
				if m.change != nil {
					m.change(cfg)
				}
			})
			seed := rand.Uint64()
			n := &nemesis{tc: tc, rng: rand.New(rand.NewPCG(seed, 0))}
			tc.must(func() error { return tc.Load(20, 5, RouteLeader) })
			inject := m.inject
			if inject == nil {
				inject = injectFault
			}
			for tc.clock.Now() < within {
				inject(tc, n)
				var found trace.Verdict
				tc.Trace().Read(func(s *trace.State) { found = s.Check(m.check).Verdict })
				if found == trace.VerdictViolated {
					break
				}
			}
			tc.AwaitVerdicts()
			state := tc.Trace().State()
			if found := state.Check(m.check); found.Verdict != trace.VerdictViolated {
				t.Errorf("seed %d: got verdict %s (%s) after %s, want %s",
					seed, found.Verdict, found.Text, within, trace.VerdictViolated)
			} else {
				t.Logf("at %.1fs: %s", found.At.Seconds(), found.Text)
			}
		})
	}
}
