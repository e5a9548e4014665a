package scenario

import (
	"fmt"
	"slices"

	"capsize/cluster"
)

// memberCommands change the membership, through Raft's log, and who leads.
func memberCommands() []declaration {
	return []declaration{
		{name: "add-node", syntax: "add-node [NAME] [nonvoter]", help: "start a new node and add it to the cluster", parse: parseAddNode},
		nodeCommand("remove-node", "remove a member and discard its disk", (*cluster.Inside).RemoveNode),
		nodeCommand("promote", "make a non-voter a voter", (*cluster.Inside).Promote),
		nodeCommand("demote", "make a voter a non-voter", (*cluster.Inside).Demote),
		{name: "transfer", syntax: "transfer [SEL]", help: "transfer leadership to a node, or to the one with the longest log", parse: parseTransfer},
		{name: "recover", syntax: "recover SEL", help: "unsafe recovery: make these nodes the whole cluster", parse: func(p *lineParser) (action, error) {
			s, err := p.selector()
			return func(r *run) error {
				ids, err := s.resolve(r)
				if err != nil {
					return err
				}
				return r.c.Recover(ids...)
			}, err
		}},
	}
}

func parseAddNode(p *lineParser) (action, error) {
	name := ""
	if p.hasMore() && p.peek() != "nonvoter" {
		w, _ := p.next("a name")
		if !cluster.IsName(w.text) || slices.Contains(cluster.ReservedNames(), w.text) {
			return nil, p.fail(w, "%q is not a valid node name; use %s, but not %s", w.text, cluster.NameRule, orList(cluster.ReservedNames()))
		}
		name = w.text
	}
	voter := !p.accept("nonvoter")
	p.scope.addNode(name)
	return func(r *run) error { return r.c.AddNode(name, voter) }, nil
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

func parseTransfer(p *lineParser) (action, error) {
	if !p.hasMore() {
		return func(r *run) error { return r.c.Transfer("") }, nil
	}
	s, err := p.selector()
	return func(r *run) error {
		id, err := s.resolveOne(r)
		if err != nil {
			return err
		}
		return r.c.Transfer(id)
	}, err
}
