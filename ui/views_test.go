package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"capsize/cluster/trace"
)

// busy adds to a world what the views show beside the stage: calls, packets, and
// what the library logs.
func busy(w *world) *world {
	leader := w.state.LeaderNode()
	for i := range 8 {
		op := trace.Op{Client: fmt.Sprintf("c%d", i%3+1), Kind: trace.EntryAdd, Delta: 1, Route: "leader", Node: "n1", Outcome: trace.OK, Value: int64(138 + i), Seq: uint64(i + 1)}
		if leader != nil {
			op.Node = leader.ID
		}
		if i == 5 {
			op.Kind, op.Delta, op.Level, op.Seq = trace.EntryRead, 0, "linearizable", 0
		}
		if i == 6 {
			op.Outcome, op.Value, op.Why = trace.Unknown, 0, "n3: no answer in time"
		}
		w.call(op, time.Duration(i+1)*12*time.Millisecond)
		w.pass(90 * time.Millisecond)
	}
	for i := range w.state.Nodes {
		w.emit(trace.Event{Kind: trace.KindLogLine, Node: w.state.Nodes[i].ID, Text: "[INFO]  entering follower state: follower=\"Node at n1\" leader-address= leader-id="})
		w.emit(trace.Event{Kind: trace.KindLogLine, Node: w.state.Nodes[i].ID, Text: "[WARN]  heartbeat timeout reached, starting election: last-leader-addr=n3"})
	}
	if leader != nil {
		for i := range w.state.Nodes {
			if id := w.state.Nodes[i].ID; id != leader.ID && !w.state.Blocked(id, leader.ID) {
				w.beat(leader.ID, id)
			}
		}
	}
	return w.judged()
}

func TestViewsLookAsTheyDid(t *testing.T) {
	worlds := map[string]*world{
		"partition": busy(partitioned()), "dead-leader": busy(deadLeader()), "faulty": busy(faulty()), "twenty-five": busy(healthy(25)), "ninety-nine": busy(healthy(99)),
	}
	for _, c := range []struct {
		world string
		w, h  int
	}{
		{"partition", 80, 24},
		{"partition", 120, 36},
		{"dead-leader", 120, 36},
		{"faulty", 80, 24},
		{"faulty", 120, 36},
		{"twenty-five", 120, 36},
		{"ninety-nine", 80, 24},
	} {
		for _, v := range []string{"log", "links", "clients", "node"} {
			t.Run(fmt.Sprintf("%s-%s-%dx%d", v, c.world, c.w, c.h), func(t *testing.T) {
				f := full(worlds[c.world].frame(c.w, c.h))
				f.turnTo(v)
				f.links.at = spot{1, 2}
				golden.RequireEqual(t, plain(f))
			})
		}
	}
	for _, pane := range []string{zoomRing, zoomTable, zoomLog, zoomTime, zoomStory} {
		t.Run("zoom-"+pane, func(t *testing.T) {
			f := full(worlds["partition"].frame(80, 24))
			f.stage.zoom = pane
			golden.RequireEqual(t, plain(f))
		})
	}
}

func TestTheLogViewSaysWhatAnEntryIs(t *testing.T) {
	w := lostIncrement()
	for index, want := range map[uint64]string{
		1:   "entry 1 on n1: the start of a term, term 2; committed; the same on all nodes",
		128: "entry 128 on n1: +1 by client c1 (its call 50), term 2; its client was told that it is counted, and it is lost",
		131: "entry 131 on n4: +1, term 3; committed; the same on n2 n3 n4 n5",
	} {
		f := w.frame(120, 36)
		f.view, f.log.index = f.log, index
		if text := strings.Join(strings.Fields(plain(f)), " "); !strings.Contains(text, want) {
			t.Errorf("%d: not %q:\n%s", index, want, plain(f))
		}
	}
}

func TestTheLogViewShowsEveryIndexThatIsAskedFor(t *testing.T) {
	w := healthy(5)
	for index := uint64(1); index <= 127; index++ {
		for _, width := range []int{60, 80, 121} {
			f := w.frame(width, 24)
			f.view, f.log.index = f.log, index
			head := strings.ReplaceAll(strings.Split(plain(f), "\n")[2], f.glyphs.Border, " ")
			if !slices.Contains(strings.Fields(head), fmt.Sprint(index)) {
				t.Fatalf("%d wide, index %d: %q", width, index, head)
			}
		}
	}
}

// TestNextIndexFollowsThePackets plays the ways in which a leader learns where a
// follower's log ends (Raft paper, section 5.3).
func TestNextIndexFollowsThePackets(t *testing.T) {
	w := healthy(3)
	leader, term := w.state.LeaderNode().ID, w.state.LeaderNode().Term
	next := func() uint64 {
		p := &logPainter{painter: newPainter(w.frame(120, 36).frame)}
		p.leader = w.state.LeaderNode()
		_, next, _ := p.progress(w.state.Node("n1"))
		return next
	}
	send := func(p trace.Packet, fate trace.PacketStatus) {
		p.Term, p.Kind, p.Status = term, "append", trace.Sent
		w.emit(trace.Event{Kind: trace.KindPacket, Packet: &p})
		if arrived := p; fate != trace.Sent {
			arrived.Status = fate
			w.emit(trace.Event{Kind: trace.KindPacket, Packet: &arrived})
		}
	}
	id := uint64(1000)
	ask := func(prev uint64) uint64 {
		id += 2
		send(trace.Packet{ID: id, RPC: id, From: leader, To: "n1", PrevIndex: prev, First: prev + 1, Entries: 1}, trace.Delivered)
		return id
	}
	answer := func(rpc uint64, ok bool, last uint64) {
		send(trace.Packet{ID: rpc + 1, RPC: rpc, From: "n1", To: leader, Reply: true, OK: ok, LastIndex: last}, trace.Delivered)
	}
	for _, step := range []struct {
		do   func()
		want uint64
		why  string
	}{
		{func() {}, 1, "nothing is known yet"},
		{func() { ask(100) }, 101, "it has sent what comes after 100"},
		{func() { answer(id, false, 90) }, 91, "the follower's log ends at 90"},
		{func() { ask(90) }, 91, "it asks again from there"},
		{func() { answer(id, true, 126) }, 127, "the follower has all up to 126"},
		{func() { answer(ask(126), false, 126) }, 126, "the entry before differs: one back"},
	} {
		if step.do(); next() != step.want {
			t.Errorf("%s: next is %d, not %d", step.why, next(), step.want)
		}
	}
}

