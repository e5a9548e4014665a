package scenario

import (
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/check"
	"capsize/cluster/trace"
)

func TestSavedSessionExpectsItsViolations(t *testing.T) {
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	text := save(settings, 3, []*logged{{Command: SplitCommand("increment")}, {at: time.Second}}, []trace.Check{
		{Name: check.AckedDurable, Verdict: trace.VerdictViolated}, {Name: check.VoteOnce, Verdict: trace.VerdictOK}, {Name: check.Linearizable, Verdict: trace.VerdictUndecided},
	})
	s := parse(t, text)
	if !slices.Equal(s.scope.expectedViolations, []string{check.AckedDurable}) {
		t.Errorf("the saved session expects violations of %q:\n%s", s.scope.expectedViolations, text)
	}
}

// Raft draws new election timeouts in each run, but a saved session has the leaders
// and the end of the original.
func TestSavedSessionRepeatsLeadersAndEnd(t *testing.T) {
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	state := func(leader string, faults ...trace.Link) *trace.State {
		st := &trace.State{Faults: map[trace.Link][]string{}}
		for _, id := range []string{"n1", "n2", "n3"} {
			st.Apply(&trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
		}
		st.Apply(&trace.Event{Kind: trace.KindRole, Node: leader, Role: trace.Leader, Term: 2})
		for _, link := range faults {
			st.Faults[link] = []string{"cut"}
		}
		return st
	}
	cutOff := []trace.Link{{From: "n2", To: "n1"}, {From: "n3", To: "n2"}}
	var commands []*logged
	for _, o := range []struct {
		text string
		st   *trace.State
	}{
		{"increment 2", state("n2")},
		{"isolate n2", state("n2")},
		{"increment", state("n3", cutOff...)},
		{"heal", state("n3", cutOff...)},
		{"kill n3", state("n3")},
		{"restart n3", state("n1")},
		{"increment", state("n1")},
		{"cut n1 -> n2", state("n1")},
		{"heal", state("n2", trace.Link{From: "n3", To: "n2"})},
		{"", state("n1")},
	} {
		at := time.Duration(len(commands)) * 2 * time.Second
		one := &logged{Command: SplitCommand(o.text), at: at, ended: at}
		one.follow(commands, o.st)
		commands = append(commands, one)
	}
	text := save(settings, 3, commands, nil)
	for _, want := range []string{
		"memory\n\nwait leader n1,n2,n3\ntransfer n2\nwait leader n2\nasync increment 2\nwait 2s\nisolate n2\nwait 2s\nwait leader n1,n3\ntransfer n3\nwait leader n3\nasync increment\n",
		"kill n3\nwait 2s\nwait leader n1,n2,n3\ntransfer n1\n", "wait 2s\nheal\nwait 2s\nwait leader n1,n2,n3\ntransfer n1\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for range 5 {
		failures, end := carryOut(t, parse(t, text), noPresenter{}, func(trace.Event) {})
		if leader := end.LeaderNode(); len(failures) > 0 || leader == nil || leader.ID != "n1" || leader.Value != 4 {
			t.Errorf("the run ends with failures %v and leader %+v", failures, leader)
		}
	}
}

// In the repetition, another node can lead after a scenario: the first command after it
// needs the leader that it had.
func TestFirstCommandAfterAScenarioTransfersLeadership(t *testing.T) {
	st := &trace.State{}
	for _, id := range []string{"n1", "n2"} {
		st.Apply(&trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
	}
	st.Apply(&trace.Event{Kind: trace.KindRole, Node: "n2", Role: trace.Leader, Term: 2})
	var commands []*logged
	for i, scripted := range []bool{true, true, false, false} {
		one := &logged{Command: SplitCommand("increment"), scripted: scripted}
		one.follow(commands, st)
		commands = append(commands, one)
		if got, want := len(one.transferCandidates), []int{0, 0, 2, 0}[i]; got != want {
			t.Errorf("command %d has %d nodes that can transfer, want %d", i+1, got, want)
		}
	}
}
