package scenario

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster"
)

// memberCommands change the membership, through Raft's log, and who leads.
func memberCommands() []declaration {
	return []declaration{
		onOwnNodes(timed("add-node", "add-node [NAME] [nonvoter]", "start a new node and add it to the cluster", parseAddNode)),
		timed("remove-node", "remove-node SEL [keep]", "remove a member and delete its disk; keep: leave its process running", parseRemoveNode),
		nodeTask("promote", "make a non-voter a voter", (*cluster.Inside).Promote),
		nodeTask("demote", "make a voter a non-voter", (*cluster.Inside).Demote),
		timed("transfer", "transfer [SEL]", "transfer leadership to a node, or to the one with the longest log", parseTransfer),
		onOwnNodes(timed("recover", "recover SEL", "unsafe recovery: make these nodes the whole cluster", func(p *lineParser) (starter, error) {
			s, err := p.selector()
			return func(r *run) (func() error, error) {
				ids, err := s.resolve(r)
				return func() error { return r.c.Recover(ids...) }, err
			}, err
		})),
	}
}

func parseAddNode(p *lineParser) (starter, error) {
	name := ""
	if p.hasMore() && p.peek() != "nonvoter" {
		if strings.HasPrefix(p.peek(), "$") {
			return parseAddNamed(p)
		}
		w, _ := p.next("a name")
		if !cluster.IsName(w.text) || slices.Contains(cluster.ReservedNames(), w.text) {
			return nil, p.fail(w, "%q is not a valid node name; use %s, but not %s", w.text, cluster.NameRule, orList(cluster.ReservedNames()))
		}
		name = w.text
	}
	voter := !p.accept("nonvoter")
	p.scope.addNode(name)
	return func(r *run) (func() error, error) {
		return func() error { return r.c.AddNode(name, voter) }, nil
	}, nil
}

// parseAddNamed parses add-node with a name defined with let, as of a node that was removed.
func parseAddNamed(p *lineParser) (starter, error) {
	s, err := p.selector()
	voter := !p.accept("nonvoter")
	return func(r *run) (func() error, error) {
		id, err := s.resolveOne(r)
		return func() error { return r.c.AddNode(id, voter) }, err
	}, err
}

func parseRemoveNode(p *lineParser) (starter, error) {
	s, err := p.selector()
	if err != nil {
		return nil, err
	}
	remove := (*cluster.Inside).RemoveNode
	if p.accept("keep") {
		remove = (*cluster.Inside).ExpelNode
	}
	return func(r *run) (func() error, error) {
		ids, err := s.resolve(r)
		return func() error { return forEach(ids, func(id string) error { return remove(r.c, id) }) }, err
	}, nil
}

// addNode declares a new node; without a name, the next free one.
func (s *scope) addNode(name string) {
	for i := len(s.nodes) + 1; name == ""; i++ {
		if next := fmt.Sprintf("n%d", i); !slices.Contains(s.nodes, next) {
			name = next
		}
	}
	if !slices.Contains(s.nodes, name) {
		s.nodes = append(s.nodes, name)
	}
}

func parseTransfer(p *lineParser) (starter, error) {
	if !p.hasMore() {
		return func(r *run) (func() error, error) {
			return func() error { return r.c.Transfer("") }, nil
		}, nil
	}
	s, err := p.selector()
	return func(r *run) (func() error, error) {
		id, err := s.resolveOne(r)
		return func() error { return r.c.Transfer(id) }, err
	}, err
}
