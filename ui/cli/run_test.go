package cli

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"capsize/cluster/check"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
)

// writeFile writes a file of a scenario, and returns its name.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Two scenarios of one node each, which are quick.
const (
	goodScenario = "title Good\nnodes 1\nseed 5\nincrement 3\nexpect value 3\n"
	badScenario  = "nodes 1\nincrement\nexpect value 7\nexpect term = 99\n"
)

// checkEnded checks the exit status, and that the program printed nothing else.
func (o outcome) checkEnded(t *testing.T, status int) {
	t.Helper()
	if o.status != status || o.stderr != "" {
		t.Errorf("exit status %d, wanted %d; it said %q", o.status, status, o.stderr)
	}
}

func TestRunPrintsATableOfResults(t *testing.T) {
	good, bad := writeFile(t, "good.capsize", goodScenario), writeFile(t, "bad.capsize", badScenario)
	o := runBinary(t, "run", good)
	o.checkEnded(t, 0)
	if !regexp.MustCompile(`^SCENARIO +RESULT +VIRTUAL +WALL +OPS +VALUE +TERM\n\S+good\.capsize +ok +[\d.]+s +[\d.]+s +3 ok +3 +2\n$`).MatchString(o.stdout) {
		t.Errorf("the table is\n%s", o.stdout)
	}

	o = runBinary(t, "run", good, bad)
	o.checkEnded(t, exitFailed)
	for _, line := range []string{
		bad + ":3:1: expect value 7: wanted value 7, got 1 on leader n1\n",
		bad + ":4:1: expect term = 99: wanted term = 99, got 2\n",
	} {
		if !strings.Contains(o.stdout, "\n"+line) {
			t.Errorf("there is no %q in\n%s", line, o.stdout)
		}
	}
}

func TestBuiltInScenariosRunByName(t *testing.T) {
	o := runBinary(t, "run", "leader-crash")
	o.checkEnded(t, 0)
	if !strings.Contains(o.stdout, "\nleader-crash  ok") {
		t.Errorf("the table is\n%s", o.stdout)
	}
}

func TestResultsAsJSON(t *testing.T) {
	good, bad := writeFile(t, "good.capsize", goodScenario), writeFile(t, "bad.capsize", badScenario)
	keys := []string{"mode", "checks", "events", "failures", "nodes", "ok", "ops", "scenario", "seed", "term", "value", "virtual_seconds", "wall_seconds"}
	for _, c := range []struct {
		args   string
		status int
		keys   []string
		ok     []bool
		seeds  []int64
	}{
		{"run --json " + good, 0, keys, []bool{true}, []int64{5}},
		{"run --json --seed 9 " + good + " " + bad, exitFailed, keys, []bool{true, false}, []int64{9, 9}},
		{"run --json --repeat 3 " + good, 0, keys, []bool{true, true, true}, []int64{5, 6, 7}},
		{"run --json --repeat 2 --seed -1 " + good, 0, keys, []bool{true, true}, []int64{-1, 0}},
		{"soak --json --for 10s --nodes 3 --seed 4", 0, append(slices.Clone(keys), "faults"), []bool{true}, []int64{4}},
	} {
		o := runBinary(t, strings.Fields(c.args)...)
		o.checkEnded(t, c.status)
		lines := strings.Split(strings.TrimSuffix(o.stdout, "\n"), "\n")
		if len(lines) != len(c.ok) {
			t.Fatalf("%s: it wrote\n%s", c.args, o.stdout)
		}
		for i, line := range lines {
			var all map[string]json.RawMessage
			var r headless.Result
			if err := json.Unmarshal([]byte(line), &all); err != nil {
				t.Fatalf("%s: %v", c.args, err)
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%s: %v", c.args, err)
			}
			slices.Sort(c.keys)
			if got := slices.Sorted(maps.Keys(all)); !slices.Equal(got, c.keys) {
				t.Errorf("%s: the keys are %q", c.args, got)
			}
			if r.OK != c.ok[i] || r.Seed != c.seeds[i] || (len(r.Failures) == 0) != r.OK || r.Events == 0 || r.VirtualSeconds <= 0 || r.Term < 2 {
				t.Errorf("%s: result %d is %s", c.args, i, line)
			}
			for _, name := range check.Names() {
				if r.Checks[name] != "ok" || len(r.Checks) != len(check.Names()) {
					t.Errorf("%s: result %d says of %s: %q", c.args, i, name, r.Checks)
				}
			}
			if r.OK && !strings.Contains(line, `"failures":[]`) || !strings.Contains(line, `"checks":{`) || !regexp.MustCompile(`"ops":\{"ok":\d+,"failed":\d+,"unknown":\d+\}`).MatchString(line) {
				t.Errorf("%s: result %d is %s", c.args, i, line)
			}
		}
	}
	o := runBinary(t, "run", "--json", bad)
	if want := `"failures":[{"line":3,"text":"expect value 7","want":"value 7","got":"1 on leader n1"},{"line":4,`; !strings.Contains(o.stdout, want) {
		t.Errorf("there is no %s in %s", want, o.stdout)
	}
}

