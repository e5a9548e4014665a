package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// carryOut runs a script with a presenter, reports its events, and returns its
// failures and the state in which it ends.
func carryOut(t *testing.T, s *Script, p Presenter, event func(trace.Event)) ([]Failure, trace.State) {
	t.Helper()
	return runIn(t, s, event, func(c *cluster.Inside) []Failure { return s.Perform(c, p) })
}

// unattended runs a script with no presenter and returns its failures.
func unattended(t *testing.T, s *Script) []Failure {
	t.Helper()
	failures, _ := runIn(t, s, func(trace.Event) {}, s.PerformUnattended)
	return failures
}

// runIn opens the cluster of a script and calls perform in it, as fast as virtual
// time allows.
func runIn(t *testing.T, s *Script, event func(trace.Event), perform func(*cluster.Inside) []Failure) ([]Failure, trace.State) {
	t.Helper()
	c, err := cluster.Open(cluster.Config{Nodes: s.Nodes, Settings: s.Settings})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	c.Trace().Subscribe(event)
	c.AwaitLeader(10 * time.Second)
	type end struct {
		failures []Failure
		state    trace.State
	}
	done := make(chan end, 1)
	err = c.Go(func(c *cluster.Inside) {
		failures := perform(c)
		state := c.Trace().State()
		state.At = c.Now() // the last event may be long ago
		done <- end{failures, state}
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Clock().Run(vtime.Max)
	select {
	case e := <-done:
		return e.failures, e.state
	case <-c.Clock().Done():
		t.Fatal(c.Clock().Err())
		return nil, trace.State{}
	}
}

func parse(t *testing.T, text string) *Script {
	t.Helper()
	s, err := Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// play runs a script without a presenter.
func play(t *testing.T, text string) ([]Failure, trace.State) {
	t.Helper()
	return carryOut(t, parse(t, text), noPresenter{}, func(trace.Event) {})
}

// mustHold runs a script that must not fail.
func mustHold(t *testing.T, text string) trace.State {
	t.Helper()
	failures, state := play(t, text)
	for _, f := range failures {
		t.Errorf("%v", &f)
	}
	return state
}

func TestFailedExpectationReportsLineTextWantAndGot(t *testing.T) {
	for _, test := range []struct{ script, want string }{
		{
			"nodes 3\n\nincrement 2\nwait value 2\nexpect value 3 on n1 # wrong\nexpect ops ok = 1\n",
			"test:5:1: expect value 3 on n1 # wrong: wanted value 3 on n1, got 2 on n1; test:6:1: expect ops ok = 1: wanted ops ok = 1, got 2",
		},
		{"expect last ok", "test:1:1: expect last ok: wanted last ok, got no operation has ended yet"},
		{"nodes 1\nexpect value 1", "test:2:1: expect value 1: wanted value 1, got 0 on leader n1"},
		{"nodes 1\nkill n1\nexpect value 0", "test:3:1: expect value 0: wanted value 0, got no leader: 0 of 1 voters up, 1 needed"},
		{"nodes 1\nexpect value 1 within 2s", "test:2:1: expect value 1 within 2s: wanted value 1 within 2s, got 0 on leader n1"},
		{"nodes 1\nexpect value 1 on up", "test:2:1: expect value 1 on up: wanted value 1 on up, got 0 on n1"},
		{"nodes 1\nexpect refused kill n1", "test:2:1: expect refused kill n1: wanted a refusal, got the command succeeded"},
		{"nodes 1\nexpect refused increment", "test:2:1: expect refused increment: wanted a refusal, got the command succeeded"},
		{
			"nodes 1\ndisk n1 stall\nexpect refused increment via n1",
			"test:3:1: expect refused increment via n1: wanted a refusal, got unknown: n1: no reply in time",
		},
		{"nodes 1\nexpect leader none", "test:2:1: expect leader none: wanted no leader, got leader n1"},
		{"nodes 1\nexpect role n1 follower", "test:2:1: expect role n1 follower: wanted follower on n1, got leader on n1"},
		{"nodes 1\nkill n1\nexpect role n1 leader", "test:3:1: expect role n1 leader: wanted leader on n1, got down on n1"},
		{"nodes 1\nexpect term < 2", "test:2:1: expect term < 2: wanted term < 2, got 2"},
		{"nodes 1\nincrement\nexpect commit = 9", "test:3:1: expect commit = 9: wanted commit = 9, got 3"},
		{"nodes 1\nincrement\nexpect commit > 3 on n1", "test:3:1: expect commit > 3 on n1: wanted commit > 3 on n1, got 3 on n1"},
		{"nodes 3\nwait converged\nexpect log all diverged", "test:3:1: expect log all diverged: wanted diverged logs, got the same log"},
		{"nodes 1\nadd 5 via n1\nexpect last failed", "test:3:1: expect last failed: wanted last failed, got ok"},
		{
			"nodes 1\nkill n1\nincrement via n1\nexpect last ok",
			"test:4:1: expect last ok: wanted last ok, got failed: n1: node is down",
		},
	} {
		failures, _ := play(t, test.script)
		var got []string
		for _, f := range failures {
			got = append(got, f.Error())
		}
		if text := strings.Join(got, "; "); text != test.want {
			t.Errorf("%q:\n got %s\nwant %s", test.script, text, test.want)
		}
	}
}

func TestCommandThatFailsEndsTheRun(t *testing.T) {
	for _, test := range []struct{ script, want string }{
		{"nodes 3\npartition n1,n2 | n2,n3", "test:2:1: partition n1,n2 | n2,n3: n2 is on two sides of the partition"},
		{"kill n1\nkill n1", "test:2:1: kill n1: cannot kill n1: it is killed: restart it first"},
		{"restart n1,n3", "test:1:1: restart n1,n3: cannot restart n1: it is up: kill it first; cannot restart n3: it is up: kill it first"},
		{"restart n1", "test:1:1: restart n1: cannot restart n1: it is up: kill it first"},
		{"resume n2", "test:1:1: resume n2: cannot resume n2: it is up"},
		{"nodes 1\nremove-node n1", "test:2:1: remove-node n1: cannot remove n1: it is the last voter"},
		{"nodes 1\ndemote n1", "test:2:1: demote n1: cannot demote n1: it is the last voter"},
		{"nodes 99\nadd-node", "test:2:1: add-node: there are 99 nodes already, the maximum"},
		{"nodes 1\nkill n1\nkill leader", `test:3:1: kill leader: "leader" selects no node: there is no leader now (0 of 1 voters up, 1 needed)`},
		{"restart down", `test:1:1: restart down: "down" selects no node now`},
		{"increment via up", `test:1:1: increment via up: "up" selects 5 nodes now (n1,n2,n3,n4,n5); name one`},
		{"async increment via up", `test:1:1: async increment via up: "up" selects 5 nodes now (n1,n2,n3,n4,n5); name one`},
		{"transfer n1\nwait leader n1\ncut leader -> n1", "test:3:1: cut leader -> n1: leader and n1 are the same node, which has no link to itself"},
		{"set lease 50ms\nclock n1 0.05", "test:2:1: clock n1 0.05: clock factor 0.05 for n1: must be between 0.1 (a leader lease of 5ms) and 100"},
		{"clock n1 0.05\nset lease 50ms", "test:2:1: set lease 50ms: lease 50ms is too short for n1, whose clock factor is 0.05: raft needs a lease of at least 5ms"},
		{"wait no leader within 1s", "test:1:1: wait no leader within 1s: wanted no leader within 1s, got leader n1"},
		{"wait value 1 on n1,n2 within 0s", "test:1:1: wait value 1 on n1,n2 within 0s: wanted value 1 within 0s, got 0 on n1, 0 on n2"},
	} {
		// The command after it does not run.
		failures, state := play(t, "set latency 1ms\n"+strings.Replace(test.script, "wait no leader", "transfer n1\nwait leader n1\nwait no leader", 1)+"\nincrement\n")
		if len(failures) != 1 || state.Clients.OK != 0 {
			t.Errorf("%q: failures %v, %d operations", test.script, failures, state.Clients.OK)
			continue
		}
		failures[0].Line -= 1 + strings.Count("transfer n1\nwait leader n1\n", "\n")*strings.Count(test.script, "wait no leader")
		if got := failures[0].Error(); got != test.want {
			t.Errorf("%q:\n got %s\nwant %s", test.script, got, test.want)
		}
	}
}

func TestSelectorsSelectNodesByState(t *testing.T) {
	const setup = "transfer n2\nwait leader n2\nkill n5\n"
	for _, test := range []struct{ command, want string }{
		{"let x = n4,n1,n4", "n4 n1"},
		{"let x = all", "n1 n2 n3 n4 n5"},
		{"let x = up", "n1 n2 n3 n4"},
		{"let x = down", "n5"},
		{"let x = leader", "n2"},
		{"let x = followers", "n1 n3 n4"},
		{"let x = minority", "n4 n5"},
		{"let x = majority", "n1 n2 n3"},
		{"let x = n5,minority", "n5 n3 n4"},
		{"let x = n1,others", "n1 n2 n3 n4 n5"},
		{"let x = leader,down,others", "n2 n5 n1 n3 n4"},
		{"let y = n3,n1\nlet x = $y,others", "n3 n1 n2 n4 n5"},
		{"let y = leader\ntransfer n1\nwait leader n1\nlet x = $y", "n2"}, // resolved by let, not later
	} {
		if got := resolved(t, setup+test.command); strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, want %s", test.command, got, test.want)
		}
	}
	if got := resolved(t, "kill n3\nlet x = random,random,random,random"); len(got) != 4 || slices.Contains(got, "n3") {
		t.Errorf("random selected %v, want each of the four nodes that are up", got)
	}
}

// resolved runs a script on five nodes and returns the nodes that it names x.
func resolved(t *testing.T, text string) (selected []string) {
	t.Helper()
	s := parse(t, text)
	s.steps = append(s.steps, step{do: func(r *run) error { selected = r.names["x"]; return nil }})
	failures, _ := carryOut(t, s, noPresenter{}, func(trace.Event) {})
	for _, f := range failures {
		t.Errorf("%q: %v", text, &f)
	}
	return selected
}

func TestRandomSelectionDependsOnTheSeed(t *testing.T) {
	drawn := map[string]bool{}
	for seed := range 6 {
		text := fmt.Sprintf("seed %d\nlet x = random,random,random", seed)
		first := strings.Join(resolved(t, text), " ")
		if again := strings.Join(resolved(t, text), " "); again != first {
			t.Errorf("seed %d: %s, then %s", seed, first, again)
		}
		drawn[first] = true
	}
	if len(drawn) < 3 {
		t.Errorf("six seeds select only %v", drawn)
	}
}

func TestPartitionSeparatesItsSides(t *testing.T) {
	for _, test := range []struct{ command, apart, together string }{
		{"partition n1 | others", "n1 n2", "n2 n5"},
		{"partition minority | others", "n4 n1", "n4 n5"},
		{"partition minority | majority", "n5 n3", "n1 n3"},
		{"partition n1,n2 | n3 | others", "n3 n5", "n4 n5"},
		{"partition n5 | n1", "n1 n5", "n2 n3"}, // the others form a third side
	} {
		state := mustHold(t, test.command)
		closed := func(pair string) bool {
			a, b, _ := strings.Cut(pair, " ")
			return state.Blocked(a, b) && state.Blocked(b, a)
		}
		if !closed(test.apart) || closed(test.together) {
			t.Errorf("%s: %v", test.command, state.Faults)
		}
	}
}

func TestHealClearsLinkFaultsOnly(t *testing.T) {
	state := mustHold(t, "lose n1 <-> n2 30%\ncut n3 -> all\ndisk n1 slow 1ms\nclock n2 2\nkill n4\nheal n3 -> n1,n2\n")
	if len(state.Faults) != 4 {
		t.Errorf("after healing two links of n3: %v", state.Faults)
	}
	state = mustHold(t, "cut all <-> all\ndisk n1 slow 1ms\nclock n2 2\nkill n4\nheal\n")
	if n1, n2 := state.Node("n1"), state.Node("n2"); len(state.Faults) > 0 || n1.DiskFault != "slow 1ms" || n2.ClockFactor != 2 || state.Node("n4").Process != trace.Killed {
		t.Errorf("after healing all links: %v, %+v", state.Faults, state.Nodes)
	}
}

func TestSettingsChangeWhileTheClusterRuns(t *testing.T) {
	state := mustHold(t, "nodes 3\nset lease 100ms\nwait 1s\nset lease 200ms\nset election 3s\nset heartbeat 2s\n")
	if s := state.Settings; s.Lease != 200*time.Millisecond || s.Election != 3*time.Second || s.Heartbeat != 2*time.Second {
		t.Errorf("the settings are %+v", s)
	}
}

func TestWaitEndsWithItsConditionOrItsLimit(t *testing.T) {
	state := mustHold(t, "nodes 3\ntransfer n1\nwait leader n1\nasync increment\nwait value 1 within 1h\n")
	if state.At > 3*time.Second {
		t.Errorf("the wait ended at %s", state.At)
	}
	failures, state := play(t, "nodes 1\nwait value 1 within 90s")
	if len(failures) != 1 || state.At < 90*time.Second || state.At > 92*time.Second {
		t.Errorf("with a limit, the wait ended at %s: %v", state.At, failures)
	}
	failures, state = play(t, "nodes 1\nwait no leader")
	if len(failures) != 1 || state.At < 30*time.Second || state.At > 32*time.Second {
		t.Errorf("without a limit, the wait ended at %s: %v", state.At, failures)
	}
}

func TestAsyncDoesNotWait(t *testing.T) {
	mustHold(t, `
nodes 3
transfer n1
wait leader n1
pause n1
async increment via n1
async add 7 via n1
expect ops ok = 0
async read none via n2
wait 10ms
expect ops ok = 1
expect last ok
`)
}

func TestWaitConvergedRequiresCommittedEntries(t *testing.T) {
	failures, _ := play(t, "transfer n1\nwait leader n1\ncut others -> n1 only append\nasync increment\nwait 2s\nwait converged within 1s")
	if len(failures) != 1 || !strings.HasPrefix(failures[0].Got, "n1 at entry ") {
		t.Errorf("%v", failures)
	}
}

// recorder is a presenter that records its calls.
type recorder struct {
	calls  []string
	answer []int
}

func (p *recorder) Speed(s float64)                     { p.calls = append(p.calls, fmt.Sprint("speed ", s)) }
func (p *recorder) Step(_ *cluster.Inside, text string) { p.calls = append(p.calls, "step "+text) }
func (p *recorder) Ask(_ *cluster.Inside, choices int) []int {
	p.calls = append(p.calls, fmt.Sprint("ask ", choices))
	return p.answer
}

func TestPresenterReceivesSpeedsAndSteps(t *testing.T) {
	stage := &recorder{}
	var events []trace.Event
	carryOut(t, parse(t, "nodes 1\nspeed 0.5\nspeed max\nspeed auto\nstep\nstep look here\nsay.zh 你好\nchapter One # 1"), stage, func(e trace.Event) {
		if e.Kind == trace.KindCaption || e.Kind == trace.KindChapter {
			events = append(events, e)
		}
	})
	if got := strings.Join(stage.calls, "|"); got != "speed 0.5|speed 1e+09|speed -1|step |step look here" {
		t.Errorf("%s", got)
	}
	if len(events) != 2 || events[0].Text != "你好" || events[0].Peer != "zh" || events[1].Text != "One # 1" {
		t.Errorf("%+v", events)
	}
}

// A removed node that keeps running has another log. The members converge without it.
func TestConvergenceIgnoresANodeThatWasRemoved(t *testing.T) {
	state := mustHold(t, "nodes 4\ntransfer n1\nwait leader n1\nwait converged\nremove-node n4 keep\nincrement 3\nwait converged within 5s\nexpect value 3 on n1,n2,n3\n")
	if n := state.Node("n4"); n.Process != trace.Up || n.Value != 0 {
		t.Errorf("n4 is %s with value %d, want it up and behind", n.Process, n.Value)
	}
}

// A scenario that removed a node by the name of a let can add it again by that name.
func TestAddNodeByTheNameOfALet(t *testing.T) {
	state := mustHold(t, `nodes 3
let f = n2
remove-node $f
add-node $f nonvoter
wait converged`)
	if n := state.Node("n2"); n.Process != trace.Up || len(state.Voters()) != 2 {
		t.Errorf("n2 is %s, and %v are voters; want it up as a non-voter", n.Process, state.Voters())
	}
	failures, _ := play(t, "nodes 3\nlet f = n1,n2\nadd-node $f")
	if len(failures) != 1 || !strings.Contains(failures[0].Got, "selects 2 nodes now") {
		t.Errorf("add-node of two nodes: %v", failures)
	}
}
