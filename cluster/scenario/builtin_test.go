package scenario

import (
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// parseBuiltin parses a built-in scenario.
func parseBuiltin(t *testing.T, name string) *Script {
	t.Helper()
	data, ok := Builtin(name)
	if !ok {
		t.Fatalf("no built-in scenario %s", name)
	}
	s, err := Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBuiltinScenariosMeetTheirExpectations(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, f := range unattended(t, parseBuiltin(t, name)) {
				t.Errorf("%s: %v", name, &f)
			}
		})
	}
}

// slowPresenter stays at each step as long as a speaker does, and lets virtual time
// pass meanwhile. While links are held, timers are in the speaker's hand, and the clock only runs
// on for the moment that it takes to stop it.
type slowPresenter struct{}

func (slowPresenter) Speed(float64)                        {}
func (p slowPresenter) Step(c *cluster.Inside, _ string)   { time.Sleep(p.pause(c)) }
func (p slowPresenter) Ask(c *cluster.Inside, _ int) []int { time.Sleep(p.pause(c)); return []int{1} }

func (slowPresenter) pause(c *cluster.Inside) (pause time.Duration) {
	pause = 45 * time.Second
	c.Trace().Read(func(s *trace.State) {
		if s.HoldsAny() {
			pause = 8 * time.Millisecond
		}
	})
	return pause
}

func TestBuiltinScenariosTolerateAPauseAtEachStep(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failures, _ := carryOut(t, parseBuiltin(t, name), slowPresenter{}, func(trace.Event) {})
			for _, f := range failures {
				t.Errorf("%s: %v", name, &f)
			}
		})
	}
}

func TestBuiltinScenariosHaveTitleCaptionsAndExpectations(t *testing.T) {
	titles := map[string]string{}
	for _, name := range Names() {
		s := parseBuiltin(t, name)
		if s.Title == "" || titles[s.Title] != "" {
			t.Errorf("%s: the title %q is empty or also the title of %q", name, s.Title, titles[s.Title])
		}
		titles[s.Title] = name
		captions, expectations := 0, 0
		for _, step := range s.steps {
			switch step.command.Verb {
			case "say":
				captions++
			case "expect":
				expectations++
			}
		}
		if captions < 2 || expectations == 0 {
			t.Errorf("%s: %d captions and %d expectations, want at least 2 and 1", name, captions, expectations)
		}
	}
}

func TestBuiltinNamesMatchTheFiles(t *testing.T) {
	entries, err := builtinFiles.ReadDir("scenarios")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, e := range entries {
		files = append(files, strings.TrimSuffix(e.Name(), ".capsize"))
	}
	names := Names()
	slices.Sort(names)
	slices.Sort(files)
	if !slices.Equal(files, names) {
		t.Errorf("files\n%v\nnames\n%v", files, names)
	}
	for _, name := range []string{"", "..", "../builtin", "leader-crash.capsize"} {
		if _, ok := Builtin(name); ok {
			t.Errorf("%q is accepted as a built-in scenario", name)
		}
	}
}

