package headless

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
	"capsize/cluster/vtime"
)

// Batch is a number of scripts to be run without a screen.
type Batch struct {
	Scripts []*scenario.Script
	// Repeat is how often each of them is run: with its seed, and the ones after it.
	Repeat int
	// Trace is the file that the events are written to, "" for none. Only a single
	// run has one.
	Trace string
	// Steps is told of each step as it is carried out, and of each check that is not
	// ok any more, nil for nobody.
	Steps io.Writer
	// Terminal is told how far the runs are if they take long, nil for nobody.
	Terminal io.Writer
}

// repeatMax is how often a scenario may be run at once.
const repeatMax = 1_000_000

// Validate says what is wrong with a batch.
func (b Batch) Validate() error {
	if b.Repeat < 1 || b.Repeat > repeatMax {
		return fmt.Errorf("--repeat %d: it must be from 1 to %d", b.Repeat, repeatMax)
	}
	return nil
}

// Run carries the batch out, on all cores there are, and returns the results in
// order. The error says which runs could not be started or ended by themselves;
// they have no result. When ctx ends, so do the runs.
func (b Batch) Run(ctx context.Context) ([]Result, error) {
	var scripts []*scenario.Script
	for _, s := range b.Scripts {
		for i := range max(b.Repeat, 1) {
			one := *s
			one.Settings.Seed += int64(i)
			scripts = append(scripts, &one)
		}
	}
	var record *recording.Writer
	if b.Trace != "" {
		if len(scripts) != 1 {
			return nil, fmt.Errorf("%s: a trace is of one run, and there are %d", b.Trace, len(scripts))
		}
		var err error
		if record, err = recording.Create(b.Trace, scripts[0].Settings.Seed); err != nil {
			return nil, scenario.FileError(b.Trace, err)
		}
	}
	results, errs := make([]Result, len(scripts)), make([]error, len(scripts))
	clocks := make([]atomic.Pointer[vtime.Clock], len(scripts))
	var ended atomic.Int64
	stop := showProgress(b.Terminal, func() string { return progress(scripts, clocks, ended.Load()) })
	var workers sync.WaitGroup
	var taken atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(scripts)) {
		workers.Go(func() {
			for i := taken.Add(1) - 1; i < int64(len(scripts)); i = taken.Add(1) - 1 {
				o := observers{record: record, clock: &clocks[i], event: tellSteps(b.Steps, scripts[i], len(scripts))}
				results[i], errs[i] = run(ctx, scripts[i], o)
				clocks[i].Store(nil)
				ended.Add(1)
			}
		})
	}
	workers.Wait()
	stop()
	if record != nil {
		errs = append(errs, record.Close()) // one that was never started has not closed it
	}
	return collect(scripts, results, errs)
}

// collect leaves out the runs that have no result, and names their errors.
func collect(scripts []*scenario.Script, results []Result, errs []error) ([]Result, error) {
	var whole []Result
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
			whole = append(whole, results[i])
		}
	}
	return whole, errors.Join(all...)
}

// progress says in a line how far the runs are.
func progress(scripts []*scenario.Script, clocks []atomic.Pointer[vtime.Clock], ended int64) string {
	var under []string
	for i := range clocks {
		if clock := clocks[i].Load(); clock != nil {
			under = append(under, fmt.Sprintf("%s at %.0fs", scripts[i].Name, clock.Now().Seconds()))
		}
	}
	return fmt.Sprintf("%d of %d done; %s", ended, len(scripts), strings.Join(under, ", "))
}

// tellSteps returns what writes the steps of a script as they are carried out;
// with several runs, it says of which.
func tellSteps(to io.Writer, s *scenario.Script, runs int) func(trace.Event) {
	if to == nil {
		return nil
	}
	who := ""
	if runs > 1 {
		who = fmt.Sprintf("%s (seed %d) ", s.Name, s.Settings.Seed)
	}
	return func(e trace.Event) {
		switch e.Kind {
		case trace.KindCommand:
			_, _ = fmt.Fprintf(to, "%s%9.3fs  %s\n", who, e.At.Seconds(), e.Text)
		case trace.KindRefused:
			_, _ = fmt.Fprintf(to, "%s%9.3fs  refused: %s\n", who, e.At.Seconds(), e.Text)
		case trace.KindVerdict:
			if e.Verdict != trace.VerdictOK {
				c := trace.Check{Name: e.Check, Verdict: e.Verdict, Text: e.Text}
				_, _ = fmt.Fprintf(to, "%s%9.3fs  %s\n", who, e.At.Seconds(), scenario.DescribeVerdict(c))
			}
		default:
		}
	}
}
