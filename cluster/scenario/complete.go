package scenario

import (
	"regexp"
	"slices"
	"strings"

	"capsize/cluster"
	"capsize/cluster/check"
)

// syntaxWord matches a word of a command's syntax: a literal, or a placeholder in
// capitals.
var syntaxWord = regexp.MustCompile(`[A-Za-z][A-Za-z-]*`)

// Complete returns the completions of the last word of a command that is being
// typed, sorted: commands for the first word, and words of the command's syntax and
// nodes for the others. It can be called from outside virtual time.
func (p *Prompt) Complete(text string) []string {
	words := strings.Fields(text)
	last := ""
	if len(words) > 0 && !strings.HasSuffix(text, " ") {
		last = words[len(words)-1]
		words = words[:len(words)-1]
	}
	words, verbs := p.skipPrefixes(words)
	if len(words) == 0 {
		return withPrefix(verbs, last)
	}
	d, ok := find(words[0])
	if !ok || d.parse == nil || !p.allows(d) {
		return nil
	}
	var all []string
	for _, w := range syntaxWord.FindAllString(strings.TrimPrefix(d.syntax, d.name), -1) {
		all = append(all, p.expand(w)...)
	}
	// In a list, only the part after the last comma is completed.
	head := last[:strings.LastIndexByte(last, ',')+1]
	completed := withPrefix(all, last[len(head):])
	for i := range completed {
		completed[i] = head + completed[i]
	}
	return completed
}

// skipPrefixes returns a command without the words that only change how it runs, and
// the names of the commands that can follow these words.
func (p *Prompt) skipPrefixes(words []string) (command, verbs []string) {
	allowed := declaration.runs
	for skipped := true; skipped; {
		switch {
		case len(words) > 0 && words[0] == "try":
			words, allowed = words[1:], declaration.canBeTried
		case len(words) > 0 && words[0] == "async":
			words, allowed = words[1:], declaration.canRunAsync
		case len(words) > 1 && words[0] == "expect" && words[1] == "refused":
			words, allowed = words[2:], declaration.canBeRefused
		default:
			skipped = false
		}
	}
	for _, d := range declarations() {
		if allowed(d) && p.allows(d) {
			verbs = append(verbs, d.name)
		}
	}
	return words, verbs
}

// expand returns the words that a word of a syntax stands for.
func (p *Prompt) expand(w string) []string {
	switch w {
	case "SEL":
		return slices.Concat(p.nodes(), selectorWords)
	case "LINK":
		return slices.Concat(p.nodes(), selectorWords, []string{"->", "<->"})
	case "ROUTE":
		return slices.Concat([]string{cluster.RouteLeader, cluster.RouteRoundRobin, cluster.RouteRandom}, p.nodes())
	case "LEVEL":
		return cluster.Levels
	case "KEY":
		return cluster.LiveSettings()
	case "ROLE":
		return roles
	case "OUTCOME":
		return outcomes
	case "CHECK":
		return check.Names()
	case "KIND":
		return messageKindNames()
	}
	if strings.ToLower(w) != w {
		return nil // a number, a text or a duration
	}
	return []string{w}
}

// withPrefix returns the words that are longer than prefix and begin with it,
// sorted, each once.
func withPrefix(words []string, prefix string) []string {
	var found []string
	for _, w := range words {
		if strings.HasPrefix(w, prefix) && w != prefix {
			found = append(found, w)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
