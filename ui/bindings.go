package ui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"capsize/ui/keymap"
	"capsize/ui/view"
)

// The groups of keys that work in every view, in the order of the help. The groups of
// the views come before them.
const (
	groupClients = "the counter"
	groupNodes   = "the selected node"
	groupNetwork = "network and disks"
	groupTime    = "time"
	groupScreen  = "screen"
)

// keyMap returns all keys: those of the views, and those that work everywhere.
func (m *model) keyMap() []keymap.Binding {
	return slices.Concat(m.views.Keys(), m.handKeys(), m.clientKeys(), m.nodeKeys(), m.faultKeys(), m.timeKeys(), m.screenKeys())
}

func (m *model) clientKeys() []keymap.Binding {
	return []keymap.Binding{
		keymap.Bind(groupClients, "i", "increment", m.increment, "i").InFooter(1, "increment").NeedsCluster(),
		keymap.Bind(groupClients, "I", "increment 10 times", m.incrementTen, "I").NeedsCluster(),
		keymap.Bind(groupClients, "r", "read", m.read, "r").InFooter(10, "read").NeedsCluster(),
		keymap.Bind(groupClients, "R", "cycle read level", m.nextLevel, "R"),
		keymap.Bind(groupClients, "v", "cycle route", m.nextRoute, "v"),
		keymap.Bind(groupClients, "l", "toggle load", m.toggleLoad, "l").InFooter(7, "load").NeedsCluster(),
		keymap.Bind(groupClients, "L", "increase load", m.nextLoad, "L").NeedsCluster(),
	}
}

func (m *model) nodeKeys() []keymap.Binding {
	return []keymap.Binding{
		keymap.BindKey(groupNodes, "1-9", "select a node, or answer", m.selectNumber, "1", "2", "3", "4", "5", "6", "7", "8", "9"),
		keymap.BindKey(groupNodes, "arrows", "select; shift: add", m.selectArrow,
			"up", "down", "left", "right", "shift+up", "shift+down", "shift+left", "shift+right"),
		keymap.Bind(groupNodes, "esc", "follow the leader", m.clearSelection, "esc"),
		keymap.Bind(groupNodes, "k", "kill or restart", m.killOrRestart, "k").InFooter(2, "kill").NeedsCluster(),
		keymap.Bind(groupNodes, "K", "power off", m.powerOff, "K").NeedsCluster().If("poweroff"),
		keymap.Bind(groupNodes, "s", "pause or resume (SIGSTOP)", m.pauseOrResume, "s").NeedsCluster().If("pause"),
		keymap.Bind(groupNodes, "t", "transfer leadership", m.transfer, "t").NeedsCluster(),
		keymap.Bind(groupNodes, "g", "take a snapshot", m.snapshot, "g").NeedsCluster(),
		keymap.Bind(groupNodes, "+", "add a node", m.addNode, "+", "=").NeedsCluster().If("add-node"),
		keymap.Bind(groupNodes, "-", "remove (asks)", m.removeNode, "-").NeedsCluster(),
	}
}

func (m *model) faultKeys() []keymap.Binding {
	return []keymap.Binding{
		keymap.Bind(groupNetwork, "p", "isolate or heal", m.isolateOrHeal, "p").InFooter(3, "isolate").NeedsCluster().If("isolate"),
		keymap.Bind(groupNetwork, "P", "partition: halves, ring, …", m.shapesMenu, "P").NeedsCluster().If("partition"),
		keymap.Bind(groupNetwork, "w", "link faults", m.linkMenu, "w").NeedsCluster().If("cut"),
		keymap.Bind(groupNetwork, "d", "disk faults", m.diskMenu, "d").InFooter(12, "disk").NeedsCluster(),
		keymap.Bind(groupNetwork, "h", "heal links", m.healSelected, "h").InFooter(4, "heal").NeedsCluster().If("heal"),
		keymap.Bind(groupNetwork, "H", "heal everything", m.healEverything, "H").NeedsCluster(),
		keymap.Bind(groupNetwork, "M", "hold or release all messages", m.toggleHand, "M").InFooter(16, "hold").If("hold"),
		keymap.Bind(groupNetwork, "e", "look into a message", m.lookNext, "e").InFooter(17, "look into"),
		keymap.Bind(groupNetwork, "u", "undo fault", m.undoFault, "u").NeedsCluster(),
		keymap.Bind(groupNetwork, "U", "redo fault", m.redoFault, "U").NeedsCluster(),
	}
}

