package scenario

import (
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
)

// goodPrefixes hold every word that changes how another command runs.
var goodPrefixes = strings.Split(strings.TrimSpace(`
async transfer
async transfer n2
async add-node n9 nonvoter
async remove-node n5
async promote n5
async demote n5
async snapshot up
async restart n1
async recover n1,n2
try kill n1,n3
try async transfer leader
try wait leader within 2s
try increment via n1
try chaos every 2s
expect refused kill n1
expect refused transfer n1 # twice
expect refused add-node n1
expect refused increment via n2
expect value 5 within 2s
expect value 5 on all within 2s
expect leader none within 2s
expect leader n1 within 2s
expect role n1 follower within 2s
expect role followers candidate within 2s
expect leader up
cut leader -> leader
cut n1 -> n1,n2
expect term > 2 within 2s
expect commit > 2 within 2s
expect commit > 2 on n1 within 2s
expect log all same within 2s
expect last ok within 2s
expect ops ok > 2 within 2s
expect checks ok within 2s
expect violation vote-once within 2s
`), "\n")

// asyncNames are the commands that can run async.
var asyncNames = "increment, add, read, restart, snapshot, add-node, remove-node, promote, demote, transfer or recover"

// mistake is a scenario with one mistake, and the error for it.
type mistake struct{ text, want string }

var prefixMistakes = []mistake{
	{"async kill n1", `f:1:7: "kill" cannot run async; use ` + asyncNames},
	{"async", "f:1:6: expected a command after async: " + asyncNames},
	{"async incremnt", `f:1:7: unknown command "incremnt" (did you mean increment?); run "capsize commands" for the list`},
	{"async transfer n9", `f:1:16: unknown node "n9" (did you mean n1?); use n1, n2, n3, n4, n5, all, up, down, leader, followers, random, minority, majority or others`},
	{"async try transfer", "f:1:7: try comes before async: write try async …"},
	{"async async increment", `f:1:7: "async" cannot run async; use ` + asyncNames},
	{"async wait 1s", `f:1:7: "wait" cannot run async; use ` + asyncNames},
	{"async nodes 3", `f:1:7: "nodes" cannot run async; use ` + asyncNames},
	{"try", "f:1:4: expected a command after try"},
	{"ring\n  try   ", "f:2:6: expected a command after try"},
	{"try kil n1", `f:1:5: unknown command "kil" (did you mean kill?); run "capsize commands" for the list`},
	{"try kill", "f:1:9: expected nodes: names like n1,n3, or all, up, down, leader, followers, random, minority, majority or others"},
	{"try kill n1 now", `f:1:13: unexpected "now": the command ends before it`},
	{"try try kill n1", "f:1:5: try appears twice: write it once"},
	{"try expect value 3", "f:1:5: expect is never refused: write it without try"},
	{"try say hello", "f:1:5: say is never refused: write it without try"},
	{"try say.zh hello", "f:1:5: say is never refused: write it without try"},
	{"try nodes 3", "f:1:5: nodes describes a cluster before it starts: write it without try"},
	{"try async kill n1", `f:1:11: "kill" cannot run async; use ` + asyncNames},
	{"expect refused", "f:1:15: expected a command after expect refused"},
	{"expect refused within 2s", `f:1:16: unknown command "within"; run "capsize commands" for the list`},
	{"expect refused kill", "f:1:20: expected nodes: names like n1,n3, or all, up, down, leader, followers, random, minority, majority or others"},
	{"expect refused kil n1", `f:1:16: unknown command "kil" (did you mean kill?); run "capsize commands" for the list`},
	{"expect refused kill n1 within", "f:1:24: expect refused takes no within: the command runs once"},
	{"expect refused kill n1 within 2s", "f:1:24: expect refused takes no within: the command runs once"},
	{"  expect refused transfer within 2s # soon", "f:1:27: expect refused takes no within: the command runs once"},
	{"expect refused try kill n1", "f:1:16: expect refused already handles the refusal: write it without try"},
	{"expect refused async transfer", "f:1:16: async does not wait for a refusal: write expect refused without async"},
	{"expect refused expect value 3", "f:1:16: expect is never refused: write it without expect refused"},
	{"expect refused wait leader", "f:1:16: wait is never refused: write it without expect refused"},
	{"expect refused chapter One", "f:1:16: chapter is never refused: write it without expect refused"},
	{"expect refused seed 3", "f:1:16: seed describes a cluster before it starts: write it without expect refused"},
	{"expect value 3 within", "f:1:22: expected a time limit, like 250ms or 2s"},
	{"expect term > 2 withn 2s", `f:1:17: unexpected "withn" (did you mean within?): the command ends before it`},
	{"expect value 3 onn n1", `f:1:16: unexpected "onn" (did you mean on?): the command ends before it`},
}

