package ui

import (
	"fmt"
	"slices"
	"strings"

	"capsize/cluster"
	"capsize/cluster/trace"
	"capsize/ui/pane"
)

// What the keys do: each action is one command of the command language.

// routeSelected is the route through the node that is selected.
const routeSelected = "selected"

// routes are what the key for the route chooses from.
var routes = []string{cluster.RouteLeader, routeSelected, cluster.RouteRoundRobin, cluster.RouteRandom}

// asking is how clients are made to ask.
type asking struct {
	route int // index into routes
	level int // index into cluster.Levels
	load  int // index into loads, 0 = off
}

// loads are what the key for the rate chooses from, in increments a second.
var loads = []int{0, 1, 5, 20, 100, 500}

// routeName returns the route as the command language writes it.
func (m *model) routeName() string {
	if routes[m.asking.route] == routeSelected {
		return m.cursor
	}
	return routes[m.asking.route]
}

// via returns the end of a client's command: nothing for the usual route.
func (m *model) via() string {
	if routes[m.asking.route] == cluster.RouteLeader {
		return ""
	}
	return " via " + m.routeName()
}

func (m *model) increment()    { m.order("increment"+m.via(), "sent") }
func (m *model) incrementTen() { m.order("increment 10"+m.via(), "sent") }
func (m *model) read()         { m.order("read "+cluster.Levels[m.asking.level]+m.via(), "sent") }

func (m *model) nextLevel() {
	m.asking.level = (m.asking.level + 1) % len(cluster.Levels)
	m.say("", "reads are "+cluster.Levels[m.asking.level]+" now", false)
}

func (m *model) nextRoute() {
	m.asking.route = (m.asking.route + 1) % len(routes)
	m.say("", "clients go via "+m.routeName()+" now", false)
}

func (m *model) toggleLoad() {
	if m.asking.load == 0 {
		m.setLoad(slices.Index(loads, 20))
		return
	}
	m.setLoad(0)
}

func (m *model) nextLoad() { m.setLoad(max(1, (m.asking.load+1)%len(loads))) }

// loadClients is how many clients share a load.
const loadClients = 8

func (m *model) setLoad(load int) {
	m.asking.load = load
	if load == 0 {
		m.order("load off", "ok")
		return
	}
	m.order(fmt.Sprintf("load %d/s clients %d%s", loads[load], loadClients, m.via()), "ok")
}

// Sel writes nodes as the command language does.
func sel(ids []string) string { return strings.Join(ids, ",") }

// someRun says whether one of the nodes runs.
func (m *model) someRun(ids []string) bool {
	return slices.ContainsFunc(ids, func(id string) bool { n := m.state.Node(id); return n != nil && n.Process.Running() })
}

// where keeps the nodes for which ok holds.
func (m *model) where(ids []string, ok func(*trace.Node) bool) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { n := m.state.Node(id); return n == nil || !ok(n) })
}

func isRunning(n *trace.Node) bool { return n.Process.Running() }
func isPaused(n *trace.Node) bool  { return n.Process == trace.Paused }

func (m *model) killOrRestart() {
	ids := m.targets()
	m.follow = false // the next key speaks of the same node
	if m.someRun(ids) {
		m.order("kill "+sel(m.where(ids, isRunning)), "killed")
		return
	}
	m.order("restart "+sel(ids), "restarted")
}

func (m *model) powerOff() {
	m.follow = false
	m.order("poweroff "+sel(m.targets()), "off")
}

func (m *model) pauseOrResume() {
	ids := m.targets()
	m.follow = false
	if paused := m.where(ids, isPaused); len(paused) > 0 {
		m.order("resume "+sel(paused), "it goes on")
		return
	}
	m.order("pause "+sel(ids), "it stands still")
}

func (m *model) transfer() { m.order("transfer "+m.cursor, "asked for") }
func (m *model) snapshot() { m.order("snapshot "+sel(m.targets()), "asked for") }
func (m *model) addNode()  { m.order("add-node", "it starts and asks to be a member") }

func (m *model) removeNode() {
	ids := sel(m.targets())
	m.ask("remove "+ids+" from the members?", "its disk is forgotten", func() { m.order("remove-node "+ids, "asked for") })
}

// cutOff cuts the selected nodes off from the others; if they are, it heals them.
func (m *model) cutOff() {
	ids := m.targets()
	m.follow = false
	if m.areCutOff(ids) {
		m.healSelected()
		return
	}
	if len(ids) == 1 {
		m.order("isolate "+ids[0], "cut off")
		return
	}
	m.order("partition "+sel(ids)+" | others", "split")
}

// areCutOff says whether all links between the nodes and the others are closed.
func (m *model) areCutOff(ids []string) bool {
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
	m.order("heal "+sel(m.targets())+" <-> all", "healed")
}

func (m *model) healEverything() {
	for _, command := range []string{"clock all 1", "disk all ok", "heal"} {
		m.order(command, "all faults are taken back")
	}
}

func (m *model) slower() { m.changeSpeed(-1) }
func (m *model) faster() { m.changeSpeed(1) }

func (m *model) changeSpeed(by int) {
	m.speed = min(max(m.speed+by, 0), len(speeds)-1)
	if !m.travel.past {
		m.paused = false
	}
	m.setSpeed()
	m.say("speed "+pane.SpeedWord(speeds[m.speed]), "ok", false)
}

func (m *model) toggleMouse() {
	m.mouseOff = !m.mouseOff
	if m.mouseOff {
		m.say("", "the mouse is the terminal's: select text with it", false)
		return
	}
	m.say("", "the mouse selects nodes", false)
}

func (m *model) toggleHelp() { m.help.on = !m.help.on }
