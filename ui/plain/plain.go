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
	"capsize/ui/canvas"
	"capsize/ui/present"
	"capsize/ui/queue"
	"capsize/ui/source"
)

// pollEvery is how often the output looks for new lines, in real time.
const pollEvery = 20 * time.Millisecond

// errQuit is the result of the command quit.
var errQuit = errors.New("quit")

// session is one run of plain output; it implements [scenario.Presenter].
type session struct {
	c        *cluster.Cluster
	language string
	out      io.Writer
	lastSeq  uint64 // the last event reported
	answers  queue.Mailbox[string]
	speeds   queue.Mailbox[float64] // requested by commands
	quit     chan struct{}          // closed by the command quit
}

// Speed requests a speed. The automatic speed is 1: no one watches an event happen.
func (p *session) Speed(speed float64) {
	if speed == scenario.SpeedAuto {
		speed = 1
	}
	p.speeds.Put(speed)
}

// Step does not wait.
func (p *session) Step(*cluster.Inside, string) {}

// Options says how plain output starts.
type Options struct {
	// Speed is how fast the clock runs at first, in virtual seconds per second.
	Speed float64
	// Lang is the language of captions, "" for the scenario's own.
	Lang string
	// Script is a scenario to perform, or nil.
	Script *scenario.Script
}

// Run writes one line per line of the story, and runs the commands it reads from in,
// one per line. It ends with ctx, with the command quit, or with the scenario if there
// is one; the error is a [*scenario.Failure] if that failed. The end of the input does
// not end it.
func Run(ctx context.Context, c *cluster.Cluster, o Options, in io.Reader, out io.Writer) (err error) {
	p := &session{c: c, language: o.Lang, out: out, quit: make(chan struct{})}
	c.AwaitLeader(source.FirstElection)
	c.Clock().Run(o.Speed)
	go p.read(in)
	var performed chan []scenario.Failure
	if o.Script != nil {
		performed = make(chan []scenario.Failure, 1)
		go func() {
			if failures, completed := present.Perform(c, o.Script, nil); completed {
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

// reportEnd reports how a scenario ended.
func (p *session) reportEnd(failures []scenario.Failure) error {
	for i := range failures {
		p.answers.Put(failures[i].Error())
	}
	result := "scenario passed"
	if len(failures) > 0 {
		result = "scenario failed"
	}
	p.answers.Put(result)
	if err := p.report(); err != nil || len(failures) == 0 {
		return err
	}
	return &failures[0]
}

// read runs the commands it reads, and answers each.
func (p *session) read(in io.Reader) {
	session := scenario.NewSession(p.c, p.c.Settings().Seed, p)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		answer, err := p.run(session, text)
		if errors.Is(err, errQuit) {
			close(p.quit)
			return
		}
		if err != nil {
			answer = err.Error()
		}
		p.answers.Put(text + ": " + answer)
	}
	if err := lines.Err(); err != nil {
		p.answers.Put("stopped reading commands: " + err.Error())
	}
}

// run runs a command to its end, and returns its answer.
func (p *session) run(session *scenario.Session, text string) (answer string, err error) {
	switch text {
	case "quit":
		return "", errQuit
	case "help":
		return `run "capsize commands" for the list; quit ends the session`, nil
	}
	line, err := session.Parse(text)
	if err != nil {
		return "", err
	}
	op, err := session.Do(line)
	if reply := queue.Answer(op); reply != "" {
		return reply, err
	}
	return "done", err
}

// report writes the story and the answers since the last call.
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
		if err := p.write(lines[0].At, "some lines are missing: too much happened at once"); err != nil {
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

// storyMin is the number of lines that a story always keeps: a longer story whose
// lines are all new has dropped some.
const storyMin = 200

// write writes one line.
func (p *session) write(at time.Duration, text string) error {
	if _, err := fmt.Fprintf(p.out, "%s  %s\n", trace.Clock(at), canvas.Sanitize(text)); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}
