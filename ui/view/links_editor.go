package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"
	"capsize/ui/keymap"
	"capsize/ui/pane"
)

// MatrixCell is a cell of the matrix of links: a row for the sender and a column for the
// receiver. AllNodes, in place of either, is the header, which stands for all nodes.
type MatrixCell struct{ Row, Col int }

// AllNodes is the index of the header row and of the header column.
const AllNodes = -1

// faultKey is a key that sets a fault on links. Pressed again, it sets the next of its
// faults.
type faultKey struct {
	key    string
	faults []faults.LinkFault
}

func faultKeys() []faultKey {
	return []faultKey{
		{"c", []faults.LinkFault{faults.Cut{}}},
		{"r", []faults.LinkFault{faults.Refuse{}}},
		{"d", []faults.LinkFault{
			faults.Delay{Mean: 200 * time.Millisecond, Jitter: 50 * time.Millisecond}, faults.Delay{Mean: time.Second}, faults.Delay{Mean: 5 * time.Second}, faults.Delay{Mean: 20 * time.Millisecond},
		}},
		{"l", []faults.LinkFault{faults.Lose{Percent: 30}, faults.Lose{Percent: 60}, faults.Lose{Percent: 90}, faults.Lose{Percent: 10}}},
		{"u", []faults.LinkFault{faults.Duplicate{Percent: 30}, faults.Duplicate{Percent: 100}}},
		{"o", []faults.LinkFault{faults.Reorder{Percent: 30}, faults.Reorder{Percent: 100}}},
		{"j", []faults.LinkFault{faults.Jam{}}},
		{"M", []faults.LinkFault{faults.Hold{}}},
		{"b", []faults.LinkFault{faults.Bandwidth{BytesPerSecond: 1000}, faults.Bandwidth{BytesPerSecond: 100}, faults.Bandwidth{BytesPerSecond: 10000}}},
	}
}

// Keys implements [View].
func (v *Links) Keys() []keymap.Binding {
	const group = "links view"
	all := []keymap.Binding{
		keymap.BindKey(group, "arrows", "select link; shift: mark", v.move,
			"up", "down", "left", "right", "shift+up", "shift+down", "shift+left", "shift+right").InFooter(1, "link"),
		keymap.Bind(group, "space", "mark link, row or column", v.toggleMarks, "space").InFooter(2, "mark"),
	}
	for i, e := range faultKeys() {
		word := pane.FaultName(e.faults[0].String())
		help := word
		if len(e.faults) > 1 {
			help += "; again: change"
		}
		all = append(all, keymap.Bind(group, e.key, help, func() { v.setFault(e) }, e.key).InFooter(4+i, word).If(word))
	}
	return append(all, keymap.Bind(group, "h", "heal", v.heal, "h").InFooter(3, "heal"))
}

// clamped returns the nearest cell of a matrix of so many nodes that is not a node's
// link to itself.
func (c MatrixCell) clamped(nodes int) MatrixCell {
	c = MatrixCell{min(max(c.Row, AllNodes), nodes-1), min(max(c.Col, AllNodes), nodes-1)}
	if c.Row == c.Col && c.Row != AllNodes {
		if c.Col++; c.Col >= nodes {
			c.Col -= 2
		}
	}
	return c
}

// move moves the cursor in the matrix; with shift, it marks the links that it leaves and
// enters.
func (v *Links) move(pressed string) {
	nodes := v.Nodes()
	key, marking := strings.CutPrefix(pressed, "shift+")
	if marking {
		v.mark(v.linksAt(v.At), true)
	}
	to := v.At.clamped(len(nodes))
	step := map[string]MatrixCell{"up": {-1, 0}, "down": {1, 0}, "left": {0, -1}, "right": {0, 1}}[key]
	to.Row, to.Col = to.Row+step.Row, to.Col+step.Col
	if to.Row == to.Col && to.Row != AllNodes {
		to.Row, to.Col = to.Row+step.Row, to.Col+step.Col
	}
	if to.Row < AllNodes || to.Col < AllNodes || to.Row >= len(nodes) || to.Col >= len(nodes) {
		v.Toast("no more links that way", true)
		return
	}
	v.At = to
	if marking {
		v.mark(v.linksAt(v.At), true)
	}
}

