package shrink

import (
	"fmt"
	"slices"
	"strings"
)

// fewerNodes returns the draft with one node fewer: without each of its nodes, whose commands go
// with it, and with other numbers for those behind it. The last node goes first: then no other
// number changes.
func fewerNodes(d draft) (all []edit) {
	for gone := d.nodes; gone > 0 && d.nodes > 1; gone-- {
		one := d
		one.nodes--
		one.commands = nil
		for _, line := range d.commands {
			if line, ok := withoutNode(line, gone, d.nodes); ok {
				one.commands = append(one.commands, line)
			}
		}
		all = append(all, edit{draft: one})
	}
	return all
}

// withoutNode returns a command without a node, with the nodes behind it renumbered. It returns false
// if nothing is left of it.
func withoutNode(line string, gone, nodes int) (string, bool) {
	names := map[string]string{fmt.Sprintf("n%d", gone): ""}
	for k := gone + 1; k <= nodes; k++ {
		names[fmt.Sprintf("n%d", k)] = fmt.Sprintf("n%d", k-1)
	}
	words := strings.Fields(line)
	for i, word := range words {
		if i > 0 && (words[i-1] == "add-node" || words[i-1] == "let") {
			continue // a name, not a node of the start
		}
		parts := strings.Split(word, ",")
		var left []string
		for _, part := range parts {
			if name, ok := names[part]; !ok {
				left = append(left, part)
			} else if name != "" {
				left = append(left, name)
			}
		}
		if len(left) == 0 {
			return "", false
		}
		words[i] = strings.Join(left, ",")
	}
	return strings.Join(words, " "), true
}

// nodeNames returns the nodes that a draft starts with.
func (d draft) nodeNames() []string {
	names := make([]string, d.nodes)
	for i := range names {
		names[i] = fmt.Sprintf("n%d", i+1)
	}
	return names
}

// areOthers reports whether a list of nodes is all nodes but one.
func (d draft) areOthers(list, one string) bool {
	names := strings.Split(list, ",")
	return len(names) == d.nodes-1 && !slices.Contains(names, one) && !slices.ContainsFunc(names, func(n string) bool {
		return !slices.Contains(d.nodeNames(), n)
	})
}
