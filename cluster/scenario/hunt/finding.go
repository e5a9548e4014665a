package hunt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/trace"
)

// Finding is a schedule that broke the cluster, the first of its search to do so in its way.
type Finding struct {
	Failure   string  `json:"failure"`   // the violated check, or "crash"
	Schedules int     `json:"schedules"` // that the search had run
	Seconds   float64 `json:"seconds"`   // in real time, since the start of the hunt
	Signals   Signals `json:"signals"`   // dangerous states that the run passed through at once
	// Mode is that of the run that is kept.
	Mode engine.Mode `json:"mode"`
	// Found is the scenario, "" if none is kept.
	Found string `json:"found,omitempty"`

	search   int64
	unseen   bool // it has failed only once, and its events are lost
	schedule schedule
	died     error
}

// After is when the finding was made, since the start of the hunt.
func (f *Finding) After() time.Duration {
	return time.Duration(f.Seconds * float64(time.Second)).Round(time.Second / 10)
}

// Opening is the command that opens the finding, "" if none is kept.
func (f *Finding) Opening() string {
	switch {
	case f.Found == "":
		return ""
	case f.unseen:
		return headless.Retry(f.Found)
	}
	return headless.Opening(f.Found, f.Mode)
}

// again is how many seeds are tried to find a run that fails once more.
const again = 320

// keep keeps a finding, as a run that fails in the same way: an exact one if there is one among
// those with the next seeds, otherwise a native one.
func (h *Hunt) keep(ctx context.Context, f *Finding) error {
	s, ok := h.repeat(ctx, h.cfg.Exact, f)
	switch {
	case ctx.Err() != nil && !ok:
		return h.keepUnseen(ctx, f)
	case ok:
		f.schedule, f.Mode = s, engine.ExactMode
		return h.keepExact(ctx, f)
	}
	f.Mode = engine.NativeMode
	return h.keepNative(ctx, f)
}

// repeat looks for a seed with which the schedule of a finding fails once more: the first one.
func (h *Hunt) repeat(ctx context.Context, open engine.Opener, f *Finding) (schedule, bool) {
	for n := 0; n < again && ctx.Err() == nil; n += batch {
		inputs := make([]schedule, batch)
		for i := range inputs {
			inputs[i] = schedule{seed: f.schedule.seed + int64(n+i), lines: f.schedule.lines}
		}
		for i, o := range h.tryAll(ctx, open, inputs) {
			if o.failure() == f.Failure {
				return inputs[i], true
			}
		}
	}
	return schedule{}, false
}

// keepExact keeps a finding whose schedule fails exactly.
func (h *Hunt) keepExact(ctx context.Context, f *Finding) error {
	script, err := h.header.script(f.name(), f.schedule)
	if err != nil {
		return err
	}
	r, err := headless.Run(ctx, h.cfg.Exact, script, nil)
	if errors.Is(err, headless.ErrInterrupted) {
		return h.keepUnseen(ctx, f)
	}
	one := headless.Finding{Name: f.name(), Script: script, Result: r}
	if err != nil {
		one.Result = f.result(script, err.Error())
	} else {
		one.Trace = headless.RecordAgain(ctx, h.cfg.Exact, h.cfg.Version, script, r.Fingerprint)
	}
	f.Found, err = h.cfg.Found.Keep(one)
	if errors.Is(err, headless.ErrInterrupted) {
		return nil // only the trace is missing, and the run repeats
	}
	return err
}

// keepNative keeps a finding that no exact run has shown, with a native run that fails again, if
// one does.
func (h *Hunt) keepNative(ctx context.Context, f *Finding) error {
	for s, n := f.schedule, 0; n < again && ctx.Err() == nil; n++ {
		script, err := h.header.script(f.name(), s)
		if err != nil {
			return err
		}
		past, r, err := headless.RunRecorded(ctx, engine.OpenNative, script)
		if err == nil && r.Checks[f.Failure] == string(trace.VerdictViolated) {
			f.Found, err = h.cfg.Found.Keep(headless.Finding{Name: f.name(), Script: script, Result: r, Trace: headless.RecordHistory(past, r)})
			return err
		}
		s.seed++
	}
	return h.keepUnseen(ctx, f)
}

// keepUnseen keeps a finding that failed only once, without its events. One of an exact search will
// fail again all the same.
func (h *Hunt) keepUnseen(ctx context.Context, f *Finding) error {
	script, err := h.header.script(f.name(), f.schedule)
	if err != nil {
		return err
	}
	why := "violated once, and in no run after that"
	switch {
	case f.died != nil:
		why = f.died.Error()
	case ctx.Err() != nil:
		why = "violated once; the hunt ended before another run"
	}
	f.Mode, f.unseen = h.cfg.Mode, h.cfg.Mode != engine.ExactMode
	f.Found, err = h.cfg.Found.Keep(headless.Finding{Name: f.name(), Script: script, Result: f.result(script, why)})
	return err
}

// name is that of the files of a finding.
func (f *Finding) name() string { return fmt.Sprintf("hunt-%d-%s", f.search, f.Failure) }

// result is that of a run that left none.
func (f *Finding) result(script *scenario.Script, why string) headless.Result {
	return headless.Result{
		Scenario: script.Name, Nodes: script.Nodes, Identity: headless.Identity{Mode: f.Mode, Seed: script.Settings.Seed},
		Failures: []scenario.Failure{{Text: "hunt", Want: f.Failure + " ok", Got: why}},
	}
}
