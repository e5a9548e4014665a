// Command mutants breaks capsize in many small ways, one at a time, and reports what finds each
// of them: random faults under load (the scenarios beside this file) or the built-in scenarios.
// Every mutation of mutants.json breaks safety, durability, exactly-once, a fault or a read. It
// fails if one is not found, or no longer applies. See CONTRIBUTING.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"
)

// folder holds this program and its data, seen from the top of the checkout.
const folder = ".ci/mutants"

// mutation is one change of the source.
type mutation struct {
	Name string `json:"name"`
	File string `json:"file"`
	Why  string `json:"why"` // what is wrong with the changed source
	// Unseen says why no run can show the mutation, "" if one can. Tests must find it then.
	Unseen string `json:"unseen"`

	Old []string `json:"old"` // lines, which occur in the file once
	New []string `json:"new"`
}

// apply returns the changed source.
func (m mutation) apply(source string) (string, error) {
	before := strings.Join(m.Old, "\n")
	if n := strings.Count(source, before); n != 1 {
		return "", fmt.Errorf("%s: its old text occurs %d times in %s, want once: update %s/mutants.json", m.Name, n, m.File, folder)
	}
	return strings.Replace(source, before, strings.Join(m.New, "\n"), 1), nil
}

func main() {
	limit := flag.Duration("for", 10*time.Minute, "how long to look for each mutation")
	only := flag.String("run", "", "run only the mutations whose names match this regular expression")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	missed, err := run(ctx, *only, *limit)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	case missed > 0:
		os.Exit(1)
	}
}

// run looks for the mutations that match a pattern and prints what finds them. It returns how many
// are not found. It runs at the top of a checkout.
func run(ctx context.Context, pattern string, limit time.Duration) (missed int, err error) {
	wanted, err := regexp.Compile(pattern)
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(filepath.Join(folder, "mutants.json"))
	if err != nil {
		return 0, err
	}
	var all []mutation
	if err := json.Unmarshal(text, &all); err != nil {
		return 0, err
	}
	w, err := newWorkshop(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.remove()) }()
	if red, err := w.baseline(ctx); err != nil || red != "" {
		return 0, errors.Join(err, fmt.Errorf("the source is red without a mutation: %s", red))
	}
	table := tabwriter.NewWriter(os.Stdout, 30, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "MUTATION\tRUNS\tWALL\tFOUND BY")
	count := 0
	for _, m := range all {
		if !wanted.MatchString(m.Name) {
			continue
		}
		count++
		started := time.Now()
		found, runs, err := w.find(ctx, m, limit)
		if err != nil {
			return missed, fmt.Errorf("%s: %w", m.Name, err)
		}
		if found == "" {
			missed++
			found = "NOT FOUND: " + m.Why
		}
		_, _ = fmt.Fprintf(table, "%s\t%d\t%.0fs\t%s\n", m.Name, runs, time.Since(started).Seconds(), found)
		_ = table.Flush()
	}
	fmt.Printf("%d of %d mutations found\n", count-missed, count)
	return missed, nil
}
