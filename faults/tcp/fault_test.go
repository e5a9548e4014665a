package tcp_test

import (
	"slices"
	"testing"
	"time"

	"capsize/faults"
	"capsize/faults/tcp"

	"github.com/hashicorp/raft"
)

// impatient is the RPC timeout of nodes in tests that need it to run out.
const impatient = 100 * time.Millisecond

// pipeline is a pipeline from n1 to n2.
type pipeline struct {
	raft.AppendPipeline
	t    *testing.T
	from *node
	next uint64
}

func newPipeline(t *testing.T, from *node) *pipeline {
	t.Helper()
	p, err := from.AppendEntriesPipeline("n2", "n2")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return &pipeline{AppendPipeline: p, t: t, from: from}
}

// send sends an entry, and returns the future of its reply.
func (p *pipeline) send() raft.AppendFuture {
	p.t.Helper()
	p.next++
	return p.sendThis(appendOf(p.from, p.next, []byte("x")))
}

func (p *pipeline) sendThis(a *raft.AppendEntriesRequest) raft.AppendFuture {
	p.t.Helper()
	f, err := p.AppendEntries(a, &raft.AppendEntriesResponse{})
	if err != nil {
		p.t.Fatal(err)
	}
	return f
}

// lossesOf returns why packets were lost, in the order of their IDs.
func lossesOf(lost []faults.Packet) (why []string) {
	slices.SortFunc(lost, func(a, b faults.Packet) int { return int(a.ID) - int(b.ID) })
	for _, p := range lost {
		why = append(why, p.Why)
	}
	return why
}

func (r *rig) waitLosses(want ...string) {
	r.t.Helper()
	if got := lossesOf(r.waitReports(faults.Lost, len(want))); !slices.Equal(got, want) {
		r.t.Errorf("lost: %q, want %q", got, want)
	}
}

const (
	behind     = "its connection waits for a lost packet"
	callerGone = "no caller is waiting"
)

// A lost message takes those behind it with it, even after the link has healed, until the client
// gives up. A new connection works.
func TestCutMakesAConnectionSilent(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1, _ := r.start("n1", impatient), r.start("n2", patient)
	p := newPipeline(t, n1)
	_ = get(t, later(p.send().Error))
	r.Cut([]faults.Link{{From: "n1", To: "n2"}})
	first := p.send()
	r.waitReports(faults.Lost, 1)
	r.ClearFault("n1", "n2", "cut")
	second := p.send()
	for _, f := range []raft.AppendFuture{first, second} {
		if get(t, later(f.Error)) == nil {
			t.Error("a message got through")
		}
	}
	r.waitLosses("cut", behind)
	if err := n1.vote("n2"); err != nil {
		t.Error(err)
	}
}

func TestADialOverACutLinkWaits(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1, hasty := r.start("n1", patient), r.start("n3", impatient)
	r.start("n2", patient)
	r.Cut([]faults.Link{{From: "n1", To: "n2"}, {From: "n3", To: "n2"}})
	voted := later(func() error { return n1.vote("n2") })
	if hasty.vote("n2") == nil { // n1 has long dialed when n3 gives up
		t.Error("a vote got through")
	}
	r.ClearFault("n1", "n2", "cut")
	if err := get(t, voted); err != nil {
		t.Errorf("the dial over the healed link: %v", err)
	}
	if all := r.reports(); len(all) != 4 || all[0].From != "n1" {
		t.Errorf("the tap got %+v", all)
	}
}

func TestACutLinkBackLosesReplies(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1, n2 := r.start("n1", impatient), r.start("n2", patient)
	r.SetFault("n2", "n1", faults.Cut{})
	if n1.vote("n2") == nil {
		t.Error("a reply got through")
	}
	r.waitLosses("cut")
	if len(n2.requests()) != 1 {
		t.Error("the request got lost")
	}
}

// The end of a process is a message, too: behind a cut, and behind a lost reply, nobody learns of it.
func TestAClientDoesNotLearnOfADeathBehindACut(t *testing.T) {
	for name, healed := range map[string]bool{"cut": false, "healed": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tcp.ProxyConfig{})
			n1, n2 := r.start("n1", patient), r.start("n2", patient)
			p := newPipeline(t, n1)
			_ = get(t, later(p.send().Error))
			r.SetFault("n2", "n1", faults.Cut{})
			if healed {
				p.send()
				r.waitReports(faults.Lost, 1)
				r.ClearFault("n2", "n1", "cut")
			}
			n2.kill()
			for range 5 { // the pipeline takes no more
				before := len(r.reports())
				p.send() // fails if the connection has ended
				r.waitFor("fate", func() bool { return len(r.reported) >= before+2 })
				if slices.ContainsFunc(r.reports(), func(p report) bool { return p.Why == "n2 is down" }) {
					return
				}
			}
			t.Errorf("no message was lost because n2 is down: %+v", r.reports())
		})
	}
}

