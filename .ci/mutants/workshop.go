package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// roundMax is how long one command may take. A mutation can make a run hang.
	roundMax = 2 * time.Minute
	// firstRounds is how many rounds of random faults come before the built-in scenarios.
	firstRounds = 3
)

// workshop is a copy of the checkout in which sources can be broken.
type workshop struct {
	dir       string
	random    []string // the files with random faults
	scenarios []string // the names of the built-in scenarios
}

// newWorkshop copies the checkout.
func newWorkshop(ctx context.Context) (*workshop, error) {
	list, err := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return nil, fmt.Errorf("listing the source: %w", err)
	}
	w := &workshop{}
	if w.dir, err = os.MkdirTemp("", "capsize-mutants-"); err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		if err := copyFile(name, filepath.Join(w.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, errors.Join(err, w.remove())
		}
	}
	if w.random, err = filepath.Glob(filepath.Join(w.dir, folder, "scenarios", "*.capsize")); err != nil {
		return nil, errors.Join(err, w.remove())
	}
	return w, nil
}

func (w *workshop) remove() error { return os.RemoveAll(w.dir) }

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600)
}

// baseline builds the source as it is and returns what is red in it.
func (w *workshop) baseline(ctx context.Context) (string, error) {
	if err := w.build(ctx); err != nil {
		return "", err
	}
	list, err := exec.CommandContext(ctx, w.program(), "scenarios").Output()
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(list)) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), " "); name != "" {
			w.scenarios = append(w.scenarios, name)
		}
	}
	for round := range firstRounds + 1 {
		if red, _ := w.round(ctx, round); red != "" || ctx.Err() != nil {
			return red, ctx.Err()
		}
	}
	return "", nil
}

// find applies a mutation, looks for it, and takes it back. It returns what found it, "" for
// nothing, and after how many runs.
func (w *workshop) find(ctx context.Context, m mutation, limit time.Duration) (found string, runs int, err error) {
	name := filepath.Join(w.dir, m.File)
	source, err := os.ReadFile(name)
	if err != nil {
		return "", 0, err
	}
	changed, err := m.apply(string(source))
	if err != nil {
		return "", 0, err
	}
	if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, os.WriteFile(name, source, 0o600)) }()
	if err := w.build(ctx); err != nil {
		return "", 0, fmt.Errorf("%s: %w", m.Name, err)
	}
	if m.Unseen != "" {
		return w.test(ctx, filepath.Dir(m.File)), 0, ctx.Err()
	}
	end := time.Now().Add(limit)
	for round := 0; found == "" && time.Now().Before(end); round++ {
		var more int
		found, more = w.round(ctx, round)
		runs += more
		if ctx.Err() != nil {
			return "", runs, ctx.Err()
		}
	}
	return found, runs, nil
}

func (w *workshop) program() string { return filepath.Join(w.dir, "capsize") }

func (w *workshop) build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", w.program(), ".")
	cmd.Dir = w.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w\n%s", err, out)
	}
	return nil
}

// test runs the tests of a package until one fails, and returns its name.
func (w *workshop) test(ctx context.Context, folder string) string {
	cmd := exec.CommandContext(ctx, "go", "test", "-failfast", "./"+folder)
	cmd.Dir = w.dir
	out, err := cmd.CombinedOutput()
	if _, failed, _ := strings.Cut(string(out), "--- FAIL: "); err != nil && failed != "" {
		return fmt.Sprintf("go test ./%s: %s", folder, strings.Fields(failed)[0])
	}
	return ""
}

// round runs the files with random faults, each with a seed of its own for this round, or the
// built-in scenarios. It returns what is red, and how many runs there were.
func (w *workshop) round(ctx context.Context, n int) (red string, runs int) {
	scripts := w.random
	if n == firstRounds {
		scripts = w.scenarios
	}
	ctx, cancel := context.WithTimeout(ctx, roundMax)
	defer cancel()
	args := []string{"run", "--json"}
	if n != firstRounds {
		args = append(args, fmt.Sprintf("--seed=%d", n+1))
	}
	cmd := exec.CommandContext(ctx, w.program(), append(args, scripts...)...)
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	err := cmd.Run()
	if err == nil {
		return "", len(scripts)
	}
	if red = firstRed(out.String()); red != "" {
		return red, len(scripts)
	}
	if ctx.Err() != nil {
		return fmt.Sprintf("a hang: no end within %s", roundMax), len(scripts)
	}
	line, _, _ := strings.Cut(messages.String(), "\n")
	return fmt.Sprintf("%s: %v", line, err), len(scripts)
}

// firstRed describes the first run that failed. out holds one JSON object a line.
func firstRed(out string) string {
	for line := range strings.Lines(out) {
		var r struct {
			Scenario string
			OK       bool
			Checks   map[string]string
			Failures []struct{ Text, Want, Got string }
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.OK {
			continue
		}
		var violated []string
		for _, name := range slices.Sorted(maps.Keys(r.Checks)) {
			if r.Checks[name] == "violated" {
				violated = append(violated, name)
			}
		}
		if len(violated) == 0 && len(r.Failures) > 0 {
			violated = []string{fmt.Sprintf("%q failed", r.Failures[0].Text)}
		}
		return filepath.Base(r.Scenario) + ": " + strings.Join(violated, ", ")
	}
	return ""
}
