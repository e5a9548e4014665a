package scenario

import (
	"fmt"
	"strconv"
	"strings"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// The limits of what clients do.
const (
	incrementsMax      = 100_000
	rateMin            = 0.001 // operations a second
	rateMax            = 10_000
	loadClientsMax     = 256
	loadClientsDefault = 3
)

// clientCommands are what clients do.
func clientCommands() []declaration {
	return []declaration{
		clientCommand("increment", "increment [N] [via ROUTE]", "add one to the counter, N times in a row", parseIncrement),
		clientCommand("add", "add DELTA [via ROUTE]", "add DELTA to the counter", parseAdd),
		clientCommand("read", "read [LEVEL] [via ROUTE]", "read the counter; LEVEL is none, weak, lease, linearizable or strong", parseRead),
		{
			name: "load", syntax: "load RATE/s [clients N] [via ROUTE] | load off",
			help: "keep incrementing from several clients, RATE per second in total", parse: parseLoad,
		},
	}
}

// clientCommand declares a command that a client carries out. It waits for the
// outcome, whatever it is.
func clientCommand(name, syntax, help string, start func(*lineParser) (starter, error)) declaration {
	return declaration{name: name, syntax: syntax, help: help, start: start, byClient: true, parse: func(p *lineParser) (action, error) {
		prepare, err := start(p)
		return func(r *run) error {
			do, err := prepare(r)
			if err == nil {
				_ = do() // the operation has the outcome
			}
			return err
		}, err
	}}
}

// opError is the outcome of a client's operation that did not end with ok.
type opError struct{ op trace.Op }

func (e opError) Error() string { return fmt.Sprintf("%s: %s", e.op.Outcome, e.op.Why) }

// Is reports whether the outcome is unknown, for [cluster.ErrUnknown].
func (e opError) Is(target error) bool {
	return target == cluster.ErrUnknown && e.op.Outcome == trace.Unknown
}

// opResults summarizes the outcomes of one command's operations.
type opResults struct {
	ok      bool // at least one was ok
	unknown error
	failed  error
}

func (o *opResults) add(op trace.Op) {
	switch op.Outcome {
	case trace.OK:
		o.ok = true
	case trace.Unknown:
		o.unknown = opError{op}
	case trace.Failed, trace.Pending:
		o.failed = opError{op}
	}
}

// err returns nil if any operation was ok: then the command was not refused.
func (o *opResults) err() error {
	switch {
	case o.ok:
		return nil
	case o.unknown != nil:
		return o.unknown
	}
	return o.failed
}

func parseIncrement(p *lineParser) (starter, error) {
	times := int64(1)
	if p.hasMore() && p.peek() != "via" {
		var err error
		if times, err = p.integer("a number of increments", 1, incrementsMax); err != nil {
			return nil, err
		}
	}
	via, err := p.via()
	return addOp(1, int(times), via), err
}

func parseAdd(p *lineParser) (starter, error) {
	delta, err := p.integer("a number to add", -1<<63, 1<<63-1)
	if err != nil {
		return nil, err
	}
	via, err := p.via()
	return addOp(delta, 1, via), err
}

// addOp adds to the counter, several times in a row.
func addOp(delta int64, times int, via route) starter {
	return func(r *run) (func() error, error) {
		to, err := via.resolve(r)
		return func() error {
			result := opResults{}
			for i := 0; i < times && !r.c.Closed(); i++ {
				op := r.c.Add(delta, to)
				r.setLast(op)
				result.add(op)
			}
			return result.err()
		}, err
	}
}

func parseRead(p *lineParser) (starter, error) {
	level := cluster.LevelLinearizable
	if p.hasMore() && p.peek() != "via" {
		var err error
		if level, err = p.choice("a read level", cluster.Levels...); err != nil {
			return nil, err
		}
	}
	via, err := p.via()
	return func(r *run) (func() error, error) {
		to, err := via.resolve(r)
		return func() error {
			op := r.c.Read(level, to)
			r.setLast(op)
			result := opResults{}
			result.add(op)
			return result.err()
		}, err
	}, err
}

func parseLoad(p *lineParser) (action, error) {
	if p.accept("off") {
		return func(r *run) error { r.c.StopLoad(); return nil }, nil
	}
	w, err := p.next("a rate like 20/s, or off")
	if err != nil {
		return nil, err
	}
	number, perSecond := strings.CutSuffix(w.text, "/s")
	rate, err := strconv.ParseFloat(number, 64)
	if !perSecond || err != nil || !(rate >= rateMin && rate <= rateMax) {
		return nil, p.fail(w, "%q is not a rate; use %g/s to %d/s, like 20/s, or off", w.text, rateMin, rateMax)
	}
	clients := int64(loadClientsDefault)
	if p.accept("clients") {
		if clients, err = p.integer("a number of clients", 1, loadClientsMax); err != nil {
			return nil, err
		}
	}
	via, err := p.via()
	return func(r *run) error {
		to, err := via.resolve(r)
		if err != nil {
			return err
		}
		return r.c.Load(rate, int(clients), to)
	}, err
}
