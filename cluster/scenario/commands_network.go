package scenario

import (
	"fmt"
	"slices"
	"strings"

	"capsize/faults"
)

// networkCommands break links and take it back.
func networkCommands() []command {
	return []command{
		{name: "isolate", syntax: "isolate SEL", help: "cut each of the nodes off from all others", parse: func(r *reader) (action, error) {
			s, err := r.selector()
			return func(x *execution) error {
				ids, err := s.resolve(x)
				if err != nil {
					return err
				}
				return x.c.Isolate(ids...)
			}, err
		}},
		{name: "partition", syntax: "partition SEL | SEL [| SEL…]", help: "split the network into groups that cannot talk", parse: parsePartition},
		{name: "bridge", syntax: "bridge SEL", help: "two halves that meet only in this node", parse: func(r *reader) (action, error) {
			s, err := r.selector()
			return func(x *execution) error {
				id, err := s.one(x)
				if err != nil {
					return err
				}
				return x.c.Bridge(id)
			}, err
		}},
		{name: "ring", syntax: "ring", help: "each node sees a majority, but no two the same", parse: func(*reader) (action, error) {
			return func(x *execution) error { return x.c.Ring() }, nil
		}},
		{name: "heal", syntax: "heal [LINK]", help: "take back all faults of a link, or of all links", parse: func(r *reader) (action, error) {
			if !r.more() {
				return func(x *execution) error { return x.c.Heal() }, nil
			}
			l, err := r.links()
			return func(x *execution) error {
				all, err := l.resolve(x)
				if err != nil {
					return err
				}
				ends := make([][2]string, len(all))
				for i, one := range all {
					ends[i] = [2]string{one.from, one.to}
				}
				return x.c.HealLinks(ends)
			}, err
		}},
	}
}

// linkCommands set a fault on links; only with the kinds of messages named.
func linkCommands() []command {
	return []command{
		linkFault("cut", "", faults.Cut{}.Meaning(), func(*reader) (faults.LinkFault, error) { return faults.Cut{}, nil }),
		linkFault("refuse", "", faults.Refuse{}.Meaning(), func(*reader) (faults.LinkFault, error) { return faults.Refuse{}, nil }),
		linkFault("delay", " D [jitter D]", faults.Delay{}.Meaning(), func(r *reader) (faults.LinkFault, error) {
			mean, err := r.duration("a delay")
			if err != nil || !r.skip("jitter") {
				return faults.Delay{Mean: mean}, err
			}
			jitter, err := r.duration("a jitter")
			return faults.Delay{Mean: mean, Jitter: jitter}, err
		}),
		linkFault("lose", " P%", faults.Lose{}.Meaning(), func(r *reader) (faults.LinkFault, error) {
			p, err := r.percent()
			return faults.Lose{Percent: p}, err
		}),
		linkFault("duplicate", " P%", faults.Duplicate{}.Meaning(), func(r *reader) (faults.LinkFault, error) {
			p, err := r.percent()
			return faults.Duplicate{Percent: p}, err
		}),
		linkFault("reorder", " P%", faults.Reorder{}.Meaning(), func(r *reader) (faults.LinkFault, error) {
			p, err := r.percent()
			return faults.Reorder{Percent: p}, err
		}),
		linkFault("jam", "", faults.Jam{}.Meaning(), func(*reader) (faults.LinkFault, error) { return faults.Jam{}, nil }),
		linkFault("bandwidth", " RATE", faults.Bandwidth{}.Meaning(), func(r *reader) (faults.LinkFault, error) {
			w, err := r.take("a rate in bytes a second, like 64KB")
			if err != nil {
				return nil, err
			}
			rate, err := faults.ParseRate(w.text)
			if err != nil {
				return nil, r.fail(w, "%v", err)
			}
			return faults.Bandwidth{BytesPerSecond: rate}, nil
		}),
	}
}

func parsePartition(r *reader) (action, error) {
	first, err := r.selector()
	if err != nil {
		return nil, err
	}
	groups := []selector{first}
	for r.skip("|") {
		g, err := r.selector()
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	if len(groups) < 2 && !r.more() {
		return nil, r.fail(r.end(), "the other side is missing: | and the nodes of it, or | others")
	}
	return func(x *execution) error {
		var sides [][]string
		for _, g := range groups {
			ids, err := g.resolve(x)
			if err != nil {
				return err
			}
			for _, id := range ids {
				if slices.Contains(slices.Concat(sides...), id) {
					return fmt.Errorf("%s is on two sides of the split", id)
				}
			}
			sides = append(sides, ids)
		}
		return x.c.Partition(sides...)
	}, nil
}

// linkFault returns the command that sets a fault on links.
func linkFault(name, args, help string, parse func(*reader) (faults.LinkFault, error)) command {
	return command{name: name, syntax: name + " LINK" + args + " [only KIND,…]", help: help, parse: func(r *reader) (action, error) {
		l, err := r.links()
		if err != nil {
			return nil, err
		}
		fault, err := parse(r)
		if err != nil {
			return nil, err
		}
		if r.skip("only") {
			kinds, err := r.kinds()
			if err != nil {
				return nil, err
			}
			fault = faults.Only(fault, kinds...)
		}
		return func(x *execution) error {
			return x.eachLink(l, func(from, to string) error { return x.c.SetLink(from, to, fault) })
		}, nil
	}}
}

// kinds takes kinds of messages, separated by commas.
func (r *reader) kinds() ([]faults.Kind, error) {
	var known []string
	for _, k := range faults.Kinds() {
		known = append(known, k.String())
	}
	w, err := r.take("kinds of messages: " + strings.Join(known, ", "))
	if err != nil {
		return nil, err
	}
	var kinds []faults.Kind
	for name := range strings.SplitSeq(w.text, ",") {
		kind, err := faults.ParseKind(name)
		if err != nil {
			return nil, r.fail(w, "%q is no kind of message: there are %s%s", name, strings.Join(known, ", "), didYouMean(name, known))
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

// eachLink does something to each of the links.
func (x *execution) eachLink(l links, do func(from, to string) error) error {
	all, err := l.resolve(x)
	if err != nil {
		return err
	}
	var errs problems
	for _, one := range all {
		errs.add(do(one.from, one.to))
	}
	return errs.err()
}

// each does something to each of the nodes selected.
func (x *execution) each(s selector, do func(id string) error) error {
	ids, err := s.resolve(x)
	if err != nil {
		return err
	}
	var errs problems
	for _, id := range ids {
		errs.add(do(id))
	}
	return errs.err()
}
