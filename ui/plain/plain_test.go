package plain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/vtime"
)

// runPlain runs a cluster with plain output until it ends, with commands to read and a
// scenario or "".
func runPlain(t *testing.T, script string, in io.Reader) (lines []string, err error) {
	t.Helper()
	return runPlainAt(t, vtime.Max, script, in)
}

// runPlainAt is runPlain at a speed.
func runPlainAt(t *testing.T, speed float64, script string, in io.Reader) (lines []string, err error) {
	t.Helper()
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	cfg, o := cluster.Config{Nodes: 3, Settings: settings}, Options{Speed: speed}
	if script != "" {
		if o.Script, err = scenario.Parse("test", []byte(script)); err != nil {
			t.Fatal(err)
		}
		cfg = cluster.Config{Nodes: o.Script.Nodes, Settings: o.Script.Settings}
	}
	e, err := engine.OpenNative(cfg, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = Run(t.Context(), e, o, in, &out)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	text := out.String()
	if harmful := regexp.MustCompile(`[^\n -~\pL·…]`).FindString(text); harmful != "" {
		t.Errorf("it writes %q:\n%s", harmful, text)
	}
	lines = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for _, line := range lines {
		if !regexp.MustCompile(`^\d+:\d\d:\d\d\.\d  \S`).MatchString(line) {
			t.Errorf("no time before %q", line)
		}
	}
	return lines, err
}

// said is the part of a line after the time.
func said(line string) string { _, text, _ := strings.Cut(line, "  "); return text }

func TestCommandsAreAnsweredInOrder(t *testing.T) {
	lines, err := runPlain(t, "", strings.NewReader(`# a comment

increment 3
  read strong
wait converged
expect value 3
expect value 4
kil n1
kill n9
kill n1
kill n1
say hello
say `+"\x1b[2J\u202e"+`
help
quit now
exit
 quit # at last
increment`))
	var failed *scenario.Failure
	if !errors.As(err, &failed) || failed.Line != 7 {
		t.Fatalf("it ends with %v", err)
	}
	var answers []string
	for _, line := range lines {
		for _, word := range []string{"increment", "read", "expect", "wait", "kil", "kill", "say", "help", "quit", "exit"} {
			if strings.HasPrefix(said(line), word+" ") || strings.HasPrefix(said(line), word+":") {
				answers = append(answers, said(line))
			}
		}
	}
	for i, want := range []string{
		`increment 3: 3 \(n\d\)`, `read strong: 3 \(n\d\)`, `wait converged: done`, `expect value 3: done`,
		`expect value 4: wanted value 4, got 3 on leader n\d`,
		`kil n1: stdin:8:1: unknown command "kil" \(did you mean kill\?\).*`, `kill n9: stdin:9:6: unknown node "n9" .*`,
		`kill n1: done`, `kill n1: .*(down|killed).*`, `say hello: done`, `say \[2J: stdin:13:5: control character.*`, `help: .*capsize commands.*`,
		`quit now: quit takes no operands`, `exit: stdin:16:1: unknown command "exit" \(did you mean quit\?\).*`,
	} {
		if i >= len(answers) || !regexp.MustCompile(`^`+want+`$`).MatchString(answers[i]) {
			t.Fatalf("answer %d is not %s:\n%s", i, want, strings.Join(answers, "\n"))
		}
	}
	if !strings.Contains(strings.Join(lines, "\n"), "n1 is killed") {
		t.Error("it does not tell that n1 is killed")
	}
}

func TestScenarioEndsTheRun(t *testing.T) {
	silent, talking := io.Pipe() // commands could come for ever
	defer func() { _ = talking.Close() }()
	lines, err := runPlain(t, "nodes 3\nstorage memory\nsay here we go\nincrement 2\nwait value 2\nstep\nexpect value 2", silent)
	if err != nil {
		t.Fatal(err)
	}
	if last := said(lines[len(lines)-1]); last != "scenario passed" {
		t.Errorf("the last line is %q", last)
	}
	if !strings.Contains(strings.Join(lines, "\n"), "  here we go\n") {
		t.Errorf("the caption is missing:\n%s", strings.Join(lines, "\n"))
	}
}

func TestFailingScenarioSaysWhere(t *testing.T) {
	lines, err := runPlain(t, "nodes 3\nstorage memory\nincrement 2\nwait value 2\nexpect value 7", strings.NewReader(""))
	var failed *scenario.Failure
	if !errors.As(err, &failed) || failed.Line != 5 {
		t.Fatalf("it ends with %v", err)
	}
	if got := said(lines[len(lines)-2]); !strings.HasPrefix(got, "test:5:1: expect value 7: wanted value 7, got 2 on leader n") {
		t.Errorf("it says %q", got)
	}
}

func TestViolationsAreReported(t *testing.T) {
	data, _ := scenario.Builtin("double-count")
	lines, err := runPlain(t, string(data), strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.Join(lines, "\n"), "exactly-once is violated: ") {
		t.Errorf("no violation is told:\n%s", strings.Join(lines, "\n"))
	}
}

func TestLinksHealedTogetherAreOneLine(t *testing.T) {
	lines, err := runPlain(t, "nodes 3\nstorage memory\nisolate n2\nheal n2 <-> all\nring\nheal n1 <-> n2\nheal n1 -> n3\nheal", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, line := range lines {
		if text := said(line); strings.Contains(text, "heal") || strings.Contains(text, "reconnected") {
			told = append(told, text)
		}
	}
	want := "n2 is reconnected to all other nodes; 2 links heal; the link from n1 to n3 heals; the network heals"
	if got := strings.Join(told, "; "); got != want {
		t.Errorf("it tells %q, not %q", got, want)
	}
}

// answers returns the lines that begin with a command, with the time before them.
func answers(lines []string, commands ...string) (found []string) {
	for _, line := range lines {
		for _, command := range commands {
			if strings.HasPrefix(said(line), command+": ") {
				found = append(found, line)
			}
		}
	}
	return found
}

func TestEndOfInputEndsTheRunAfterItsAsyncCommands(t *testing.T) {
	lines, err := runPlain(t, "", strings.NewReader(`transfer n1
wait leader n1
load 1/s
chaos nodes every 1h
async increment 20 via n1
async add-node n4`))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(lines, "\n")
	if !strings.Contains(text, "n1 adds n4 as a voter") {
		t.Errorf("an async command did not end:\n%s", text)
	}
	lines, err = runPlainAt(t, 50, "", strings.NewReader("pause n1\nasync increment via n1"))
	if text := strings.Join(lines, "\n"); err != nil || !strings.Contains(text, "c1's +1 via n1: outcome unknown (no reply") {
		t.Errorf("it ends before the outcome of an async operation: %v\n%s", err, text)
	}
	// A command that does not end does not keep the session.
	lines, err = runPlain(t, "", strings.NewReader("kill n1\ndisk n1 stall\nasync restart n1\nexpect last failed"))
	var failed *scenario.Failure
	if !errors.As(err, &failed) || failed.Line != 4 {
		t.Errorf("it ends with %v:\n%s", err, strings.Join(lines, "\n"))
	}
}

func TestSessionFailsByItsExpectationsAndViolations(t *testing.T) {
	for _, test := range []struct{ commands, want string }{
		{"increment\nexpect last ok\nread weak\nexpect last ok\nexpect ops ok = 2", ""},
		{"kill n1\nkill n1\ntry kill n1\ntry wait value 9 within 1s\nkil n1", ""},
		{"\n  expect value 9\nexpect value 8\n", "stdin:2:3: expect value 9: wanted value 9, got 0 on leader n"},
		{"expect value 9\nquit\n", "stdin:1:1: expect value 9: wanted value 9, got 0 on leader n"},
		{"wait value 9 within 1s", "stdin:1:1: wait value 9 within 1s: wanted value 9 within 1s, got 0 on n1, 0 on n2, 0 on n3"},
		{"expect refused increment", "stdin:1:1: expect refused increment: wanted a refusal, got the command succeeded"},
		{"expect vlaue 3", `stdin:1:8: "vlaue" is not an expectation`},
		{wiped + "quit", "checks: wanted leader-completeness ok, got violated: "},
		{wiped + "expect violation leader-completeness", "checks: wanted state-machine-safety ok, got violated: "},
		{"expect violation acked-durable\n" + wiped + announced, "stdin:1:1: expect violation acked-durable: wanted "},
		{wiped + announced, ""},
	} {
		lines, err := runPlain(t, "", strings.NewReader(test.commands))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if test.want == "" && got != "" || !strings.HasPrefix(got, test.want) {
			t.Errorf("%q ends with %q, want %q:\n%s", test.commands, got, test.want, strings.Join(lines, "\n"))
		}
	}
}

// announced expects what wiped violates.
const announced = "expect violation leader-completeness\nexpect violation state-machine-safety\nexpect violation acked-durable\n"

// wiped loses an acknowledged increment.
const wiped = `transfer n1
wait leader n1
isolate n3
increment
wait value 1 on n1,n2
kill n1,n2
heal
wipe n2
restart n2
wait leader n2,n3 within 1m
wait 1s
`

func TestAnswersComeWithTheirTimeAndOrder(t *testing.T) {
	lines, err := runPlain(t, "", strings.NewReader("wait 1s\nkill n1\nisolate n2\nwait 0s\ntransfer n3\ntry kill n1\n"))
	if err != nil {
		t.Fatal(err)
	}
	seconds := func(line string) float64 {
		var h, m int
		var s float64
		if _, err := fmt.Sscanf(line, "%d:%d:%f", &h, &m, &s); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		return float64(h*3600+m*60) + s
	}
	last, killed := 0.0, 0.0
	for _, line := range lines {
		if seconds(line) < last {
			t.Errorf("%q comes too late", line)
		}
		last = seconds(line)
		switch {
		case strings.HasPrefix(said(line), "n1 is killed"):
			killed = last
		case said(line) == "kill n1: done" && last != killed:
			t.Errorf("n1 is killed at %gs, and the answer is of %gs", killed, last)
		}
	}
	var order []string
	for _, line := range lines {
		for _, text := range []string{"n1 is killed", "kill n1: done", "n2 is isolated", "isolate n2: done", "kill n1: cannot", "try kill n1: refused"} {
			if strings.HasPrefix(said(line), text) {
				order = append(order, text)
			}
		}
	}
	if want := "n1 is killed|kill n1: done|n2 is isolated|isolate n2: done|kill n1: cannot|try kill n1: refused"; strings.Join(order, "|") != want {
		t.Errorf("the order is %q", order)
	}
	if got := answers(lines, "transfer n3"); len(got) != 1 {
		t.Errorf("a refusal that took time is told %d times: %q", len(got), got)
	}
}

func TestAnswerComesBeforeTheNextEvent(t *testing.T) {
	var out bytes.Buffer
	p := &session{out: &out, waiting: []answer{{seq: 5, text: "five"}, {seq: 6, text: "six"}}}
	if err := p.writeAnswers(5); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasSuffix(got, "five\n") || len(p.waiting) != 1 {
		t.Errorf("up to event 5, it answers %q", got)
	}
}

func TestQuestionIsToldWithItsChoices(t *testing.T) {
	lines, err := runPlain(t, "nodes 1\nask who?\nchoice n1 when leader n1\nchoice nobody when leader none\nbecause it is alone", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, line := range lines {
		told = append(told, strings.TrimLeft(said(line), " "))
	}
	if got := strings.Join(told, "|"); !strings.Contains(got, "Q1: who?|1: n1|2: nobody|A1: n1|it is alone|") {
		t.Errorf("it says %s", got)
	}
}