func (m *model) timeKeys() []keymap.Binding {
	return []keymap.Binding{
		keymap.Bind(groupTime, "space", "pause or run", m.pauseClock, "space").InFooter(5, "pause").If(keymap.VirtualTime),
		keymap.Bind(groupTime, "<", "slower, down to 1/100", m.slower, "<").InFooter(8, "slower").If(keymap.VirtualTime),
		keymap.Bind(groupTime, ">", "faster, up to max", m.faster, ">").InFooter(9, "faster").If(keymap.VirtualTime),
		keymap.Bind(groupTime, "a", "slow at events", m.toggleAuto, "a").If(keymap.VirtualTime),
		keymap.Bind(groupTime, ",", "step back", m.stepBack, ",").InFooter(6, "back"),
		keymap.Bind(groupTime, ".", "step forward", m.stepOn, ".").InFooter(15, "step"),
		keymap.Bind(groupTime, "(", "back 1s (also ctrl+,)", m.secondBack, "(", "ctrl+,"),
		keymap.Bind(groupTime, ")", "forward 1s (also ctrl+.)", m.secondOn, ")", "ctrl+."),
		keymap.Bind(groupTime, "f", "find election, entry, …", m.findMenu, "f"),
		keymap.Bind(groupTime, "home", "go to the beginning", m.firstMoment, "home"),
		keymap.Bind(groupTime, "end", "go to now", m.lastMoment, "end"),
		keymap.Bind(groupTime, "[", "time view: zoom in", m.zoomIn, "["),
		keymap.Bind(groupTime, "]", "time view: zoom out", m.zoomOut, "]"),
		keymap.BindCmd(groupTime, "B", "branch from here", func(string) tea.Cmd { return m.startBranch() }, "B"),
		keymap.Bind(groupTime, "y", "list, compare branches", m.branchesMenu, "y"),
		keymap.Bind(groupTime, "n", "next step", m.nextStep, "n", "enter", "pgdown"),
		keymap.Bind(groupTime, "b", "previous chapter", m.chapterBack, "b", "pgup"),
	}
}

func (m *model) screenKeys() []keymap.Binding {
	return []keymap.Binding{
		keymap.Bind(groupScreen, "z", "zoom a pane", m.zoomMenu, "z"),
		keymap.Bind(groupScreen, "/", "filter the story", m.openFilter, "/"),
		keymap.Bind(groupScreen, "j", "jump to the evidence", m.nextProof, "j"),
		keymap.Bind(groupScreen, "V", "stop on violations", m.toggleStop, "V").If(keymap.VirtualTime),
		keymap.BindKey(groupScreen, "tab", "next view; shift: previous", m.nextView, "tab", "shift+tab").PinnedInFooter(1, "view"),
		keymap.Bind(groupScreen, ":", "command", m.openPrompt, ":").InFooter(11, "command").NeedsCluster(),
		keymap.Bind(groupScreen, "o", "open a scenario", m.scenariosMenu, "o").InFooter(14, "scenarios"),
		keymap.BindCmd(groupScreen, "x", "save session", func(string) tea.Cmd { return m.save() }, "x"),
		keymap.Bind(groupScreen, "m", "release the mouse", m.toggleMouse, "m"),
		keymap.Bind(groupScreen, "?", "help", m.toggleHelp, "?").PinnedInFooter(2, "help"),
		keymap.BindCmd(groupScreen, suspendKey, "suspend; fg resumes", func(string) tea.Cmd { return m.suspend() }, suspendKey),
		keymap.BindCmd(groupScreen, "q", "quit", func(string) tea.Cmd { return m.quit() }, "q").InFooter(13, "quit"),
	}
}

// suspendKey suspends the program, whatever overlay is open, unless it was rebound.
const suspendKey = "ctrl+z"

// binds reports whether a key still does what it does by default.
func (m *model) binds(id string) bool {
	return slices.ContainsFunc(m.keys, func(b keymap.Binding) bool { return b.ID == id && slices.Contains(b.Keys(), id) })
}

// Keys returns all keys as they are by default, for the command line and the README.
func Keys() []keymap.Binding {
	m := &model{}
	m.views = view.New(viewScreen{m})
	return m.keyMap()
}
