package scenario

import (
	"fmt"
	"slices"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// route selects the node that a client asks.
type route struct {
	word string
	node selector // if word is empty
}

// via takes "via ROUTE"; without it, a client asks the leader.
func (p *lineParser) via() (route, error) {
	if !p.accept("via") {
		return route{word: cluster.RouteLeader}, nil
	}
	switch next := p.peek(); next {
	case cluster.RouteLeader, cluster.RouteRoundRobin, cluster.RouteRandom:
		p.pos++
		return route{word: next}, nil
	case "":
		return route{}, p.failMissing("a route: " + orList([]string{cluster.RouteLeader, cluster.RouteRoundRobin, cluster.RouteRandom, "a node"}))
	}
	node, err := p.selector()
	return route{node: node}, err
}

// resolve returns the route in the form that the cluster takes.
func (v route) resolve(r *run) (string, error) {
	if v.word != "" {
		return v.word, nil
	}
	return v.node.resolveOne(r)
}

// links selects directed links when its command runs.
type links struct {
	from, to selector
	both     bool // directions
}

// links takes "SEL -> SEL" or "SEL <-> SEL".
func (p *lineParser) links() (links, error) {
	from, err := p.selector()
	if err != nil {
		return links{}, err
	}
	arrow, err := p.choice("an arrow", "->", "<->")
	if err != nil {
		return links{}, err
	}
	to, err := p.selector()
	if err == nil && from.isNode() && to.text == from.text {
		err = p.fail(p.words[p.pos-1], "%s has no link to itself; use two nodes", to.text)
	}
	return links{from: from, to: to, both: arrow == "<->"}, err
}

// resolve returns the links selected now, each once.
func (l links) resolve(r *run) ([]trace.Link, error) {
	senders, err := l.from.resolve(r)
	if err != nil {
		return nil, err
	}
	receivers, err := l.to.resolve(r)
	if err != nil {
		return nil, err
	}
	var all []trace.Link
	add := func(one trace.Link) {
		if one.From != one.To && !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	for _, from := range senders {
		for _, to := range receivers {
			add(trace.Link{From: from, To: to})
			if l.both {
				add(trace.Link{From: to, To: from})
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s and %s are the same node, which has no link to itself", l.from.text, l.to.text)
	}
	return all, nil
}

// forEachLink calls do for each link that is selected now, and joins the errors.
func (r *run) forEachLink(l links, do func(from, to string) error) error {
	all, err := l.resolve(r)
	if err != nil {
		return err
	}
	var errs []error
	for _, one := range all {
		errs = append(errs, do(one.From, one.To))
	}
	return joinErrors(errs)
}
