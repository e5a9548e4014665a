package scenario

import (
	"strconv"
	"strings"

	"capsize/cluster"
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
		clientCommand("read", "read [LEVEL] [via ROUTE]", "read the counter; LEVEL is none, weak, linearizable or strong", parseRead),
		{name: "async", syntax: "async increment|add|read …", help: "send an operation without waiting for its outcome", parse: parseAsync},
		{
			name: "load", syntax: "load RATE/s [clients N] [via ROUTE] | load off",
			help: "keep incrementing from several clients, RATE per second in total", parse: parseLoad,
		},
	}
}

// clientCommand declares a command that a client carries out. It waits for the
// outcome.
func clientCommand(name, syntax, help string, parse func(*lineParser) (clientOp, error)) declaration {
	return declaration{name: name, syntax: syntax, help: help, clientOp: parse, parse: func(p *lineParser) (action, error) {
		op, err := parse(p)
		return func(r *run) error {
			do, err := op(r)
			if err == nil {
				do()
			}
			return err
		}, err
	}}
}

func parseIncrement(p *lineParser) (clientOp, error) {
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

func parseAdd(p *lineParser) (clientOp, error) {
	delta, err := p.integer("a number to add", -1<<63, 1<<63-1)
	if err != nil {
		return nil, err
	}
	via, err := p.via()
	return addOp(delta, 1, via), err
}

// addOp adds to the counter, several times in a row.
func addOp(delta int64, times int, via route) clientOp {
	return func(r *run) (func(), error) {
		to, err := via.resolve(r)
		return func() {
			for i := 0; i < times && !r.c.Closed(); i++ {
				r.setLast(r.c.Add(delta, to))
			}
		}, err
	}
}

func parseRead(p *lineParser) (clientOp, error) {
	level := cluster.LevelLinearizable
	if p.hasMore() && p.peek() != "via" {
		var err error
		if level, err = p.choice("a read level", cluster.Levels...); err != nil {
			return nil, err
		}
	}
	via, err := p.via()
	return func(r *run) (func(), error) {
		to, err := via.resolve(r)
		return func() { r.setLast(r.c.Read(level, to)) }, err
	}, err
}

func parseAsync(p *lineParser) (action, error) {
	w, err := p.next("increment, add or read")
	if err != nil {
		return nil, err
	}
	d, ok := find(w.text)
	if !ok || d.clientOp == nil {
		return nil, p.fail(w, "%q cannot run async; use increment, add or read", w.text)
	}
	op, err := d.clientOp(p)
	return func(r *run) error {
		do, err := op(r)
		if err == nil {
			r.c.Go(do)
		}
		return err
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
