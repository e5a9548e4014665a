package scenario

import (
	"regexp"
	"slices"
	"strings"

	"capsize/cluster"
	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/faults"
)

// syntaxWord is a word of a command's syntax: a literal, or a placeholder in capitals.
var syntaxWord = regexp.MustCompile(`[A-Za-z][A-Za-z-]*`)

// Complete returns what the last word of a command that is being typed may
// become, sorted: commands at its start, and else the words and nodes that the
// command's syntax has room for. It may be called from outside of virtual time.
func (s *Session) Complete(text string) []string {
	words := strings.Fields(text)
	last := ""
	if len(words) > 0 && !strings.HasSuffix(text, " ") {
		last = words[len(words)-1]
	}
	if len(words) == 0 || len(words) == 1 && last != "" {
		var commands []string
		for _, r := range References() {
			if c, _ := find(r.Name); c.setup == nil {
				commands = append(commands, r.Name)
			}
		}
		return matching(commands, last)
	}
	c, ok := find(words[0])
	if !ok || c.setup != nil {
		return nil
	}
	var all []string
	for _, w := range syntaxWord.FindAllString(strings.TrimPrefix(c.syntax, c.name), -1) {
		all = append(all, s.expand(w)...)
	}
	// Of a list the part after the last comma is completed.
	head := last[:strings.LastIndexByte(last, ',')+1]
	completed := matching(all, last[len(head):])
	for i := range completed {
		completed[i] = head + completed[i]
	}
	return completed
}

// expand returns what a word of a syntax stands for.
func (s *Session) expand(w string) []string {
	var nodes []string
	s.c.Trace().Read(func(st *trace.State) { nodes = where(st, func(*trace.Node) bool { return true }) })
	switch w {
	case "SEL":
		return slices.Concat(nodes, selectorWords)
	case "LINK":
		return slices.Concat(nodes, selectorWords, []string{"->", "<->"})
	case "ROUTE":
		return slices.Concat([]string{cluster.RouteLeader, cluster.RouteRoundRobin, cluster.RouteRandom}, nodes)
	case "LEVEL":
		return cluster.Levels
	case "ROLE":
		return []string{"follower", "leader", "candidate", "down"}
	case "OUTCOME":
		return outcomes
	case "CHECK":
		return check.Names()
	case "KIND":
		var kinds []string
		for _, k := range faults.Kinds() {
			kinds = append(kinds, k.String())
		}
		return kinds
	}
	if strings.ToLower(w) != w {
		return nil // a number, a text, a duration
	}
	return []string{w}
}

// matching returns the words that begin with prefix, sorted and each once.
func matching(words []string, prefix string) []string {
	var found []string
	for _, w := range words {
		if strings.HasPrefix(w, prefix) && w != prefix {
			found = append(found, w)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
