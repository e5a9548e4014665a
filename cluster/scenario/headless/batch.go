package headless

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
)

// Batch is a number of scripts to run.
type Batch struct {
	Scripts []*scenario.Script
	Open    engine.Opener // starts the clusters
	// Exact is the version of an exact engine, which Open starts then; otherwise it is "".
	Exact string
	// Repeat is how often each script runs: with its seed and with the seeds after it. Exact runs
	// repeat the seed instead, and must all be the same.
	Repeat int
	// Jobs is how many scripts run at a time, 0 for one on each core.
	Jobs int
	// Trace is the file to write the events to, "" for none. It holds a single run.
	Trace string
	// Steps receives a line for each step and for each check that is no longer ok. It
	// may be nil.
	Steps io.Writer
	// Terminal shows the progress of long batches. It may be nil.
	Terminal io.Writer
}

// repeatMax is the largest number of repetitions.
const repeatMax = 1_000_000

// Validate returns an error if the options of the batch are out of range.
func (b Batch) Validate() error {
	if b.Repeat < 1 || b.Repeat > repeatMax {
		return fmt.Errorf("--repeat %d: must be from 1 to %d", b.Repeat, repeatMax)
	}
	return nil
}

// Run runs the batch and returns the results in the order of the
// scripts. The error joins the errors of the runs that did not start or did not end
// by themselves, which have no result. When ctx ends, so do the runs.
func (b Batch) Run(ctx context.Context) ([]Result, error) {
	scripts := b.seeded()
	var record *recording.Writer
	if b.Trace != "" {
		if len(scripts) != 1 {
			return nil, fmt.Errorf("%s: a trace holds one run, and this batch has %d; leave out --trace, or run one", b.Trace, len(scripts))
		}
		var err error
		if record, err = recording.Create(b.Trace, header(scripts[0].Settings.Seed, b.Exact, scripts[0].Nodes)); err != nil {
			return nil, scenario.FileError(b.Trace, err)
		}
	}
	results, errs := make([]Result, len(scripts)), make([]error, len(scripts))
	engines := make([]atomic.Pointer[engine.Engine], len(scripts))
	var ended, taken atomic.Int64
	stop := ShowProgress(b.Terminal, func() string { return progress(scripts, engines, ended.Load()) })
	var workers sync.WaitGroup
	for range min(cmp.Or(b.Jobs, runtime.GOMAXPROCS(0)), len(scripts)) {
		workers.Go(func() {
			for i := taken.Add(1) - 1; i < int64(len(scripts)); i = taken.Add(1) - 1 {
				o := observers{record: record, engine: &engines[i], event: stepPrinter(b.Steps, scripts[i], len(scripts))}
				results[i], errs[i] = run(ctx, b.Open, scripts[i], o)
				engines[i].Store(nil)
				ended.Add(1)
			}
		})
	}
	workers.Wait()
	stop()
	if record != nil {
		errs = append(errs, record.Close()) // a run that did not start has not closed it
	}
	completed, err := collect(scripts, results, errs)
	compare(completed)
	return completed, err
}

// header returns the header of a run's recording. Version is that of the exact engine, "" for
// none.
func header(seed int64, version string, nodes int) recording.Header {
	h := recording.Header{Seed: seed}
	if version != "" {
		h.Exact = &recording.Exact{Version: version, Nodes: nodes}
	}
	return h
}

// compare adds a failure to each exact run that differs from the first one of its scenario and
// seed.
func compare(results []Result) {
	type run struct {
		scenario string
		seed     int64
	}
	first := map[run]string{}
	for i := range results {
		r := &results[i]
		if r.Fingerprint == "" {
			continue
		}
		of := run{r.Scenario, r.Seed}
		want, known := first[of]
		if !known {
			first[of] = r.Fingerprint
		} else if r.Fingerprint != want {
			r.OK = false
			r.Failures = append(r.Failures, scenario.Failure{Text: "--repeat", Want: "trace " + want, Got: "trace " + r.Fingerprint})
		}
	}
}

// seeded returns each script as often as it is repeated, each with its seed.
func (b Batch) seeded() []*scenario.Script {
	var scripts []*scenario.Script
	for _, s := range b.Scripts {
		for i := range max(b.Repeat, 1) {
			one := *s
			if b.Exact == "" {
				one.Settings.Seed += int64(i)
			}
			scripts = append(scripts, &one)
		}
	}
	return scripts
}

// collect returns the results of the runs without an error, and joins the errors
// under the names of their scripts. An interruption hides all other errors. Errors
// beyond those of the scripts are about the batch.
func collect(scripts []*scenario.Script, results []Result, errs []error) ([]Result, error) {
	var completed []Result
	var all []error
	for i, err := range errs {
		switch {
		case errors.Is(err, ErrInterrupted):
			all = []error{ErrInterrupted}
		case err != nil && i < len(scripts):
			all = append(all, fmt.Errorf("%s: %w", scripts[i].Name, err))
		case err != nil:
			all = append(all, err)
		}
		if err == nil && i < len(scripts) {
			completed = append(completed, results[i])
		}
	}
	return completed, errors.Join(all...)
}

// progress describes in one line how far the runs are.
func progress(scripts []*scenario.Script, engines []atomic.Pointer[engine.Engine], ended int64) string {
	var running []string
	for i := range engines {
		if e := engines[i].Load(); e != nil {
			running = append(running, fmt.Sprintf("%s at %.0fs", scripts[i].Name, (*e).Now().Seconds()))
		}
	}
	return fmt.Sprintf("%d of %d done; running: %s", ended, len(scripts), strings.Join(running, ", "))
}

// stepPrinter returns a subscriber that prints the steps of a script, what fails
// late, and verdicts other than ok. With several runs, each line names its run. It
// returns nil if to is nil.
func stepPrinter(to io.Writer, s *scenario.Script, runs int) func(trace.Event) {
	if to == nil {
		return nil
	}
	prefix := ""
	if runs > 1 {
		prefix = fmt.Sprintf("%s (seed %d) ", s.Name, s.Settings.Seed)
	}
	tell := func(at time.Duration, text string) {
		_, _ = fmt.Fprintf(to, "%s%9.3fs  %s\n", prefix, at.Seconds(), text)
	}
	return func(e trace.Event) {
		text := ""
		switch e.Kind {
		case trace.KindCommand:
			text = e.Text
		case trace.KindRefused:
			text = "refused: " + e.Text
		case trace.KindQuestion:
			for _, line := range describeQuestion(e.Question) {
				tell(e.At, line)
			}
		case trace.KindVerdict:
			if e.Verdict != trace.VerdictOK {
				text = scenario.DescribeVerdict(trace.Check{Name: e.Check, Verdict: e.Verdict, Text: e.Text})
			}
		default:
		}
		if text != "" {
			tell(e.At, text)
		}
	}
}
