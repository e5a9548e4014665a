package cluster

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// reasonsUnderTest compares the reasons that a cluster reports with the library's own log.
type reasonsUnderTest struct {
	subscribed sync.Once
	mu         sync.Mutex
	logs       []*rawLog // of all processes, oldest first
	events     map[string][]trace.Event
	counts     map[string]int

	requests map[uint64]trace.Packet // requests for votes, by RPC
	refused  map[refusal]int         // refusals that nodes sent, less the reasons they told
	answers  map[refusal]int         // the same refusals, by what their packets say
	silent   []refusal               // refusals told that raft does not log
	campaign map[string]trace.Reason // the last pre-vote or election that each node told
	asked    map[string]int          // requests for votes compared with that, by kind
	wrong    []string
}

// capture captures the log of a process, and from the first one on the events of the cluster.
func (u *reasonsUnderTest) capture(deps *raftDeps) {
	p := deps.fsm.(*fsm).p
	u.subscribed.Do(func() { p.c.stream.Subscribe(u.see) })
	var from uint64
	p.c.stream.Read(func(s *trace.State) { from = s.Seq })
	log := newRawLog(deps, from)
	deps.logger = log
	u.mu.Lock()
	defer u.mu.Unlock()
	u.logs = append(u.logs, log)
}

// see takes an event of the trace.
func (u *reasonsUnderTest) see(e trace.Event) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case e.Kind == trace.KindPacket:
		u.seePacket(e.Packet)
	case e.Kind == trace.KindProcess && !e.Process.Running():
		// It may have decided without an answer or, paused, have answered without telling why.
		maps.DeleteFunc(u.refused, func(r refusal, _ int) bool { return r.voter == e.Node })
	case e.Node != "" && (e.Reason != nil || e.Kind == trace.KindTruncated || e.Kind == trace.KindInstalled || e.Kind == trace.KindRole):
		u.events[e.Node] = append(u.events[e.Node], e)
		if r := e.Reason; r != nil && (r.Decision == trace.StartPreVote || r.Decision == trace.StartElection) {
			u.campaign[e.Node] = *r
		}
		if r := e.Reason; r != nil && (r.Decision == trace.DenyVote || r.Decision == trace.DenyPreVote) {
			u.refused[refusal{voter: e.Node, candidate: r.Peer, preVote: r.Decision == trace.DenyPreVote}]--
			if r.Cause == trace.TermBehind {
				u.silent = append(u.silent, refusal{e.Node, r.Peer, r.Decision == trace.DenyPreVote, r.Term, r.OwnTerm})
			}
		}
	}
}

// refusal is a denied vote, with the terms of the request and of the node if an older term is the
// reason.
type refusal struct {
	voter, candidate string
	preVote          bool
	term, ownTerm    uint64
}

// seePacket counts refused votes, each of which needs one reason. A request for a vote must be of the
// kind that its candidate told.
func (u *reasonsUnderTest) seePacket(p *trace.Packet) {
	if p.Kind != "vote" && p.Kind != "prevote" || p.Duplicate {
		return
	}
	switch {
	case !p.Reply:
		u.requests[p.RPC] = *p
		told := u.campaign[p.From]
		if p.Status == trace.Sent && told.Term == p.Term {
			u.asked[p.Kind]++
			if (told.Decision == trace.StartPreVote) != (p.Kind == "prevote") {
				u.wrong = append(u.wrong, fmt.Sprintf("%s asks for a %s in term %d after it told %+v", p.From, p.Kind, p.Term, told))
			}
		}
	case p.Status == trace.Sent && !p.OK && p.Error == "":
		u.refused[refusal{voter: p.From, candidate: p.To, preVote: p.Kind == "prevote"}]++
		u.answers[refusal{p.From, p.To, p.Kind == "prevote", u.requests[p.RPC].Term, p.Term}]++
	}
}

