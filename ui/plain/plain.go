package plain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/queue"
)

// pollEvery is how often the output looks for new lines, in real time.
const pollEvery = 20 * time.Millisecond

// session is one run of plain output.
type session struct {
	e        engine.Engine
	language string
	out      io.Writer
	story    story
	answers  queue.Mailbox[answer]
	waiting  []answer       // answers that belong after an event not reported yet
	refusals map[string]int // by text: answers that the story repeats
}

// answer is the reply to a command, with its place among the events.
type answer struct {
	at      time.Duration
	seq     uint64 // of the last event before it
	text    string
	refused bool // the story may say the same
}

// Options says how plain output starts.
type Options struct {
	// Speed is how fast the clock runs at first, in virtual seconds per second.
	Speed float64
	// Lang is the language of captions, "" for the scenario's own.
	Lang string
	// Script is a scenario to perform, or nil.
	Script *scenario.Script
}

// quit and help are the commands that are not part of the language.
const quit, help = "quit", "help"

// finishMax is how long, in virtual time, async commands may keep running after the end of
// the input.
const finishMax = 30 * time.Second

// Run writes one line per line of the story, and runs the commands it reads from in,
// one per line. It ends with ctx or with the command quit, and with the scenario or, if
// there is none, with the input. The error is a [*scenario.Failure] if an expectation
// did not hold or a check was violated unexpectedly.
func Run(ctx context.Context, e engine.Engine, o Options, in io.Reader, out io.Writer) (err error) {
	p := &session{e: e, language: o.Lang, out: out, refusals: map[string]int{}}
	e.AddSink(&p.story)
	e.Prompt().Reserve(quit, help)
	engine.AwaitLeader(e, engine.FirstElection)
	ended := make(chan error, 2)
	if o.Script != nil {
		e.Submit(engine.Order{Scenario: o.Script}, func(a engine.Answer) {
			if a.Performed {
				ended <- p.concludeScript(a.Failures)
			}
		})
	}
	e.Run(o.Speed) // only now: the scenario must not start later because the program is slow
	go func() {
		quits, err := p.read(in)
		if quits || o.Script == nil {
			ended <- p.conclude(quits, err)
		}
	}()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		if err := p.report(false); err != nil {
			return err
		}
		p.setSpeed()
		select {
		case <-ticker.C:
		case failure := <-ended:
			if err := p.report(true); err != nil {
				return err
			}
			return failure
		case <-e.Done():
			return e.Err()
		case <-ctx.Done():
			return p.report(true)
		}
	}
}

// setSpeed runs the clock at the speed that a command asks for. The automatic speed is 1: no
// one watches an event happen.
func (p *session) setSpeed() {
	switch speed := p.e.Stage().TakeSpeed(); {
	case speed == scenario.SpeedAuto:
		p.e.Run(1)
	case speed > 0:
		p.e.Run(speed)
	}
}

// conclude ends a session. At the end of the input, it lets async commands finish. It
// returns the first failure.
func (p *session) conclude(quits bool, failure error) error {
	limit := finishMax
	if quits {
		limit = 0
	}
	for _, violation := range engine.Do(p.e, engine.Order{Conclude: &limit}).Failures {
		p.answer(violation.Error())
		if failure == nil {
			failure = &violation
		}
	}
	return failure
}

// concludeScript reports how a scenario ended, and returns its first failure.
func (p *session) concludeScript(failures []scenario.Failure) error {
	for i := range failures {
		p.answer(failures[i].Error())
	}
	if len(failures) == 0 {
		p.answer("scenario passed")
		return nil
	}
	p.answer("scenario failed")
	return &failures[0]
}

