package ui

import (
	"fmt"
	"slices"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// world folds hand-made events into a state, as a cluster would.
type world struct {
	state  trace.State
	at     time.Duration
	values map[string]int64
	packet uint64
	events []trace.Event
}

func newWorld(names ...string) *world {
	w := &world{values: map[string]int64{}}
	w.emit(trace.Event{Kind: trace.KindSettings, Settings: &trace.Settings{
		Seed: 7, Storage: "memory", Heartbeat: time.Second, Election: time.Second, Lease: 500 * time.Millisecond, PreVote: true,
	}})
	var servers []trace.Server
	for _, name := range names {
		servers = append(servers, trace.Server{ID: name, Voter: true})
	}
	for _, name := range names {
		w.emit(trace.Event{Kind: trace.KindProcess, Node: name, Process: trace.Up})
		w.emit(trace.Event{Kind: trace.KindConfig, Node: name, Servers: servers})
	}
	return w
}

func numbered(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("n%d", i+1))
	}
	return names
}

func (w *world) emit(e trace.Event) {
	e.Seq, e.At = w.state.Seq+1, w.at
	w.state.Apply(&e)
	w.events = append(w.events, e)
}

func (w *world) pass(d time.Duration) { w.at += d }

// elect has a node ask for votes, get them and lead.
func (w *world) elect(id string, term uint64, voters ...string) {
	w.ask(id, term, voters...)
	w.pass(20 * time.Millisecond)
	w.emit(trace.Event{Kind: trace.KindRole, Node: id, Role: trace.Leader, Term: term})
	w.appendTo([]trace.Entry{{Term: term, Kind: trace.EntryNoop}}, id)
}

func (w *world) ask(id string, term uint64, voters ...string) {
	w.emit(trace.Event{Kind: trace.KindRole, Node: id, Role: trace.Candidate, Term: term})
	w.emit(trace.Event{Kind: trace.KindTerm, Node: id, Term: term})
	w.emit(trace.Event{Kind: trace.KindVote, Node: id, Term: term, Peer: id})
	w.pass(30 * time.Millisecond)
	for _, voter := range voters {
		w.emit(trace.Event{Kind: trace.KindTerm, Node: voter, Term: term})
		w.emit(trace.Event{Kind: trace.KindVote, Node: voter, Term: term, Peer: id})
		w.deliver(trace.Packet{From: voter, To: id, Kind: "vote", Reply: true, OK: true, Term: term})
	}
}

func (w *world) deliver(p trace.Packet) {
	w.packet++
	p.ID, p.RPC, p.Status = w.packet, w.packet, trace.Sent
	w.emit(trace.Event{Kind: trace.KindPacket, Packet: &p})
	arrived := p
	arrived.Status = trace.Delivered
	w.emit(trace.Event{Kind: trace.KindPacket, Packet: &arrived})
}

// beat has a leader heard by nodes, and hear from them.
func (w *world) beat(leader string, nodes ...string) {
	term := w.state.Node(leader).Term
	for _, id := range nodes {
		w.deliver(trace.Packet{From: leader, To: id, Kind: "heartbeat", Term: term})
		w.deliver(trace.Packet{From: id, To: leader, Kind: "heartbeat", Reply: true, OK: true, Term: term})
		w.emit(trace.Event{Kind: trace.KindLeader, Node: id, Peer: leader})
	}
}

// appendTo puts entries at the end of logs.
func (w *world) appendTo(entries []trace.Entry, nodes ...string) {
	for _, id := range nodes {
		w.emit(trace.Event{Kind: trace.KindAppended, Node: id, Index: w.state.Node(id).LastIndex() + 1, Entries: entries})
	}
}

// commit commits and applies up to an index on nodes; the counter is the sum.
func (w *world) commit(index uint64, nodes ...string) {
	for _, id := range nodes {
		n := w.state.Node(id)
		w.emit(trace.Event{Kind: trace.KindCommitted, Node: id, Index: index})
		var sum int64
		for i := uint64(1); i <= index; i++ {
			e, _ := n.Entry(i)
			sum += e.Delta
		}
		w.emit(trace.Event{Kind: trace.KindApplied, Node: id, Index: index, Value: sum})
	}
}

func adds(term uint64, n int, delta int64) []trace.Entry {
	entries := make([]trace.Entry, n)
	for i := range entries {
		entries[i] = trace.Entry{Term: term, Kind: trace.EntryAdd, Delta: delta}
	}
	return entries
}

func (w *world) cutLinks(a, b string) {
	for _, link := range [][2]string{{a, b}, {b, a}} {
		w.emit(trace.Event{Kind: trace.KindLinkFault, Node: link[0], Peer: link[1], Faults: []string{"cut"}})
	}
}

