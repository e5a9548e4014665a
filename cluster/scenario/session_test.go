package scenario

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// hand is a session of a person at the keys, who does not wait for a command to end.
type hand struct {
	*Session
	t     *testing.T
	nodes int           // at the start
	every time.Duration // between two commands
}

// newHand starts a cluster in memory, and waits for a leader.
func newHand(t *testing.T, nodes int) *hand {
	t.Helper()
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	return newHandWith(t, nodes, settings)
}

// newHandWith is newHand with other settings.
func newHandWith(t *testing.T, nodes int, settings trace.Settings) *hand {
	t.Helper()
	c, err := cluster.Open(cluster.Config{Nodes: nodes, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	c.AwaitLeader(10 * time.Second)
	return &hand{NewSession(c, 1, nil), t, nodes, time.Second}
}

// pass lets virtual time pass.
func (h *hand) pass(d time.Duration) {
	h.t.Helper()
	if err := h.c.Clock().Advance(d); err != nil {
		h.t.Fatal(err)
	}
}

// types runs commands, one every h.every, and returns the error of each that
// had ended by then.
func (h *hand) types(commands string) (errs []error) {
	h.t.Helper()
	for text := range strings.Lines(strings.TrimSpace(commands)) {
		line, err := h.Parse(strings.TrimSpace(text))
		if err != nil {
			h.t.Fatalf("%s: %v", text, err)
		}
		ended := make(chan error, 1)
		h.Start(line, func(e End) { ended <- e.Err })
		h.pass(h.every)
		select {
		case err = <-ended:
		default:
			err = nil
		}
		errs = append(errs, err)
	}
	return errs
}

// saved saves the session, and checks that it holds these lines one behind the other.
func (h *hand) saved(want ...string) string {
	h.t.Helper()
	text := h.Save(h.nodes, nil)
	if !strings.Contains(text, strings.Join(want, "\n")+"\n") {
		h.t.Errorf("the saved session has no\n%s\nin\n%s", strings.Join(want, "\n"), text)
	}
	return text
}

// summary describes how things stand, as far as chance does not decide it.
func summary(s *trace.State) string {
	var b strings.Builder
	for i := range s.Nodes {
		n := &s.Nodes[i]
		fmt.Fprintf(&b, "%s %s %d; ", n.ID, n.Process, n.Value)
	}
	if leader := s.LeaderNode(); leader != nil {
		fmt.Fprintf(&b, "leader %s; voters %s", leader.ID, s.Voters())
	}
	return b.String()
}

// repeats runs a saved session several times, and checks that each ends as by hand.
func (h *hand) repeats(text string) {
	h.t.Helper()
	state := h.c.Trace().State()
	for range 5 {
		failures, end := carryOut(h.t, parse(h.t, text), noPresenter{}, func(trace.Event) {})
		if got, want := summary(&end), summary(&state); len(failures) > 0 || got != want {
			h.t.Errorf("got %s\nwant %s\nfailures %v\n%s", got, want, failures, text)
		}
	}
}

func TestSavedSessionTriesWhatWasRefused(t *testing.T) {
	h := newHand(t, 3)
	errs := h.types(`
transfer n1
increment 2
kill n3
kill n3
transfer n3
promote n2
try restart n1 # it is up
wait value 9 within 100ms
expect refused kill n3
resume n2
restart n3
add-node n1
expect value 2
increment`)
	for i, refused := range []bool{false, false, false, true, true, true, true, true, false, true, false, true, false, false} {
		if (errs[i] != nil) != refused {
			t.Errorf("command %d ended with %v", i+1, errs[i])
		}
	}
	h.pass(5 * time.Second)
	text := h.saved("async increment 2", "wait 1s", "kill n3", "wait 1s", "try kill n3", "wait 1s", "try transfer n3", "wait 1s",
		"try promote n2", "wait 1s", "try restart n1 # it is up", "wait 1s", "try wait value 9 within 100ms", "wait 900ms",
		"expect refused kill n3", "wait 1s", "try resume n2", "wait 1s", "restart n3", "wait 1s", "try add-node n1", "wait 1s",
		"expect value 2", "wait 1s", "async increment", "wait 6s")
	h.repeats(text)
}

// A command that had not ended when the next was given runs async.
func TestSavedSessionRunsAsyncWhatWasOvertaken(t *testing.T) {
	h := newHand(t, 3)
	h.types("transfer n1\nwait 500ms\nisolate n3")
	h.every = 300 * time.Millisecond
	h.types("transfer n3\nheal\nwait leader n1\ndisk leader slow 600ms\nwait 5s")
	h.pass(2 * time.Second)
	h.types("try promote n1\nadd-node\nexpect value 0\ndisk all ok")
	h.pass(3 * time.Second)
	text := h.saved("isolate n3", "wait 1s", "try async transfer n3", "wait 300ms", "heal", "wait 300ms", "wait leader n1", "wait 300ms",
		"disk leader slow 600ms", "wait 300ms", "wait 2.3s", "try promote n1", "wait 300ms", "async add-node", "wait 300ms", "expect value 0", "wait 300ms", "disk all ok")
	h.repeats(text)
}

func TestSavedSessionHoldsWhatAScenarioOnStageDid(t *testing.T) {
	h := newHand(t, 3)
	script := parse(t, `nodes 3
say First.
increment 3
let old = leader
kill $old
wait leader
load 5/s
wait 1m
load off
chaos nodes every 1h
expect violation vote-once within 1ms
step Ready?
restart $old
wait converged`)
	done := make(chan []Failure, 1)
	if err := h.c.Go(func(c *cluster.Inside) {
		failures, _ := h.Perform(c, script)
		done <- failures
	}); err != nil {
		t.Fatal(err)
	}
	h.pass(20 * time.Second)
	h.types("say In between.")
	h.pass(time.Minute)
	select {
	case <-done:
	default:
		t.Fatal("the scenario did not end")
	}
	h.types("increment\nkill $old\nkill $old")
	text := h.saved("say First.", "increment 3")
	for _, want := range []string{
		"\nlet old = leader\nkill $old\nwait leader\nload 5/s\n", "\nsay In between.\nwait 4", "\nload off\nchaos nodes every 1h\nexpect violation vote-once",
		"\nstep Ready?\nrestart $old\nwait converged\nchaos off\nload off\n", "\nkill $old\nwait 1s\ntry kill $old\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the saved session has no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "\ntransfer n1\nwait leader n1\nkill") {
		t.Errorf("the scenario itself does not need a transfer:\n%s", text)
	}
	parse(t, text)
}

// What random selected by hand is selected again.
func TestSavedSessionSelectsWhatRandomSelected(t *testing.T) {
	for range 5 {
		h := newHand(t, 5)
		h.types("transfer n1\nkill n5,random # random\nlet x = random,random\nincrement via random\ndisk $x slow 1ms")
		h.pass(5 * time.Second)
		text := h.Save(5, nil)
		if want := "\nlet x = " + strings.Join(h.names["x"], ",") + "\n"; !strings.Contains(text, want) {
			t.Errorf("random is not replaced in order, want %q:\n%s", want, text)
		}
		if strings.Count(text, "random") != 2 || !strings.Contains(text, "async increment via random\n") || !strings.Contains(text, " # random\n") {
			t.Errorf("random is not replaced by the nodes that it selected:\n%s", text)
		}
		h.repeats(text)
	}
}

func TestExpectLastIsAboutTheSession(t *testing.T) {
	h := newHand(t, 3)
	errs := h.types(`
expect last ok
transfer n1
increment
expect last ok
increment via n2
expect last failed
async increment
expect last ok
expect last failed`)
	for i, holds := range []bool{false, true, true, true, true, true, true, true, false} {
		if (errs[i] == nil) != holds {
			t.Errorf("command %d ended with %v", i+1, errs[i])
		}
	}
}

// The violations that a scenario on stage expects do not fail its session.
func TestSessionExpectsWhatItsScenarioExpects(t *testing.T) {
	script, err := Load("double-count")
	if err != nil {
		t.Fatal(err)
	}
	h := newHandWith(t, script.Nodes, script.Settings)
	done := make(chan []Failure, 1)
	if err := h.c.Go(func(c *cluster.Inside) {
		failures, _ := h.Perform(c, script)
		done <- failures
	}); err != nil {
		t.Fatal(err)
	}
	h.pass(5 * time.Minute)
	if failures := <-done; len(failures) > 0 {
		t.Errorf("the scenario fails: %v", failures)
	}
	if violations := h.Violations(); len(violations) > 0 {
		t.Errorf("the session fails: %v", violations)
	}
	h.shared.expected = nil
	if len(h.Violations()) == 0 {
		t.Error("the scenario violates nothing: it tests nothing")
	}
}

// A terminal shows the error of a command in one line.
func TestErrorsOfATypedCommandAreOneLine(t *testing.T) {
	h := newHand(t, 3)
	errs := h.types("disk n1,n2 corrupt\nkill n1,n2\nrecover n1,n2")
	err := errs[2]
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), ": recover without n1; recovering n2: ") {
		t.Errorf("got %v, want one line with both failures", err)
	}
	if h.types("recover n3"); !h.c.AwaitLeader(10 * time.Second) {
		t.Error("n3 does not lead")
	}
}