func TestRefuseFailsAtOnce(t *testing.T) {
	for _, c := range []struct {
		name     string
		at       faults.Link
		requests int
	}{{"requests", faults.Link{From: "n1", To: "n2"}, 1}, {"replies", faults.Link{From: "n2", To: "n1"}, 2}} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, tcp.ProxyConfig{})
			n1, n2 := r.start("n1", patient), r.start("n2", patient)
			if err := n1.vote("n2"); err != nil {
				t.Fatal(err)
			}
			r.SetFault(c.at.From, c.at.To, faults.Refuse{})
			if get(t, later(func() error { return n1.vote("n2") })) == nil {
				t.Error("a vote got through")
			}
			r.waitLosses("refused")
			if get(t, later(func() error { return n1.vote("n2") })) == nil {
				t.Error("a vote on a new connection got through")
			}
			if got := len(n2.requests()); got < c.requests {
				t.Errorf("n2 got %d requests, want at least %d", got, c.requests)
			}
			r.ClearFault(c.at.From, c.at.To, "refuse")
			if err := n1.vote("n2"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestJamHoldsMessagesAndReleasesThemInOrder(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1, n2 := r.start("n1", patient), r.start("n2", patient)
	p := newPipeline(t, n1)
	_ = get(t, later(p.send().Error))
	r.SetFault("n1", "n2", faults.Jam{})
	futures := []raft.AppendFuture{p.send(), p.send(), p.send()}
	sent := r.waitReports(faults.Sent, 5)[2:]
	voted := later(func() error { return n1.vote("n2") }) // its connection waits
	if got := len(n2.requests()); got != 1 {
		t.Errorf("%d requests arrived over a jammed link", got-1)
	}
	r.ClearFault("n1", "n2", "jam")
	for i, f := range futures {
		if err := get(t, later(f.Error)); err != nil || !sent[i].Held {
			t.Errorf("message %d: %v, %+v", i, err, sent[i])
		}
	}
	if err := get(t, voted); err != nil {
		t.Error(err)
	}
	next := uint64(0)
	for _, rpc := range n2.requests() {
		if a, ok := rpc.Command.(*raft.AppendEntriesRequest); ok {
			if a.PrevLogEntry != next {
				t.Errorf("entry %d came in place of %d", a.PrevLogEntry+1, next+1)
			}
			next++
		}
	}
}

// What is on its way arrives, although its sender has given up or is dead.
func TestAMessageOutlivesItsSender(t *testing.T) {
	for name, end := range map[string]func(*node){"given up": func(*node) {}, "dead": (*node).kill} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tcp.ProxyConfig{})
			n1, n2 := r.start("n1", 2*impatient), r.start("n2", patient)
			if err := n1.vote("n2"); err != nil {
				t.Fatal(err)
			}
			r.SetFault("n1", "n2", faults.Jam{})
			if n1.vote("n2") == nil {
				t.Error("a reply came over a jammed link")
			}
			end(n1)
			r.ClearFault("n1", "n2", "jam")
			r.waitLosses(callerGone)
			if got := len(n2.requests()); got != 2 {
				t.Errorf("n2 got %d requests, want 2", got)
			}
		})
	}
}

// A link that holds messages for long keeps only so many connections of callers who have given up.
func TestAbandonedConnectionsAreBounded(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1 := r.start("n1", impatient/4)
	r.start("n2", patient)
	r.SetFault("n1", "n2", faults.Only(faults.Jam{}, faults.KindVote))
	limit := time.Now().Add(hung)
	for votes := 0; !slices.ContainsFunc(r.reports(), func(p report) bool { return p.Why == "the connection is closed" }); votes++ {
		if n1.vote("n2") == nil || votes > 500 || time.Now().After(limit) {
			t.Fatalf("%d votes, none of which was lost", votes)
		}
	}
	r.ClearFault("n1", "n2", "jam")
	if got := r.waitReports(faults.Delivered, 16); len(got) < 16 {
		t.Errorf("only %d messages arrived", len(got))
	}
}

