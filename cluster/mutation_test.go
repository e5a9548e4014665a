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
	change func(*Config)          // nil for none
	harm   func(*world, *nemesis) // one round of it; nil for the nemesis
}

// brokenMachine is a counter that is given other commands than those in the log.
type brokenMachine struct {
	*fsm
	instead func(counter.Command) counter.Command
}

func (m brokenMachine) Apply(log *raft.Log) any {
	command, err := counter.Decode(log.Data)
	if err != nil {
		return m.fsm.Apply(log)
	}
	changed := *log
	if changed.Data, err = m.instead(command).Encode(); err != nil {
		return err
	}
	return m.fsm.Apply(&changed)
}

// breakMachine has every counter take other commands for those in the log.
func breakMachine(instead func(counter.Command) counter.Command) func(*raftDeps) {
	return func(p *raftDeps) { p.fsm = brokenMachine{p.fsm.(*fsm), instead} }
}

// hopefulTransport takes entries for stored that it never sent.
type hopefulTransport struct{ transport }

func (t hopefulTransport) AppendEntries(id raft.ServerID, target raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if len(args.Entries) == 0 {
		return t.transport.AppendEntries(id, target, args, resp)
	}
	time.Sleep(time.Millisecond)
	last := args.Entries[len(args.Entries)-1].Index
	*resp = raft.AppendEntriesResponse{RPCHeader: args.RPCHeader, Term: args.Term, LastLog: last, Success: true}
	return nil
}

// forgetfulVotes is a store that has no vote when it is asked for one.
type forgetfulVotes struct{ raft.StableStore }

func (s forgetfulVotes) Get(key []byte) ([]byte, error) {
	if string(key) == keyLastVoteCand {
		return nil, nil
	}
	return s.StableStore.Get(key)
}

// lazyVotes is a store that says a vote is stored before it is.
type lazyVotes struct{ raft.StableStore }

func (s lazyVotes) Set(key, value []byte) error {
	if string(key) != keyLastVoteCand {
		return s.StableStore.Set(key, value)
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		_ = s.StableStore.Set(key, value)
	}()
	return nil
}

// secretVotes is a store that keeps no vote at all.
type secretVotes struct{ raft.StableStore }

func (s secretVotes) Set(key, value []byte) error {
	if string(key) == keyLastVoteCand {
		return nil
	}
	return s.StableStore.Set(key, value)
}

// wrongLog is a log that changes an entry on its way to the disk.
type wrongLog struct{ raft.LogStore }

