package shrink

import (
	"slices"
	"strings"

	"capsize/cluster/trace"
)

// linkChange is a fault that was set on some links, or "heal".
type linkChange struct {
	fault string
	links []trace.Link
}

// linkChanges are what happened to links at one moment, in order.
type linkChanges []linkChange

// add adds what became of the faults of a link. If it lost one of several, it is healed, and the others
// are set again.
func (all *linkChanges) add(link trace.Link, before, now []string) {
	fresh := now
	if kept := len(before); kept <= len(now) && slices.Equal(before, now[:kept]) {
		fresh = now[kept:]
	} else {
		all.put("heal", link)
	}
	for _, fault := range fresh {
		all.put(fault, link)
	}
}

func (all *linkChanges) put(fault string, link trace.Link) {
	for i := range *all {
		if (*all)[i].fault == fault {
			(*all)[i].links = append((*all)[i].links, link)
			return
		}
	}
	*all = append(*all, linkChange{fault, []trace.Link{link}})
}

// commands returns the changes as few commands.
func (all linkChanges) commands() (lines []string) {
	for _, one := range all {
		verb, rest, _ := strings.Cut(one.fault, " ")
		for _, links := range grouped(one.links) {
			lines = append(lines, strings.TrimSpace(verb+" "+links+" "+rest))
		}
	}
	return lines
}

// grouped returns links as few operands: n1 <-> n2,n3.
func grouped(links []trace.Link) (all []string) {
	// The receivers of each sender, and then the senders with the same ones.
	type group struct{ from, to []string }
	var groups []group
	for _, sender := range links {
		var to []string
		for _, l := range links {
			if l.From == sender.From && !slices.Contains(to, l.To) {
				to = append(to, l.To)
			}
		}
		slices.Sort(to)
		i := slices.IndexFunc(groups, func(g group) bool { return slices.Equal(g.to, to) })
		switch {
		case i < 0:
			groups = append(groups, group{[]string{sender.From}, to})
		case !slices.Contains(groups[i].from, sender.From):
			groups[i].from = append(groups[i].from, sender.From)
		}
	}
	for i := range groups {
		slices.Sort(groups[i].from)
	}
	for i, g := range groups {
		back := slices.IndexFunc(groups, func(o group) bool { return slices.Equal(o.from, g.to) && slices.Equal(o.to, g.from) })
		switch {
		case back > i:
			all = append(all, strings.Join(g.from, ",")+" <-> "+strings.Join(g.to, ","))
		case back < 0:
			all = append(all, strings.Join(g.from, ",")+" -> "+strings.Join(g.to, ","))
		}
	}
	return all
}
