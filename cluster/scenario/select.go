package scenario

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// scope is what is known while a scenario is read: which nodes there may be,
// which names were given, and which checks it says will be violated.
type scope struct {
	nodes     []string
	names     []string
	announced []string
}

// nameForm is what a node, or a name given with let, may be called.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)

// The words that select nodes by what they are at that moment.
var selectorWords = []string{"all", "up", "down", "leader", "followers", "random", "minority", "majority", "others"}

// reserved are the words that no node can be called, because they mean something
// where nodes are named.
var reserved = slices.Concat(selectorWords, []string{cluster.RouteRoundRobin, "none", "nonvoter"})

// selector is a choice of nodes that is made when a command runs.
type selector struct {
	text  string
	parts []string
}

// selector takes nodes: names and words, separated by commas.
func (r *reader) selector() (selector, error) {
	w, err := r.take("which nodes: names like n1,n3, or " + strings.Join(selectorWords, ", "))
	if err != nil {
		return selector{}, err
	}
	s := selector{text: w.text, parts: strings.Split(w.text, ",")}
	for _, part := range s.parts {
		if err := r.checkPart(w, part); err != nil {
			return selector{}, err
		}
	}
	return s, nil
}

func (r *reader) checkPart(at word, part string) error {
	if name, ok := strings.CutPrefix(part, "$"); ok {
		if slices.Contains(r.scope.names, name) {
			return nil
		}
		var names []string
		for _, name := range r.scope.names {
			names = append(names, "$"+name)
		}
		return r.fail(at, "%q is a name that no let has given before%s", part, didYouMean(part, names))
	}
	if slices.Contains(selectorWords, part) || slices.Contains(r.scope.nodes, part) {
		return nil
	}
	allowed := slices.Concat(r.scope.nodes, selectorWords)
	if len(r.scope.nodes) > 9 {
		allowed = slices.Concat([]string{r.scope.nodes[0], "…", r.scope.nodes[len(r.scope.nodes)-1]}, selectorWords)
	}
	return r.fail(at, "%q is no node: there are %s%s", part, strings.Join(allowed, ", "), didYouMean(part, slices.Concat(r.scope.nodes, selectorWords)))
}

// resolve returns the nodes selected now, in order and each once. It is an error
// if there are none.
func (s selector) resolve(x *execution) ([]string, error) {
	var chosen []string
	for _, part := range s.parts {
		ids, err := x.selectPart(part, chosen)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if !slices.Contains(chosen, id) {
				chosen = append(chosen, id)
			}
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%q selects no node now", s.text)
	}
	x.named = append(x.named, chosen...)
	return chosen, nil
}

// one is resolve for a selector that must select exactly one node.
func (s selector) one(x *execution) (string, error) {
	ids, err := s.resolve(x)
	if err != nil {
		return "", err
	}
	if len(ids) > 1 {
		return "", fmt.Errorf("%q selects %d nodes now (%s), and one is meant", s.text, len(ids), strings.Join(ids, ","))
	}
	return ids[0], nil
}

// selectPart resolves one part of a selector; chosen are those of the parts before.
func (x *execution) selectPart(part string, chosen []string) ([]string, error) {
	if name, ok := strings.CutPrefix(part, "$"); ok {
		return x.names[name], nil
	}
	state := x.state()
	named := slices.Concat(x.named, chosen)
	free := func(n *trace.Node) bool { return !slices.Contains(named, n.ID) }
	switch part {
	case "all":
		return where(state, func(*trace.Node) bool { return true }), nil
	case "up":
		return where(state, func(n *trace.Node) bool { return n.Process == trace.Up }), nil
	case "down":
		return where(state, func(n *trace.Node) bool { return !n.Process.Running() }), nil
	case "others":
		return where(state, free), nil
	case "leader", "followers":
		leader := state.LeaderNode()
		if leader == nil {
			return nil, fmt.Errorf("%q selects nothing: there is no leader now, %s", part, state.LeaderProblem())
		}
		if part == "leader" {
			return []string{leader.ID}, nil
		}
		return where(state, func(n *trace.Node) bool { return n.ID != leader.ID && n.Process.Running() }), nil
	case "random":
		up := where(state, func(n *trace.Node) bool { return n.Process == trace.Up && free(n) })
		if len(up) == 0 {
			return nil, fmt.Errorf("%q selects nothing: every node that is up is named already", part)
		}
		return []string{up[x.rng.IntN(len(up))]}, nil
	case "minority", "majority":
		// The last nodes are a minority, so that both together are everyone.
		voters := slices.DeleteFunc(state.Voters(), func(id string) bool { return slices.Contains(named, id) })
		size := trace.Quorum(len(state.Voters()))
		if part == "minority" {
			size = len(state.Voters()) - size
			return voters[max(len(voters)-size, 0):], nil
		}
		return voters[:min(size, len(voters))], nil
	}
	return []string{part}, nil
}

// where returns the members for which ok holds.
func where(state *trace.State, ok func(*trace.Node) bool) []string {
	var ids []string
	for i := range state.Nodes {
		if n := &state.Nodes[i]; n.Process != trace.Removed && ok(n) {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// route is whom a client asks.
type route struct {
	word string
	node selector // if word is empty
}

// via takes "via ROUTE", if it is there.
func (r *reader) via() (route, error) {
	if !r.skip("via") {
		return route{word: cluster.RouteLeader}, nil
	}
	switch next := r.peek(); next {
	case cluster.RouteLeader, cluster.RouteRoundRobin, cluster.RouteRandom:
		r.next++
		return route{word: next}, nil
	case "":
		return route{}, r.fail(r.end(), "whom to ask is missing: leader, round-robin, random, or a node")
	}
	node, err := r.selector()
	return route{node: node}, err
}

// resolve returns the route as the cluster takes it.
func (r route) resolve(x *execution) (string, error) {
	if r.word != "" {
		return r.word, nil
	}
	return r.node.one(x)
}

// links is a choice of directed links.
type links struct {
	from, to selector
	both     bool
}

// links takes "SEL -> SEL" or "SEL <-> SEL".
func (r *reader) links() (links, error) {
	from, err := r.selector()
	if err != nil {
		return links{}, err
	}
	arrow, err := r.oneOf("an arrow between nodes", "->", "<->")
	if err != nil {
		return links{}, err
	}
	to, err := r.selector()
	return links{from: from, to: to, both: arrow == "<->"}, err
}

// link is one directed link.
type link struct{ from, to string }

func (l links) resolve(x *execution) ([]link, error) {
	froms, err := l.from.resolve(x)
	if err != nil {
		return nil, err
	}
	tos, err := l.to.resolve(x)
	if err != nil {
		return nil, err
	}
	var all []link
	add := func(one link) {
		if one.from != one.to && !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	for _, from := range froms {
		for _, to := range tos {
			add(link{from, to})
			if l.both {
				add(link{to, from})
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s and %s are the same node, and there is no link from a node to itself", l.from.text, l.to.text)
	}
	return all, nil
}