func TestRepeatsReportTheirSeeds(t *testing.T) {
	o := runBinary(t, "run", "--repeat", "2", writeFile(t, "bad.capsize", badScenario))
	o.checkEnded(t, exitFailed)
	for _, want := range []string{"SEED", "got 1 on leader n1 (seed 1)\n", "got 1 on leader n1 (seed 2)\n"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("there is no %q in\n%s", want, o.stdout)
		}
	}
}

func TestBadScenarioFailsInOneLine(t *testing.T) {
	dir := t.TempDir()
	good := writeFile(t, "good.capsize", goodScenario)
	file := func(text string) string { return writeFile(t, "it.capsize", text) }
	mistake := file("nodes 3\n\nincremnt 3\n")
	for _, c := range []struct{ args, why string }{
		{"run", "SCENARIO"},
		{"run " + mistake, mistake + ":3:1: "},
		{"run " + mistake, "did you mean increment"},
		{"run " + good + " " + mistake, mistake + ":3:1: "}, // nothing is run
		{"run --json -v " + good + " " + mistake, mistake + ":3:1: "},
		{"run " + filepath.Join(dir, "missing.capsize"), "no such file or built-in scenario"},
		{"run leader-crsh", "did you mean leader-crash"},
		{"run " + dir, "a directory, not a scenario file"},
		{"run " + file(""), "the scenario has no commands"},
		{"run " + file("\n# only words\n"), "the scenario has no commands"},
		{"run " + file("title x\n\x00\x01\x02"), ":2:1: control character U+0000"},
		{"run " + file("\x7fELF\xff\xfe"), ":1:1: "},
		{"run " + file("title \xff"), "invalid UTF-8"},
		{"run " + file("say "+strings.Repeat("x", 10<<20)), "10485764 bytes"},
		{"run " + file("nodes 100\nincrement"), "1 to 99"},
		{"run " + file("wait 2h"), "1h0m0s"},
		{"run " + file("expect violation linearizble"), "did you mean linearizable"},
		{"run --repeat 0 " + good, "--repeat 0"},
		{"run --repeat -1 " + good, "--repeat -1"},
		{"run --repeat 1000001 " + good, "--repeat 1000001"},
		{"run --seed x " + good, "invalid"},
		{"run --fast " + good, "unknown flag"},
		{"run --trace " + filepath.Join(dir, "trace") + " " + good + " " + good, "a trace holds one run"},
		{"run --trace " + filepath.Join(dir, "trace") + " --repeat 2 " + good, "a trace holds one run"},
		{"run --trace " + filepath.Join(dir, "none", "trace") + " " + good, "no such file"},
		{"run --trace " + dir + " " + good, "directory"},
		{"soak --for 0s", "--for 0s"},
		{"soak --for -1h", "--for -1h"},
		{"soak --for soon", "invalid"},
		{"soak --nodes 0", "1 to 99"},
		{"soak --chaos network,node", "did you mean nodes"},
		{"soak --chaos meteors", "network, nodes, disk or membership"},
		{"soak for 1h", "unexpected argument"},
		{"soak --trace " + filepath.Join(dir, "none", "trace"), "no such file"},
		{"scenarios leader-crsh", "did you mean leader-crash"},
		{"scenarios ../leader-crash", "unknown scenario"},
		{"scenarios a b", "unexpected argument"},
		{"commands a", "unexpected argument"},
		{"rum", "did you mean run"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			runBinary(t, strings.Fields(c.args)...).checkRefused(t, c.why)
		})
	}
}