// picture is a frame with the view that draws it, at first the stage.
type picture struct {
	*frame
	*views
	view view
}

func (w *world) frame(width, height int) *picture {
	cursor := ""
	if len(w.state.Nodes) > 0 {
		cursor = w.state.Nodes[0].ID
	}
	f := &frame{
		state: &w.state, width: width, height: height, theme: style.Dark, glyphs: style.Unicode,
		moment:         moment{now: w.at, speed: 1},
		nodeCursor:     nodeCursor{cursor: cursor},
		clientSettings: clientSettings{route: "leader", level: "linearizable"},
		motion:         motion{rate: 41, history: []int{0, 3, 9, 14, 22, 31, 41, 38, 27, 30, 41, 44, 12, 0, 0, 18, 40, 41}},
		input:          input{command: "increment", toast: toast{text: "ok: 128"}, hints: testHints},
	}
	v := newViews(nil)
	return &picture{frame: f, views: v, view: v.stage}
}

var testHints = []helpKey{
	{key: "i", text: "increment"},
	{key: "k", text: "kill"},
	{key: "p", text: "cut off"},
	{key: "h", text: "heal"},
	{key: "space", text: "pause"},
	{key: "< >", text: "speed"},
	{key: ", .", text: "step"},
	{key: "tab", text: "view"},
	{key: ":", text: "command"},
	{key: "?", text: "help"},
	{key: "q", text: "quit"},
}

// healthy is n nodes, led by the third (or the only one), with a bit of work done.
func healthy(n int) *world {
	w := newWorld(numbered(n)...)
	names := numbered(n)
	leader := names[min(2, n-1)]
	var others []string
	for _, name := range names {
		if name != leader {
			others = append(others, name)
		}
	}
	w.pass(1400 * time.Millisecond)
	w.elect(leader, 2, others[:n/2]...)
	for _, id := range others {
		w.emit(trace.Event{Kind: trace.KindTerm, Node: id, Term: 2})
	}
	w.appendTo([]trace.Entry{{Term: 2, Kind: trace.EntryNoop}}, others...)
	w.beat(leader, others...)
	work := append(adds(2, 40, 1), adds(2, 1, 10)...)
	work = append(work, adds(2, 85, 1)...)
	w.pass(30 * time.Second)
	w.appendTo(work, names...)
	w.commit(126, names...)
	w.beat(leader, others...)
	for i := range 2298 {
		w.emit(trace.Event{Kind: trace.KindInvoked})
		w.emit(trace.Event{Kind: trace.KindReturned, Op: &trace.Op{ID: uint64(i), Kind: trace.EntryAdd, Outcome: trace.OK}})
	}
	w.pass(120 * time.Millisecond)
	return w
}

// deadLeader is five nodes whose first leader was killed, with a second in its place.
func deadLeader() *world {
	w := healthy(5)
	w.emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Killed})
	w.pass(1800 * time.Millisecond)
	w.elect("n5", 3, "n1", "n2")
	w.emit(trace.Event{Kind: trace.KindTerm, Node: "n4", Term: 3})
	w.appendTo([]trace.Entry{{Term: 3, Kind: trace.EntryNoop}}, "n1", "n2", "n4")
	w.beat("n5", "n1", "n2", "n4")
	w.pass(5 * time.Second)
	w.appendTo(adds(3, 3, 1), "n1", "n2", "n5")
	w.appendTo(adds(3, 2, 1), "n4")
	w.commit(130, "n1", "n5")
	w.commit(129, "n2", "n4")
	w.beat("n5", "n1", "n2", "n4")
	w.pass(80 * time.Millisecond)
	return w
}

// partitioned is five nodes cut in two and three, whose logs went apart.
func partitioned() *world {
	w := healthy(5)
	for _, a := range []string{"n3", "n4"} {
		for _, b := range []string{"n1", "n2", "n5"} {
			w.cutLinks(a, b)
		}
	}
	w.emit(trace.Event{Kind: trace.KindShape, Text: "the network is cut in two: n3 n4 | n1 n2 n5"})
	w.appendTo(adds(2, 3, 2), "n3", "n4")
	w.emit(trace.Event{Kind: trace.KindInvoked})
	w.emit(trace.Event{Kind: trace.KindReturned, Op: &trace.Op{Client: "c2", Kind: trace.EntryAdd, Delta: 2, Node: "n3", Outcome: trace.Unknown, Why: "leadership lost while committing"}})
	w.pass(600 * time.Millisecond)
	w.emit(trace.Event{Kind: trace.KindRole, Node: "n3", Role: trace.Follower, Term: 2})
	w.pass(1200 * time.Millisecond)
	w.elect("n5", 3, "n1", "n2")
	w.appendTo([]trace.Entry{{Term: 3, Kind: trace.EntryNoop}}, "n1", "n2")
	w.beat("n5", "n1", "n2")
	w.appendTo(adds(3, 5, 1), "n5", "n1", "n2")
	w.commit(131, "n5", "n1")
	w.commit(130, "n2")
	w.pass(700 * time.Millisecond)
	w.beat("n5", "n1", "n2")
	w.emit(trace.Event{Kind: trace.KindRole, Node: "n4", Role: trace.Candidate, Term: 2})
	w.emit(trace.Event{Kind: trace.KindTerm, Node: "n4", Term: 3})
	w.emit(trace.Event{Kind: trace.KindVote, Node: "n4", Term: 3, Peer: "n4"})
	w.pass(90 * time.Millisecond)
	return w
}

