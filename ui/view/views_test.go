package view

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"capsize/cluster/trace"
	"capsize/ui/pane"
	"capsize/ui/uitest"
)

// TestViewsMatchGolden compares pictures of every view with files: a new view needs no
// line here, only files, which -update writes.
func TestViewsMatchGolden(t *testing.T) {
	elsewhere := []string{"stage", "time"} // in TestStageMatchesGolden, TestTimeViewMatchesGolden
	samples := map[string]*uitest.Sample{
		"partition": uitest.Busy(uitest.Partitioned()), "dead-leader": uitest.Busy(uitest.DeadLeader()), "faulty": uitest.Busy(uitest.Faulty()), "unreachable": uitest.Unreachable(), "twenty-five": uitest.Busy(uitest.Healthy(25)), "ninety-nine": uitest.Busy(uitest.Healthy(99)),
	}
	for _, c := range []struct {
		sample string
		w, h   int
	}{
		{"partition", 80, 24},
		{"partition", 120, 36},
		{"dead-leader", 120, 36},
		{"faulty", 80, 24},
		{"faulty", 120, 36},
		{"twenty-five", 120, 36},
		{"ninety-nine", 80, 24},
	} {
		for _, v := range New(nil).All {
			if slices.Contains(elsewhere, v.Name()) {
				continue
			}
			t.Run(fmt.Sprintf("%s-%s-%dx%d", v.Name(), c.sample, c.w, c.h), func(t *testing.T) {
				f := full(frameOf(samples[c.sample], c.w, c.h))
				f.turnTo(v.Name())
				f.Links.At = MatrixCell{1, 2}
				golden.RequireEqual(t, plain(f))
			})
		}
	}
	for _, pane := range []string{ZoomRing, ZoomTable, ZoomLog, ZoomTimeline, ZoomStory} {
		t.Run("zoom-"+pane, func(t *testing.T) {
			f := full(frameOf(samples["partition"], 80, 24))
			f.Stage.Zoom = pane
			golden.RequireEqual(t, plain(f))
		})
	}
}

func TestLogViewDescribesTheEntryUnderTheCursor(t *testing.T) {
	w := uitest.LostIncrement()
	for index, want := range map[uint64]string{
		1:   "entry 1 on n1: no-op of a new leader, term 2; committed; held by all nodes",
		128: "entry 128 on n1: +1 from client c1 (operation 50), term 2; acknowledged to its client, then lost",
		131: "entry 131 on n4: +1, term 3; committed; held by n2 n3 n4 n5",
	} {
		f := frameOf(w, 120, 36)
		f.view, f.Log.Index = f.Log, index
		if text := strings.Join(strings.Fields(plain(f)), " "); !strings.Contains(text, want) {
			t.Errorf("entry %d: no %q on the screen:\n%s", index, want, plain(f))
		}
	}
}

func TestLogViewShowsEveryIndexUnderTheCursor(t *testing.T) {
	w := uitest.Healthy(5)
	for index := uint64(1); index <= 127; index++ {
		for _, width := range []int{60, 80, 121} {
			f := frameOf(w, width, 24)
			f.view, f.Log.Index = f.Log, index
			head := strings.ReplaceAll(strings.Split(plain(f), "\n")[2], f.Glyphs.CommitBorder, " ")
			if !slices.Contains(strings.Fields(head), fmt.Sprint(index)) {
				t.Fatalf("%d wide, index %d: %q", width, index, head)
			}
		}
	}
}

// TestNextIndexFollowsThePackets covers how a leader finds the end of a follower's log
// (Raft paper, section 5.3).
func TestNextIndexFollowsThePackets(t *testing.T) {
	w := uitest.Healthy(3)
	leader, term := w.State.LeaderNode().ID, w.State.LeaderNode().Term
	next := func() uint64 {
		p := &logPainter{Painter: pane.NewPainter(frameOf(w, 120, 36).Frame)}
		p.Leader = w.State.LeaderNode()
		_, next, _ := p.progress(w.State.Node("n1"))
		return next
	}
	send := func(p trace.Packet, status trace.PacketStatus) {
		p.Term, p.Kind, p.Status = term, "append", trace.Sent
		w.Emit(trace.Event{Kind: trace.KindPacket, Packet: &p})
		if arrived := p; status != trace.Sent {
			arrived.Status = status
			w.Emit(trace.Event{Kind: trace.KindPacket, Packet: &arrived})
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
		{func() {}, 1, "nothing known yet"},
		{func() { ask(100) }, 101, "sent the entries after 100"},
		{func() { answer(id, false, 90) }, 91, "rejected: the follower's log ends at 90"},
		{func() { ask(90) }, 91, "retried from there"},
		{func() { answer(id, true, 126) }, 127, "the follower has everything up to 126"},
		{func() { answer(ask(126), false, 126) }, 126, "rejected: the entry before diverges, one back"},
	} {
		if step.do(); next() != step.want {
			t.Errorf("%s: nextIndex is %d, want %d", step.why, next(), step.want)
		}
	}
}

func TestAcknowledgedEntriesAreMarked(t *testing.T) {
	w := uitest.Healthy(3)
	entries := uitest.Increments(2, 2, 1)
	entries[0].Client, entries[0].Seq = "c1", 7
	entries[1].Client, entries[1].Seq = "c1", 8
	w.Append(entries, "n1", "n2", "n3")
	w.Call(trace.Op{Client: "c1", Kind: trace.EntryAdd, Delta: 1, Outcome: trace.OK, Seq: 7}, time.Millisecond)
	w.Call(trace.Op{Client: "c1", Kind: trace.EntryAdd, Delta: 1, Outcome: trace.Unknown, Seq: 8}, time.Millisecond)
	f := frameOf(w, 120, 36)
	f.view = f.Log
	if text := plain(f); strings.Count(text, "+1·") != 4 { // three nodes and the legend
		t.Errorf("want one mark for each node:\n%s", text)
	}
}

func TestClientsViewDescribesTheOperationUnderTheCursor(t *testing.T) {
	w := uitest.StaleRead()
	ops := Operations(&w.State)
	text := func(op trace.Op) string {
		f := frameOf(w, 120, 36)
		f.view, f.Clients.Op = f.Clients, op.ID
		return plain(f)
	}
	for _, c := range []struct{ client, want string }{
		{"c3", "c3's read (none) via n3 at 0:00:36.4: n3 answered 135 after 3ms. STALE"},
		{"c1", "c1's +1 via leader at 0:00:36.6: waiting for a reply"},
		{"c2", "c2's +2 via n3 at 0:00:36.1: failed after 200ms, not applied (n3: node is not the leader)"},
	} {
		last := ops[0]
		for _, op := range ops {
			if op.Client == c.client {
				last = op
			}
		}
		if got := text(last); !strings.Contains(got, c.want) {
			t.Errorf("no %q on the screen:\n%s", c.want, got)
		}
	}
	if got := text(trace.Op{}); !strings.Contains(got, "135 from n3: STALE") || strings.Count(got, "STALE") != 1 {
		t.Errorf("want one stale read:\n%s", got)
	}
}