func TestAChangedFaultAppliesToMessagesOnTheirWay(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1 := r.start("n1", patient)
	r.start("n2", patient)
	p := newPipeline(t, n1)
	r.SetFault("n1", "n2", faults.Delay{Mean: time.Hour})
	first := p.send()
	r.waitReports(faults.Sent, 1)
	r.SetFault("n1", "n2", faults.Delay{Mean: time.Millisecond}) // instead of the hour
	if err := get(t, later(first.Error)); err != nil {
		t.Error(err)
	}
	r.SetFault("n1", "n2", faults.Jam{})
	p.send()
	p.send()
	r.waitReports(faults.Sent, 4)
	r.SetFault("n1", "n2", faults.Cut{})
	r.waitLosses("cut", behind)
	r.ClearFault("n1", "n2", "jam")
	if got := r.Faults("n1", "n2"); len(got) != 2 || got[0] != (faults.Cut{}) || got[1] != (faults.Delay{Mean: time.Millisecond}) {
		t.Errorf("faults: %v", got)
	}
}

func TestANodeThatIsDownFailsAtOnce(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1, n2 := r.start("n1", patient), r.start("n2", patient)
	if err := n1.vote("n2"); err != nil {
		t.Fatal(err)
	}
	n2.kill()
	r.waitFor("n2 is down", func() bool { return r.nodes["n2"] == nil })
	for range 2 { // the first may still use the old connection
		if get(t, later(func() error { return n1.vote("n2") })) == nil {
			t.Error("a vote got through")
		}
	}
	lost := r.waitReports(faults.Lost, 1)
	r.SetFault("n1", "n2", faults.Delay{Mean: time.Hour}) // a refusal does not wait
	if get(t, later(func() error { return n1.vote("n2") })) == nil {
		t.Error("a vote got through")
	}
	r.ClearFault("n1", "n2", "delay")
	if last := lost[len(lost)-1]; last.Why != "n2 is down" || last.Kind != faults.KindVote || last.Term != 8 {
		t.Errorf("lost %+v", last)
	}
	r.start("n2", patient)
	if err := get(t, later(func() error { return n1.vote("n2") })); err != nil {
		t.Error(err)
	}
}

// Replies that are on their way when a node dies arrive.
func TestAReplyOutlivesItsSender(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1, n2 := r.start("n1", patient), r.start("n2", patient)
	r.SetFault("n2", "n1", faults.Jam{})
	voted := later(func() error { return n1.vote("n2") })
	r.waitReports(faults.Sent, 2)
	n2.kill()
	r.ClearFault("n2", "n1", "jam")
	if err := get(t, voted); err != nil {
		t.Error(err)
	}
}

func TestAFaultMayBeLimitedToKinds(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1, n2 := r.start("n1", impatient), r.start("n2", patient)
	r.SetFault("n1", "n2", faults.Only(faults.Cut{}, faults.KindVote))
	if n1.vote("n2") == nil {
		t.Error("a vote got through")
	}
	r.waitLosses("cut")
	if err := n1.AppendEntries("n2", "n2", heartbeat(n1), &raft.AppendEntriesResponse{}); err != nil {
		t.Error(err)
	}
	if got := len(n2.requests()); got != 1 {
		t.Errorf("n2 got %d requests", got)
	}
}

// A lost message takes those behind it with it, not those before it.
func TestALostMessageDoesNotStopThoseBeforeIt(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1 := r.start("n1", patient)
	r.start("n2", patient)
	p := newPipeline(t, n1)
	r.SetFault("n1", "n2", faults.Jam{})
	first := p.send()
	r.waitReports(faults.Sent, 1)
	r.SetFault("n1", "n2", faults.Only(faults.Cut{}, faults.KindHeartbeat))
	p.sendThis(heartbeat(n1))
	r.waitLosses("cut")
	r.ClearFault("n1", "n2", "jam")
	if err := get(t, later(first.Error)); err != nil {
		t.Error(err)
	}
}

func TestWhatTCPHidesIsNotPossible(t *testing.T) {
	impossible := []string{"lose", "duplicate", "reorder", "hold"}
	for _, f := range faults.LinkFaults() {
		err := tcp.Possible(faults.Only(f, faults.KindVote))
		if (err != nil) != slices.Contains(impossible, f.Name()) {
			t.Errorf("%s: %v", f.Name(), err)
		}
	}
}