// noLeader is five nodes of which three are down, in three ways.
func noLeader() *world {
	w := healthy(5)
	w.emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Off})
	w.emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Killed})
	w.pass(300 * time.Millisecond)
	w.emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Crashed, Text: "its disk is full"})
	w.pass(1600 * time.Millisecond)
	w.ask("n5", 3, "n4")
	w.pass(400 * time.Millisecond)
	return w
}

// faulty is five nodes with one of everything that can be wrong.
func faulty() *world {
	w := healthy(5)
	w.emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Paused})
	w.emit(trace.Event{Kind: trace.KindProcess, Node: "n2", Process: trace.Wiped})
	w.emit(trace.Event{Kind: trace.KindDiskFault, Node: "n4", Text: "slow 50ms"})
	w.emit(trace.Event{Kind: trace.KindClockFault, Node: "n5", Factor: 3})
	w.emit(trace.Event{Kind: trace.KindLinkFault, Node: "n3", Peer: "n5", Faults: []string{"cut"}})
	w.emit(trace.Event{Kind: trace.KindLinkFault, Node: "n3", Peer: "n4", Faults: []string{"delay 100ms"}})
	w.emit(trace.Event{Kind: trace.KindLinkFault, Node: "n5", Peer: "n4", Faults: []string{"lose 30%"}})
	w.emit(trace.Event{Kind: trace.KindLinkFault, Node: "n4", Peer: "n5", Faults: []string{"lose 30%"}})
	w.emit(trace.Event{Kind: trace.KindSnapshot, Node: "n3", Index: 118, Term: 2})
	w.emit(trace.Event{Kind: trace.KindCompacted, Node: "n3", Index: 1, Last: 116})
	w.pass(700 * time.Millisecond)
	return w
}

// withSparks puts packets of all kinds on their way.
func withSparks(f *picture, from string) *picture {
	kinds := []trace.Packet{{Kind: "append"}, {Kind: "append", Reply: true, OK: true}, {Kind: "heartbeat"}, {Kind: "vote"}, {Kind: "snapshot"}}
	for i := range f.state.Nodes {
		to := f.state.Nodes[i].ID
		if to == from {
			continue
		}
		p := kinds[i%len(kinds)]
		p.From, p.To = from, to
		if p.Reply {
			p.From, p.To = to, from
		}
		s := spark{flight: trace.InFlight{Packet: p}, at: 0.25 + 0.15*float64(i%5)}
		if f.state.Blocked(p.From, p.To) {
			s.lost, s.at, s.fade = true, 0.5, 0.2
		}
		f.sparks = append(f.sparks, s)
	}
	return f
}

// huge has values and terms as large as they go, and names as long.
func huge() *world {
	names := []string{"alpha-0123456789-0123456789-abcd", "beta.example.internal_0123456789", "n3"}
	w := newWorld(names...)
	w.pass(100 * time.Hour)
	w.elect(names[0], 1<<63, names[1])
	for i, name := range names {
		w.emit(trace.Event{Kind: trace.KindCommitted, Node: name, Index: 1<<64 - 2})
		w.emit(trace.Event{Kind: trace.KindApplied, Node: name, Index: 1<<64 - 2, Value: -1 << 63 >> i})
	}
	return w
}

// paint draws the picture.
func (p *picture) paint() (*canvas.Canvas, []hit) { return paint(p.frame, p.view) }

// render draws the picture as text.
func (p *picture) render() (string, []hit) {
	c, hits := p.paint()
	return c.Render(p.theme), hits
}

// turnTo draws the picture with the view of a name.
func (p *picture) turnTo(name string) {
	p.view = p.all[slices.IndexFunc(p.all, func(v view) bool { return v.name() == name })]
}
