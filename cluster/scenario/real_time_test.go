package scenario

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// overProcesses returns the prompt of three nodes that are processes.
func overProcesses() *Prompt {
	s := trace.State{Settings: cluster.DefaultSettings()}
	for _, id := range []string{"n1", "n2", "n3"} {
		s.Apply(&trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
	}
	p := NewPrompt(func(f func(*trace.State)) { f(&s) })
	p.OverProcesses()
	return p
}

// needVirtualTime are commands that cannot be carried out over processes.
var needVirtualTime = []string{
	"lose n1 -> n2 30%", "duplicate n1 -> n2 30%", "reorder n1 -> n2 30%", "hold all", "release",
	"deliver all", "drop all", "fire n1 election",
}

func TestWhatNeedsVirtualTimeIsRefusedOverProcesses(t *testing.T) {
	p := overProcesses()
	for _, line := range needVirtualTime {
		verb, _, _ := strings.Cut(line, " ")
		for _, before := range []string{"", "try ", "expect refused "} {
			_, err := p.Parse(before + line)
			if err == nil || !strings.HasPrefix(err.Error(), verb+" is not possible over processes: ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s%s: %v", before, line, err)
			}
		}
		if p.Knows(verb) || slices.Contains(p.Complete(""), verb) || slices.Contains(p.Complete("try "+verb[:1]), verb) || len(p.Complete(verb+" ")) > 0 {
			t.Errorf("%s is offered", verb)
		}
		if _, err := ParseLine(line, []string{"n1", "n2", "n3"}, nil); err != nil {
			t.Errorf("in virtual time, %s: %v", line, err)
		}
	}
	for _, line := range []string{
		"kill n1", "cut n1 -> n2", "delay all -> n2 20ms jitter 5ms", "jam n1 -> n2 only append", "bandwidth n1 -> n2 1KB",
		"clock n1 3", "apply n1 slow 10ms", "disk n1 lie", "wipe n1", "poweroff n1", "recover n1", "isolate n1", "load 10/s",
		"speed 100", "step now", "set election 2s",
	} {
		verb, _, _ := strings.Cut(line, " ")
		if _, err := p.Parse(line); err != nil || !p.Knows(verb) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if p.Knows("pause") != (noSIGSTOP == "") || p.Knows("seed") || p.Knows("nonsense") {
		t.Error("it knows the wrong commands")
	}
}

// A script that cannot be performed says where, before anything runs.
func TestScriptSaysWhatNeedsVirtualTime(t *testing.T) {
	for text, want := range map[string]string{
		"title A\nseed 3\nset heartbeats queued\n\nkill leader # lose\nsay lose it all\nincrement\n": "",
		"increment\nhold all\n":                      "a:2:1: hold is not possible over processes",
		"increment\n\n  try lose n1 -> n2 30%\n":     "a:3:7: lose is not possible over processes",
		"expect refused  drop all\nhold all\nread\n": "a:1:17: drop is not possible over processes",
	} {
		script, err := Parse("a", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		err = script.CheckRealTime()
		var at *Error
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want != "" && (!errors.As(err, &at) || !strings.HasPrefix(err.Error(), want)):
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Chaos keeps its choices in virtual time, because a seed stands for them.
func TestChaosOverProcessesSetsOnlyWhatTCPDoesNotHide(t *testing.T) {
	if all := chaosFaults(false); len(all) != 8 {
		t.Errorf("%v", all)
	}
	for _, f := range chaosFaults(true) {
		if !overProcesses().Knows(f.Name()) {
			t.Errorf("chaos sets %s", f)
		}
	}
	if possible := chaosFaults(true); len(possible) != 5 {
		t.Errorf("%v", possible)
	}
}
