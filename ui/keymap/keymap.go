package keymap

import (
	"cmp"
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"capsize/ui/pane"
)

// Binding is one or more keys, their help, and what they do.
type Binding struct {
	key.Binding
	ID        string   // its key by default, as the help shows it
	group     string   // its group in the help
	In        []string // the views it belongs to, where it comes first; none: every view
	hint      int      // its place in the footer, 0 = not in the footer
	short     string   // its text in the footer
	pinned    bool     // it stands at the right end of the footer, whatever else fits
	NeedsLive bool     // it acts on a live cluster: not on a recording, not in the past
	Needs     string   // a command that the cluster must know, or VirtualTime; "" for nothing
	Do        func(pressed string) tea.Cmd
}

// Bind returns a binding: its group, how the help shows its keys, what they do in
// words, what they do, and the keys.
func Bind(group, shown, help string, do func(), keys ...string) Binding {
	return BindCmd(group, shown, help, func(string) tea.Cmd { do(); return nil }, keys...)
}

// BindKey is Bind for several keys that do different things.
func BindKey(group, shown, help string, do func(pressed string), keys ...string) Binding {
	return BindCmd(group, shown, help, func(pressed string) tea.Cmd { do(pressed); return nil }, keys...)
}

// BindCmd is Bind for actions that return a Bubble Tea command.
func BindCmd(group, shown, help string, do func(pressed string) tea.Cmd, keys ...string) Binding {
	return Binding{ID: shown, Binding: key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, help)), group: group, Do: do}
}

// NeedsCluster marks a binding that needs a live cluster.
func (b Binding) NeedsCluster() Binding {
	b.NeedsLive = true
	return b
}

// VirtualTime is what a binding needs that stops the clock, or sets its speed.
const VirtualTime = "virtual time"

// If makes help and footer leave a binding out where the cluster lacks what it needs. Its keys then
// say why.
func (b Binding) If(needs string) Binding {
	b.Needs = needs
	return b
}

// Only restricts a binding to some views.
func (b Binding) Only(views ...string) Binding {
	b.In = views
	return b
}

// InFooter puts a binding into the footer, with a shorter text.
func (b Binding) InFooter(place int, short string) Binding {
	b.hint, b.short = place, short
	return b
}

// PinnedInFooter pins a binding to the right end of the footer.
func (b Binding) PinnedInFooter(place int, short string) Binding {
	b = b.InFooter(place, short)
	b.pinned = true
	return b
}

// Hints returns the hints of the footer, most important first.
func Hints(keys []Binding) []pane.HelpKey {
	placed := slices.DeleteFunc(slices.Clone(keys), func(b Binding) bool { return b.hint == 0 })
	slices.SortStableFunc(placed, func(a, b Binding) int {
		// The view's own keys come first.
		return cmp.Or(cmp.Compare(len(b.In), len(a.In)), cmp.Compare(a.hint, b.hint))
	})
	out := make([]pane.HelpKey, len(placed))
	for i, b := range placed {
		out[i] = pane.HelpKey{Key: b.Help().Key, Text: b.short, Pinned: b.pinned}
	}
	return out
}

// ForView returns the bindings that work in a view: its own first, then those of every
// view that keep at least one of their keys.
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

// HelpGroups returns the full help: the bindings by group, each group at the place of
// its first binding.
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
