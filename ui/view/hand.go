package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/keymap"
	"capsize/ui/pane"
)

// Hand shows what waits while links are held: the packets, which a user delivers one at a time,
// and the timers that fire next. Its picture is in hand_draw.go.
type Hand struct {
	Screen
	inNext bool // the cursor is in the second list
	cursor [2]listCursor
	// unattended is whether nobody can press a key: there is no cursor.
	unattended bool
	order      []uint64 // the packets in the user's own order, by ID; nil for the order by link
}

// listCursor is a place in a list whose items come and go.
type listCursor struct {
	item string // identifies the item under the cursor
	row  int    // where it was last: the cursor stays there when the item goes
}

// Name implements [View].
func (v *Hand) Name() string { return "hand" }

// GroupHand is the group of its keys in the help.
const GroupHand = "hand view"

// Keys implements [View].
func (v *Hand) Keys() []keymap.Binding {
	return []keymap.Binding{
		keymap.Bind(GroupHand, "enter", "deliver it, or let the timer fire", v.deliver, "enter").InFooter(1, "deliver"),
		keymap.Bind(GroupHand, "x", "drop it", v.drop, "x").InFooter(2, "drop"),
		keymap.Bind(GroupHand, "2", "deliver it twice", v.deliverTwice, "2").InFooter(3, "twice"),
		keymap.BindKey(GroupHand, "left right", "the other list", v.changeList, "left", "right").InFooter(6, "list"),
		keymap.BindKey(GroupHand, "up down", "select; ctrl: the next link", v.move, "up", "down", "ctrl+up", "ctrl+down"),
		keymap.BindKey(GroupHand, "shift+up shift+down", "change the order of release", v.reorder, "shift+up", "shift+down"),
	}
}

// Reset implements [View].
func (v *Hand) Reset() bool {
	was := v.order != nil || v.inNext
	v.order, v.inNext = nil, false
	return was
}

// packets returns the waiting packets as the list shows them: by link, or in the user's order
// with packets that came later at the end.
func (v *Hand) packets(s *trace.State) []trace.InFlight {
	place := make(map[uint64]int, len(v.order))
	for i, id := range v.order {
		place[id] = i - len(v.order) // before all others
	}
	node := make(map[string]int, len(s.Nodes))
	for i := range s.Nodes {
		node[s.Nodes[i].ID] = i
	}
	type key struct{ place, from, to, index int }
	keys := make([]key, len(s.Waiting))
	for i := range s.Waiting {
		f := &s.Waiting[i]
		keys[i] = key{place[f.ID], node[f.From], node[f.To], i}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(a.place-b.place, a.from-b.from, a.to-b.to, a.index-b.index)
	})
	all := make([]trace.InFlight, len(keys))
	for i := range keys {
		all[i] = s.Waiting[keys[i].index]
	}
	return all
}

// at returns the row of the cursor in a list of so many items, -1 if it is empty.
func (c *listCursor) at(count int, item func(i int) string) int {
	for i := range count {
		if item(i) == c.item {
			return i
		}
	}
	return min(c.row, count-1)
}

// set moves the cursor to a row.
func (c *listCursor) set(row, count int, item func(i int) string) {
	if count == 0 {
		return
	}
	c.row = min(max(row, 0), count-1)
	c.item = item(c.row)
}

// packetItem identifies packets in a list.
func packetItem(all []trace.InFlight) func(int) string {
	return func(i int) string { return strconv.FormatUint(all[i].ID, 10) }
}

// timerItem identifies timers in a list.
func timerItem(all []trace.Upcoming) func(int) string {
	return func(i int) string { return string(all[i].Timer) + " " + all[i].Node + " " + all[i].Kind }
}

// Packet returns the waiting packet under the cursor, nil if none is.
func (v *Hand) Packet() *trace.InFlight {
	all := v.packets(v.State())
	i := v.cursor[0].at(len(all), packetItem(all))
	if i < 0 || v.inNext {
		return nil
	}
	return &all[i]
}

// timer returns what is under the cursor of the second list, nil if nothing is.
func (v *Hand) timer() *trace.Upcoming {
	all := v.State().Upcoming()
	i := v.cursor[1].at(len(all), timerItem(all))
	if i < 0 || !v.inNext {
		return nil
	}
	return &all[i]
}

// Focus moves the cursor to a waiting packet, by ID, and reports whether it waits.
func (v *Hand) Focus(id uint64) bool {
	all := v.packets(v.State())
	i := slices.IndexFunc(all, func(p trace.InFlight) bool { return p.ID == id })
	if i >= 0 {
		v.inNext = false
		v.cursor[0].set(i, len(all), packetItem(all))
	}
	return i >= 0
}

// FocusTimer moves the cursor to a row of the second list.
func (v *Hand) FocusTimer(row int) {
	all := v.State().Upcoming()
	v.inNext = true
	v.cursor[1].set(row, len(all), timerItem(all))
}

// Scroll moves the cursor by so many rows, and goes no further than the ends of the list.
func (v *Hand) Scroll(by int) {
	if v.inNext {
		all := v.State().Upcoming()
		v.cursor[1].set(v.cursor[1].at(len(all), timerItem(all))+by, len(all), timerItem(all))
		return
	}
	all := v.packets(v.State())
	v.cursor[0].set(v.cursor[0].at(len(all), packetItem(all))+by, len(all), packetItem(all))
}

