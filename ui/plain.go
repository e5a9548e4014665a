package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// plainEvery is how often plain output looks for new lines, in real time.
const plainEvery = 20 * time.Millisecond

// RunPlain writes one line for each thing that matters, in plain sentences, and
// carries out the commands it reads, a line each, until ctx ends: for pipes, logs
// and screen readers.
func RunPlain(ctx context.Context, c *cluster.Cluster, o Options, in io.Reader, out io.Writer) (err error) {
	stop, err := o.record(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	c.AwaitLeader(firstElection)
	c.Clock().Run(o.Speed)
	if o.Script != nil {
		go func() { _ = c.Clock().Do(func() { c.Go(func() { reportPlain(c, o.Script.Perform(c, nil)) }) }) }()
	}
	answers := &mailbox[string]{}
	go readPlain(c, in, answers)
	ticker := time.NewTicker(plainEvery)
	defer ticker.Stop()
	var told uint64
	for {
		var err error
		told, err = tellNew(c.Trace(), told, o.Lang, out)
		for _, text := range answers.take() {
			_, failed := fmt.Fprintf(out, "%s  %s\n", clockTime(c.Clock().Now()), clean(text))
			err = errors.Join(err, failed)
		}
		if err != nil {
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

// reportPlain makes events of what did not hold in a scenario, inside virtual time.
func reportPlain(c *cluster.Cluster, failures []scenario.Failure) {
	for _, f := range failures {
		c.Note(trace.KindRefused, "", f.Error())
	}
	c.Note(trace.KindChapter, "", "the scenario has ended")
}

// readPlain carries out the commands it reads. What is wrong with one, and what
// clients are told, goes to answers.
func readPlain(c *cluster.Cluster, in io.Reader, answers *mailbox[string]) {
	session := scenario.NewSession(c, c.Settings().Seed, nil)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		line, err := session.Parse(text)
		if err != nil {
			answers.put(text + ": " + err.Error())
			continue
		}
		err = c.Order(text, func() error {
			op, err := session.Run(line)
			if said := answer(op); said != "" {
				answers.put(text + ": " + said)
			}
			return err
		})
		if err != nil {
			answers.put(text + ": " + err.Error())
		}
	}
}

// tellNew writes the lines of the story after the event told, and returns the
// last event told now.
func tellNew(log *trace.Log, told uint64, language string, out io.Writer) (uint64, error) {
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
		if _, err := fmt.Fprintf(out, "%s  %s\n", clockTime(line.At), clean(line.In.In(language, line.Text))); err != nil {
			return told, err
		}
	}
	return told, nil
}
