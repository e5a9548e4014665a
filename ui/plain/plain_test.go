package plain

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/vtime"
)

// runPlain runs a cluster with plain output until it ends, with commands to read and a
// scenario or "".
func runPlain(t *testing.T, script string, in io.Reader) (lines []string, err error) {
	t.Helper()
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	cfg, o := cluster.Config{Nodes: 3, Settings: settings}, Options{Speed: vtime.Max}
	if script != "" {
		if o.Script, err = scenario.Parse("test", []byte(script)); err != nil {
			t.Fatal(err)
		}
		cfg = cluster.Config{Nodes: o.Script.Nodes, Settings: o.Script.Settings}
	}
	c, err := cluster.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = Run(t.Context(), c, o, in, &out)
	if err := c.Close(); err != nil {
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
quit
increment`))
	if err != nil {
		t.Fatal(err)
	}
	var answers []string
	for _, line := range lines {
		for _, word := range []string{"increment", "read", "expect", "wait", "kil", "kill", "say", "help"} {
			if strings.HasPrefix(said(line), word+" ") || strings.HasPrefix(said(line), word+":") {
				answers = append(answers, said(line))
			}
		}
	}
	for i, want := range []string{
		`increment 3: 3 \(n\d\)`, `read strong: 3 \(n\d\)`, `wait converged: done`, `expect value 3: done`,
		`expect value 4: wanted value 4, got 3 on leader n\d`,
		`kil n1: unknown command "kil" \(did you mean kill\?\).*`, `kill n9: unknown node "n9" .*`,
		`kill n1: done`, `kill n1: .*(down|killed).*`, `say hello: done`, `say \[2J: control character.*`, `help: .*capsize commands.*`,
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
	if got := said(lines[len(lines)-2]); !strings.HasPrefix(got, "line 5: expect value 7: wanted value 7, got 2 on leader n") {
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

func TestEndOfInputDoesNotEndTheRun(t *testing.T) {
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	c, err := cluster.Open(cluster.Config{Nodes: 3, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	// A few lines of the endless story are enough.
	out := &countingWriter{lines: 20, enough: cancel}
	if err := errors.Join(Run(ctx, c, Options{Speed: vtime.Max}, strings.NewReader("chaos nodes every 1s\n"), out), c.Close()); err != nil {
		t.Error(err)
	}
}

// countingWriter reports when enough lines were written.
type countingWriter struct {
	lines  int
	enough func()
}

func (w *countingWriter) Write(p []byte) (int, error) {
	if w.lines -= bytes.Count(p, []byte("\n")); w.lines <= 0 {
		w.enough()
	}
	return len(p), nil
}
