package scenario

import (
	"fmt"
	"slices"
	"strings"

	"capsize/faults"
)

// networkCommands break many links at once, and heal links.
func networkCommands() []declaration {
	return []declaration{
		{name: "isolate", syntax: "isolate SEL", help: "cut each node off from all others", changesFaults: true, parse: parseIsolate},
		{
			name: "partition", syntax: "partition SEL | SEL [| SEL…]", help: "split the network into groups that cannot reach each other",
			changesFaults: true, parse: parsePartition,
		},
		{name: "bridge", syntax: "bridge SEL", help: "split the network into two halves that only this node connects", changesFaults: true, parse: parseBridge},
		{
			name: "ring", syntax: "ring", help: "let each node see a majority, but no two the same one", changesFaults: true,
			parse: func(*lineParser) (action, error) { return func(r *run) error { return r.c.Ring() }, nil },
		},
		{name: "heal", syntax: "heal [LINK]", help: "clear all faults of a link, or of all links; what is held stays held", changesFaults: true, parse: parseHeal},
	}
}

func parseIsolate(p *lineParser) (action, error) {
	s, err := p.selector()
	return func(r *run) error {
		ids, err := s.resolve(r)
		if err != nil {
			return err
		}
		return r.c.Isolate(ids...)
	}, err
}

func parsePartition(p *lineParser) (action, error) {
	first, err := p.selector()
	if err != nil {
		return nil, err
	}
	groups := []selector{first}
	for p.accept("|") {
		g, err := p.selector()
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	if len(groups) < 2 && !p.hasMore() {
		return nil, p.failMissing("the other side: | and its nodes, or | others")
	}
	return func(r *run) error {
		var sides [][]string
		for _, g := range groups {
			ids, err := g.resolve(r)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if slices.Contains(slices.Concat(sides...), id) {
					return fmt.Errorf("%s is on two sides of the partition", id)
				}
			}
			sides = append(sides, ids)
		}
		return r.c.Partition(sides...)
	}, nil
}

func parseBridge(p *lineParser) (action, error) {
	s, err := p.selector()
	return func(r *run) error {
		id, err := s.resolveOne(r)
		if err != nil {
			return err
		}
		return r.c.Bridge(id)
	}, err
}

func parseHeal(p *lineParser) (action, error) {
	if !p.hasMore() {
		return func(r *run) error { return r.c.Heal() }, nil
	}
	l, err := p.links()
	return func(r *run) error {
		all, err := l.resolve(r)
		if err != nil {
			return err
		}
		return r.c.HealLinks(all)
	}, err
}

// linkCommands set a fault on links.
func linkCommands() []declaration {
	return []declaration{
		linkFault("cut", "", faults.Cut{}, nil),
		linkFault("refuse", "", faults.Refuse{}, nil),
		linkFault("delay", " D [jitter D]", faults.Delay{}, parseDelay),
		needsVirtualTime(linkFault("lose", " P%", faults.Lose{}, func(p *lineParser) (faults.LinkFault, error) {
			share, err := p.percent()
			return faults.Lose{Percent: share}, err
		}), losesNothing),
		needsVirtualTime(linkFault("duplicate", " P% [after D]", faults.Duplicate{}, parseDuplicate), duplicatesNone),
		needsVirtualTime(linkFault("reorder", " P%", faults.Reorder{}, func(p *lineParser) (faults.LinkFault, error) {
			share, err := p.percent()
			return faults.Reorder{Percent: share}, err
		}), reordersNothing),
		linkFault("jam", "", faults.Jam{}, nil),
		linkFault("bandwidth", " RATE", faults.Bandwidth{}, parseBandwidth),
	}
}

// linkFault declares the command that sets a fault on links, for all kinds of
// messages or only for some. With parse, the fault depends on the arguments that
// follow the links; args is their syntax.
func linkFault(name, args string, fault faults.LinkFault, parse func(*lineParser) (faults.LinkFault, error)) declaration {
	d := declaration{name: name, syntax: name + " LINK" + args + " [only KIND,…]", help: fault.Meaning(), changesFaults: true}
	d.parse = func(p *lineParser) (action, error) {
		l, err := p.links()
		if err != nil {
			return nil, err
		}
		fault := fault
		if parse != nil {
			if fault, err = parse(p); err != nil {
				return nil, err
			}
		}
		if p.accept("only") {
			kinds, err := p.messageKinds()
			if err != nil {
				return nil, err
			}
			fault = faults.Only(fault, kinds...)
		}
		return func(r *run) error {
			return r.forEachLink(l, func(from, to string) error { return r.c.SetLink(from, to, fault) })
		}, nil
	}
	return d
}

func parseDelay(p *lineParser) (faults.LinkFault, error) {
	mean, err := p.duration("a delay")
	if err != nil || !p.accept("jitter") {
		return faults.Delay{Mean: mean}, err
	}
	jitter, err := p.duration("a jitter")
	return faults.Delay{Mean: mean, Jitter: jitter}, err
}

func parseDuplicate(p *lineParser) (faults.LinkFault, error) {
	share, err := p.percent()
	if err != nil || !p.accept("after") {
		return faults.Duplicate{Percent: share}, err
	}
	after, err := p.duration("a delay for the copy")
	if limit := p.scope.settings.RPCTimeout; err == nil && after > limit {
		err = p.fail(p.words[p.pos-1], "a copy %s later arrives after the RPC timeout of %s; use %s or less", after, limit, limit)
	}
	return faults.Duplicate{Percent: share, After: after}, err
}

func parseBandwidth(p *lineParser) (faults.LinkFault, error) {
	w, err := p.next("a rate in bytes per second, like 64KB")
	if err != nil {
		return nil, err
	}
	rate, err := faults.ParseRate(w.text)
	if err != nil {
		return nil, p.fail(w, "%v", err)
	}
	return faults.Bandwidth{BytesPerSecond: rate}, nil
}

// messageKinds takes kinds of messages, separated by commas.
func (p *lineParser) messageKinds() ([]faults.Kind, error) {
	known := messageKindNames()
	w, err := p.next("kinds of messages: " + strings.Join(known, ", "))
	if err != nil {
		return nil, err
	}
	var kinds []faults.Kind
	for name := range strings.SplitSeq(w.text, ",") {
		kind, err := faults.ParseKind(name)
		if err != nil {
			return nil, p.fail(w, "unknown kind of message %q%s; use %s", name, didYouMean(name, known), orList(known))
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

func messageKindNames() []string {
	var names []string
	for _, k := range faults.Kinds() {
		names = append(names, k.String())
	}
	return names
}