// linksAt returns the links of a cell: one, or those of a header's row or column.
func (v *Links) linksAt(at MatrixCell) []trace.Link { return linksAt(v.Nodes(), at) }

func linksAt(nodes []string, at MatrixCell) []trace.Link {
	at = at.clamped(len(nodes))
	var links []trace.Link
	for row, from := range nodes {
		for col, to := range nodes {
			if row != col && (at.Row == AllNodes || at.Row == row) && (at.Col == AllNodes || at.Col == col) {
				links = append(links, trace.Link{From: from, To: to})
			}
		}
	}
	return links
}

// toggleMarks marks the links under the cursor or, if they all are, clears their marks.
func (v *Links) toggleMarks() {
	links := v.linksAt(v.At)
	v.mark(links, slices.ContainsFunc(links, func(l trace.Link) bool { return !v.Marked[l] }))
}

func (v *Links) mark(links []trace.Link, on bool) {
	if v.Marked == nil {
		v.Marked = map[trace.Link]bool{}
	}
	for _, l := range links {
		if on {
			v.Marked[l] = true
		} else {
			delete(v.Marked, l)
		}
	}
}

// TargetLinks returns the links that keys act on: the marked ones or, if there are none,
// those under the cursor.
func (v *Links) TargetLinks() []trace.Link {
	all := v.linksAt(MatrixCell{AllNodes, AllNodes})
	marked := slices.DeleteFunc(slices.Clone(all), func(l trace.Link) bool { return !v.Marked[l] })
	if len(marked) > 0 {
		return marked
	}
	return v.linksAt(v.At)
}

// setFault sets a fault on the target links: the first of a key's faults, or the one
// after the fault that the first link has.
func (v *Links) setFault(e faultKey) {
	links := v.TargetLinks()
	if len(links) == 0 {
		v.Toast("no links: the cluster has only one node", true)
		return
	}
	next := 0
	for i, fault := range e.faults {
		if slices.Contains(v.State().Faults[links[0]], fault.String()) {
			next = (i + 1) % len(e.faults)
		}
	}
	name, setting, _ := strings.Cut(e.faults[next].String(), " ")
	for _, l := range v.linkArgs(links) {
		v.Submit(strings.TrimSpace(name+" "+l+" "+setting), "set")
	}
}

func (v *Links) heal() {
	for _, l := range v.linkArgs(v.TargetLinks()) {
		v.Submit("heal "+l, "healed")
	}
}

// linkArgs returns links as arguments of commands: one if they are all links from one
// set of nodes to another, else one for each sender.
func (v *Links) linkArgs(links []trace.Link) []string {
	nodes := v.Nodes()
	var froms, tos []string
	by := map[string][]string{}
	for _, l := range links {
		if !slices.Contains(froms, l.From) {
			froms = append(froms, l.From)
		}
		if !slices.Contains(tos, l.To) {
			tos = append(tos, l.To)
		}
		by[l.From] = append(by[l.From], l.To)
	}
	slices.SortFunc(tos, trace.CompareNames)
	name := func(ids []string) string {
		if len(ids) == len(nodes) && len(ids) > 1 {
			return "all"
		}
		return strings.Join(ids, ",")
	}
	pairs := 0
	for _, from := range froms {
		pairs += len(tos)
		if slices.Contains(tos, from) {
			pairs--
		}
	}
	if len(links) > 0 && pairs == len(links) {
		if len(froms) == 1 && len(tos) == len(nodes)-1 {
			tos = nodes // "all" means the same: a node has no link to itself
		}
		if len(tos) == 1 && len(froms) == len(nodes)-1 {
			froms = nodes
		}
		return []string{name(froms) + " -> " + name(tos)}
	}
	var all []string
	for _, from := range froms {
		all = append(all, fmt.Sprintf("%s -> %s", from, strings.Join(by[from], ",")))
	}
	return all
}
