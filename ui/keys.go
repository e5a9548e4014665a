package ui

import (
	"cmp"
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// binding is a key, its help, and what it does. The one list of them is keyMap:
// the help, the footer and the README's table come from it.
type binding struct {
	key.Binding
	id    string // how its key is shown where no other was given to it
	group string
	in    []string // the views it is for, where it goes before all others; none: everywhere
	hint  int      // its place in the footer, 0 = not there
	short string   // its text in the footer
	keeps bool     // it always has a place there, at the right
	needs bool     // a cluster to act on, now: not a recording, not the past
	do    func(pressed string) tea.Cmd
}

// bind makes a binding from the keys it takes, how they are shown, what they do
// in words, and what they do.
func bind(group, shown, help string, do func(), keys ...string) binding {
	return bindCmd(group, shown, help, func(string) tea.Cmd { do(); return nil }, keys...)
}

// bindKey is bind for keys of which each does something else.
func bindKey(group, shown, help string, do func(pressed string), keys ...string) binding {
	return bindCmd(group, shown, help, func(pressed string) tea.Cmd { do(pressed); return nil }, keys...)
}

// bindCmd is bind for what goes on beside the screen.
func bindCmd(group, shown, help string, do func(pressed string) tea.Cmd, keys ...string) binding {
	return binding{id: shown, Binding: key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, help)), group: group, do: do}
}

// needsCluster marks a binding that only a cluster can carry out, and only now.
func (b binding) needsCluster() binding {
	b.needs = true
	return b
}

// only makes a binding one of some views.
func (b binding) only(views ...string) binding {
	b.in = views
	return b
}

// inFooter puts a binding at a place of the footer, with a shorter text.
func (b binding) inFooter(place int, short string) binding {
	b.hint, b.short = place, short
	return b
}

// alwaysInFooter gives a binding a place at the right end of the footer, whatever
// else stands there.
func (b binding) alwaysInFooter(place int, short string) binding {
	b = b.inFooter(place, short)
	b.keeps = true
	return b
}

// hints returns the footer.
func hints(keys []binding) []helpKey {
	placed := slices.DeleteFunc(slices.Clone(keys), func(b binding) bool { return b.hint == 0 })
	slices.SortStableFunc(placed, func(a, b binding) int {
		// Those of the view stand first.
		return cmp.Or(cmp.Compare(len(b.in), len(a.in)), cmp.Compare(a.hint, b.hint))
	})
	out := make([]helpKey, len(placed))
	for i, b := range placed {
		out[i] = helpKey{key: b.Help().Key, text: b.short, keeps: b.keeps}
	}
	return out
}

// here returns the keys that mean something in a view: its own first and, of
// those that mean the same everywhere, what they leave.
func here(keys []binding, view string) []binding {
	var own, rest []binding
	taken := map[string]bool{}
	for _, b := range keys {
		if slices.Contains(b.in, view) {
			own = append(own, b)
			for _, name := range b.Keys() {
				taken[name] = true
			}
		}
	}
	for _, b := range keys {
		if len(b.in) == 0 && slices.ContainsFunc(b.Keys(), func(name string) bool { return !taken[name] }) {
			rest = append(rest, b)
		}
	}
	return append(own, rest...)
}

// helpGroups returns the full help: the keys by group, in the order in which the
// groups come first.
func helpGroups(keys []binding) []helpGroup {
	var out []helpGroup
	for _, b := range keys {
		i := slices.IndexFunc(out, func(g helpGroup) bool { return g.title == b.group })
		if i < 0 {
			i = len(out)
			out = append(out, helpGroup{title: b.group})
		}
		out[i].keys = append(out[i].keys, helpKey{key: b.Help().Key, text: b.Help().Desc})
	}
	return out
}