// storyChanges change the one thing that the story of a built-in scenario is about.
var storyChanges = []struct{ name, old, new string }{
	{"first-steps", "kill n3", ""},
	{"leader-crash", "kill $old", ""},
	{"leadership-transfer", "transfer n2", ""},
	{"no-quorum", "kill n3,n4,n5", "kill n4,n5"},
	{"split-in-half", "partition n1,n2 | n3,n4", "partition n1,n2,n3 | n4"},
	{"minority-partition", "partition n1,n2 | n3,n4,n5", "partition n1,n2,n3 | n4,n5"},
	{"split-vote", "delay all <-> all 2s only vote", ""},
	{"paused-leader", "pause n1", ""},
	{"slow-follower", "delay n5 <-> others 200ms", ""},
	{"slow-follower", "delay n3,n4 <-> others 200ms", ""},
	{"slow-disk-leader", "disk n1 slow 200ms", ""},
	{"disk-full", "disk n1 full", ""},
	{"snapshot-catch-up", "snapshot n1,n2,n3,n4", ""},
	{"rolling-restart", "transfer n2", ""},
	{"membership", "remove-node $first", ""},
	{"membership", "remove-node $second", ""},
	{"stale-read", "isolate n1", ""},
	{"weak-read", "isolate n1", ""},
	{"weak-read", "delay n2,n3,n4,n5 <-> n2,n3,n4,n5 300ms only append\nwait leader n2,n3,n4,n5 within 15s", "wait leader n2,n3,n4,n5 within 15s\nwait 1s"},
	{"linearizable-read", "read linearizable via n1", "read none via n1"},
	{"lease-read", "isolate n1", ""},
	{"lease-slow-clock", "clock n1 20", ""},
	{"double-count", "set sessions off", "set sessions on"},
	{"double-count-sessions", "set sessions on", "set sessions off"},
	{"one-way-cut", "cut n1 -> others", ""},
	{"one-way-cut", "cut others -> n1", ""},
	{"bridge", "bridge n3", ""},
	{"majorities-ring", "ring", ""},
	{"constrained-election", "isolate n3", ""},
	{"flapping-link", "nodes 5", "nodes 5\nset prevote off"},
	{"pre-vote", "set prevote on", "set prevote off"},
	{"pre-vote-off", "set prevote off", "set prevote on"},
	{"swizzle-clog", "jam n1 <-> others\nwait 1s\njam n5 <-> others\nwait 1s\njam n2 <-> others", ""},
	{"figure-8", "cut n1 -> n3,n4,n5 only append", ""},
	{"figure-8", "cut n1 -> others only append", "heal n1 -> others"},
	{"figure-8", "cut n5 -> n1,n3,n4 only append\ncut n5 <-> n2\nwait leader n5 within 30s", "wait 5s"},
	{"lying-disk", "disk all lie", ""},
	{"honest-disk", "disk all ok", "disk all lie"},
	{"amnesia", "wipe n3", "kill n3"},
	{"voter-remembers", "poweroff n3", "wipe n3"},
	{"unsafe-recovery", "recover n1,n2", ""},
	{"unsafe-recovery", "transfer n4", ""},
	{"safe-recovery", "kill n3,n4,n5", "kill n3,n4,n5\nrecover n1,n2"},
	{"stuck-follower", "disk n1 full", ""},
	{"stuck-follower", "kill n1\nrestart n1", ""},
	{"install-snapshot-livelock", "set trailing-logs 5", ""},
	{"install-snapshot-livelock", "set trailing-logs 5", "set trailing-logs 5\nset snapshot-cure on"},
	{"install-snapshot-cured", "set snapshot-cure on", "set snapshot-cure off"},
	{"heartbeat-divergence", "nodes 3", "nodes 3\nset heartbeats queued"},
	{"heartbeat-divergence-queued", "set heartbeats queued", ""},
	{"clock-divergence", "clock n1 10", ""},
	{"clock-divergence", "nodes 3", "nodes 3\nset heartbeats queued"},
	{"clock-divergence-queued", "set heartbeats queued", ""},
	{"transfer-wedge", "try async transfer n2", ""},
	{"transfer-once", "wait 100ms", "try async transfer n2\nwait 100ms"},
	{"stale-pipeline", "nodes 3", "nodes 3\nset pipeline off"},
	{"stale-pipeline-off", "set pipeline off", ""},
}

// An expectation that no run can fail proves nothing.
func TestBuiltinScenariosFailWithAnotherStory(t *testing.T) {
	for _, test := range storyChanges {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			data, _ := Builtin(test.name)
			changed := strings.Replace(string(data), "\n"+test.old+"\n", "\n"+test.new+"\n", 1)
			if changed == string(data) {
				t.Fatalf("%s has no line %q", test.name, test.old)
			}
			s, err := Parse(test.name, []byte(changed))
			if err != nil {
				t.Fatal(err)
			}
			if failures := unattended(t, s); len(failures) == 0 {
				t.Errorf("%s passes with %q instead of %q", test.name, test.new, test.old)
			}
		})
	}
}
