package ui

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/ui/pane"
	"capsize/ui/undo"
)

// The actions of the keys: each submits one command of the command language.

// routeSelected is the route through the selected node.
const routeSelected = "selected"

// routes are the routes that the key v cycles through.
var routes = []string{cluster.RouteLeader, routeSelected, cluster.RouteRoundRobin, cluster.RouteRandom}

// clientOptions is how the client keys ask.
type clientOptions struct {
	route int // index into routes
	level int // index into cluster.Levels
	load  int // index into loads, 0 = off
}

// loads are the rates that the key L cycles through, in increments per second.
var loads = []int{0, 1, 5, 20, 100, 500}

// routeName returns the route in the command language.
func (m *model) routeName() string {
	if routes[m.clients.route] == routeSelected {
		return m.cursor
	}
	return routes[m.clients.route]
}

// via returns the end of a client command, "" for the default route. While links are held, it names
// the leader: a client that has to look for it waits between its tries, and time stands still.
func (m *model) via() string {
	if routes[m.clients.route] == cluster.RouteLeader {
		if leader := m.state.LeaderNode(); leader != nil && m.state.HoldsAny() {
			return " via " + leader.ID
		}
		return ""
	}
	return " via " + m.routeName()
}

func (m *model) increment()    { m.submit("increment"+m.via(), "sent") }
func (m *model) incrementTen() { m.submit("increment 10"+m.via(), "sent") }
func (m *model) read()         { m.submit("read "+cluster.Levels[m.clients.level]+m.via(), "sent") }

func (m *model) nextLevel() {
	m.clients.level = (m.clients.level + 1) % len(cluster.Levels)
	m.setToast("", "read level: "+cluster.Levels[m.clients.level]+"", false)
}

func (m *model) nextRoute() {
	m.clients.route = (m.clients.route + 1) % len(routes)
	m.setToast("", "route: "+m.routeName()+"", false)
}

func (m *model) toggleLoad() {
	if m.clients.load == 0 {
		m.setLoad(slices.Index(loads, 20))
		return
	}
	m.setLoad(0)
}

func (m *model) nextLoad() { m.setLoad(max(1, (m.clients.load+1)%len(loads))) }

// loadClients is how many clients share the load.
const loadClients = 8

func (m *model) setLoad(load int) {
	m.clients.load = load
	if load == 0 {
		m.submit("load off", "ok")
		return
	}
	m.submit(fmt.Sprintf("load %d/s clients %d%s", loads[load], loadClients, m.via()), "ok")
}

// nodeList writes nodes as a selector of the command language.
func nodeList(ids []string) string { return strings.Join(ids, ",") }

// anyRunning reports whether one of the nodes runs.
func (m *model) anyRunning(ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { n := m.state.Node(id); return n != nil && n.Process.Running() })
}

// filterNodes returns the nodes for which ok holds.
func (m *model) filterNodes(ids []string, ok func(*trace.Node) bool) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { n := m.state.Node(id); return n == nil || !ok(n) })
}

func isRunning(n *trace.Node) bool { return n.Process.Running() }
func isPaused(n *trace.Node) bool  { return n.Process == trace.Paused }

func (m *model) killOrRestart() {
	ids := m.targets()
	m.follow = false // the next key means the same node
	if m.anyRunning(ids) {
		m.submit("kill "+nodeList(m.filterNodes(ids, isRunning)), "killed")
		return
	}
	m.submit("restart "+nodeList(ids), "restarted")
}

func (m *model) powerOff() {
	m.follow = false
	m.submit("poweroff "+nodeList(m.targets()), "off")
}

func (m *model) pauseOrResume() {
	ids := m.targets()
	m.follow = false
	if paused := m.filterNodes(ids, isPaused); len(paused) > 0 {
		m.submit("resume "+nodeList(paused), "resumed")
		return
	}
	m.submit("pause "+nodeList(ids), "paused")
}

func (m *model) transfer() { m.submit("transfer "+m.cursor, "transfer requested") }
func (m *model) snapshot() { m.submit("snapshot "+nodeList(m.targets()), "snapshot requested") }
func (m *model) addNode()  { m.submit("add-node", "starting; joins when it has caught up") }

func (m *model) removeNode() {
	ids := nodeList(m.targets())
	m.ask("remove "+ids+" from the members?", "its data is discarded", func() { m.submit("remove-node "+ids, "removal requested") })
}

// isolateOrHeal isolates the selected nodes from the others or, if they are isolated, heals them.
func (m *model) isolateOrHeal() {
	ids := m.targets()
	m.follow = false
	if m.areIsolated(ids) {
		m.healSelected()
		return
	}
	if len(ids) == 1 {
		m.submit("isolate "+ids[0], "isolated")
		return
	}
	m.submit("partition "+nodeList(ids)+" | others", "partitioned")
}

