package scenario

import (
	"errors"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// Result is what came of a run.
type Result struct {
	Scenario       string            `json:"scenario"`
	OK             bool              `json:"ok"`
	Seed           int64             `json:"seed"`
	VirtualSeconds float64           `json:"virtual_seconds"`
	WallSeconds    float64           `json:"wall_seconds"`
	Nodes          int               `json:"nodes"`
	Events         uint64            `json:"events"`
	Ops            Ops               `json:"ops"`
	Value          int64             `json:"value"`
	Term           uint64            `json:"term"`
	Checks         map[string]string `json:"checks"`
	Failures       []Failure         `json:"failures"`
}

// Ops counts the operations of clients by outcome.
type Ops struct {
	OK      uint64 `json:"ok"`
	Failed  uint64 `json:"failed"`
	Unknown uint64 `json:"unknown"`
}

// Headless runs a script as fast as it goes, without a screen. The error says
// why it could not be started or ended by itself.
func Headless(s *Script) (Result, error) {
	started := time.Now()
	c, err := cluster.Open(cluster.Config{Nodes: s.Nodes, Settings: s.Settings})
	if err != nil {
		return Result{}, err
	}
	c.AwaitLeader(firstElection)
	done := make(chan []Failure, 1)
	err = c.Clock().Do(func() {
		c.Go(func() { done <- newExecution(c, s.Settings.Seed, nowhere{}).run(s) })
	})
	var failures []Failure
	if err == nil {
		c.Clock().Run(vtime.Max)
		select {
		case failures = <-done:
		case <-c.Clock().Done():
			err = c.Clock().Err()
		}
	}
	c.Clock().Pause()
	state := c.Trace().State()
	r := Result{
		Scenario: s.Name, OK: len(failures) == 0 && err == nil, Seed: s.Settings.Seed,
		VirtualSeconds: c.Clock().Now().Seconds(), WallSeconds: time.Since(started).Seconds(),
		Nodes: s.Nodes, Events: state.Seq,
		Ops:  Ops{OK: state.Clients.OK, Failed: state.Clients.Failed, Unknown: state.Clients.Unknown},
		Term: highestTerm(&state), Value: committedValue(&state),
		Checks: map[string]string{}, Failures: append([]Failure{}, failures...),
	}
	return r, errors.Join(err, c.Close())
}

// firstElection is the virtual time within which a script starts, with a leader
// or without.
const firstElection = 10 * time.Second

// highestTerm returns the highest term that a node has on its disk.
func highestTerm(s *trace.State) (term uint64) {
	for i := range s.Nodes {
		term = max(term, s.Nodes[i].Term)
	}
	return term
}

// committedValue returns the counter of the node that has applied the most.
func committedValue(s *trace.State) (value int64) {
	applied := uint64(0)
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Life.Running() && n.Applied >= applied {
			applied, value = n.Applied, n.Value
		}
	}
	return value
}
