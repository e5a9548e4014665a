package compare

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// world is a cluster of hand-made events, with its history.
type world struct {
	trace.Stream
	history *history.History
	at      time.Duration
}

// startWorld returns two nodes and their history.
func startWorld() *world {
	w := &world{history: history.New(history.DefaultBudget)}
	w.AddSink(w.history)
	w.do(trace.Event{Kind: trace.KindSettings, Settings: &trace.Settings{}})
	for _, id := range []string{"n1", "n2"} {
		w.do(trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up})
	}
	return w
}

// do emits an event a second later.
func (w *world) do(events ...trace.Event) {
	for _, e := range events {
		w.at += time.Second
		e.At = w.at
		w.Emit(e)
	}
}

// branch returns a world that has done the same, whose history begins at this moment.
func (w *world) branch() *world {
	past := w.events()
	b := &world{history: history.New(history.DefaultBudget)}
	for _, e := range past {
		b.do(e)
	}
	b.AddSink(b.history)
	return b
}

func (w *world) events() (all []trace.Event) {
	_, last := w.history.Span()
	for _, e := range (Course{{w.history, 0, last}}).events() {
		one := *e
		all = append(all, one)
	}
	return all
}

// now returns the last moment.
func (w *world) now() trace.Position {
	_, last := w.history.Span()
	return last
}

// course returns the course of a branch of w that began at a moment.
func (w *world) course(began trace.Position, b *world) Course {
	return Course{{w.history, 0, began}, {b.history, began.Seq, b.now()}}
}

func (w *world) own() Course { return Course{{w.history, 0, w.now()}} }

func kill(id string) trace.Event {
	return trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Killed}
}

func restart(id string) trace.Event {
	return trace.Event{Kind: trace.KindProcess, Node: id, Process: trace.Up}
}

func heartbeat(to string) trace.Event {
	return trace.Event{Kind: trace.KindPacket, Packet: &trace.Packet{ID: 1, Status: trace.Sent, From: "n1", To: to, Kind: "heartbeat"}}
}

// kindOf describes an event in a test.
func kindOf(_ *trace.State, e *trace.Event) string {
	return strings.TrimSpace(string(e.Kind) + " " + e.Node)
}

func requireParted(t *testing.T, r *Result, seq uint64) {
	t.Helper()
	if want := (trace.Position{Seq: seq, At: time.Duration(seq) * time.Second}); !r.Parted || r.At != want || r.Dropped {
		t.Errorf("parted %v at %v, want at %v (dropped %v)", r.Parted, r.At, want, r.Dropped)
	}
}

// rows returns the rows in words: common lines once, others on either side of a bar.
func rows(r *Result) string {
	text := func(l *trace.StoryLine) string {
		if l == nil {
			return ""
		}
		return fmt.Sprintf("%s %s", trace.Seconds(l.At), l.Text)
	}
	var all []string
	for _, row := range r.Rows {
		if row.Same {
			all = append(all, text(row.Lines[0]))
			continue
		}
		all = append(all, strings.TrimSpace(text(row.Lines[0])+" | "+text(row.Lines[1])))
	}
	return strings.Join(all, "\n")
}

func TestBranchesPartAtTheFirstEventThatDiffers(t *testing.T) {
	w := startWorld()
	began := w.now()
	b := w.branch()
	w.do(heartbeat("n2"), kill("n1"), heartbeat("n2"))
	b.do(heartbeat("n2"), kill("n2"), heartbeat("n2"))
	r := Courses(w.own(), w.course(began, b), kindOf)
	requireParted(t, r, 5)
	if r.First != [2]string{"life n1", "life n2"} {
		t.Errorf("the first events are %q", r.First)
	}
	if r.Ends[0].Node("n1").Process != trace.Killed || r.Ends[1].Node("n1").Process != trace.Up {
		t.Error("the ends are not those of the branches")
	}
}

// TestPacketsCount: nothing of a packet shows in the story.
func TestPacketsCount(t *testing.T) {
	w := startWorld()
	began := w.now()
	b := w.branch()
	w.do(kill("n1"), heartbeat("n2"), restart("n1"))
	b.do(kill("n1"), heartbeat("n9"), restart("n1"))
	requireParted(t, Courses(w.own(), w.course(began, b), kindOf), 5)
}

func TestBranchesMayPartAtTheirFirstEvent(t *testing.T) {
	w := startWorld()
	began := w.now()
	b := w.branch()
	w.do(kill("n1"))
	b.do(kill("n2"))
	requireParted(t, Courses(w.own(), w.course(began, b), kindOf), 4)
}