// areIsolated reports whether all links between the nodes and the others are blocked.
func (m *model) areIsolated(ids []string) bool {
	others := 0
	for _, other := range m.nodes() {
		if slices.Contains(ids, other) {
			continue
		}
		others++
		for _, id := range ids {
			if !m.state.Blocked(id, other) || !m.state.Blocked(other, id) {
				return false
			}
		}
	}
	return others > 0
}

func (m *model) healSelected() {
	m.follow = false
	m.submit("heal "+nodeList(m.targets())+" <-> all", "healed")
}

func (m *model) healEverything() {
	done := "all faults cleared" + m.stillDown()
	for _, command := range []string{"clock all 1", "apply all ok", "disk all ok", "heal"} {
		m.submit(command, done)
	}
}

// stillDown says which nodes are down or paused after all faults are cleared, and which key
// helps.
func (m *model) stillDown() string {
	down := m.filterNodes(m.nodes(), func(n *trace.Node) bool { return n.Process.Down() })
	state := "down"
	if len(down) == 1 {
		state = string(m.state.Node(down[0]).Process)
	}
	return stillSo(down, state, "k restarts") + stillSo(m.filterNodes(m.nodes(), isPaused), "paused", "s resumes")
}

// stillSo says that nodes are still in a state, and which key ends it. It returns "" for no
// nodes.
func stillSo(ids []string, state, key string) string {
	switch len(ids) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("; %s is still %s: %s it", ids[0], state, key)
	}
	return fmt.Sprintf("; %s are still %s: %s them", pane.JoinNames(ids, 3), state, key)
}

func (m *model) slower() { m.changeSpeed(-1) }
func (m *model) faster() { m.changeSpeed(1) }

func (m *model) changeSpeed(by int) {
	if m.rejectIfRealTime() {
		return
	}
	m.speed = min(max(m.speed+by, 0), len(speeds)-1)
	if !m.travel.past {
		m.paused = false
	}
	m.setSpeed()
	m.setToast("speed "+pane.SpeedWord(speeds[m.speed]), "ok", false)
}

func (m *model) toggleMouse() {
	m.mouseOff = !m.mouseOff
	if m.mouseOff {
		m.setToast("", "mouse released: select text with it", false)
		return
	}
	m.setToast("", "mouse captured: it selects nodes", false)
}

func (m *model) toggleHelp() { m.help.on = !m.help.on }

// undoHistory remembers the faults before each command that changed them, for undo and
// redo.
type undoHistory struct {
	before, after []undo.Faults
	keyCount      int  // the key press that the latest of before belongs to
	restoring     bool // undo or redo submits commands now
}

// undoMax is how many commands can be undone.
const undoMax = 100

// recordFaults remembers the faults before a command that changes them.
func (m *model) recordFaults(command scenario.Command) {
	u := &m.undo
	if u.restoring || !command.ChangesFaults() {
		return
	}
	u.after = nil
	// One undo reverts everything that one key did.
	if len(u.before) > 0 && u.keyCount == m.keyCount {
		return
	}
	u.keyCount = m.keyCount
	u.before = append(u.before, m.faultsNow())
	u.before = u.before[max(len(u.before)-undoMax, 0):]
}

func (m *model) undoFault() {
	m.swapFaults(&m.undo.before, &m.undo.after, "undone", "no fault to undo")
}

func (m *model) redoFault() {
	m.swapFaults(&m.undo.after, &m.undo.before, "redone", "nothing to redo")
}

// swapFaults restores the latest faults of one list, and remembers the current ones in
// the other.
func (m *model) swapFaults(from, to *[]undo.Faults, done, none string) {
	if len(*from) == 0 {
		m.setToast("", none, true)
		return
	}
	now, want := m.faultsNow(), (*from)[len(*from)-1]
	*from, *to = (*from)[:len(*from)-1], append(*to, now)
	commands := now.CommandsTo(want)
	m.undo.restoring = true
	for _, command := range commands {
		m.submit(command, done)
	}
	m.undo.restoring = false
	switch len(commands) {
	case 0:
		m.setToast("", "nothing to change", false)
	case 1:
	default:
		m.setToast(fmt.Sprintf("%s, and %d more", commands[0], len(commands)-1), done, false)
	}
}

// faultsNow returns the faults set now.
func (m *model) faultsNow() (f undo.Faults) {
	m.Engine.Read(func(s *trace.State) { f = undo.Of(s) })
	return f
}