func TestVerboseRunReportsEachStep(t *testing.T) {
	o := runBinary(t, "run", "-v", writeFile(t, "good.capsize", goodScenario))
	if o.status != 0 || !regexp.MustCompile(`^ +\d+\.\d{3}s  increment 3\n +\d+\.\d{3}s  expect value 3\n$`).MatchString(o.stderr) {
		t.Errorf("status %d, it said\n%s", o.status, o.stderr)
	}
}

// readTrace reads a recording line by line, and returns its header and final state.
func readTrace(t *testing.T, name string) (header recording.Header, state trace.State) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var from io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if from, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	lines := bufio.NewScanner(from)
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &header) != nil {
		t.Fatalf("the header is %q", lines.Text())
	}
	if !regexp.MustCompile(`^\{"capsize":1,"seed":-?\d+,"started":"[^"]+"\}$`).MatchString(lines.Text()) {
		t.Errorf("the header is %s", lines.Text())
	}
	for n := 2; lines.Scan(); n++ {
		var e trace.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		if e.Seq < state.Seq || e.Seq > state.Seq+1 && state.Seq > 0 || e.At < state.At {
			t.Fatalf("line %d: event %d at %s follows event %d at %s", n, e.Seq, e.At, state.Seq, state.At)
		}
		state.Apply(&e)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return header, state
}

func TestTraceHoldsEveryEvent(t *testing.T) {
	for _, end := range []string{"trace", "trace.gz"} {
		name := filepath.Join(t.TempDir(), end)
		o := runBinary(t, "run", "--json", "--trace", name, writeFile(t, "a.capsize", "nodes 3\nseed 8\nincrement 4\nwait value 4\nexpect value 5"))
		o.checkEnded(t, exitFailed)
		var r headless.Result
		if err := json.Unmarshal([]byte(o.stdout), &r); err != nil {
			t.Fatal(err)
		}
		header, state := readTrace(t, name)
		if header.Seed != 8 || state.Settings.Seed != 8 || len(state.Nodes) != 3 || state.Clients.OK != 4 || state.Seq < r.Events {
			t.Errorf("seed %d, %d nodes, %+v, event %d of %d", header.Seed, len(state.Nodes), state.Clients, state.Seq, r.Events)
		}
		for _, n := range state.Nodes {
			if n.Value != 4 || n.Process != trace.Up {
				t.Errorf("%s is %s with value %d", n.ID, n.Process, n.Value)
			}
		}
	}
}

func TestScenariosAreListedAndPrinted(t *testing.T) {
	list := runBinary(t, "scenarios")
	list.checkEnded(t, 0)
	// A blank line ends the group of the lessons.
	lessons, others, grouped := strings.Cut(strings.TrimSuffix(list.stdout, "\n"), "\n\n")
	lines := strings.Split(lessons+"\n"+others, "\n")
	if count := strings.Count(lessons, "\n") + 1; !grouped || count != len(scenario.Lessons()) {
		t.Errorf("%d lines in the first group, want the %d lessons", count, len(scenario.Lessons()))
	}
	names := scenario.Names()
	if len(lines) != len(names) {
		t.Errorf("%d lines for %d scenarios:\n%s", len(lines), len(names), list.stdout)
	}
	for i, name := range names {
		if i < len(lines) && !regexp.MustCompile(fmt.Sprintf(`^%s  +\S`, regexp.QuoteMeta(name))).MatchString(lines[i]) {
			t.Errorf("line %d is %q", i+1, lines[i])
		}
	}
	one := runBinary(t, "scenarios", "leader-crash")
	one.checkEnded(t, 0)
	// What it prints runs.
	runBinary(t, "run", writeFile(t, "mine.capsize", one.stdout)).checkEnded(t, 0)
}

func TestReferenceListsEveryCommand(t *testing.T) {
	o := runBinary(t, "commands")
	o.checkEnded(t, 0)
	for _, r := range scenario.References() {
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(r.Name) + `\b`).MatchString(o.stdout) {
			t.Errorf("it does not tell of %s", r.Name)
		}
	}
	for line := range strings.Lines(o.stdout) {
		if len([]rune(line)) > 81 {
			t.Errorf("too long: %q", line)
		}
	}
}

