package shrink

import (
	"slices"
	"strconv"
	"strings"
)

// simplerCommands returns the draft with one of its commands simpler, by its operands.
func simplerCommands(d draft) (all []edit) {
	for i, line := range d.commands {
		for _, other := range d.simpler(line) {
			all = append(all, edit{d.withCommand(i, other), i})
		}
	}
	return all
}

// simpler returns simpler forms of a command, the simplest first. Some may have mistakes.
func (d draft) simpler(line string) (all []string) {
	words := strings.Fields(line)
	prefix, rest := splitPrefix(words)
	if len(rest) == 0 {
		return nil
	}
	add := func(words ...string) {
		if text := strings.Join(words, " "); text != line && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	// replace adds the command with n words from k on replaced.
	replace := func(k, n int, by ...string) { add(slices.Concat(words[:k], by, words[k+n:])...) }
	for k := range prefix {
		replace(k, 1)
	}
	verb := len(prefix)
	for _, other := range d.otherVerbs(rest) {
		add(slices.Concat(prefix, other)...)
	}
	for k := verb + 1; k < len(words); k++ {
		word := words[k]
		switch word {
		case "only":
			replace(k, len(words)-k)
		case "via", "within", "jitter", "after", "every", "clients", "on":
			replace(k, 2)
		case "keep", "nonvoter", "network", "nodes", "disk", "membership":
			replace(k, 1)
		case "<->":
			replace(k, 1, "->")
			if k+1 < len(words) {
				add(slices.Concat(words[:k-1], []string{words[k+1], "->", words[k-1]}, words[k+2:])...)
			}
		}
		for _, other := range simplerWord(words, k) {
			replace(k, 1, other)
		}
	}
	if text := d.isolated(rest); text != "" {
		add(append(slices.Clone(prefix), text)...)
	}
	return all
}

// simplerWord returns simpler forms of an operand.
func simplerWord(words []string, k int) (all []string) {
	word := words[k]
	if parts := strings.Split(word, ","); len(parts) > 1 {
		all = append(all, parts...)
		for i := range parts {
			all = append(all, strings.Join(slices.Concat(parts[:i], parts[i+1:]), ","))
		}
		return all
	}
	if number, ok := strings.CutSuffix(word, "/s"); ok {
		return smallerNumbers(number, "/s", 1, 2, 5, 10, 20)
	}
	if number, ok := strings.CutSuffix(word, "%"); ok {
		if number == "100" {
			return nil
		}
		return []string{"100%"}
	}
	switch words[k-1] {
	case "clients":
		return smallerNumbers(word, "", 1, 2, 3)
	case "increment", "add":
		return smallerNumbers(word, "", 1, 2, 5, 10, 100, 1000)
	}
	return nil
}

// smallerNumbers returns those of some numbers that are smaller than one.
func smallerNumbers(number, unit string, tries ...float64) (all []string) {
	n, err := strconv.ParseFloat(number, 64)
	for _, try := range tries {
		if err == nil && try < n {
			all = append(all, strconv.FormatFloat(try, 'f', -1, 64)+unit)
		}
	}
	return all
}

// otherVerbs returns other commands that do less, or that say in fewer words what a command does.
func (d draft) otherVerbs(words []string) (all [][]string) {
	operands := words[1:]
	switch words[0] {
	case "load":
		if len(operands) > 0 && operands[0] != "off" {
			all = append(all, []string{"increment"}, []string{"async", "increment"}, []string{"increment", "10"})
		}
	case "increment", "add":
		if len(operands) > 0 && operands[0] != "via" {
			all = append(all, slices.Concat([]string{"increment"}, operands[1:]))
		}
	case "expect":
		if n := len(words); words[n-2] == "within" {
			all = append(all, []string{"wait", words[n-1]}) // it only passes time if it need not hold
		}
	case "poweroff":
		all = append(all, slices.Concat([]string{"kill"}, operands))
	case "heal":
		if len(operands) > 0 {
			all = append(all, []string{"heal"})
		}
	case "lose":
		if len(operands) == 4 || len(operands) > 4 && operands[4] == "only" {
			all = append(all, slices.Concat([]string{"cut"}, operands[:3], operands[4:]))
		}
	case "refuse", "jam":
		all = append(all, slices.Concat([]string{"cut"}, operands))
	}
	return all
}

// isolated returns the command that says in fewer words which links a command cuts, "" for none.
func (d draft) isolated(words []string) string {
	if len(words) == 4 && words[0] == "cut" && words[2] == "<->" {
		for _, ends := range [][2]string{{words[1], words[3]}, {words[3], words[1]}} {
			if d.areOthers(ends[1], ends[0]) {
				return "isolate " + ends[0]
			}
		}
	}
	return ""
}
