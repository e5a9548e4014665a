package ui

import tea "charm.land/bubbletea/v2"

// The groups of keys that mean the same in every view, in the order of the help.
// Those of the views come before them.
const (
	groupClients = "the counter"
	groupNodes   = "the selected node"
	groupNetwork = "network and disks"
	groupTime    = "time"
	groupScreen  = "screen"
)

// keyMap returns all keys: those of the views, and those that mean the same
// everywhere.
func (m *model) keyMap() []binding {
	return append(m.views.keys(), []binding{
		bind(groupClients, "i", "increment", m.increment, "i").inFooter(1, "increment").needsCluster(),
		bind(groupClients, "I", "increment ten times", m.incrementTen, "I").needsCluster(),
		bind(groupClients, "r", "read", m.read, "r").inFooter(10, "read").needsCluster(),
		bind(groupClients, "R", "next read level", m.nextLevel, "R"),
		bind(groupClients, "v", "next route of clients", m.nextRoute, "v"),
		bind(groupClients, "l", "load on or off", m.toggleLoad, "l").inFooter(7, "load").needsCluster(),
		bind(groupClients, "L", "more load", m.nextLoad, "L").needsCluster(),

		bindKey(groupNodes, "1-9", "select a node", m.selectNumber, "1", "2", "3", "4", "5", "6", "7", "8", "9"),
		bindKey(groupNodes, "arrows", "select; shift: one more", m.selectArrow,
			"up", "down", "left", "right", "shift+up", "shift+down", "shift+left", "shift+right"),
		bind(groupNodes, "esc", "follow the leader again", m.selectNobody, "esc"),
		bind(groupNodes, "k", "kill, or restart", m.killOrRestart, "k").inFooter(2, "kill").needsCluster(),
		bind(groupNodes, "K", "cut the power", m.powerOff, "K").needsCluster(),
		bind(groupNodes, "s", "pause or resume (SIGSTOP)", m.pauseOrResume, "s").needsCluster(),
		bind(groupNodes, "t", "transfer leadership to it", m.transfer, "t").needsCluster(),
		bind(groupNodes, "g", "take a snapshot", m.snapshot, "g").needsCluster(),
		bind(groupNodes, "+", "add a node", m.addNode, "+", "=").needsCluster(),
		bind(groupNodes, "-", "remove it (asks)", m.removeNode, "-").needsCluster(),

		bind(groupNetwork, "p", "cut off, or heal", m.cutOff, "p").inFooter(3, "cut off").needsCluster(),
		bind(groupNetwork, "P", "shapes: halves, ring, …", m.shapesMenu, "P").needsCluster(),
		bind(groupNetwork, "w", "faults of a link", m.linkMenu, "w").needsCluster(),
		bind(groupNetwork, "d", "faults of its disk", m.diskMenu, "d").inFooter(12, "disk").needsCluster(),
		bind(groupNetwork, "h", "heal its links", m.healSelected, "h").inFooter(4, "heal").needsCluster(),
		bind(groupNetwork, "H", "heal everything", m.healEverything, "H").needsCluster(),
		bind(groupNetwork, "u", "take back the last fault", m.undoFault, "u").needsCluster(),
		bind(groupNetwork, "U", "do it again", m.redoFault, "U").needsCluster(),

		bind(groupTime, "space", "pause or run the clock", m.pauseClock, "space").inFooter(5, "pause"),
		bind(groupTime, "<", "slower, down to 1/100", m.slower, "<").inFooter(8, "slower"),
		bind(groupTime, ">", "faster, up to max", m.faster, ">").inFooter(9, "faster"),

		bind(groupTime, "a", "slow where something happens", m.toggleAuto, "a"),
		bind(groupTime, ",", "back by one event that matters", m.stepBack, ",").inFooter(6, "back"),
		bind(groupTime, ".", "on by one event that matters", m.stepOn, ".").inFooter(15, "step"),
		bind(groupTime, "(", "back by a second (also ctrl+,)", m.secondBack, "(", "ctrl+,"),
		bind(groupTime, ")", "on by a second (also ctrl+.)", m.secondOn, ")", "ctrl+."),
		bind(groupTime, "f", "find the last election, …", m.findMenu, "f"),
		bind(groupTime, "home", "the first moment", m.firstMoment, "home"),
		bind(groupTime, "end", "now", m.lastMoment, "end"),
		bind(groupTime, "[", "time view: more closely", m.zoomIn, "["),
		bind(groupTime, "]", "time view: from farther away", m.zoomOut, "]"),
		bindCmd(groupTime, "B", "again from here: a branch", func(string) tea.Cmd { return m.againFromHere() }, "B"),
		bind(groupTime, "y", "the branches", m.branchesMenu, "y"),

		bind(groupTime, "n", "next step of a scenario", m.nextStep, "n", "enter", "pgdown"),
		bind(groupTime, "b", "start of the chapter before", m.chapterBack, "b", "pgup"),

		bind(groupScreen, "z", "zoom a pane of the stage", m.zoomMenu, "z"),
		bind(groupScreen, "/", "filter the story", m.openFilter, "/"),
		bind(groupScreen, "j", "what proves a violation", m.nextProof, "j"),
		bind(groupScreen, "V", "stop at a violation or not", m.toggleStop, "V"),
		bindKey(groupScreen, "tab", "next view; shift: previous", m.nextView, "tab", "shift+tab").alwaysInFooter(1, "view"),
		bind(groupScreen, ":", "type a command", m.openPrompt, ":").inFooter(11, "command").needsCluster(),
		bind(groupScreen, "o", "open a scenario", m.scenariosMenu, "o").inFooter(14, "scenarios"),
		bindCmd(groupScreen, "x", "save as a scenario", func(string) tea.Cmd { return m.save() }, "x"),
		bind(groupScreen, "m", "mouse for the terminal", m.toggleMouse, "m"),
		bind(groupScreen, "?", "keys, for where you are", m.toggleHelp, "?").alwaysInFooter(2, "help"),
		bindCmd(groupScreen, "q", "quit", func(string) tea.Cmd { return tea.Quit }, "q").inFooter(13, "quit"),
	}...)
}

// keyMap returns all keys as they are by default, for the help of the command
// line and the README.
func keyMap() []binding {
	m := &model{}
	m.views = newViews(viewScreen{m})
	return m.keyMap()
}