func TestPlainReplayPrintsTheStory(t *testing.T) {
	name := filepath.Join(t.TempDir(), "run.trace.gz")
	runBinary(t, "run", "--trace", name, writeFile(t, "good.capsize", "title Good\nnodes 3\nincrement 3\nkill leader\nwait leader\n")).checkEnded(t, 0)
	o := runBinary(t, "replay", name)
	o.checkEnded(t, 0)
	// A split vote may take the second election to a later term.
	story := regexp.MustCompile(`(?s) becomes leader of term 2 with .* log entries on disk.* becomes leader of term [3-9] with `)
	if !story.MatchString(o.stdout) {
		t.Errorf("it does not tell the story %s:\n%s", story, o.stdout)
	}
	runBinary(t, "replay", name+".gone").checkRefused(t, "no such file")
	runBinary(t, "replay", writeFile(t, "x", "x\n")).checkRefused(t, "not a capsize recording")
	runBinary(t, "replay").checkRefused(t, "missing a recording")
}

// An unwritable file is reported before anything starts.
func TestUnwritableRecordingFails(t *testing.T) {
	name := filepath.Join(t.TempDir(), "none", "run.trace")
	for _, args := range [][]string{{}, {"play", "leader-crash"}, {"run", "leader-crash"}, {"soak"}} {
		runBinary(t, append(args, "--trace", name)...).checkRefused(t, name)
	}
}

// A recording whose verdicts contradict its events proves nothing.
func TestContradictoryRecordingIsRefused(t *testing.T) {
	dir := t.TempDir()
	honest, lying := filepath.Join(dir, "honest.jsonl"), filepath.Join(dir, "lying.jsonl")
	runBinary(t, "run", "stale-read", "--trace", honest)
	text, err := os.ReadFile(honest)
	if err != nil {
		t.Fatal(err)
	}
	verdict := regexp.MustCompile(`"verdict":"violated"`)
	if !verdict.Match(text) {
		t.Fatal("nothing is violated in the recording")
	}
	if err := os.WriteFile(lying, verdict.ReplaceAll(text, []byte(`"verdict":"ok"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	picture := filepath.Join(dir, "picture")
	for _, args := range []string{"replay %s", "export %s -f text -o " + picture, "export %s -f html -o " + picture, "record %s --fps 1 -o " + picture + ".cast"} {
		if o := runBinary(t, strings.Fields(fmt.Sprintf(args, honest))...); o.status != 0 {
			t.Errorf("%s of an honest recording: status %d, %q", args, o.status, o.stderr)
		}
		_, _ = os.Remove(picture), os.Remove(picture+".cast")
		o := runBinary(t, strings.Fields(fmt.Sprintf(args, lying))...)
		if o.status != exitUsage || !strings.Contains(o.stderr, "its verdicts contradict its events: linearizable is violated: c1 read 3") {
			t.Errorf("%s: status %d, %q", args, o.status, o.stderr)
		}
	}
	if left, _ := filepath.Glob(picture + "*"); len(left) > 0 {
		t.Errorf("a lying recording was made into %q", left)
	}
}

// A damaged file costs a line on the standard error, not the course.
func TestCourseIsListedWithoutATerminal(t *testing.T) {
	state := t.TempDir()
	// On every system, one of these names the state directory.
	for _, name := range []string{"XDG_STATE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, state)
	}
	if err := os.MkdirAll(stateDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(stateDir(), "course.json")
	const done = `{"capsize-course":1,"lessons":{"lesson-1-term":{"done":true,"right":2,"asked":4}}}`
	for _, test := range []struct{ text, progress, next, problem string }{
		{done, "done, 2/4 right", `"capsize learn 2"`, ""},
		{"{", "", `"capsize learn 1"`, "damaged"},
	} {
		if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		o := runBinary(t, "learn")
		if o.status != 0 {
			t.Errorf("exit status %d", o.status)
		}
		lines := strings.Split(o.stdout, "\n")
		if len(lines) != 13 || !strings.HasPrefix(lines[0], "lesson-1-term ") || !strings.Contains(lines[0], "What a term is") || !strings.Contains(lines[0], test.progress) ||
			!strings.Contains(lines[11], test.next) {
			t.Errorf("the list is\n%s", o.stdout)
		}
		if strings.Count(o.stderr, "\n") != min(len(test.problem), 1) || !strings.Contains(o.stderr, test.problem) {
			t.Errorf("on the standard error: %q", o.stderr)
		}
	}
}