// stories returns the lines of the story that begin with a text.
func stories(s trace.State, prefix string) (lines []string) {
	for _, line := range s.Story {
		if strings.HasPrefix(line.Text, prefix) {
			lines = append(lines, line.Text)
		}
	}
	return lines
}

func TestTryGoesOnWhateverComes(t *testing.T) {
	state := mustHold(t, `
nodes 3
kill n1
try kill n1 # twice
try wait value 7 within 100ms
try kill n2,n1
try resume all
try async transfer n1,n2
wait 1s
`)
	want := []string{
		"kill n1: cannot kill n1: it is killed: restart it first",
		"kill n2,n1: cannot kill n1: it is killed: restart it first",
	}
	if got := stories(state, "kill "); !slices.Equal(got, want) {
		t.Errorf("the story tells %q, want %q", got, want)
	}
	if got := stories(state, "wait value 7 within 100ms: wanted value 7 within 100ms, got "); len(got) != 1 {
		t.Errorf("the story does not tell that a wait ran out of time: %q", stories(state, ""))
	}
	if state.Node("n2").Process != trace.Killed {
		t.Error("the part of a command that is possible is not carried out")
	}
}

func TestExpectRefusedRequiresARefusal(t *testing.T) {
	state := mustHold(t, `
nodes 3
transfer n1
wait leader n1
expect refused restart n1
expect refused increment 2 via n2
expect refused promote n1
isolate n2
expect refused transfer n2
`[1:])
	for _, want := range []string{
		"restart n1: cannot restart n1: it is up: kill it first",
		"increment 2 via n2: failed: n2: node is not the leader",
		"promote n1: cannot promote n1: it is already a voter",
		"transfer n2: cannot transfer leadership to n2: n1: leadership transfer timeout",
	} {
		if got := stories(state, want); len(got) != 1 {
			t.Errorf("the story does not tell %q: %q", want, stories(state, ""))
		}
	}
	failures, state := play(t, "nodes 3\ntransfer n2\nwait leader n2\nexpect refused pause n1\nexpect refused increment 3\nincrement")
	if len(failures) != 2 || state.Clients.OK != 4 || state.Node("n1").Process != trace.Paused {
		t.Errorf("a run does not go on after an expectation: %v", failures)
	}
}

// A membership change whose outcome is unknown is neither done nor refused.
func TestUnknownOutcomeIsNoRefusal(t *testing.T) {
	failures, _ := play(t, "nodes 3\ntransfer n1\nwait leader n1\nwait 1s\nisolate n1\nexpect refused add-node n4")
	want := "outcome unknown (add n4): n1: leadership lost while committing log"
	if len(failures) != 1 || failures[0].Want != "a refusal" || failures[0].Got != want {
		t.Errorf("%v", failures)
	}
}

