package hunt

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/scenario/headless"
)

// Config describes a hunt.
type Config struct {
	Open engine.Opener // starts the clusters that are searched
	Mode engine.Mode   // of those
	// Exact starts exact clusters of a version: a finding is kept as an exact run, if there is one
	// that fails in the same way.
	Exact    engine.Opener
	Version  string
	Nodes    int
	Settings [][2]string    // that differ from the default ones
	Seeds    []int64        // where the searches start, one search each
	Jobs     int            // how many runs go on at once
	Found    headless.Found // keeps the findings
}

// searchesMax is the largest number of searches: each keeps a corpus in memory.
const searchesMax = 64

// Validate returns an error if an option is out of range.
func (c Config) Validate() error {
	switch {
	case c.Nodes < nodesMin || c.Nodes > nodesMax:
		return fmt.Errorf("--nodes %d: must be from %d to %d", c.Nodes, nodesMin, nodesMax)
	case c.Jobs < 1 || c.Jobs > headless.JobsMax:
		return fmt.Errorf("--jobs %d: must be from 1 to %d", c.Jobs, headless.JobsMax)
	}
	if err := c.Found.Check(); err != nil {
		return fmt.Errorf("--found %w", err)
	}
	return nil
}

// ValidateSearches returns an error if there are too many searches.
func ValidateSearches(n int64) error {
	if n > searchesMax {
		return fmt.Errorf("--seeds: %d searches are too many: use at most %d", n, searchesMax)
	}
	return nil
}

// A single node has no links to break; the states of large clusters are all rare.
const (
	nodesMin = 2
	nodesMax = 9
)

// Progress is how far a search has come.
type Progress struct {
	Seed      int64     `json:"seed"`      // where it started
	Schedules int       `json:"schedules"` // that have run
	States    int       `json:"states"`    // different ones that they passed through
	Corpus    int       `json:"corpus"`    // schedules kept, to change them further
	Best      float64   `json:"best"`      // the highest score of a schedule
	Signals   Signals   `json:"signals"`   // of that schedule
	Findings  []Finding `json:"findings"`
	Again     int       `json:"again"` // schedules that failed in a way that was found before
}

// Hunt is a number of searches, side by side.
type Hunt struct {
	cfg     Config
	header  header
	started time.Time
	slots   chan struct{} // one for each run that may go on

	mu       sync.Mutex
	progress []Progress // one for each search
}

// New returns a hunt.
func New(cfg Config) *Hunt {
	h := &Hunt{cfg: cfg, header: header{nodes: cfg.Nodes}, started: time.Now(), slots: make(chan struct{}, cfg.Jobs)}
	for _, kv := range cfg.Settings {
		h.header.settings = append(h.header.settings, fmt.Sprintf("set %s %s", kv[0], kv[1]))
	}
	for _, seed := range cfg.Seeds {
		h.progress = append(h.progress, Progress{Seed: seed, Findings: []Finding{}})
	}
	return h
}

// keepWithin is how long after its end a hunt may look for a run to keep, in real time.
const keepWithin = time.Minute

// Run searches for a time, or until ctx ends. The error says why a finding could not be kept.
func (h *Hunt) Run(ctx context.Context, limit time.Duration) error {
	h.started = time.Now()
	keeping, stop := context.WithTimeout(ctx, limit+keepWithin)
	defer stop()
	searching, cancel := context.WithTimeout(keeping, limit)
	defer cancel()
	errs := make([]error, len(h.progress))
	var searches sync.WaitGroup
	for i := range h.progress {
		searches.Go(func() {
			s := search{
				hunt: h, progress: &h.progress[i], rng: rand.New(rand.NewPCG(uint64(h.progress[i].Seed), 3)),
				grammar: grammar{nodes: h.cfg.Nodes}, corpus: corpus{hits: map[feature]int{}}, known: map[string]bool{},
			}
			if errs[i] = s.run(searching, keeping); errs[i] != nil {
				stop()
			}
		})
	}
	searches.Wait()
	return errors.Join(errs...)
}

// Progress returns how far the searches have come.
func (h *Hunt) Progress() []Progress {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Progress(nil), h.progress...)
}

// Elapsed returns how long the hunt has been going on, in real time.
func (h *Hunt) Elapsed() time.Duration { return time.Since(h.started) }

// try runs a schedule until a check is violated, or to its end.
func (h *Hunt) try(ctx context.Context, open engine.Opener, s schedule) outcome {
	script, err := h.header.script("hunt", s)
	if err != nil {
		return outcome{skipped: true}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := newObserver(cancel)
	_, err = headless.Run(ctx, open, script, o)
	if errors.Is(err, headless.ErrInterrupted) || ctx.Err() != nil {
		err = nil
	}
	return outcome{coverage: o.coverage, died: err}
}

// tryAll tries schedules, as many at once as the hunt allows.
func (h *Hunt) tryAll(ctx context.Context, open engine.Opener, inputs []schedule) []outcome {
	outcomes := make([]outcome, len(inputs))
	var running sync.WaitGroup
	defer running.Wait()
	for i := range inputs {
		select {
		case h.slots <- struct{}{}:
		case <-ctx.Done():
			return outcomes
		}
		running.Go(func() {
			defer func() { <-h.slots }()
			outcomes[i] = h.try(ctx, open, inputs[i])
		})
	}
	return outcomes
}
