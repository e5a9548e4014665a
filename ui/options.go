package ui

import (
	"errors"
	"fmt"

	"capsize/cluster/scenario"
	"capsize/cluster/trace/recording"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/record"
	"capsize/ui/source"
)

// Options configures the screen.
type Options struct {
	pane.Look
	// Speed is the initial speed of the clock, in virtual seconds per second; 0 is paused.
	Speed float64
	// HistoryMB is the size of the history, in megabytes.
	HistoryMB int64
	// Trace is the file that records every event, "" for none.
	Trace string
	// Script is the scenario on stage, or nil.
	Script *scenario.Script
	// Autoplay continues steps by itself, once people have had time to read.
	Autoplay bool
	// Bindings are the keys the user has rebound.
	Bindings keymap.Changes
	// Keys shows the pressed keys, large.
	Keys bool
	// Cast is the file that records the screen, "" for none; CastKeys records the keys too.
	Cast     string
	CastKeys bool

	// ConfigDir keeps the prompt's history and the state of the tips, "" for nowhere.
	ConfigDir string

	liveCast *record.Live
}

// Prepare validates the options, and starts the recording of the screen if they ask for one.
func (o *Options) Prepare(plain bool) (err error) {
	if err := o.Check(); err != nil {
		return err
	}
	switch {
	case plain && o.Speed == 0:
		return errors.New("--speed 0: needs a screen, because nothing else can start the clock")
	case o.Cast == "":
		return nil
	case plain:
		return errors.New("--cast: no screen to record; use capsize record, which needs none")
	}
	if o.liveCast, err = record.CreateLive(o.Cast, o.CastKeys); err != nil {
		return fmt.Errorf("--cast: %w", err)
	}
	return nil
}

// Check validates the options.
func (o Options) Check() error {
	if err := source.CheckHistoryMB(o.HistoryMB); err != nil {
		return err
	}
	if _, err := o.Bindings.Apply(Keys()); err != nil {
		return fmt.Errorf("--bind: %w", err)
	}
	return nil
}

// Record starts the recording of a cluster's events, nil if the options ask for none. The
// cluster must not be open yet. Branches, and clusters of scenarios opened later, are
// not recorded.
func (o Options) Record(seed int64) (*recording.Writer, error) {
	if o.Trace == "" {
		return nil, nil
	}
	w, err := recording.Create(o.Trace, seed)
	if err != nil {
		return nil, fmt.Errorf("--trace: %w", err)
	}
	return w, nil
}