// move moves the cursor by a row or, with ctrl, to the next link.
func (v *Hand) move(pressed string) {
	by := 1
	if pressed == "up" || pressed == "ctrl+up" {
		by = -1
	}
	if v.inNext || (pressed == "up" || pressed == "down") && len(v.State().Waiting) > 0 {
		v.Scroll(by)
		return
	}
	all := v.packets(v.State())
	at := v.cursor[0].at(len(all), packetItem(all))
	if at < 0 {
		v.none()
		return
	}
	to := at
	for to+by >= 0 && to+by < len(all) && sameLink(&all[to], &all[at]) {
		to += by
	}
	v.cursor[0].set(to, len(all), packetItem(all))
}

func sameLink(a, b *trace.InFlight) bool { return a.From == b.From && a.To == b.To }

// changeList moves the cursor to the other list.
func (v *Hand) changeList(pressed string) {
	if v.inNext = pressed == "right"; v.inNext {
		v.Toast("the next timers: enter fires one", false)
		return
	}
	v.Toast("waiting packets: enter delivers", false)
}

// none says why a key has nothing to act on.
func (v *Hand) none() {
	switch {
	case v.State().HoldsAny() && v.inNext && len(v.State().Waiting) > 0:
		v.Toast("no packet is selected: left goes to the packets", true)
		return
	case v.State().HoldsAny():
		v.Toast("no packet is waiting", true)
		return
	}
	v.Toast("no packet is waiting: M holds all links", true)
}

func (v *Hand) deliver() {
	if next := v.timer(); next != nil {
		v.Submit(next.Command, "fired")
		return
	}
	v.submitPacket("deliver #%d", v.delivered("delivered"))
}

// delivered says what becomes of the packet under the cursor once it is delivered.
func (v *Hand) delivered(ok string) string {
	p := v.Packet()
	if p == nil {
		return ok
	}
	if to := v.State().Node(p.To); to == nil || !to.Process.Running() {
		return p.To + " is down: the message is lost"
	}
	return ok
}

func (v *Hand) drop()         { v.submitPacket("drop #%d", "dropped") }
func (v *Hand) deliverTwice() { v.submitPacket("deliver #%d twice", v.delivered("delivered twice")) }

// submitPacket submits a command for the packet under the cursor. The cursor stays on its row, so
// that the next packet comes under it.
func (v *Hand) submitPacket(format, done string) {
	p := v.Packet()
	if p == nil {
		v.none()
		return
	}
	v.Focus(p.ID)
	v.Submit(fmt.Sprintf(format, p.ID), done)
}

// reorder moves the packet under the cursor up or down in the order of release.
func (v *Hand) reorder(pressed string) {
	all := v.packets(v.State())
	i := v.cursor[0].at(len(all), packetItem(all))
	if v.inNext || i < 0 {
		v.none()
		return
	}
	to := i + 1
	if pressed == "shift+up" {
		to = i - 1
	}
	if to < 0 || to >= len(all) {
		return
	}
	v.Focus(all[i].ID)
	all[i], all[to] = all[to], all[i]
	v.order = ids(all)
	v.cursor[0].row = to
	v.Toast(fmt.Sprintf("on release, #%d is number %d to arrive; esc restores the order", all[to].ID, to+1), false)
}

func ids(all []trace.InFlight) []uint64 {
	out := make([]uint64, len(all))
	for i := range all {
		out[i] = all[i].ID
	}
	return out
}

// Messages returns the IDs of the waiting packets, in the order of the list.
func (v *Hand) Messages() []uint64 { return ids(v.packets(v.State())) }

// deliveredAtOnce is how many packets one command delivers at most: a line is at most 1000
// characters long.
const deliveredAtOnce = 40

// ReleaseCommands returns the commands that let everything flow, and how many packets they deliver
// before the release. If the user has changed the order, that is as many as it takes: of the rest,
// the release keeps the order.
func (v *Hand) ReleaseCommands() (commands []string, delivered int) {
	if v.order != nil {
		waiting := ids(v.State().Waiting)
		wanted := ids(v.packets(v.State()))
		for len(wanted) > 0 && !slices.Equal(wanted, waiting) {
			if delivered%deliveredAtOnce == 0 {
				commands = append(commands, "deliver")
			}
			commands[len(commands)-1] += fmt.Sprintf(" #%d", wanted[0])
			waiting = slices.DeleteFunc(waiting, func(id uint64) bool { return id == wanted[0] })
			wanted = wanted[1:]
			delivered++
		}
	}
	v.order = nil
	return append(commands, "release"), delivered
}

// upcomingText returns a timer in words.
func upcomingText(next *trace.Upcoming) string {
	switch next.Timer {
	case trace.ElectionTimer:
		return next.Node + "'s election timeout"
	case trace.HeartbeatTimer:
		return next.Node + "'s next heartbeats"
	case trace.LeaseTimer:
		return next.Node + "'s lease ends"
	case trace.DeadlineTimer:
		return fmt.Sprintf("%s's %s to %s times out", next.Node, pane.KindWord(next.Kind), strings.Join(next.Peers, ", "))
	}
	return next.Command
}

// upcomingTime returns when it brings that, seen from a moment.
func upcomingTime(next *trace.Upcoming, s *trace.State) string {
	earliest, latest := next.Earliest-s.At, next.Latest-s.At
	format := trace.Seconds
	if latest >= time.Second {
		format = trace.Age // tenths of seconds for both
	}
	switch {
	case latest <= 0:
		return "now"
	case earliest <= 0:
		return "within " + format(latest)
	case earliest == latest:
		return "in " + format(latest)
	}
	return fmt.Sprintf("in %s to %s", format(earliest), format(latest))
}
