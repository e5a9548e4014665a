package ui

import (
	"context"
	"fmt"
	"io"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// plainEvery is how often plain output looks for new lines, in real time.
const plainEvery = 20 * time.Millisecond

// RunPlain writes one line for each thing that matters, in plain sentences,
// until ctx ends: for pipes, logs and screen readers.
func RunPlain(ctx context.Context, c *cluster.Cluster, o Options, out io.Writer) error {
	c.Clock().Run(o.Speed)
	ticker := time.NewTicker(plainEvery)
	defer ticker.Stop()
	var told uint64
	for {
		var err error
		if told, err = tellNew(c.Trace(), told, out); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
		select {
		case <-ticker.C:
		case <-c.Clock().Done():
			return c.Clock().Err()
		case <-ctx.Done():
			return nil
		}
	}
}

// tellNew writes the lines of the story after the event told, and returns the
// last event told now.
func tellNew(log *trace.Log, told uint64, out io.Writer) (uint64, error) {
	var lines []trace.Line
	log.Look(func(s *trace.State) {
		for _, line := range s.Story {
			if line.Seq > told {
				lines = append(lines, line)
			}
		}
		told = s.Seq
	})
	for _, line := range lines {
		if _, err := fmt.Fprintf(out, "%s  %s\n", clockTime(line.At), clean(line.Text)); err != nil {
			return told, err
		}
	}
	return told, nil
}