func TestAnEntryIsMarkedWhenItsClientHasItsAnswer(t *testing.T) {
	w := healthy(3)
	entries := adds(2, 2, 1)
	entries[0].Client, entries[0].Seq = "c1", 7
	entries[1].Client, entries[1].Seq = "c1", 8
	w.appendTo(entries, "n1", "n2", "n3")
	w.call(trace.Op{Client: "c1", Kind: trace.EntryAdd, Delta: 1, Outcome: trace.OK, Seq: 7}, time.Millisecond)
	w.call(trace.Op{Client: "c1", Kind: trace.EntryAdd, Delta: 1, Outcome: trace.Unknown, Seq: 8}, time.Millisecond)
	f := w.frame(120, 36)
	f.view = f.log
	if text := plain(f); strings.Count(text, "+1·") != 4 { // and one of the legend
		t.Errorf("not one mark for each node:\n%s", text)
	}
}

func TestAnOperationIsExplained(t *testing.T) {
	w := staleRead()
	ops := operations(&w.state)
	text := func(op trace.Op) string {
		f := w.frame(120, 36)
		f.view, f.clients.op = f.clients, op.ID
		return plain(f)
	}
	for _, c := range []struct{ client, want string }{
		{"c3", "c3 reads (none) via n3 at 0:00:36.4: n3 answered 135 after 3ms. STALE"},
		{"c1", "c1 adds 1 via leader at 0:00:36.6: still waiting"},
		{"c2", "c2 adds 2 via n3 at 0:00:36.1: failed after 200ms, it certainly does not count (n3: node is not the leader)"},
	} {
		last := ops[0]
		for _, op := range ops {
			if op.Client == c.client {
				last = op
			}
		}
		if got := text(last); !strings.Contains(got, c.want) {
			t.Errorf("not %q:\n%s", c.want, got)
		}
	}
	if got := text(trace.Op{}); !strings.Contains(got, "135 from n3: STALE") || strings.Count(got, "STALE") != 1 {
		t.Errorf("not one stale read:\n%s", got)
	}
}

func TestZoomAndItsWaysBack(t *testing.T) {
	s := newStage(t, 3)
	for _, way := range []string{"z", "esc", "tab"} {
		s.turnTo(s.views.stage)
		s.press("z", "s")
		if s.views.stage.zoom != zoomStory {
			t.Fatalf("zoom is %q", s.views.stage.zoom)
		}
		if text := s.screen(); strings.Contains(text, "clients") || !strings.Contains(text, "becomes leader of term 2") {
			t.Errorf("not the story alone:\n%s", text)
		}
		if s.press(way); s.views.stage.zoom != "" {
			t.Errorf("%s does not lead back", way)
		}
	}
	s.press("z", "z")
	if s.views.stage.zoom != "" || s.menu != nil {
		t.Error("z does not leave its own question")
	}
}

func TestTheStoryIsFiltered(t *testing.T) {
	s := newStage(t, 3)
	leader := s.state.LeaderNode().ID
	s.press("/")
	for _, r := range "BECOMES x" {
		s.press(string(r))
	}
	s.press("backspace", "backspace")
	s.wants("/ BECOMES")
	s.wants("1 of ")
	s.wants(leader + " becomes leader of term 2")
	if text := s.screen(); strings.Contains(text, "starts an election") {
		t.Errorf("the rest is still there:\n%s", text)
	}
	if s.press("enter", "k"); s.state.Node(leader).Process != trace.Killed {
		t.Error("after enter keys do not mean what they did")
	}
	s.press("esc")
	if s.filter.text != "" {
		t.Error("esc does not show all again")
	}
	s.press("/", "q", "esc")
	s.wants(leader + " is killed")
}

func TestEveryViewCanBeReached(t *testing.T) {
	s := newStage(t, 3)
	for range 2 {
		for _, v := range s.views.all {
			if s.view() != v {
				t.Fatalf("the %s view, not the %s view", s.view().name(), v.name())
			}
			s.press("tab")
		}
	}
	s.press("shift+tab")
	if s.view() != s.views.node {
		t.Errorf("before the stage comes the %s view", s.view().name())
	}
}

func TestTheViewsShowALivingCluster(t *testing.T) {
	s := newStage(t, 3)
	s.press("i", "i", "r")
	s.pass(time.Second)
	leader := s.state.LeaderNode().ID
	s.press("tab")
	s.wants("term 2; committed, and c")
	s.wants(" was told 2 at ")
	s.press("left")
	s.wants(" was told 1 at ")
	s.turnTo(s.views.clients)
	s.press("left", "left", "right", "right", "left")
	s.wants(" adds 1 via leader")
	s.press("tab")
	s.wants("entering leader state")
	s.wants("voted for " + leader)
	if got := s.state.Clients.Pending; len(got) != 0 {
		t.Errorf("still pending: %v", got)
	}
}