// compare compares the processes with their raw logs and counts the comparisons.
func (u *reasonsUnderTest) compare(t *testing.T) {
	t.Helper()
	next := map[string]uint64{} // the first event of the node's next process
	for _, l := range slices.Backward(u.logs) {
		name := l.p.node.name
		told := toldDecisions(slices.DeleteFunc(slices.Clone(u.events[name]), func(e trace.Event) bool {
			return e.Seq <= l.from || next[name] > 0 && e.Seq > next[name]
		}))
		next[name] = l.from
		raw := rawDecisions(l.lines)
		kinds := slices.Concat(slices.Collect(maps.Keys(told)), slices.Collect(maps.Keys(raw)))
		slices.Sort(kinds)
		for _, kind := range slices.Compact(kinds) {
			if kind == "send-snapshot" { // several goroutines send
				slices.Sort(told[kind])
				slices.Sort(raw[kind])
			}
			if diff := differences(told[kind], raw[kind], !l.p.isAlive()); diff != "" {
				t.Errorf("%s, process from event %d: %s: %s", name, l.from, kind, diff)
			}
		}
	}
	for _, events := range u.events {
		for _, e := range events {
			if r := e.Reason; r != nil {
				u.counts[fmt.Sprintf("%s: %s", r.Decision, r.Cause)]++
			}
		}
	}
	for _, r := range u.silent {
		if u.answers[r]--; u.answers[r] < 0 || r.term >= r.ownTerm {
			u.wrong = append(u.wrong, fmt.Sprintf("%+v: no such answer was sent", r))
		}
	}
	for r, n := range u.refused {
		if n > 0 {
			u.wrong = append(u.wrong, fmt.Sprintf("%+v: sent %d more than it told reasons", r, n))
		}
	}
	for _, w := range u.wrong {
		t.Error(w)
	}
}

// reasonsSoak is for how long, in virtual time, each cluster runs.
const reasonsSoak = 4 * time.Minute

// TestReasonsAreThoseThatRaftLogs runs clusters with all kinds of faults and compares each reason
// with the library's own log, which it captures as text and parses.
func TestReasonsAreThoseThatRaftLogs(t *testing.T) {
	counts := map[string]int{}
	for i := range 4 {
		// The livelock of #697 makes thousands of snapshots: one cluster of four shows it.
		library := trace.Library{PreVote: i%2 == 0, FastHeartbeats: i < 2, Pipeline: i < 2, SnapshotCure: i < 3}
		t.Run(fmt.Sprintf("prevote %t, fast %t", library.PreVote, library.FastHeartbeats), func(t *testing.T) {
			for reason, n := range soakForReasons(t, library, reasonsSoak) {
				counts[reason] += n
			}
		})
	}
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d  %s", counts[reason], reason)
	}
}

// soakForReasons runs one cluster for a time and returns how many reasons of each kind it
// compared.
func soakForReasons(t *testing.T, library trace.Library, duration time.Duration) map[string]int {
	t.Helper()
	u := &reasonsUnderTest{
		events: map[string][]trace.Event{}, counts: map[string]int{}, requests: map[uint64]trace.Packet{},
		refused: map[refusal]int{}, answers: map[refusal]int{},
		campaign: map[string]trace.Reason{}, asked: map[string]int{},
	}
	tc := open(t, 5, func(cfg *Config) {
		cfg.Settings.Library = library
		cfg.Settings.SnapshotThreshold, cfg.Settings.TrailingLogs = 100, 5
		cfg.Unchecked = true
		cfg.tamper = u.capture
	})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	n := nemesis{tc: tc, rng: rand.New(rand.NewPCG(seed, 0))}
	tc.must(func() error { return tc.Load(20, 5, RouteLeader) })
	for i := 1; tc.clock.Now() < duration; i++ {
		switch {
		case i%12 == 0: // most decisions need a cluster without a leader from time to time
			tc.healAll()
		case n.rng.IntN(4) > 0:
			n.inject()
		default:
			n.injectMembership()
		}
		tc.pass(time.Duration(1+n.rng.IntN(30)) * 100 * time.Millisecond)
	}
	tc.healAll()
	tc.must(func() error { tc.StopLoad(); return nil })
	tc.pass(30 * time.Second)
	u.compare(t)
	if u.asked["vote"] == 0 || library.PreVote && u.asked["prevote"] == 0 {
		t.Errorf("compared no request for a vote: %v", u.asked)
	}
	return u.counts
}
