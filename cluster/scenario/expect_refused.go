package scenario

import (
	"errors"
	"time"

	"capsize/cluster"
)

// parseExpectRefused parses the command after expect refused.
func parseExpectRefused(p *lineParser) (action, error) {
	limit, err := p.trailingWithin()
	if err != nil {
		return nil, err
	}
	w, d, err := p.commandAfter("expect refused")
	if err != nil {
		return nil, err
	}
	switch d.name {
	case "try":
		return nil, p.fail(w, "expect refused already handles the refusal: write it without try")
	case "async":
		return nil, p.fail(w, "async does not wait for a refusal: write expect refused without async")
	}
	if !d.canBeRefused() {
		return nil, p.fail(w, "%s is never refused: write it without expect refused", d.name)
	}
	if d.start == nil {
		limit = 0 // it takes no time
	}
	text := p.textFrom(w)
	start, err := d.starter(p)
	return func(r *run) error {
		do, err := start(r)
		ended := true
		if err == nil {
			ended, err = endsWithin(r, limit, do)
		}
		switch {
		case !ended:
			return &Failure{Want: "a refusal within " + limit.String(), Got: "the command is still running"}
		case err == nil:
			return &Failure{Want: "a refusal", Got: "the command succeeded"}
		case errors.Is(err, cluster.ErrUnknown):
			return &Failure{Want: "a refusal", Got: oneLine(err)}
		}
		r.tellRefusal(text, err)
		return nil
	}, err
}

// starter parses a command in two parts, even one that takes no time.
func (d declaration) starter(p *lineParser) (starter, error) {
	if d.start != nil {
		return d.start(p)
	}
	act, err := d.parse(p)
	return func(r *run) (func() error, error) {
		return func() error { return act(r) }, nil
	}, err
}

// trailingWithin removes "within D" from the end of the line, so the command before it
// does not see it. It returns 0 if there is none.
func (p *lineParser) trailingWithin() (time.Duration, error) {
	at := len(p.words) - 2
	if at <= p.pos || p.words[at].text != "within" {
		return 0, nil
	}
	end := lineParser{text: p.text, words: p.words, pos: at + 1, scope: p.scope}
	p.words = p.words[:at]
	return end.duration("a time limit")
}

// endsWithin reports whether do ends within limit, 0 for no limit, and with which error.
// Otherwise do keeps running.
func endsWithin(r *run, limit time.Duration, do func() error) (ended bool, err error) {
	if limit == 0 {
		return true, do()
	}
	result := make(chan error, 1)
	r.c.Go(func() { result <- do() })
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-result:
		return true, err
	case <-timer.C:
		return false, nil
	}
}
