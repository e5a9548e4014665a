package shrink

import (
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// event returns an event at a time in seconds.
func event(at float64, e trace.Event) trace.Event {
	e.At = time.Duration(at * float64(time.Second))
	return e
}

func command(at float64, text string) trace.Event {
	return event(at, trace.Event{Kind: trace.KindCommand, Text: text})
}

func life(at float64, node string, p trace.ProcessState) trace.Event {
	return event(at, trace.Event{Kind: trace.KindProcess, Node: node, Process: p})
}

func linkFault(at float64, from, to string, faults ...string) trace.Event {
	return event(at, trace.Event{Kind: trace.KindLinkFault, Node: from, Peer: to, Faults: faults})
}

// soakEvents are the events of a soak of ten seconds, up to its end.
func soakEvents() []trace.Event {
	return []trace.Event{
		life(0, "n1", trace.Up), life(0, "n2", trace.Up), life(0, "n3", trace.Up),
		event(1, trace.Event{Kind: trace.KindRole, Node: "n2", Role: trace.Leader}),
		command(1.5, "soak 10s network nodes disk membership"),
		event(1.6, trace.Event{Kind: trace.KindInvoked, Op: &trace.Op{Kind: trace.EntryRead, Level: "linearizable"}}),
		linkFault(2.5, "n1", "n2", "cut"), linkFault(2.5, "n1", "n3", "cut"), linkFault(2.5, "n2", "n1", "cut"), linkFault(2.5, "n3", "n1", "cut"),
		life(3, "n2", trace.Paused), life(3.5, "n2", trace.Up),
		event(4, trace.Event{Kind: trace.KindRole, Node: "n3", Role: trace.Leader}),
		event(4.1, trace.Event{Kind: trace.KindDiskFault, Node: "n3", Text: "slow 100ms"}),
		life(4.2, "n3", trace.Crashed),
		event(4.5, trace.Event{Kind: trace.KindDiskFault, Node: "n3"}),
		life(4.5, "n3", trace.Up),
		linkFault(5, "n1", "n2"), linkFault(5, "n1", "n3"), linkFault(5, "n2", "n1"), linkFault(5, "n3", "n1"),
		life(6, "n4", trace.Up), life(7, "n4", trace.Removed),
		event(8, trace.Event{Kind: trace.KindPacket, Packet: &trace.Packet{To: "n1"}}),
		event(12, trace.Event{Kind: trace.KindInvoked, Op: &trace.Op{Kind: trace.EntryRead, Level: "linearizable"}}),
	}
}

func TestRandomFaultsAreWrittenOut(t *testing.T) {
	faults := []string{
		"wait 900ms", "cut n1 <-> n2,n3", "wait 500ms", "try pause n2", "wait 500ms", "try resume n2",
		"wait 600ms", "try disk n3 slow 100ms", "wait 400ms", "try disk n3 ok", "async restart n3",
		"wait 500ms", "heal n1 <-> n2,n3", "wait 1s", "async add-node n4", "wait 1s", "async remove-node n4", "wait 1s", "async transfer n1",
		"wait 3.5s", "load off", "wait 500ms", "async read linearizable",
	}
	d := draft{nodes: 3, seed: 1}
	want := slices.Concat([]string{"load 8/s clients 3", "wait 100ms", "async read linearizable"}, faults)
	got := d.explicit(soakEvents(), form{withReads: true})
	if !slices.Equal(got.commands, want) {
		t.Errorf("with reads: got\n%s\nwant\n%s", strings.Join(got.commands, "\n"), strings.Join(want, "\n"))
	}
	if _, err := scenario.Parse("", []byte(got.text())); err != nil {
		t.Error(err)
	}
	got = d.explicit(soakEvents(), form{withLeaders: true})
	want = []string{"try wait leader within 5s", "try transfer n2", "load 10/s clients 3", "wait 1s"}
	if !slices.Equal(got.commands[:4], want) || !strings.Contains(strings.Join(got.commands, "; "), "wait 500ms; try wait leader within 5s; try transfer n3; wait 100ms; try disk n3 slow") {
		t.Errorf("with leaders: got\n%s", strings.Join(got.commands, "\n"))
	}
}

// The commands of the scenario stay as they are, and what they do is not written out again.
func TestCommandsBesideRandomFaultsStay(t *testing.T) {
	events := []trace.Event{
		command(1, "kill n1"), life(1, "n1", trace.Killed), command(1, "wait 3s"),
		command(4, "chaos nodes"), command(4, "increment"), command(4.2, "wait 10s"),
		life(9, "n2", trace.Paused),
		command(14.2, "isolate n3"), linkFault(14.2, "n3", "n2", "cut"), life(15, "n2", trace.Up), linkFault(16, "n1", "n2", "cut"), command(16, "wait converged"), command(18, "chaos off"), command(18, "wait 1s"),
		command(19, "read weak"),
	}
	want := "kill n1; wait 3s; async increment; wait 5s; try pause n2; wait 5.2s; isolate n3; wait 800ms; try resume n2; wait 1s; cut n1 -> n2; wait converged; wait 1s; read weak"
	if got := strings.Join((draft{}).explicit(events, form{}).commands, "; "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLinksAreGrouped(t *testing.T) {
	link := func(from, to string) trace.Link { return trace.Link{From: from, To: to} }
	for _, one := range []struct {
		links []trace.Link
		want  string
	}{
		{[]trace.Link{link("n1", "n2")}, "n1 -> n2"},
		{[]trace.Link{link("n1", "n2"), link("n2", "n1")}, "n1 <-> n2"},
		{[]trace.Link{link("n3", "n1"), link("n3", "n2"), link("n4", "n1"), link("n4", "n2")}, "n3,n4 -> n1,n2"},
		{[]trace.Link{link("n1", "n2"), link("n2", "n1"), link("n1", "n3")}, "n1 -> n2,n3; n2 -> n1"},
	} {
		if got := strings.Join(grouped(one.links), "; "); got != one.want {
			t.Errorf("%v: got %s, want %s", one.links, got, one.want)
		}
	}
	var all linkChanges
	all.add(link("n1", "n2"), []string{"cut", "jam"}, []string{"jam"})
	all.add(link("n1", "n3"), nil, []string{"delay 50ms jitter 40ms"})
	if got, want := strings.Join(all.commands(), "; "), "heal n1 -> n2; jam n1 -> n2; delay n1 -> n3 50ms jitter 40ms"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
