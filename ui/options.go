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

// Options say how the screen looks and starts.
type Options struct {
	pane.Look
	// Speed is how fast the clock runs at first, in virtual seconds per second.
	Speed float64
	// HistoryMB is how much memory the past may take, in megabytes.
	HistoryMB int64
	// Trace is the file that all that happens is written to, "" for none.
	Trace string
	// Script is a scenario to put on stage, or nil.
	Script *scenario.Script
	// Autoplay has a scenario's steps go on by themselves once they can be read.
	Autoplay bool
	// Bindings are the keys that others stand for.
	Bindings keymap.Changes
	// Keys shows the keys that are pressed, large.
	Keys bool
	// Cast is the file that the screen is recorded in, "" for none; with CastKeys
	// the keys pressed are recorded too.
	Cast     string
	CastKeys bool

	// ConfigDir is where the prompt's history is kept, "" for nowhere.
	ConfigDir string

	tape *record.Live
}

// Prepare checks the options, and begins the recording that they ask for.
func (o *Options) Prepare(plain bool) (err error) {
	if err := o.Check(); err != nil {
		return err
	}
	switch {
	case plain && o.Speed == 0:
		return errors.New("--speed 0: without a screen nothing would ever happen")
	case o.Cast == "":
		return nil
	case plain:
		return errors.New("--cast: there is no screen to record; capsize record makes a recording without one")
	}
	if o.tape, err = record.CreateLive(o.Cast, o.CastKeys); err != nil {
		return fmt.Errorf("--cast: %w", err)
	}
	return nil
}

// Check says what is wrong with the options.
func (o Options) Check() error {
	if err := source.CheckHistoryMB(o.HistoryMB); err != nil {
		return err
	}
	if _, err := o.Bindings.Apply(Keys()); err != nil {
		return fmt.Errorf("--bind: %w", err)
	}
	return nil
}

// Record begins the recording that the options ask for, nil if they ask for none. It
// is for a cluster that has not been opened, so that it is whole; one that a scenario
// brings later, or a branch, is not recorded.
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
