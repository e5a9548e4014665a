package scenario

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster/trace"
)

// scope is what a scenario has declared up to the line that is being parsed.
type scope struct {
	nodes              []string       // that can exist by then
	names              []string       // defined with let
	expectedViolations []string       // checks
	settings           trace.Settings // of the cluster by then
	words              []string       // that the reader of the commands takes itself, like quit
	realTime           bool           // no virtual time: see declaration.virtual
}

// copy returns a scope for a part of a line that may not be what it seems.
func (s *scope) copy() *scope {
	c := *s
	c.expectedViolations = slices.Clip(c.expectedViolations)
	return &c
}

// selectorWords select nodes by their state when the command runs.
var selectorWords = []string{"all", "up", "down", "leader", "followers", "random", "minority", "majority", "others"}

// selector selects nodes when its command runs.
type selector struct {
	text  string
	parts []string
}

// selector takes a selector: names and words, separated by commas.
func (p *lineParser) selector() (selector, error) {
	w, err := p.next("nodes: names like n1,n3, or " + orList(selectorWords))
	if err != nil {
		return selector{}, err
	}
	s := selector{text: w.text, parts: strings.Split(w.text, ",")}
	for _, part := range s.parts {
		if err := p.checkPart(w, part); err != nil {
			return selector{}, err
		}
	}
	return s, nil
}

// isNode reports whether the selector is the name of one node.
func (s selector) isNode() bool {
	return len(s.parts) == 1 && !strings.HasPrefix(s.text, "$") && !slices.Contains(selectorWords, s.text)
}

// nodesListed is the number of nodes above which an error does not list them all.
const nodesListed = 9

// checkPart returns an error if one part of a selector means nothing.
func (p *lineParser) checkPart(at word, part string) error {
	if name, ok := strings.CutPrefix(part, "$"); ok {
		if slices.Contains(p.scope.names, name) {
			return nil
		}
		var names []string
		for _, name := range p.scope.names {
			names = append(names, "$"+name)
		}
		return p.fail(at, "unknown name %q%s; define it with let first", part, didYouMean(part, names))
	}
	nodes := p.scope.nodes
	known := slices.Concat(nodes, selectorWords)
	if slices.Contains(known, part) {
		return nil
	}
	allowed := known
	if len(nodes) > nodesListed {
		allowed = slices.Concat([]string{nodes[0], "…", nodes[len(nodes)-1]}, selectorWords)
	}
	return p.fail(at, "unknown node %q%s; use %s", part, didYouMean(part, known), orList(allowed))
}

// neverSelected are the roles that no node has while a word selects it.
var neverSelected = map[string][]string{
	"leader":    {"follower", "candidate", "down"},
	"followers": {"leader", "down"},
	"up":        {"down"},
	"down":      {"leader", "follower", "candidate"},
}

// checkRole returns an error if a selector can never select a node of a role: a condition
// selects its nodes anew each time it is checked.
func (p *lineParser) checkRole(s selector, at word, role string) error {
	for _, part := range s.parts {
		if slices.Contains(neverSelected[part], role) {
			return p.fail(at, "%q never selects a node that is %s; write let NAME = %s before, and $NAME here", part, roleWithArticle(role), part)
		}
	}
	return nil
}

// selectorOf takes a selector of nodes that are to have a role.
func (p *lineParser) selectorOf(role string) (selector, error) {
	s, err := p.selector()
	if err == nil {
		err = p.checkRole(s, p.words[p.pos-1], role)
	}
	return s, err
}

// roleWithArticle returns a role as it stands in a sentence.
func roleWithArticle(role string) string {
	if role == "down" {
		return role
	}
	return "a " + role
}

// resolve returns the nodes selected now, each once, in order. It is an error if
// there are none.
func (s selector) resolve(r *run) ([]string, error) {
	var selected []string
	for _, part := range s.parts {
		ids, err := r.selectPart(part, selected)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			if !slices.Contains(selected, id) {
				selected = append(selected, id)
			}
		}
	}
	if len(selected) == 0 {
		return nil, fmt.Errorf("%q selects no node now", s.text)
	}
	r.named = append(r.named, selected...)
	return selected, nil
}

// resolveOne is resolve for a selector that must select exactly one node.
func (s selector) resolveOne(r *run) (string, error) {
	ids, err := s.resolve(r)
	if err != nil {
		return "", err
	}
	if len(ids) > 1 {
		return "", fmt.Errorf("%q selects %d nodes now (%s); name one", s.text, len(ids), strings.Join(ids, ","))
	}
	return ids[0], nil
}

// selectPart resolves one part of a selector. Selected are the nodes of the parts
// before it.
func (r *run) selectPart(part string, selected []string) ([]string, error) {
	if name, ok := strings.CutPrefix(part, "$"); ok {
		return r.names[name], nil
	}
	state := r.state()
	named := slices.Concat(r.named, selected)
	isFree := func(n *trace.Node) bool { return !slices.Contains(named, n.ID) }
	switch part {
	case "all":
		return memberNames(state), nil
	case "up":
		return selectNodes(state, func(n *trace.Node) bool { return n.Process == trace.Up }), nil
	case "down":
		return selectNodes(state, func(n *trace.Node) bool { return n.Process.Down() }), nil
	case "others":
		return selectNodes(state, isFree), nil
	case "leader", "followers":
		leader := state.LeaderNode()
		if leader == nil {
			return nil, fmt.Errorf("%q selects no node: there is no leader now (%s)", part, state.LeaderProblem())
		}
		if part == "leader" {
			return []string{leader.ID}, nil
		}
		return selectNodes(state, func(n *trace.Node) bool { return n.ID != leader.ID && n.Process.Running() }), nil
	case "random":
		up := selectNodes(state, func(n *trace.Node) bool { return n.Process == trace.Up && isFree(n) })
		if len(up) == 0 {
			return nil, fmt.Errorf("%q selects no node: every node that is up is named already", part)
		}
		drawn := up[r.rng.IntN(len(up))]
		r.shared.drew(r.logged, drawn)
		return []string{drawn}, nil
	case "minority", "majority":
		// A minority takes the last voters and a majority the first, so together they are
		// all voters.
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

// selectNodes returns the members for which ok returns true.
func selectNodes(state *trace.State, ok func(*trace.Node) bool) []string {
	var ids []string
	for i := range state.Nodes {
		if n := &state.Nodes[i]; n.Process != trace.Removed && ok(n) {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// memberNames returns all members.
func memberNames(state *trace.State) []string {
	return selectNodes(state, func(*trace.Node) bool { return true })
}

// forEachNode calls do for each node that a selector selects now, and joins the
// errors.
func (r *run) forEachNode(s selector, do func(id string) error) error {
	ids, err := s.resolve(r)
	if err != nil {
		return err
	}
	return forEach(ids, do)
}

// forEach calls do for each node, and joins the errors.
func forEach(ids []string, do func(id string) error) error {
	var errs []error
	for _, id := range ids {
		errs = append(errs, do(id))
	}
	return joinErrors(errs)
}
