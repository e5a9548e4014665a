// Command raftsuite runs hashicorp/raft's own test suite twice: with the library's
// InmemTransport and with faults.Network. It prints the results, and fails if a test fails
// only with faults.Network. Many of the tests depend on real time and fail now and then on
// a busy machine, with either transport. So a test that failed only with faults.Network is
// repeated before it counts.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const raftPath = "github.com/hashicorp/raft"

//go:embed adapter/inmem_transport.go
var adapter []byte

func main() {
	runs := flag.Int("runs", 3, "how many times to run each test")
	more := flag.Int("more", 10, "how many more times to run the tests that failed only with faults.Network")
	tests := flag.String("run", ".", "run only the tests that match this regular expression")
	flag.Parse()
	ok, err := compare(*runs, *more, *tests)
	if err != nil {
		fmt.Fprintln(os.Stderr, "raft-suite:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// compare reports whether every test that passes with raft's own transport passes with
// faults.Network. It must run in the root of the module.
func compare(runs, more int, tests string) (bool, error) {
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", raftPath).Output()
	if err != nil {
		return false, fmt.Errorf("finding %s: %w", raftPath, err)
	}
	version, dir, _ := strings.Cut(strings.TrimSpace(string(module)), " ")
	work, err := os.MkdirTemp("", "raft-suite-")
	if err != nil {
		return false, err
	}
	fmt.Printf("tests of %s %s; their output is in %s\n", raftPath, version, work)
	own, ours, err := copies(dir, work)
	if err != nil {
		return false, err
	}
	for _, s := range []*suite{own, ours} {
		defer func() { _ = os.RemoveAll(s.dir) }()
		if err := s.build(tests); err != nil {
			return false, err
		}
	}
	if err := runBoth(own, ours, runs, own.tests); err != nil {
		return false, err
	}
	if doubtful := onlyOurs(own, ours); len(doubtful) > 0 {
		fmt.Printf("repeating %d times: %s\n", more, strings.Join(doubtful, " "))
		if err := runBoth(own, ours, more, doubtful); err != nil {
			return false, err
		}
	}
	return report(own, ours), nil
}

// copies copies raft's folder once for each transport.
func copies(dir, work string) (own, ours *suite, err error) {
	own = newSuite("InmemTransport", filepath.Join(work, "own"))
	ours = newSuite("faults.Network", filepath.Join(work, "faults"))
	for _, s := range []*suite{own, ours} {
		if err := os.CopyFS(s.dir, os.DirFS(dir)); err != nil {
			return nil, nil, err
		}
		// Its tests use unexported fields of the transport.
		if err := os.Remove(filepath.Join(s.dir, "inmem_transport_test.go")); err != nil {
			return nil, nil, err
		}
	}
	if err := adapt(ours.dir); err != nil {
		return nil, nil, fmt.Errorf("replacing the transport of raft: %w", err)
	}
	return own, ours, nil
}

// runBoth runs the tests with the two transports in alternation, under the same load.
func runBoth(own, ours *suite, runs int, tests []string) error {
	for range runs {
		for _, s := range []*suite{own, ours} {
			if err := s.run(tests); err != nil {
				return err
			}
		}
	}
	return nil
}

// onlyOurs returns the tests that failed only with faults.Network.
func onlyOurs(own, ours *suite) []string {
	return slices.DeleteFunc(slices.Clone(own.tests), func(name string) bool { return own.failed[name] > 0 || ours.failed[name] == 0 })
}

// adapt replaces the InmemTransport of a copy of raft with package faults.
func adapt(dir string) error {
	if err := movePackage("faults", dir); err != nil {
		return err
	}
	path := filepath.Join(dir, "inmem_transport.go")
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.WriteFile(path, adapter, 0o600)
}

// report prints the tests that failed at least once. It returns true if none failed only
// with faults.Network.
func report(own, ours *suite) bool {
	for _, name := range own.tests {
		if own.failed[name]+ours.failed[name] > 0 {
			fmt.Printf("%s: failed %s, %s\n", name, own.failures(name), ours.failures(name))
		}
	}
	only := onlyOurs(own, ours)
	if len(only) == 0 {
		fmt.Printf("no test failed only with %s\n", ours.transport)
	} else {
		fmt.Printf("failed only with %s: %s\n", ours.transport, strings.Join(only, " "))
	}
	return len(only) == 0
}

// suite is a copy of raft, with its tests compiled.
type suite struct {
	transport string
	dir       string
	tests     []string
	runs      int            // runs of the suite or of a part of it
	began     map[string]int // by test: how often it ran
	failed    map[string]int // by test: how often it failed
}

func newSuite(transport, dir string) *suite {
	return &suite{transport: transport, dir: dir, began: map[string]int{}, failed: map[string]int{}}
}

func (s *suite) failures(test string) string {
	return fmt.Sprintf("%d of %d with %s", s.failed[test], s.began[test], s.transport)
}

// build compiles the tests and lists those that match.
func (s *suite) build(match string) error {
	compile := exec.Command("go", "test", "-c", "-o", "suite.test", ".")
	compile.Dir, compile.Stderr = s.dir, os.Stderr
	if err := compile.Run(); err != nil {
		return fmt.Errorf("building the tests with %s: %w", s.transport, err)
	}
	list, err := s.command("-test.list", match).Output()
	if err != nil {
		return fmt.Errorf("listing the tests: %w", err)
	}
	s.tests = slices.DeleteFunc(strings.Fields(string(list)), func(name string) bool { return !strings.HasPrefix(name, "Test") })
	if len(s.tests) == 0 {
		return fmt.Errorf("no test matches %q", match)
	}
	return nil
}

func (s *suite) command(args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.dir, "suite.test"), args...)
	c.Dir = s.dir
	return c
}

// run runs each of the tests once and counts the results. After a panic,
// the remaining tests run in another process.
func (s *suite) run(tests []string) error {
	s.runs++
	output, err := os.Create(fmt.Sprintf("%s-%d.txt", s.dir, s.runs))
	if err != nil {
		return err
	}
	defer func() { _ = output.Close() }()
	start := time.Now()
	var passed, failed, skipped int
	for left := tests; len(left) > 0; {
		test := s.command("-test.v", "-test.timeout=10m", "-test.run", "^("+strings.Join(left, "|")+")$")
		var stdout strings.Builder
		test.Stdout, test.Stderr = io.MultiWriter(&stdout, output), output
		_ = test.Run() // fails if a test does
		results := parse(stdout.String())
		if len(results) == 0 {
			return fmt.Errorf("no test ran with %s: see %s", s.transport, output.Name())
		}
		next := slices.DeleteFunc(slices.Clone(left), func(name string) bool { return results[name] != "" })
		for name, result := range results {
			s.began[name]++
			switch result {
			case "PASS":
				passed++
			case "SKIP":
				skipped++
			default:
				failed++
				s.failed[name]++
			}
		}
		left = next
	}
	fmt.Printf("run %d with %s: %d passed, %d failed, %d skipped, in %v\n", s.runs, s.transport, passed, failed, skipped, time.Since(start).Round(time.Second))
	return nil
}

// parse returns the result of each test that started: PASS, FAIL, SKIP, or RUN if the
// process died in it.
func parse(output string) map[string]string {
	results := map[string]string{}
	for line := range strings.Lines(output) {
		words := strings.Fields(line)
		switch {
		case len(words) < 3 || strings.HasPrefix(line, " "):
		case words[0] == "===" && words[1] == "RUN" && !strings.Contains(words[2], "/"):
			results[words[2]] = "RUN"
		case words[0] == "---":
			results[words[2]] = strings.TrimSuffix(words[1], ":")
		}
	}
	return results
}
