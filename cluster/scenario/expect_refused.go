package scenario

import (
	"errors"

	"capsize/cluster"
)

// parseExpectRefused parses the command after expect refused.
func parseExpectRefused(p *lineParser) (action, error) {
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
	if at := p.trailingWithin(); at >= 0 {
		return nil, p.fail(p.words[at], "expect refused takes no within: the command runs once")
	}
	text := p.textFrom(w)
	start, err := d.starter(p)
	return func(r *run) error {
		do, err := start(r)
		if err == nil {
			err = do()
		}
		switch {
		case err == nil:
			return &Failure{Want: "a refusal", Got: "the command succeeded"}
		case errors.Is(err, cluster.ErrUnknown):
			return &Failure{Want: "a refusal", Got: oneLine(err)}
		}
		r.tellRefusal(text, err)
		r.refusal = refusalReason(err)
		return nil
	}, err
}

// refusalReason returns why a command was refused.
func refusalReason(err error) string {
	var op opError
	if errors.As(err, &op) {
		return op.op.Why
	}
	return oneLine(err)
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

// trailingWithin returns the index of a "within" or "within D" that ends the line, -1 if
// there is none.
func (p *lineParser) trailingWithin() int {
	for at := max(p.pos, len(p.words)-2); at < len(p.words); at++ {
		if p.words[at].text == "within" {
			return at
		}
	}
	return -1
}
