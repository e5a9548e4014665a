package shrink

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster"
	"capsize/cluster/scenario"
)

// draft is a scenario as its lines. A draft is never changed: an edit makes a new one.
type draft struct {
	title    string
	nodes    int
	seed     int64
	setup    []string // storage and settings
	commands []string
	expected []string // the checks whose violation the last lines expect
}

// newDraft returns a scenario as a draft, and the checks that it expects to be violated. Those
// expectations are no commands of the draft.
func newDraft(s *scenario.Script) (d draft, expected []string) {
	d = draft{title: s.Title, nodes: s.Nodes, seed: s.Settings.Seed}
	for line := range strings.Lines(s.Text()) {
		c := scenario.SplitCommand(strings.TrimRight(line, "\n"))
		text := strings.Join(append([]string{c.Verb}, c.Args...), " ")
		word, _, _ := strings.Cut(c.Verb, ".")
		switch {
		case word == "title" || word == "summary" || c.Verb == "nodes" || c.Verb == "seed":
		case c.Verb == "storage" && c.Args[0] == cluster.Memory: // the default of a scenario
		case c.Verb == "storage" || c.Verb == "set" && len(d.commands) == 0:
			d.setup = append(d.setup, text)
		case c.Verb == "expect" && c.Args[0] == "violation":
			if len(c.Args) == 4 { // within D
				d.commands = append(d.commands, "wait "+c.Args[3])
			}
		default:
			if isCaption(c) {
				text = c.Text // it may have more than one space between words
			}
			d.commands = append(d.commands, text)
		}
	}
	return d, s.ExpectedViolations()
}

// isCaption reports whether a command is only for an audience.
func isCaption(c scenario.Command) bool {
	verb, _, _ := strings.Cut(c.Verb, ".")
	return slices.Contains([]string{"say", "chapter", "step", "speed", "ask", "choice", "because"}, verb)
}

// text returns the scenario.
func (d draft) text() string {
	var b strings.Builder
	if d.title != "" {
		fmt.Fprintf(&b, "title %s\n", d.title)
	}
	fmt.Fprintf(&b, "nodes %d\nseed %d\n", d.nodes, d.seed)
	for _, line := range d.setup {
		b.WriteString(line + "\n")
	}
	b.WriteString("\n")
	for _, line := range d.commands {
		b.WriteString(line + "\n")
	}
	for _, check := range d.expected {
		fmt.Fprintf(&b, "expect violation %s\n", check)
	}
	return b.String()
}

// withSeed returns the draft with another seed.
func (d draft) withSeed(seed int64) draft {
	d.seed = seed
	return d
}

// withCommands returns the draft with other commands.
func (d draft) withCommands(commands []string) draft {
	d.commands = commands
	return d
}

// withCommand returns the draft with other lines in the place of a command.
func (d draft) withCommand(i int, lines ...string) draft {
	return d.withCommands(slices.Concat(d.commands[:i], lines, d.commands[i+1:]))
}

// contains reports whether a command has one of these verbs, also behind try and async.
func (d draft) contains(verbs ...string) bool {
	return slices.ContainsFunc(d.commands, func(line string) bool {
		_, words := splitPrefix(strings.Fields(line))
		return len(words) > 0 && slices.Contains(verbs, words[0])
	})
}

// splitPrefix splits the words of a command into try and async, and the rest.
func splitPrefix(words []string) (prefix, rest []string) {
	i := 0
	for i < len(words) && (words[i] == "try" || words[i] == "async") {
		i++
	}
	return words[:i], words[i:]
}