func TestEqualBranchesHaveNoDifference(t *testing.T) {
	w := startWorld()
	began := w.now()
	b := w.branch()
	w.do(kill("n1"), heartbeat("n2"), restart("n1"))
	b.do(kill("n1"), heartbeat("n2"))
	for name, r := range map[string]*Result{
		"longer first":  Courses(w.own(), w.course(began, b), kindOf),
		"shorter first": Courses(w.course(began, b), w.own(), kindOf),
	} {
		if r.Parted || r.At.At != 5*time.Second {
			t.Errorf("%s: parted %v at %v", name, r.Parted, r.At)
		}
	}
	if r := Courses(w.own(), w.own(), kindOf); r.Parted || r.At.At != w.at || len(r.Rows) > 0 {
		t.Errorf("a branch differs from itself: %+v", r)
	}
}

// TestQuietEndCounts: a branch whose clock went on without any event parts from one that has an
// event by then.
func TestQuietEndCounts(t *testing.T) {
	w := startWorld()
	began := w.now()
	b := w.branch()
	b.do(kill("n1"))
	own := w.own()
	own[0].To.At = time.Minute
	requireParted(t, Courses(own, w.course(began, b), kindOf), 4)
}

func TestCommonLinesAreMarked(t *testing.T) {
	w := startWorld()
	began := w.now()
	b := w.branch()
	w.do(heartbeat("n2"), kill("n1"), restart("n1"), kill("n2"))
	b.do(heartbeat("n1"), kill("n1"), heartbeat("n1"), kill("n2"), restart("n2"))
	r := Courses(w.own(), w.course(began, b), kindOf)
	requireParted(t, r, 4)
	if got, want := rows(r), strings.Join([]string{
		"5.0s n1 is killed with an empty disk",
		"6.0s n1 restarts with an empty disk |",
		"7.0s n2 is killed with an empty disk",
		"| 8.0s n2 restarts with an empty disk",
	}, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestCommonLinesAreMarkedInAnyOrder: within one instant, the order may differ.
func TestCommonLinesAreMarkedInAnyOrder(t *testing.T) {
	w := startWorld()
	began := w.now()
	b := w.branch()
	for _, e := range []trace.Event{kill("n1"), kill("n2")} {
		e.At = w.at
		w.Emit(e)
	}
	for _, e := range []trace.Event{kill("n2"), kill("n1")} {
		e.At = w.at
		b.Emit(e)
	}
	for _, row := range Courses(w.own(), w.course(began, b), kindOf).Rows {
		for i, line := range row.Lines {
			if line != nil && !row.Common[i] {
				t.Errorf("not common: %q", line.Text)
			}
		}
	}
}

// TestBranchOfABranchIsReadThroughItsParent: its own history begins after it parted from the
// first branch.
func TestBranchOfABranchIsReadThroughItsParent(t *testing.T) {
	w := startWorld()
	began := w.now()
	b := w.branch()
	w.do(heartbeat("n2"), kill("n1"), heartbeat("n2"), heartbeat("n2"))
	b.do(heartbeat("n2"), kill("n2"))
	c := &world{history: history.New(history.DefaultBudget), at: b.at}
	for _, e := range append(startWorld().events(), b.events()...) {
		c.Emit(e)
	}
	c.AddSink(c.history)
	beganC := b.now()
	c.do(heartbeat("n2"), restart("n2"))
	r := Courses(w.own(), Course{{w.history, 0, began}, {b.history, began.Seq, beganC}, {c.history, beganC.Seq, c.now()}}, kindOf)
	requireParted(t, r, 5)
	if got := rows(r); !strings.Contains(got, "| 5.0s n2 is killed") || !strings.Contains(got, "| 7.0s n2 restarts") {
		t.Errorf("the story is\n%s", got)
	}
}

func TestDroppedEventsAreReported(t *testing.T) {
	w := startWorld()
	began := w.now()
	b := w.branch()
	b.history = history.New(1 << 10)
	b.AddSink(b.history)
	for range 1<<17 + 100 {
		b.do(heartbeat("n1"))
		w.do(heartbeat("n2"))
	}
	first, _ := b.history.Span()
	if b.history.Dropped() == 0 {
		t.Fatal("nothing was dropped")
	}
	r := Courses(w.own(), w.course(began, b), kindOf)
	if !r.Parted || !r.Dropped || r.At.Seq != first.Seq+1 {
		t.Errorf("parted %v at %v, dropped %v, want before %v", r.Parted, r.At, r.Dropped, first)
	}
}

// TestLongStoriesAreWhole: a state forgets the oldest lines of its story, a comparison does not.
func TestLongStoriesAreWhole(t *testing.T) {
	w := startWorld()
	began := w.now()
	b := w.branch()
	w.do(heartbeat("n2"))
	for range 1000 {
		b.do(kill("n2"), restart("n2"))
	}
	r := Courses(w.own(), w.course(began, b), kindOf)
	if len(r.Rows) != 2000 || r.Rows[0].Lines[1].At != 4*time.Second {
		t.Errorf("%d rows, the first at %v", len(r.Rows), r.Rows[0].Lines[1].At)
	}
}
