package plain

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
	"capsize/cluster/vtime"
	"capsize/ui/canvas"
	"capsize/ui/present"
	"capsize/ui/queue"
	"capsize/ui/source"
)

// pollEvery is how often plain output looks for new lines, in real time.
const pollEvery = 20 * time.Millisecond

// errQuit says that a command asked to quit.
var errQuit = errors.New("quit")

// session is a cluster that is shown in plain sentences.
type session struct {
	c        *cluster.Cluster
	language string
	out      io.Writer
	lastSeq  uint64 // the last event told
	answers  queue.Mailbox[string]
	speeds   queue.Mailbox[float64] // that commands ask for
	quit     chan struct{}          // closed when a command asks to quit
}

// Speed asks for a speed. There is nothing to slow down for.
func (p *session) Speed(speed float64) {
	if speed == scenario.SpeedAuto {
		speed = 1
	}
	p.speeds.Put(speed)
}

// Step waits for nobody.
func (p *session) Step(string) {}

// Options says how plain output starts.
type Options struct {
	// Speed is how fast the clock runs at first, in virtual seconds per second.
	Speed float64
	// Lang is the language of captions, "" for the scenario's own.
	Lang string
	// Script is a scenario to perform, or nil.
	Script *scenario.Script
}

// Run writes one line for each thing that matters, in plain sentences, and
// carries out the commands it reads, a line each: for pipes, logs and screen
// readers. It ends with ctx, with the command quit, or with the scenario if there
// is one; the error is a [*scenario.Failure] if that failed. The end of the
// commands is no end.
func Run(ctx context.Context, c *cluster.Cluster, o Options, in io.Reader, out io.Writer) (err error) {
	p := &session{c: c, language: o.Lang, out: out, quit: make(chan struct{})}
	c.AwaitLeader(source.FirstElection)
	c.Clock().Run(o.Speed)
	go p.read(in)
	var performed chan []scenario.Failure
	if o.Script != nil {
		performed = make(chan []scenario.Failure, 1)
		go func() {
			if failures, whole := present.Perform(c, o.Script, nil); whole {
				performed <- failures
			}
		}()
	}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		if err := p.report(); err != nil {
			return err
		}
		for _, speed := range p.speeds.Take() {
			c.Clock().Run(speed)
		}
		select {
		case <-ticker.C:
		case failures := <-performed:
			return p.reportEnd(failures)
		case <-c.Clock().Done():
			return c.Clock().Err()
		case <-p.quit:
			return p.report()
		case <-ctx.Done():
			return p.report()
		}
	}
}

// reportEnd tells how a scenario ended.
func (p *session) reportEnd(failures []scenario.Failure) error {
	for i := range failures {
		p.answers.Put(failures[i].Error())
	}
	said := "the scenario has ended, and all that it expects held"
	if len(failures) > 0 {
		said = "the scenario has ended, and failed"
	}
	p.answers.Put(said)
	if err := p.report(); err != nil || len(failures) == 0 {
		return err
	}
	return &failures[0]
}

// read carries out the commands it reads, and answers each.
func (p *session) read(in io.Reader) {
	session := scenario.NewSession(p.c, p.c.Settings().Seed, p)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		said, err := p.run(session, text)
		if errors.Is(err, errQuit) {
			close(p.quit)
			return
		}
		if err != nil {
			said = err.Error()
		}
		p.answers.Put(text + ": " + said)
	}
	if err := lines.Err(); err != nil {
		p.answers.Put("no more commands are read: " + err.Error())
	}
}

// run carries out a command to its end, and says what came of it.
func (p *session) run(session *scenario.Session, text string) (said string, err error) {
	switch text {
	case "quit":
		return "", errQuit
	case "help":
		return "capsize commands lists all commands; here there is quit besides", nil
	}
	line, err := session.Parse(text)
	if err != nil {
		return "", err
	}
	said = "done"
	done := make(chan error, 1)
	err = p.c.Do(text, func() error {
		op, err := session.Run(line)
		if a := queue.Answer(op); a != "" {
			said = a
		}
		done <- err
		return nil
	})
	if err != nil {
		return "", err
	}
	select {
	case err = <-done:
	case <-p.c.Clock().Done():
		err = vtime.ErrClosed
	}
	return said, err
}

// report writes what has happened and what commands were answered since it was
// last called.
func (p *session) report() error {
	var lines []trace.StoryLine
	missing := false
	answers := p.answers.Take()
	p.c.Trace().Read(func(s *trace.State) {
		missing = p.lastSeq > 0 && len(s.Story) > storyMin && s.Story[0].Seq > p.lastSeq
		for _, line := range s.Story {
			if line.Seq > p.lastSeq {
				lines = append(lines, line)
			}
		}
		p.lastSeq = s.Seq
	})
	if missing {
		if err := p.write(lines[0].At, "here lines are missing: more happened at once than can be told"); err != nil {
			return err
		}
	}
	for _, line := range lines {
		if err := p.write(line.At, line.In.In(p.language, line.Text)); err != nil {
			return err
		}
	}
	for _, text := range answers {
		if err := p.write(p.c.Clock().Now(), text); err != nil {
			return err
		}
	}
	return nil
}

// storyMin is with how many lines, all of them new, a story has dropped older
// ones that were new too. A state drops none while it holds so few.
const storyMin = 200

// write writes one line.
func (p *session) write(at time.Duration, text string) error {
	if _, err := fmt.Fprintf(p.out, "%s  %s\n", canvas.Clock(at), canvas.Sanitize(text)); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}
