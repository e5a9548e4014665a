package scenario

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// say has a check say something, as if it had found it out.
func say(name string, verdict trace.Verdict, text string) step {
	return step{text: "a verdict", do: func(x *execution) error {
		x.c.AwaitVerdicts() // so that it is the last word
		x.c.Trace().Emit(trace.Event{Kind: trace.KindVerdict, At: x.c.Now(), Check: name, Verdict: verdict, Text: text})
		return nil
	}}
}

// judgedScript returns a script of one node, in which verdicts come between two
// halves of lines.
func judgedScript(t *testing.T, before, after string, verdicts ...step) *Script {
	t.Helper()
	s := parse(t, "nodes 1\nincrement\n"+before+after)
	at := 1 + strings.Count(before, "\n")
	s.steps = append(append(append([]step{}, s.steps[:at]...), verdicts...), s.steps[at:]...)
	return s
}

const (
	lost      = "n1 has lost it"
	undecided = "it takes too long"
)

func TestWhatTheChecksSayIsExpectedExactly(t *testing.T) {
	red := say("acked-durable", trace.VerdictViolated, lost)
	open := say("linearizable", trace.VerdictUndecided, undecided)
	for name, test := range map[string]struct {
		before, after string
		verdicts      []step
		want          []string
	}{
		"all ok":            {after: "expect checks ok\n"},
		"nothing is asked":  {},
		"announced after":   {after: "expect violation acked-durable\n", verdicts: []step{red}},
		"one is undecided":  {verdicts: []step{open}},
		"it comes too late": {before: "expect violation acked-durable\n", verdicts: []step{red}, want: []string{"line 3: expect violation acked-durable: wanted violation acked-durable, got acked-durable ok"}},
		"it does not come":  {after: "expect violation vote-once\n", want: []string{"line 3: expect violation vote-once: wanted violation vote-once, got vote-once ok"}},
		"not announced":     {verdicts: []step{red}, want: []string{"checks: wanted acked-durable ok, got violated: " + lost}},
		"another announced": {
			after: "expect violation acked-durable\n", verdicts: []step{red, say("vote-once", trace.VerdictViolated, "n1 voted twice")},
			want: []string{"checks: wanted vote-once ok, got violated: n1 voted twice"},
		},
		"ok before and red later": {before: "expect checks ok\n", after: "expect violation acked-durable\n", verdicts: []step{red}},
		"ok is wanted of a red one": {
			after: "expect violation acked-durable\nexpect checks ok\n", verdicts: []step{red},
			want: []string{"line 4: expect checks ok: wanted checks ok, got acked-durable violated: " + lost},
		},
		"ok is wanted of an undecided one": {
			after: "expect checks ok\n", verdicts: []step{open},
			want: []string{"line 3: expect checks ok: wanted checks ok, got linearizable undecided: " + undecided},
		},
		"a violation is wanted of an undecided one": {
			after: "expect violation linearizable\n", verdicts: []step{open},
			want: []string{"line 3: expect violation linearizable: wanted violation linearizable, got linearizable undecided: " + undecided},
		},
		"the run ends before it is expected": {
			after: "kill n1\nkill n1\nexpect violation acked-durable\n", verdicts: []step{red},
			want: []string{"line 4: kill n1: wanted it to be done, got cannot kill n1: it is killed: restart it first"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := runAlone(judgedScript(t, test.before, test.after, test.verdicts...))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range r.Failures {
				got = append(got, f.Error())
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") || r.OK != (len(test.want) == 0) {
				t.Errorf("\n got %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestTheResultHoldsTheVerdictOfEachCheck(t *testing.T) {
	s := judgedScript(t, "", "expect violation acked-durable\n",
		say("acked-durable", trace.VerdictViolated, lost), say("linearizable", trace.VerdictUndecided, undecided))
	r, err := runAlone(s)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := WriteJSON(&text, []Result{r}); err != nil {
		t.Fatal(err)
	}
	var object struct {
		OK     bool              `json:"ok"`
		Checks map[string]string `json:"checks"`
	}
	if err := json.Unmarshal(text.Bytes(), &object); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"acked-durable": "violated", "linearizable": "undecided"}
	if len(object.Checks) != 9 || len(check.Names()) != 9 || !object.OK {
		t.Errorf("%s", &text)
	}
	for _, name := range check.Names() {
		verdict, other := want[name]
		if !other {
			verdict = "ok"
		}
		if object.Checks[name] != verdict {
			t.Errorf("%s is %q, want %q", name, object.Checks[name], verdict)
		}
	}
	text.Reset()
	if err := WriteTable(&text, []Result{r}); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"\ntest: violated as announced: acked-durable\n", "\ntest: linearizable undecided: " + undecided + "\n"} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("the table does not say %q:\n%s", line, &text)
		}
	}
}

func TestWhoWatchesTheStepsIsToldOfAViolation(t *testing.T) {
	s := judgedScript(t, "", "wait 1s\n", say("acked-durable", trace.VerdictViolated, lost), say("vote-once", trace.VerdictOK, ""))
	var steps bytes.Buffer
	if _, err := (Batch{Scripts: []*Script{s}, Steps: &steps}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if strings.Count(steps.String(), "s  acked-durable violated: "+lost+"\n") != 1 || strings.Contains(steps.String(), "vote-once") {
		t.Errorf("it is told\n%s", &steps)
	}
}

// A soak that cannot fail proves nothing: it is shown what it must not accept.
func TestASoakAcceptsNoVerdictButOK(t *testing.T) {
	for name, test := range map[string]struct {
		verdict step
		want    string
	}{
		"violated":  {say("exactly-once", trace.VerdictViolated, "it counted twice"), "checks: wanted exactly-once ok, got violated: it counted twice"},
		"undecided": {say("election-safety", trace.VerdictUndecided, undecided), "checks: wanted election-safety ok, got undecided: " + undecided},
	} {
		var got []string
		for _, f := range soakWith(t, test.verdict).Failures {
			got = append(got, f.Error())
		}
		if strings.Join(got, "; ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if r := soakWith(t, step{do: func(*execution) error { return nil }}); len(r.Failures) > 0 {
		t.Errorf("where nothing is wrong: %+v", r.Failures)
	}
}

// soakWith runs a short soak in which something happens first.
func soakWith(t *testing.T, first step) Result {
	t.Helper()
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	c, err := cluster.Open(cluster.Config{Nodes: 3, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	c.AwaitLeader(firstElection)
	done := make(chan Result, 1)
	err = c.Clock().Do(func() {
		c.Go(func() {
			s := &soak{x: newExecution(c, 1, nowhere{}), c: c, nodes: c.Names(), until: c.Now() + 2*time.Second, cut: func() bool { return false }}
			if err := first.do(s.x); err != nil {
				t.Error(err)
			}
			done <- s.run(SoakConfig{})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Clock().Run(vtime.Max)
	select {
	case r := <-done:
		return r
	case <-c.Clock().Done():
		t.Fatal(c.Clock().Err())
		return Result{}
	}
}

func TestASavedSessionExpectsWhatWasViolated(t *testing.T) {
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	text := Save(settings, 3, []RecordedCommand{{Text: "increment"}, {At: time.Second}}, []trace.Check{
		{Name: check.AckedDurable, Verdict: trace.VerdictViolated}, {Name: check.VoteOnce, Verdict: trace.VerdictOK}, {Name: check.Linearizable, Verdict: trace.VerdictUndecided},
	})
	s := parse(t, text)
	if !slices.Equal(s.scope.announced, []string{check.AckedDurable}) {
		t.Errorf("it expects violations of %q:\n%s", s.scope.announced, text)
	}
}

// Raft draws its election timeouts anew in each run, but a saved session ends as it
// did when it was driven by hand.
func TestASavedSessionHasTheSameLeadersAndTheSameEnd(t *testing.T) {
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
	var ordered []RecordedCommand
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
		ordered = Order(ordered, time.Duration(len(ordered))*2*time.Second, o.text, o.st)
	}
	text := Save(settings, 3, ordered, nil)
	for _, want := range []string{
		"memory\n\nwait leader n1,n2,n3\ntransfer n2\nwait leader n2\nasync increment 2\nwait 2s\nisolate n2\nwait 2s\nwait leader n1,n3\ntransfer n3\nwait leader n3\nasync increment\n",
		"kill n3\nwait 2s\nwait leader n1,n2,n3\ntransfer n1\n", "wait 2s\nheal\nwait 2s\nwait leader n1,n2,n3\ntransfer n1\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
	for range 5 {
		failures, end := carryOut(t, parse(t, text), nowhere{}, func(trace.Event) {})
		if leader := end.LeaderNode(); len(failures) > 0 || leader == nil || leader.ID != "n1" || leader.Value != 4 {
			t.Errorf("it ends with %v, led by %+v", failures, leader)
		}
	}
}

func TestTheChecksAreCompleted(t *testing.T) {
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	c, err := cluster.Open(cluster.Config{Nodes: 1, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := NewSession(c, 1, nil)
	for text, want := range map[string][]string{
		"expect ch":                  {"checks"},
		"expect viol":                {"violation"},
		"expect violation acked":     {check.AckedDurable},
		"expect violation election-": {check.ElectionSafety},
	} {
		if got := s.Complete(text); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