// read runs and answers the commands of the input, until its end or the command quit. The
// error is the first expectation that did not hold.
func (p *session) read(in io.Reader) (quits bool, failure error) {
	lines := bufio.NewScanner(in)
	for number := 1; lines.Scan(); number++ {
		command := scenario.SplitCommand(lines.Text())
		switch {
		case command.Verb == "":
			continue
		case (command.Verb == quit || command.Verb == help) && len(command.Args) > 0:
			p.answer(command.Text + ": " + command.Verb + " takes no operands")
			continue
		case command.Verb == quit:
			return true, failure
		case command.Verb == help:
			p.answer(command.Text + `: run "capsize commands" for the list; quit ends the session`)
			continue
		}
		if err := p.run(lines.Text(), number); err != nil && failure == nil {
			failure = err
		}
	}
	if err := lines.Err(); err != nil {
		p.answer("stopped reading commands: " + err.Error())
		return false, fmt.Errorf("reading commands: %w", err)
	}
	return false, failure
}

// run runs the command in a line of the input to its end, and answers it. The error is an
// expectation that did not hold or that does not parse.
func (p *session) run(line string, number int) error {
	text := strings.TrimSpace(line)
	command, err := p.e.Prompt().Parse(line)
	if err != nil {
		var mistake *scenario.Error
		if errors.As(err, &mistake) {
			mistake.File, mistake.Line = "stdin", number
		}
		p.answer(text + ": " + err.Error())
		if scenario.SplitCommand(text).Verb == "expect" {
			return err
		}
		return nil
	}
	end := engine.Do(p.e, engine.Order{Line: line}).End
	a := answer{at: end.At, seq: end.Seq, text: text + ": done"}
	if command.IsAsync() {
		a.text = text + ": started"
	} else if reply := queue.Answer(end); reply != "" {
		a.text = text + ": " + reply
	}
	var failure *scenario.Failure
	failed := errors.As(end.Err, &failure)
	switch {
	case end.Err == nil:
	case scenario.IsTried(end.Err) && failed:
		a.text = text + ": timed out" // the story has the reason
	case scenario.IsTried(end.Err):
		a.text = text + ": refused"
	default:
		a.text, a.refused = text+": "+end.Err.Error(), true
	}
	p.answers.Put(a)
	if !failed || scenario.IsTried(end.Err) {
		return nil
	}
	return &scenario.Failure{File: "stdin", Line: number, Column: command.Column, Text: text, Want: failure.Want, Got: failure.Got}
}

// answer writes an answer at once.
func (p *session) answer(text string) {
	a := answer{text: text}
	p.e.Read(func(s *trace.State) { a.at, a.seq = max(s.At, p.e.Now()), s.Seq })
	p.answers.Put(a)
}

// report writes the story lines and answers since the last call, in order. An answer that
// belongs after later events waits for them, except in the last call.
func (p *session) report(last bool) error {
	lines, missing, upTo := p.story.take()
	p.waiting = append(p.waiting, p.answers.Take()...)
	for _, line := range lines {
		if err := p.writeAnswers(line.Seq - 1); err != nil {
			return err
		}
		if p.refusals[line.Text] > 0 {
			p.refusals[line.Text]--
			continue // it is the answer to a command
		}
		if err := p.write(line.At, line.In.In(p.language, line.Text)); err != nil {
			return err
		}
	}
	if missing > 0 {
		if err := p.write(lines[len(lines)-1].At, fmt.Sprintf("%d lines are missing: too much happened at once", missing)); err != nil {
			return err
		}
	}
	if last {
		upTo = math.MaxUint64
	}
	return p.writeAnswers(upTo)
}

// writeAnswers writes the answers that come before an event.
func (p *session) writeAnswers(upTo uint64) error {
	for len(p.waiting) > 0 && p.waiting[0].seq <= upTo {
		a := p.waiting[0]
		p.waiting = p.waiting[1:]
		if a.refused {
			p.refusals[a.text]++
		}
		if err := p.write(a.at, a.text); err != nil {
			return err
		}
	}
	return nil
}

// write writes one line.
func (p *session) write(at time.Duration, text string) error {
	if _, err := fmt.Fprintf(p.out, "%s  %s\n", trace.Clock(at), canvas.Sanitize(text)); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}