func TestAsyncCommandsRunWhileTheScenarioGoesOn(t *testing.T) {
	state := mustHold(t, `
nodes 3
transfer n1
wait leader n1
wait 1s
isolate n1
async add-node n4
async promote n3
async snapshot n2
async increment via n1
expect ops ok = 0
expect role n1 leader
wait 10s
`)
	for _, want := range []string{
		"add-node n4: outcome unknown (add n4): n1: leadership lost while committing log",
		"promote n3: cannot promote n3: it is already a voter",
	} {
		if got := stories(state, want); len(got) != 1 {
			t.Errorf("the story does not tell %q: %q", want, stories(state, ""))
		}
	}
	if got := stories(state, "increment"); len(got) > 0 {
		t.Errorf("the outcome of an operation is told as a refusal: %q", got)
	}
	if state.Node("n2").SnapshotIndex == 0 || state.Node("n4").Process != trace.Removed {
		t.Error("an async command was not carried out")
	}
	// The nodes are chosen at the start: a selector that selects none fails then.
	failures, _ := play(t, "nodes 1\nkill n1\nasync transfer leader\nwait 1s")
	if len(failures) != 1 || failures[0].Line != 3 {
		t.Errorf("%v", failures)
	}
}

func TestExpectWithinWaitsForTheExpectation(t *testing.T) {
	state := mustHold(t, `
nodes 3
transfer n1
wait leader n1
wait 1s
pause n1
async increment via n1
expect refused resume n2
resume n1
expect value 1 within 1s
expect last ok within 2s
expect ops ok = 1 within 2s
expect value 1 on all within 2s
kill n1
expect leader n2,n3 within 1m
expect role n1 down within 0s
expect term > 2 within 1s
expect checks ok within 1m
`)
	if state.At > 15*time.Second {
		t.Errorf("the expectations took until %s", state.At)
	}
	failures, state := play(t, "nodes 1\nexpect leader none within 7s")
	if len(failures) != 1 || failures[0].Want != "no leader within 7s" || state.At < 7*time.Second || state.At > 10*time.Second {
		t.Errorf("until %s: %v", state.At, failures)
	}
}

// The entries applied by the leader count, however far its followers are.
func TestExpectValueIsTheLeaders(t *testing.T) {
	mustHold(t, `
nodes 3
transfer n1
wait leader n1
kill n3
increment 2
expect value 2
restart n3
kill n2
restart n2
expect value 2
`)
}

// Prefixes such as try do not change what a command means to its listeners.
func TestPrefixesHideNothingOfTheCommandBehindThem(t *testing.T) {
	for text, changes := range map[string]bool{
		"kill n1": true, "try kill n1": true, "expect refused kill n1": true, "async restart n1": true, "try async restart n1": true,
		"try": false, "expect refused": false, "expect value 3": false, "try transfer n1": false, "increment": false,
	} {
		if SplitCommand(text).ChangesFaults() != changes {
			t.Errorf("%q changes faults: want %t", text, changes)
		}
	}
	for text, count := range map[string]int{"increment 7": 7, "try increment 7": 7, "expect refused increment 7": 7, "try transfer n1": 0} {
		s := parse(t, text)
		if got := s.steps[0].limit(&s.Settings); got != stepMax+time.Duration(count)*s.Settings.ClientTimeout {
			t.Errorf("%q may take %s", text, got)
		}
	}
}

// A transfer is neither done nor silent if the leader only loses its lease.
func TestTransferByALeaderThatLosesItsLeaseIsToldAsNotDone(t *testing.T) {
	const start = "nodes 3\ntransfer n1\nwait leader n1\nincrement\nwait converged\n"
	const lost = "n1 lost leadership before the transfer finished"
	failures, state := play(t, start+"isolate n1\nasync transfer n2\nwait 5s")
	want := "transfer n2: outcome unknown (transfer leadership to n2): " + lost
	if got := stories(state, want); len(failures) > 0 || len(got) != 1 {
		t.Errorf("%v: the story does not tell %q: %q", failures, want, stories(state, ""))
	}
	failures, state = play(t, start+"jam n1 -> n2\nincrement\nwait 1s\ncut n1 <-> n3\nexpect refused transfer n2")
	want = "transfer n2: cannot transfer leadership to n2: " + lost
	if got := stories(state, want); len(failures) > 0 || len(got) != 1 {
		t.Errorf("%v: the story does not tell %q: %q", failures, want, stories(state, ""))
	}
}
