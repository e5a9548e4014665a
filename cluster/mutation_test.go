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

// The checks are only worth something if they find what is broken. Each test here
// breaks one thing in a cluster of real nodes, does harm that a sound one survives,
// and wants the check that is named to find it.

// mutation is something that is broken.
type mutation struct {
	name   string
	check  string // that has to turn red
	tamper func(*raftDeps)
	change func(*Config)                // nil for none
	inject func(*testCluster, *nemesis) // one round of it; nil for the nemesis
}

// brokenFSM is a counter that is given other commands than those in the log.
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

// breakFSM has every counter take other commands for those in the log.
func breakFSM(instead func(counter.Command) counter.Command) func(*raftDeps) {
	return func(p *raftDeps) { p.fsm = brokenFSM{p.fsm.(*fsm), instead} }
}

// falseMatchTransport takes entries for stored that it never sent.
type falseMatchTransport struct{ transport }

func (t falseMatchTransport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if len(args.Entries) == 0 {
		return t.transport.AppendEntries(id, target, args, resp)
	}
	time.Sleep(time.Millisecond)
	last := args.Entries[len(args.Entries)-1].Index
	*resp = raft.AppendEntriesResponse{RPCHeader: args.RPCHeader, Term: args.Term, LastLog: last, Success: true}
	return nil
}

// voteForgettingStore is a store that has no vote when it is asked for one.
type voteForgettingStore struct{ raft.StableStore }

func (s voteForgettingStore) Get(key []byte) ([]byte, error) {
	if string(key) == keyLastVoteCand {
		return nil, nil
	}
	return s.StableStore.Get(key)
}

// lateVoteStore is a store that says a vote is stored before it is.
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

// noVoteStore is a store that keeps no vote at all.
type noVoteStore struct{ raft.StableStore }

func (s noVoteStore) Set(key, value []byte) error {
	if string(key) == keyLastVoteCand {
		return nil
	}
	return s.StableStore.Set(key, value)
}

// corruptingLog is a log that changes an entry on its way to the disk.
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

// rewritingLog is a log that takes its last entry back and stores it again, now and
// then while its node leads.
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

// splitVotes have several nodes stand for election at the same time.
func splitVotes(cfg *Config) {
	cfg.Settings.PreVote, cfg.Settings.Latency = false, 200*time.Millisecond
}

var mutations = []mutation{
	{
		name: "a counter that counts a retry again", check: check.ExactlyOnce,
		tamper: breakFSM(func(c counter.Command) counter.Command { c.Session = false; return c }),
	},
	{
		name: "a counter that applies an increment twice", check: check.ExactlyOnce,
		tamper: breakFSM(func(c counter.Command) counter.Command { c.Delta *= 2; return c }),
	},
	{
		name: "a counter that applies an increment twice, and the clients", check: check.Linearizable,
		tamper: breakFSM(func(c counter.Command) counter.Command { c.Delta *= 2; return c }),
	},
	{
		name: "a counter that loses an increment", check: check.ExactlyOnce,
		tamper: breakFSM(func(c counter.Command) counter.Command {
			if c.Seq%50 == 0 {
				c.Delta = 0
			}
			return c
		}),
	},
	{
		name: "one counter that is not as the others", check: check.StateMachineSafety,
		tamper: func(p *raftDeps) {
			if m := p.fsm.(*fsm); m.p.node.name == "n2" {
				p.fsm = brokenFSM{m, func(c counter.Command) counter.Command { c.Delta = min(c.Delta, 0); return c }}
			}
		},
	},
	{
		name: "a transport that grants votes that were never stored", check: check.VoteOnce,
		tamper: func(p *raftDeps) { p.stable = noVoteStore{p.stable} },
	},
	{
		name: "a store that stores a vote after it was sent", check: check.VoteOnce,
		tamper: func(p *raftDeps) { p.stable = lateVoteStore{p.stable} },
	},
	{
		name: "a store that forgets a vote", check: check.VoteOnce, change: splitVotes, inject: killLeaders,
		tamper: func(p *raftDeps) { p.stable = voteForgettingStore{p.stable} },
	},
	{
		name: "a store that forgets a vote, and the leaders", check: check.ElectionSafety, change: splitVotes, inject: killLeaders,
		tamper: func(p *raftDeps) { p.stable = voteForgettingStore{p.stable} },
	},
	{
		name: "a transport that reports a match that is not there", check: check.AckedDurable, inject: killLeaders,
		tamper: func(p *raftDeps) { p.transport = falseMatchTransport{p.transport.(transport)} },
	},
	{
		name: "a transport that reports a match, and the nodes", check: check.StateMachineSafety, inject: killLeaders,
		tamper: func(p *raftDeps) { p.transport = falseMatchTransport{p.transport.(transport)} },
	},
	{
		name: "a log that changes an entry", check: check.LogMatching,
		tamper: func(p *raftDeps) {
			if logs := p.logs.(logStore); logs.p.node.name == "n3" {
				p.logs = corruptingLog{logs}
			}
		},
	},
	{
		name: "a log that rewrites itself", check: check.LeaderAppendOnly,
		tamper: func(p *raftDeps) { p.logs = rewritingLog{p.logs, p.logs.(logStore).p} },
	},
	{
		name: "stores that forget a synced entry", check: check.LeaderCompleteness, inject: forgetEntries,
	},
	{
		name: "stores that forget a synced entry, and the clients", check: check.AckedDurable, inject: forgetEntries,
	},
}

// forgetEntries has all nodes go down at once, and their disks lose the last entries.
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

// killLeaders kills the leader after a while, lets another be elected, and brings
// the old one back.
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
			harm := m.inject
			if harm == nil {
				harm = injectFault
			}
			for tc.clock.Now() < within {
				harm(tc, n)
				var found trace.Verdict
				tc.Trace().Read(func(s *trace.State) { found = s.Check(m.check).Verdict })
				if found == trace.VerdictViolated {
					break
				}
			}
			tc.AwaitVerdicts()
			state := tc.Trace().State()
			if found := state.Check(m.check); found.Verdict != trace.VerdictViolated {
				t.Errorf("seed %d: nothing found in %s: %s %s", seed, within, found.Verdict, found.Text)
			} else {
				t.Logf("at %.1fs: %s", found.At.Seconds(), found.Text)
			}
		})
	}
}
