package plain

import (
	"slices"
	"strings"
	"testing"

	"capsize/cluster/trace"
)

// Lines that read the same are as many events, however the story merges them.
func TestEveryOccurrenceIsALine(t *testing.T) {
	lines, err := runPlain(t, "", strings.NewReader("transfer n1\nwait leader n1\nincrement 3 via n2\napply n1 slow 6s\nincrement 4 via n1\n"))
	if err != nil {
		t.Fatal(err)
	}
	var failed int
	var unknown []string // their times
	for _, line := range lines {
		switch at, text, _ := strings.Cut(line, "  "); {
		case strings.HasPrefix(text, "c1's +1 via n2 failed"):
			failed++
		case strings.HasPrefix(text, "c1's +1 via n1: outcome unknown"):
			unknown = append(unknown, at)
		}
	}
	if failed != 3 || len(unknown) != 4 || len(slices.Compact(unknown)) != 4 {
		t.Errorf("it tells %d failures and unknown outcomes at %q:\n%s", failed, unknown, strings.Join(lines, "\n"))
	}
}

func TestAnswerSaysWhatAPrefixMakesOfACommand(t *testing.T) {
	lines, err := runPlain(t, "", strings.NewReader(`transfer n1
wait leader n1
expect refused read lease via n2
expect refused set lease 20s
expect refused kill n9,n1
async transfer n2
try async snapshot n3
async increment`))
	if got := strings.Join(lines, "\n"); err == nil || strings.Contains(got, "n9: refused") {
		t.Errorf("a mistake passes for a refusal: %v\n%s", err, got)
	}
	for _, want := range []string{
		"expect refused read lease via n2: refused as expected: n2: node is not the leader, so it has no lease",
		"expect refused set lease 20s: refused as expected: lease (20s) is longer than heartbeat (1s): a leader must give up before its followers do",
		"async transfer n2: started", "try async snapshot n3: started", "async increment: started",
	} {
		if !slices.ContainsFunc(lines, func(line string) bool { return said(line) == want }) {
			t.Errorf("no line says %q:\n%s", want, strings.Join(lines, "\n"))
		}
	}
}

func TestStoryKeepsEachLineOfAnEvent(t *testing.T) {
	state := trace.State{Nodes: []trace.Node{
		{ID: "n1", Role: trace.Leader, Process: trace.Up, Servers: []trace.Server{{ID: "n1", Voter: true}, {ID: "n2", Voter: true}}},
	}}
	var s story
	s.Start(&state)
	add := func(e trace.Event) {
		e.Seq = state.Seq + 1
		state.Apply(&e)
		s.Add(&e, &state)
	}
	// One event removes one node and adds another; the reason of a step-down and a translation are events of their own.
	add(trace.Event{Node: "n1", Kind: trace.KindConfig, Servers: []trace.Server{{ID: "n1", Voter: true}, {ID: "n3", Voter: true}}})
	add(trace.Event{Node: "n1", Kind: trace.KindRole, Role: trace.Follower})
	add(trace.Event{Node: "n1", Kind: trace.KindReason, Reason: &trace.Reason{Decision: trace.StepDown, Cause: trace.LaterTerm, Peer: "n2", Term: 9}})
	add(trace.Event{Kind: trace.KindCaption, Text: "hello"})
	add(trace.Event{Kind: trace.KindCaption, Text: "bonjour", Peer: "fr"})
	lines, missing, seq := s.take()
	if len(lines) != 4 || missing != 0 || seq != 5 || !strings.HasPrefix(lines[2].Text, "n1 steps down: ") || lines[3].In.In("fr", "hello") != "bonjour" {
		t.Errorf("%d lines, %d missing, up to %d: %+v", len(lines), missing, seq, lines)
	}
	for range linesMax + 2 {
		add(trace.Event{Kind: trace.KindRefused, Text: "kill n1: no"})
	}
	if lines, missing, _ = s.take(); len(lines) != linesMax || missing != 2 {
		t.Errorf("%d lines wait and %d are missing", len(lines), missing)
	}
}
