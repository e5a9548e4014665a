package keymap

import (
	"cmp"
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"capsize/ui/pane"
)

// Binding is a key, its help, and what it does. The one list of them is keyMap:
// the help, the footer and the README's table come from it.
type Binding struct {
	key.Binding
	ID        string // how its key is shown where no other was given to it
	group     string
	In        []string // the views it is for, where it goes before all others; none: everywhere
	hint      int      // its place in the footer, 0 = not there
	short     string   // its text in the footer
	pinned    bool     // it always has a place there, at the right
	NeedsLive bool     // a cluster to act on, now: not a recording, not the past
	Do        func(pressed string) tea.Cmd
}

// Bind makes a binding from the keys it takes, how they are shown, what they do
// in words, and what they do.
func Bind(group, shown, help string, do func(), keys ...string) Binding {
	return BindCmd(group, shown, help, func(string) tea.Cmd { do(); return nil }, keys...)
}

// BindKey is bind for keys of which each does something else.
func BindKey(group, shown, help string, do func(pressed string), keys ...string) Binding {
	return BindCmd(group, shown, help, func(pressed string) tea.Cmd { do(pressed); return nil }, keys...)
}

// BindCmd is bind for what goes on beside the screen.
func BindCmd(group, shown, help string, do func(pressed string) tea.Cmd, keys ...string) Binding {
	return Binding{ID: shown, Binding: key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, help)), group: group, Do: do}
}

// NeedsCluster marks a binding that only a cluster can carry out, and only now.
func (b Binding) NeedsCluster() Binding {
	b.NeedsLive = true
	return b
}

// Only makes a binding one of some views.
func (b Binding) Only(views ...string) Binding {
	b.In = views
	return b
}

// InFooter puts a binding at a place of the footer, with a shorter text.
func (b Binding) InFooter(place int, short string) Binding {
	b.hint, b.short = place, short
	return b
}

// PinnedInFooter gives a binding a place at the right end of the footer, whatever
// else stands there.
func (b Binding) PinnedInFooter(place int, short string) Binding {
	b = b.InFooter(place, short)
	b.pinned = true
	return b
}

// Hints returns the footer.
func Hints(keys []Binding) []pane.HelpKey {
	placed := slices.DeleteFunc(slices.Clone(keys), func(b Binding) bool { return b.hint == 0 })
	slices.SortStableFunc(placed, func(a, b Binding) int {
		// Those of the view stand first.
		return cmp.Or(cmp.Compare(len(b.In), len(a.In)), cmp.Compare(a.hint, b.hint))
	})
	out := make([]pane.HelpKey, len(placed))
	for i, b := range placed {
		out[i] = pane.HelpKey{Key: b.Help().Key, Text: b.short, Pinned: b.pinned}
	}
	return out
}

// ForView returns the keys that mean something in a view: its own first and, of
// those that mean the same everywhere, what they leave.
func ForView(keys []Binding, view string) []Binding {
	var own, rest []Binding
	taken := map[string]bool{}
	for _, b := range keys {
		if slices.Contains(b.In, view) {
			own = append(own, b)
			for _, name := range b.Keys() {
				taken[name] = true
			}
		}
	}
	for _, b := range keys {
		if len(b.In) == 0 && slices.ContainsFunc(b.Keys(), func(name string) bool { return !taken[name] }) {
			rest = append(rest, b)
		}
	}
	return append(own, rest...)
}

// HelpGroups returns the full help: the keys by group, in the order in which the
// groups come first.
func HelpGroups(keys []Binding) []pane.HelpGroup {
	var out []pane.HelpGroup
	for _, b := range keys {
		i := slices.IndexFunc(out, func(g pane.HelpGroup) bool { return g.Title == b.group })
		if i < 0 {
			i = len(out)
			out = append(out, pane.HelpGroup{Title: b.group})
		}
		out[i].Keys = append(out[i].Keys, pane.HelpKey{Key: b.Help().Key, Text: b.Help().Desc})
	}
	return out
}
