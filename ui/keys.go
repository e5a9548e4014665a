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
	in    []view // the views it is for, where it goes before all others; none: everywhere
	hint  int    // its place in the footer, 0 = not there
	short string // its text in the footer
	keeps bool   // it always has a place there, at the right
	do    func(m *model, pressed string) tea.Cmd
}

// The groups of keys, in the order of the help.
const (
	groupClients = "the counter"
	groupNodes   = "the selected node"
	groupNetwork = "network and disks"
	groupTime    = "time"
	groupScreen  = "screen"
)

var groups = []string{groupLog, groupLinks, groupOps, groupClients, groupNodes, groupNetwork, groupTime, groupScreen}

// bind makes a binding from the keys it takes, how they are shown, what they do
// in words, and what they do.
func bind(group, shown, help string, do func(*model), keys ...string) binding {
	return bindKey(group, shown, help, func(m *model, _ string) tea.Cmd { do(m); return nil }, keys...)
}

func bindKey(group, shown, help string, do func(*model, string) tea.Cmd, keys ...string) binding {
	return binding{id: shown, Binding: key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, help)), group: group, do: do}
}

// orders says whether a binding is one that only a cluster can carry out.
func (b binding) orders() bool { return slices.Contains(orderKeys, b.id) }

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

// keyMap returns all keys.
func keyMap() []binding {
	return append(viewKeys(), []binding{
		bind(groupClients, "i", "increment", (*model).increment, "i").inFooter(1, "increment"),
		bind(groupClients, "I", "increment ten times", (*model).incrementTen, "I"),
		bind(groupClients, "r", "read", (*model).read, "r").inFooter(10, "read"),
		bind(groupClients, "R", "next read level", (*model).nextLevel, "R"),
		bind(groupClients, "v", "next route of clients", (*model).nextRoute, "v"),
		bind(groupClients, "l", "load on or off", (*model).toggleLoad, "l").inFooter(7, "load"),
		bind(groupClients, "L", "more load", (*model).nextLoad, "L"),

		bindKey(groupNodes, "1-9", "select a node", selectNumber, "1", "2", "3", "4", "5", "6", "7", "8", "9"),
		bindKey(groupNodes, "arrows", "select; shift: one more", selectArrow,
			"up", "down", "left", "right", "shift+up", "shift+down", "shift+left", "shift+right"),
		bind(groupNodes, "esc", "follow the leader again", (*model).selectNobody, "esc"),
		bind(groupNodes, "k", "kill, or restart", (*model).killOrRestart, "k").inFooter(2, "kill"),
		bind(groupNodes, "K", "cut the power", (*model).powerOff, "K"),
		bind(groupNodes, "s", "pause or resume (SIGSTOP)", (*model).pauseOrResume, "s"),
		bind(groupNodes, "t", "transfer leadership to it", (*model).transfer, "t"),
		bind(groupNodes, "g", "take a snapshot", (*model).snapshot, "g"),
		bind(groupNodes, "+", "add a node", (*model).addNode, "+", "="),
		bind(groupNodes, "-", "remove it (asks)", (*model).removeNode, "-"),

		bind(groupNetwork, "p", "cut off, or heal", (*model).cutOff, "p").inFooter(3, "cut off"),
		bind(groupNetwork, "P", "shapes: halves, ring, …", (*model).shapesMenu, "P"),
		bind(groupNetwork, "w", "faults of a link", (*model).linkMenu, "w"),
		bind(groupNetwork, "d", "faults of its disk", (*model).diskMenu, "d").inFooter(12, "disk"),
		bind(groupNetwork, "h", "heal its links", (*model).healSelected, "h").inFooter(4, "heal"),
		bind(groupNetwork, "H", "heal everything", (*model).healEverything, "H"),
		bind(groupNetwork, "u", "take back the last fault", (*model).undoFault, "u"),
		bind(groupNetwork, "U", "do it again", (*model).redoFault, "U"),

		bind(groupTime, "space", "pause or run the clock", (*model).pauseClock, "space").inFooter(5, "pause"),
		bind(groupTime, "<", "slower, down to 1/100", (*model).slower, "<").inFooter(8, "slower"),
		bind(groupTime, ">", "faster, up to max", (*model).faster, ">").inFooter(9, "faster"),

		bind(groupTime, "a", "slow where something happens", (*model).toggleAuto, "a"),
		bind(groupTime, ",", "back by one event that matters", (*model).stepBack, ",").inFooter(6, "back"),
		bind(groupTime, ".", "on by one event that matters", (*model).stepOn, ".").inFooter(15, "step"),
		bind(groupTime, "(", "back by a second (also ctrl+,)", (*model).secondBack, "(", "ctrl+,"),
		bind(groupTime, ")", "on by a second (also ctrl+.)", (*model).secondOn, ")", "ctrl+."),
		bind(groupTime, "f", "find the last election, …", (*model).findMenu, "f"),
		bind(groupTime, "home", "the first moment", (*model).firstMoment, "home"),
		bind(groupTime, "end", "now", (*model).lastMoment, "end"),
		bind(groupTime, "[", "time view: more closely", (*model).zoomIn, "["),
		bind(groupTime, "]", "time view: from farther away", (*model).zoomOut, "]"),
		bindKey(groupTime, "B", "again from here: a branch", func(m *model, _ string) tea.Cmd { return m.againFromHere() }, "B"),
		bind(groupTime, "y", "the branches", (*model).branchesMenu, "y"),

		bind(groupTime, "n", "next step of a scenario", (*model).nextStep, "n", "enter", "pgdown"),
		bind(groupTime, "b", "start of the chapter before", (*model).chapterBack, "b", "pgup"),

		bindKey(groupScreen, "tab", "next view; shift: previous", turn, "tab", "shift+tab").alwaysInFooter(1, "view"),
		bind(groupScreen, ":", "type a command", (*model).openPrompt, ":").inFooter(11, "command"),
		bind(groupScreen, "o", "open a scenario", (*model).scenariosMenu, "o").inFooter(14, "scenarios"),
		bindKey(groupScreen, "x", "save as a scenario", func(m *model, _ string) tea.Cmd { return m.save() }, "x"),
		bind(groupScreen, "m", "mouse for the terminal", (*model).toggleMouse, "m"),
		bind(groupScreen, "?", "keys, for where you are", (*model).toggleHelp, "?").alwaysInFooter(2, "help"),
		bindKey(groupScreen, "q", "quit", func(*model, string) tea.Cmd { return tea.Quit }, "q").inFooter(13, "quit"),
	}...)
}

// orderKeys are the keys that order something, which only a cluster can carry out
// and only now.
var orderKeys = []string{"i", "I", "r", "l", "L", "k", "K", "s", "t", "g", "+", "-", "p", "P", "w", "d", "h", "H", ":", "u", "U"}

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

// helpGroups returns the full help.
func helpGroups(keys []binding) []helpGroup {
	var out []helpGroup
	for _, name := range groups {
		g := helpGroup{title: name}
		for _, b := range keys {
			if b.group == name {
				g.keys = append(g.keys, helpKey{key: b.Help().Key, text: b.Help().Desc})
			}
		}
		if len(g.keys) > 0 {
			out = append(out, g)
		}
	}
	return out
}
