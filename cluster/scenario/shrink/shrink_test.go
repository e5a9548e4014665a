package shrink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
)

// fake runs scenarios without a cluster: they violate log-matching if fails says so.
type fake struct {
	fails func(d draft) bool

	mu  sync.Mutex
	ran []string
}

func (f *fake) run(ctx context.Context, t Trial) (Outcome, error) {
	if ctx.Err() != nil {
		return Outcome{}, headless.ErrInterrupted
	}
	s, err := scenario.Parse("", []byte(t.Text))
	if err != nil {
		return Outcome{}, err
	}
	f.mu.Lock()
	f.ran = append(f.ran, t.Text)
	f.mu.Unlock()
	d, _ := newDraft(s)
	o := Outcome{At: time.Second, Begun: len(d.commands)}
	if f.fails(d) {
		o.Violated = []string{"log-matching"}
		o.Fails = t.Goal.Check == "log-matching"
	}
	return o, nil
}

// has reports whether a draft has all of some commands, in order.
func has(d draft, commands ...string) bool {
	i := 0
	for _, line := range d.commands {
		if i < len(commands) && line == commands[i] {
			i++
		}
	}
	return i == len(commands)
}

// shrunk shrinks a text with a fake runner, and returns the result without its comments.
func shrunk(t *testing.T, text string, f *fake, jobs int) (*Result, string) {
	t.Helper()
	s, err := scenario.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Shrink(t.Context(), Config{Run: f.run, Jobs: jobs}, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scenario.Parse("result", []byte(r.Text)); err != nil {
		t.Errorf("the result has a mistake: %v", err)
	}
	var lines []string
	for line := range strings.Lines(r.Text) {
		if line = strings.TrimRight(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return r, strings.Join(lines, "; ")
}

// noisy returns a scenario with commands that do not matter around some that do.
func noisy(commands ...string) string {
	var b strings.Builder
	b.WriteString("title Noise\nset prevote off\nset fsync 2ms\n")
	for i, one := range commands {
		for k := range 12 {
			fmt.Fprintf(&b, "%s\n", []string{"increment", "wait 1.234s", "say text", "isolate n4", "heal", "step"}[(i+5*k)%6])
		}
		b.WriteString(one + "\n")
	}
	b.WriteString("read weak\nexpect violation log-matching\nread weak\n")
	return b.String()
}

func TestKeepsOnlyTheCommandsThatMatter(t *testing.T) {
	f := &fake{fails: func(d draft) bool { return has(d, "kill n1", "wait leader", "add 100 via n2") }}
	r, text := shrunk(t, noisy("kill n1", "wait leader", "add 100 via n2"), f, 2)
	want := "title Noise; nodes 2; seed 1; kill n1; wait leader; add 100 via n2; expect violation log-matching"
	if text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if r.After != 3 || r.Fails != 20 || r.Seeds != 20 || r.Interrupted || r.Before < 20 {
		t.Errorf("got %+v", r)
	}
}

// A result is 1-minimal, for whatever commands matter: the scenario needs any three of them.
func TestResultIsMinimal(t *testing.T) {
	count := func(d draft) int {
		return len(slices.DeleteFunc(slices.Clone(d.commands), func(line string) bool { return line != "increment" }))
	}
	f := &fake{fails: func(d draft) bool { return count(d) >= 3 }}
	r, text := shrunk(t, noisy("kill n1", "increment", "increment"), f, 3)
	if r.After != 3 || strings.Count(text, "increment") != 3 {
		t.Errorf("got %s", text)
	}
}

// Two commands that only matter to each other go together.
func TestRemovesPairs(t *testing.T) {
	f := &fake{fails: func(d draft) bool { return has(d, "kill n1") && has(d, "ring") == has(d, "restart n2") }}
	if _, text := shrunk(t, "ring\nkill n1\nrestart n2\n", f, 2); !strings.Contains(text, "seed 1; kill n1; expect") {
		t.Errorf("got %s", text)
	}
}

func TestOperandsBecomeSimpler(t *testing.T) {
	for _, one := range []struct {
		before, after string
		verbs         []string // one of which must stay
	}{
		{"cut n1,n2 -> n3,n4 only append,vote", "nodes 2; seed 1; cut n1 -> n2", []string{"cut"}},
		{"try async increment 50 via n2", "increment", []string{"increment"}},
		{"lose n1 <-> n2 30%", "cut n1 -> n2", []string{"lose", "cut"}},
		{"reorder n1 <-> n2 30% only vote", "reorder n1 -> n2 100%", []string{"reorder"}},
		{"chaos network nodes disk every 2s", "chaos", []string{"chaos"}},
		{"wait leader n1,n2 within 12s", "wait leader n1", []string{"wait"}},
		{"load 50/s clients 9 via n1", "load 1/s", []string{"load"}},
		{"load 50/s clients 9 via n1", "increment", []string{"load", "increment"}},
		{"expect last ok within 2s", "wait 1us", []string{"expect", "wait"}},
	} {
		f := &fake{fails: func(d draft) bool { return d.contains(one.verbs...) }}
		if _, text := shrunk(t, one.before+"\n", f, 2); !strings.HasSuffix(text, one.after+"; expect violation log-matching") {
			t.Errorf("%s: got %s, want %s", one.before, text, one.after)
		}
	}
}

func TestDurationsBecomeRoundAndShort(t *testing.T) {
	for _, one := range []struct {
		least time.Duration // that fails
		most  time.Duration
		want  string
	}{
		{2600 * time.Millisecond, time.Hour, "wait 3s"},
		{3217 * time.Millisecond, time.Hour, "wait 4s"},
		{3 * time.Second, 3300 * time.Millisecond, "wait 3s"},
		{3150 * time.Millisecond, 3290 * time.Millisecond, "wait 3.2s"},
		{0, time.Hour, "wait 1us"},
	} {
		f := &fake{fails: func(d draft) bool {
			for _, line := range d.commands {
				if w, ok := waitOf(line); ok && w >= one.least && w <= one.most {
					return true
				}
			}
			return false
		}}
		if _, text := shrunk(t, "increment\nwait 3.217s\nwait 70us\nread\n", f, 2); !strings.Contains(text, "; "+one.want+"; ") {
			t.Errorf("%s to %s: got %s, want %s", one.least, one.most, text, one.want)
		}
	}
}

// Fewer nodes get other names, and commands that do without a node do so.
func TestNodesGetOtherNames(t *testing.T) {
	f := &fake{fails: func(d draft) bool {
		return slices.ContainsFunc(d.commands, func(line string) bool { return strings.HasPrefix(line, "cut ") && strings.Contains(line, " -> ") })
	}}
	if _, text := shrunk(t, "nodes 7\ncut n3 -> n6\nkill n2\n", f, 2); !strings.Contains(text, "nodes 2; seed 1; cut n1 -> n2; ") {
		t.Errorf("got %s", text)
	}
}

// A scenario that fails with few seeds may only fail with another one once it is shorter; the result
// names that seed.
func TestResultNamesASeedThatFails(t *testing.T) {
	f := &fake{fails: func(d draft) bool {
		seed := int64(17)
		if len(d.commands) < 9 {
			seed = 2
		}
		return d.seed == seed && has(d, "kill n1")
	}}
	r, text := shrunk(t, "seed 17\n"+strings.Repeat("increment\n", 8)+"kill n1\n", f, 2)
	if want := "nodes 1; seed 2; kill n1; expect violation log-matching"; text != want {
		t.Errorf("got %s, want %s", text, want)
	}
	if r.Fails != 1 {
		t.Errorf("got %d seeds, want 1", r.Fails)
	}
}

// What fails with many seeds is not traded for something shorter that fails with few.
func TestRobustScenarioStaysRobust(t *testing.T) {
	f := &fake{fails: func(d draft) bool { return has(d, "kill n1") && (d.seed < 3 || has(d, "ring")) }}
	if r, text := shrunk(t, "increment\nkill n1\nring\n", f, 2); r.Fails != 20 || !strings.Contains(text, "kill n1; ring; ") {
		t.Errorf("got %d seeds, %s", r.Fails, text)
	}
}

// What fails only if a certain node leads becomes a scenario that makes it lead.
func TestFragileScenarioIsHardened(t *testing.T) {
	leads := func(d draft) string { // the node that leads at the start
		if len(d.commands) > 0 && strings.HasPrefix(d.commands[0], "transfer ") {
			return strings.Fields(d.commands[0])[1]
		}
		return d.nodeNames()[(d.seed+1)%int64(d.nodes)]
	}
	kill := &fake{fails: func(d draft) bool { return d.nodes == 3 && (has(d, "kill "+leads(d)) || has(d, "kill leader")) }}
	if r, text := shrunk(t, "nodes 3\nring\nkill n3\nincrement\n", kill, 2); r.Fails != 20 || !strings.Contains(text, "seed 1; kill leader; expect") {
		t.Errorf("got %d seeds, %s", r.Fails, text)
	}
	read := &fake{fails: func(d draft) bool { return d.nodes == 3 && leads(d) == "n3" && has(d, "read weak") }}
	if r, text := shrunk(t, "nodes 3\nring\nread weak\n", read, 2); r.Fails != 20 || !strings.Contains(text, "seed 1; transfer n3; read weak; expect") {
		t.Errorf("got %d seeds, %s", r.Fails, text)
	}
}

// The result does not depend on how many candidates run at once.
func TestResultDoesNotDependOnJobs(t *testing.T) {
	var results []string
	for _, jobs := range []int{1, 2, 7} {
		f := &fake{fails: func(d draft) bool {
			return has(d, "kill n1", "increment") || d.seed%3 == 1 && has(d, "isolate n4", "heal", "read weak")
		}}
		r, _ := shrunk(t, noisy("kill n1", "increment", "read weak"), f, jobs)
		results = append(results, r.Text)
	}
	if results[0] != results[1] || results[0] != results[2] {
		t.Errorf("got %q", results)
	}
}

// Each text runs once, except where a run must go on to its end.
func TestNothingIsTriedTwice(t *testing.T) {
	f := &fake{fails: func(d draft) bool { return has(d, "kill n1") }}
	shrunk(t, noisy("kill n1"), f, 1)
	slices.Sort(f.ran)
	if n := len(f.ran) - len(slices.Compact(slices.Clone(f.ran))); n > 6 {
		t.Errorf("%d of %d runs are repeated", n, len(f.ran))
	}
}

func TestInterruptKeepsTheBestSoFar(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	f := &fake{}
	f.fails = func(d draft) bool {
		if len(d.commands) < 20 {
			stop()
		}
		return has(d, "kill n1")
	}
	s, err := scenario.Parse("test", []byte(noisy("kill n1", "ring", "read")))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Shrink(ctx, Config{Run: f.run, Jobs: 2}, s)
	if err != nil || !r.Interrupted || r.After >= r.Before || !strings.Contains(r.Text, "kill n1") || !strings.Contains(r.Text, "interrupted") {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestScenarioThatPassesIsRefused(t *testing.T) {
	s, err := scenario.Parse("test", []byte("seed 5\nincrement\n"))
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{fails: func(draft) bool { return false }}
	_, err = Shrink(t.Context(), Config{Run: f.run, Jobs: 2}, s)
	if !errors.Is(err, ErrPasses) || !strings.Contains(err.Error(), "its own seed (5) and 19 others") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	sometimes := &fake{fails: func(d draft) bool { return d.seed == 7 }}
	r, err := Shrink(t.Context(), Config{Run: sometimes.run, Jobs: 2}, s)
	if err != nil || !strings.Contains(r.Text, "seed 7\n") || r.Fails != 1 {
		t.Errorf("fails with seed 7 only: got %+v, %v", r, err)
	}
}

// Of several checks, one that the scenario does not expect to be violated comes first, then what it
// expects first. A command that fails only matters if no check is violated.
func TestGoalIsTheFirstSurprise(t *testing.T) {
	failed := []scenario.Failure{{Text: "expect value 3", Want: "value 3", Got: "2"}, {Text: "wait leader", Want: "a leader", Got: "no leader"}}
	for _, one := range []struct {
		violated, expected []string
		failures           []scenario.Failure
		want               Goal
	}{
		{[]string{"vote-once", "log-matching"}, []string{"vote-once"}, failed, Goal{Check: "log-matching"}},
		{[]string{"vote-once", "log-matching"}, []string{"exactly-once", "log-matching", "vote-once"}, failed, Goal{Check: "log-matching"}},
		{nil, []string{"vote-once"}, failed, Goal{Verb: "expect", Want: "value 3", Got: "2"}},
		{nil, nil, failed[1:], Goal{Verb: "wait", Want: "a leader"}},
		{nil, nil, nil, Goal{}},
	} {
		got, ok := Outcome{Violated: one.violated, Failures: one.failures}.goal(one.expected)
		if got != one.want || ok != (one.want != Goal{}) {
			t.Errorf("%+v: got %+v, %t", one, got, ok)
		}
	}
}