func (s wrongLog) StoreLogs(logs []*raft.Log) error {
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

// rewrittenLog is a log that takes its last entry back and stores it again, now and
// then while its node leads.
type rewrittenLog struct {
	raft.LogStore
	p *process
}

func (s rewrittenLog) StoreLogs(logs []*raft.Log) error {
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

// duels have several nodes stand for election at the same time.
func duels(cfg *Config) {
	cfg.Settings.PreVote, cfg.Settings.Latency = false, 200*time.Millisecond
}

var mutations = []mutation{
	{
		name: "a counter that counts a retry again", check: check.ExactlyOnce,
		tamper: breakMachine(func(c counter.Command) counter.Command { c.Session = false; return c }),
	},
	{
		name: "a counter that applies an increment twice", check: check.ExactlyOnce,
		tamper: breakMachine(func(c counter.Command) counter.Command { c.Delta *= 2; return c }),
	},
	{
		name: "a counter that applies an increment twice, and the clients", check: check.Linearizable,
		tamper: breakMachine(func(c counter.Command) counter.Command { c.Delta *= 2; return c }),
	},
	{
		name: "a counter that loses an increment", check: check.ExactlyOnce,
		tamper: breakMachine(func(c counter.Command) counter.Command {
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
				p.fsm = brokenMachine{m, func(c counter.Command) counter.Command { c.Delta = min(c.Delta, 0); return c }}
			}
		},
	},
	{
		name: "a transport that grants votes that were never stored", check: check.VoteOnce,
		tamper: func(p *raftDeps) { p.stable = secretVotes{p.stable} },
	},
	{
		name: "a store that stores a vote after it was sent", check: check.VoteOnce,
		tamper: func(p *raftDeps) { p.stable = lazyVotes{p.stable} },
	},
	{
		name: "a store that forgets a vote", check: check.VoteOnce, change: duels, harm: killLeaders,
		tamper: func(p *raftDeps) { p.stable = forgetfulVotes{p.stable} },
	},
	{
		name: "a store that forgets a vote, and the leaders", check: check.ElectionSafety, change: duels, harm: killLeaders,
		tamper: func(p *raftDeps) { p.stable = forgetfulVotes{p.stable} },
	},
	{
		name: "a transport that reports a match that is not there", check: check.AckedDurable, harm: killLeaders,
		tamper: func(p *raftDeps) { p.transport = hopefulTransport{p.transport.(transport)} },
	},
	{
		name: "a transport that reports a match, and the nodes", check: check.StateMachineSafety, harm: killLeaders,
		tamper: func(p *raftDeps) { p.transport = hopefulTransport{p.transport.(transport)} },
	},
	{
		name: "a log that changes an entry", check: check.LogMatching,
		tamper: func(p *raftDeps) {
			if logs := p.logs.(logStore); logs.p.node.name == "n3" {
				p.logs = wrongLog{logs}
			}
		},
	},
	{
		name: "a log that rewrites itself", check: check.LeaderAppendOnly,
		tamper: func(p *raftDeps) { p.logs = rewrittenLog{p.logs, p.logs.(logStore).p} },
	},
	{
		name: "stores that forget a synced entry", check: check.LeaderCompleteness, harm: forgetEntries,
	},
	{
		name: "stores that forget a synced entry, and the clients", check: check.AckedDurable, harm: forgetEntries,
	},
}

// forgetEntries has all nodes go down at once, and their disks lose the last entries.
func forgetEntries(w *world, n *nemesis) {
	for _, name := range w.Names() {
		w.must(func() error { return w.Kill(name) })
	}
	for _, node := range w.allNodes() {
		backend, closeDisk, err := node.storage.open()
		if err != nil {
			w.t.Fatal(err)
		}
		last, _ := backend.Logs.LastIndex()
		first, _ := backend.Logs.FirstIndex()
		if last > first+5 {
			if err := backend.Logs.DeleteRange(last-3, last); err != nil {
				w.t.Fatal(err)
			}
		}
		if err := closeDisk(); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, name := range w.Names() {
		w.must(func() error { return w.Restart(name) })
	}
	w.pass(time.Duration(5+n.rng.IntN(5)) * time.Second)
}

// killLeaders kills the leader after a while, lets another be elected, and brings
// the old one back.
func killLeaders(w *world, _ *nemesis) {
	w.pass(2 * time.Second)
	state := w.Trace().State()
	leader := state.LeaderNode()
	if leader == nil {
		return
	}
	w.must(func() error { return w.Kill(leader.ID) })
	w.pass(5 * time.Second)
	w.must(func() error { return w.Restart(leader.ID) })
}

// strikes is the harm that most mutations need.
func strikes(w *world, n *nemesis) {
	n.strike()
	w.pass(time.Duration(1+n.rng.IntN(20)) * 100 * time.Millisecond)
}

func TestTheChecksFindWhatIsBroken(t *testing.T) {
	const within = 20 * time.Minute
	for _, m := range mutations {
		t.Run(m.check+"/"+m.name, func(t *testing.T) {
			w := open(t, 5, func(cfg *Config) {
				cfg.tamper = m.tamper
				if m.change != nil {
					m.change(cfg)
				}
			})
			seed := rand.Uint64()
			n := &nemesis{w: w, rng: rand.New(rand.NewPCG(seed, 0))}
			w.must(func() error { return w.Load(20, 5, RouteLeader) })
			harm := m.harm
			if harm == nil {
				harm = strikes
			}
			for w.clock.Now() < within {
				harm(w, n)
				var found trace.Verdict
				w.Trace().Read(func(s *trace.State) { found = s.Check(m.check).Verdict })
				if found == trace.VerdictViolated {
					break
				}
			}
			w.AwaitVerdicts()
			state := w.Trace().State()
			if found := state.Check(m.check); found.Verdict != trace.VerdictViolated {
				t.Errorf("seed %d: nothing found in %s: %s %s", seed, within, found.Verdict, found.Text)
			} else {
				t.Logf("at %.1fs: %s", found.At.Seconds(), found.Text)
			}
		})
	}
}
