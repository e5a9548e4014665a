package trace

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// three returns a cluster of three nodes with three entries each, led by n1 in term 2.
func three() *State {
	var s State
	s.Apply(&Event{Kind: KindSettings, Settings: &Settings{Library: Library{PreVote: true}, Lease: 500 * time.Millisecond}})
	servers := []Server{{"n1", true}, {"n2", true}, {"n3", true}}
	for _, id := range []string{"n1", "n2", "n3"} {
		s.Apply(&Event{Kind: KindLoaded, Node: id, Index: 1})
		s.Apply(&Event{Kind: KindProcess, Node: id, Process: Up})
		s.Apply(&Event{Kind: KindConfig, Node: id, Servers: servers})
		s.Apply(&Event{Kind: KindTerm, Node: id, Term: 2})
		s.Apply(&Event{Kind: KindAppended, Node: id, Index: 1, Entries: []Entry{{Term: 1}, {Term: 2}, {Term: 2}}})
	}
	s.At = time.Second
	s.Apply(&Event{Kind: KindRole, Node: "n1", Role: Leader, Term: 2, At: time.Second})
	for _, id := range []string{"n2", "n3"} {
		s.Apply(&Event{Kind: KindLeader, Node: id, Peer: "n1", At: time.Second})
		s.packet(Packet{Kind: "heartbeat", From: "n1", To: id, Term: 2})
	}
	s.Story = nil
	return &s
}

// packet sends and delivers a packet at the present moment.
func (s *State) packet(p Packet) {
	p.ID = s.Seq + 1
	for _, p.Status = range []PacketStatus{Sent, Delivered} {
		packet := p
		s.Apply(&Event{Seq: s.Seq + 1, At: s.At, Kind: KindPacket, Packet: &packet})
	}
}

func apply(s *State, e Event) { s.Apply(&e) }

func later(s *State, by time.Duration, e Event) {
	e.At, e.Seq = s.At+by, s.Seq+1
	s.Apply(&e)
}

func TestStoryLineForEachEvent(t *testing.T) {
	config := func(servers ...Server) Event { return Event{Kind: KindConfig, Node: "n1", Servers: servers} }
	n1, n2, n3 := Server{"n1", true}, Server{"n2", true}, Server{"n3", true}
	life := func(id string, l ProcessState) Event {
		return Event{Kind: KindProcess, Node: id, Process: l, Text: "input/output error"}
	}
	role := func(id string, r Role, term uint64) Event {
		return Event{Kind: KindRole, Node: id, Role: r, Term: term}
	}
	disk := func(text string) Event { return Event{Kind: KindDiskFault, Node: "n2", Text: text} }
	tests := []struct {
		want   string
		before func(*State)
		e      Event
	}{
		{"n2 is killed with 3 log entries on disk", nil, life("n2", Killed)},
		{"n2 loses power: writes it had not synced are gone", nil, life("n2", Off)},
		{"n2 crashes: input/output error", nil, life("n2", Crashed)},
		{"n2 is wiped: its log, term and vote are gone", nil, life("n2", Wiped)},
		{"n2 stops: it is no longer a member", nil, Event{Kind: KindProcess, Node: "n2", Process: Removed}},
		{"n2 stops: it did not become a member", nil, Event{Kind: KindProcess, Node: "n2", Process: Removed, Text: "it did not become a member"}},
		{"n2 is paused (SIGSTOP): nothing gets in or out", nil, life("n2", Paused)},
		{"n2 resumes: everything held for it arrives at once", func(s *State) { apply(s, life("n2", Paused)) }, life("n2", Up)},
		{"n2 restarts with 3 log entries on disk", func(s *State) { apply(s, life("n2", Killed)) }, life("n2", Up)},
		{"n2 restarts with an empty disk", func(s *State) { apply(s, life("n2", Wiped)) }, life("n2", Up)},
		{"n2 is killed with a snapshot up to entry 3 on disk", func(s *State) {
			s.Apply(&Event{Seq: 8, Kind: KindLoaded, Node: "n2", Index: 4, Last: 3, Term: 1})
		}, life("n2", Killed)},
		{"n2 restarts with a snapshot up to entry 2 and 1 log entry on disk", func(s *State) {
			s.Apply(&Event{Kind: KindSnapshot, Node: "n2", Index: 2, Term: 2})
			s.Apply(&Event{Kind: KindCompacted, Node: "n2", Index: 1, Last: 2})
			apply(s, life("n2", Killed))
		}, life("n2", Up)},
		{"n4 starts", func(s *State) { s.Apply(&Event{Kind: KindTerm, Node: "n4"}) }, life("n4", Up)},
		{"n2 starts", func(s *State) { apply(s, life("n2", Removed)) }, life("n2", Up)},

		{"", nil, role("n2", Candidate, 2)}, // its reason makes the line
		{"", nil, role("n2", Follower, 2)},
		{"", nil, Event{Kind: KindVote, Node: "n2", Peer: "n2", Term: 3}},
		{"", nil, Event{Kind: KindPacket, Packet: &Packet{ID: 9, Kind: "vote", Reply: true, Status: Delivered, From: "n3", To: "n2"}}},
		{"", nil, Event{Kind: KindReason, Node: "n2"}}, // an untrusted recording

		{"n2 takes a snapshot at entry 3: it can drop the log before that", nil, Event{Kind: KindSnapshot, Node: "n2", Index: 3}},
		{"n2 installs a snapshot up to entry 9", nil, Event{Kind: KindInstalled, Node: "n2", Index: 9}},

		{"n1 adds n4 as a voter", nil, config(n1, n2, n3, Server{"n4", true})},
		{"n1 adds n4 as a non-voter", nil, config(n1, n2, n3, Server{"n4", false})},
		{"n1 promotes n4 to voter", func(s *State) { apply(s, config(n1, n2, n3, Server{"n4", false})) }, config(n1, n2, n3, Server{"n4", true})},
		{"n1 demotes n3 to non-voter", nil, config(n1, n2, Server{"n3", false})},
		{"n1 removes n3 from the cluster", nil, config(n1, n2)},
		{"n2 becomes the whole cluster, by force (unsafe recovery)", nil, Event{Kind: KindRecovered, Node: "n2", Servers: []Server{n2}}},
		{"n2 is forced into a cluster of n1, n2 (unsafe recovery)", nil, Event{Kind: KindRecovered, Node: "n2", Servers: []Server{n1, n2}}},

		{"n2's disk stalls: writes wait until it is healthy again", nil, disk("stall")},
		{"n2's disk is slow: each write takes 50ms longer", nil, disk("slow 50ms")},
		{"n2's disk fails: every write returns an error", nil, disk("fail")},
		{"n2's disk is full: it takes no new entries", nil, disk("full")},
		{"n2's disk lies: it reports writes as synced before they are", nil, disk("lie")},
		{"n2's disk flips bits while the node is down", nil, disk("corrupt")},
		{"n2's disk is healthy again", func(s *State) { apply(s, disk("full")) }, disk("")},
		{"", nil, disk("")}, // it was healthy before
		{"n2's disk has a fault: melts", nil, disk("melts")},
		{"n2's clock runs 3x slow: its timeouts take three times as long", nil, Event{Kind: KindClockFault, Node: "n2", Factor: 3}},
		{"n2's clock runs fast: its timeouts take half as long", nil, Event{Kind: KindClockFault, Node: "n2", Factor: 0.5}},
		{"n2's clock runs 2.5x slow: its timeouts take 2.5 times as long", nil, Event{Kind: KindClockFault, Node: "n2", Factor: 2.5}},
		{"n2's clock runs at normal speed again", func(s *State) { s.Apply(&Event{Kind: KindClockFault, Node: "n2", Factor: 2, At: s.At}) }, Event{Kind: KindClockFault, Node: "n2", Factor: 1}},
		{"", nil, Event{Kind: KindClockFault, Node: "n2", Factor: 1}}, // as before
		{"n2's disk flips bits in the newest snapshot while the node is down", nil, disk("corrupt snapshot")},
		{
			"n2 falls back to its snapshot up to entry 7: its newest snapshot is damaged (CRC mismatch)", nil,
			Event{Kind: KindLoaded, Node: "n2", Last: 7, Text: "its newest snapshot is damaged (CRC mismatch)"},
		},
		{"n2's state machine is slow: each command takes 200ms longer", nil, Event{Kind: KindApplyFault, Node: "n2", Text: "slow 200ms"}},
		{
			"n2's state machine is at full speed again", func(s *State) { s.Node("n2").ApplyFault = "slow 1s" },
			Event{Kind: KindApplyFault, Node: "n2"},
		},
		{"", nil, Event{Kind: KindApplyFault, Node: "n2"}}, // as before
		{
			"the election timeout is now 2s (was 1s)", func(s *State) { s.Settings = Settings{Heartbeat: time.Second, Election: time.Second} },
			Event{Kind: KindSettings, Settings: &Settings{Heartbeat: time.Second, Election: 2 * time.Second}},
		},
		{
			"warning: heartbeat timeout 400ms is under 4 round trips (440ms): followers may start elections",
			func(s *State) {
				s.Faults = map[Link][]string{{"n1", "n2"}: {"cut", "delay 80ms jitter 20ms"}, {"n2", "n3"}: {"delay 9ms"}}
			},
			Event{Kind: KindSettings, Settings: &Settings{Heartbeat: 400 * time.Millisecond, Lease: 300 * time.Millisecond, Latency: 4 * time.Millisecond, Jitter: time.Millisecond}},
		},

		{"c1's +2 via n3 failed (it is down)", nil, returned(Op{Kind: EntryAdd, Delta: 2, Outcome: Failed, Why: "n3: it is down"})},
		{"c1's -1 via n3: outcome unknown (no answer)", nil, returned(Op{Kind: EntryAdd, Delta: -1, Outcome: Unknown, Why: "no answer"})},
		{"c1's +1 via n2: outcome unknown (no answer)", nil, returned(Op{Kind: EntryAdd, Delta: 1, Outcome: Unknown, Why: "n2: no answer"})},
		{"c1's read via n3 failed (no answer)", nil, returned(Op{Kind: EntryRead, Outcome: Failed, Why: "no answer"})},
		{"", nil, returned(Op{Kind: EntryAdd, Delta: 1, Outcome: OK})},
		{"", nil, Event{Kind: KindPacket, Packet: &Packet{ID: 7, Kind: "heartbeat", From: "n1", To: "n2"}}},
	}
	for _, test := range tests {
		s := three()
		if test.before != nil {
			test.before(s)
			s.Story = nil
		}
		later(s, 0, test.e)
		got := ""
		if len(s.Story) > 0 {
			got = s.Story[len(s.Story)-1].Text
		}
		if got != test.want || len(s.Story) > 1 {
			t.Errorf("%s:\n got %q (%d lines)\nwant %q", test.e.Kind, got, len(s.Story), test.want)
		}
	}
}

// answer makes both followers reply to the leader now.
func answer(s *State) {
	for _, id := range []string{"n2", "n3"} {
		s.packet(Packet{Kind: "heartbeat", Reply: true, From: id, To: "n1", Term: 2, OK: true})
	}
}

func returned(op Op) Event {
	op.Client, op.Node = "c1", "n3"
	return Event{Kind: KindReturned, Op: &op}
}

func TestStoryTellsAVerdictOnceUnlessItIsOK(t *testing.T) {
	s := three()
	said := func(v Verdict, text string) {
		s.Apply(&Event{At: s.At, Kind: KindVerdict, Check: "linearizable", Verdict: v, Text: text})
	}
	said(VerdictOK, "")
	said(VerdictUndecided, "too much")
	said(VerdictOK, "from 3s on")
	said(VerdictViolated, "c2 read 4")
	said(VerdictViolated, "c2 read 4")
	var told []string
	for _, line := range s.Story {
		if line.Topic != TopicCheck || line.Count != 1 {
			t.Errorf("%+v", line)
		}
		told = append(told, line.Text)
	}
	if want := []string{"linearizable is undecided: too much", "linearizable is violated: c2 read 4"}; !slices.Equal(told, want) {
		t.Errorf("the story is %q, want %q", told, want)
	}
}

func TestCloneKeepsPeersWhenTheLeaderHearsMore(t *testing.T) {
	s := three()
	answer(s)
	clone := s.Clone()
	was := fmt.Sprintf("%+v", clone)
	s.At += time.Second
	answer(s)
	if got := fmt.Sprintf("%+v", clone); got != was {
		t.Errorf("got %s\nwant %s", got, was)
	}
}

func TestCloneKeepsEntriesThatAreTruncatedLater(t *testing.T) {
	s := three()
	later(s, 0, Event{Kind: KindAppended, Node: "n2", Index: 4, Entries: []Entry{{Term: 2}}})
	clone := s.Clone()
	was := fmt.Sprintf("%+v", clone)
	later(s, 0, Event{Kind: KindTruncated, Node: "n2", Index: 3, Last: 4})
	later(s, 0, Event{Kind: KindAppended, Node: "n2", Index: 3, Entries: []Entry{{Term: 7}}})
	if got := fmt.Sprintf("%+v", clone); got != was {
		t.Errorf("got %s\nwant %s", got, was)
	}
	if got := s.Node("n2").Truncated; len(got) != 2 || got[0].Term != 2 {
		t.Errorf("Truncated has changed to %v", got)
	}
}

// deny returns the event of a vote denied to n4.
func deny(voter string) Event {
	return Event{Kind: KindReason, Node: voter, Reason: &Reason{Decision: DenyVote, Cause: NotMember, Peer: "n4"}}
}

func TestRecurringStoryLinesAreMergedWithACount(t *testing.T) {
	s := three()
	for i := range 30 {
		later(s, time.Second, deny([]string{"n1", "n2", "n3"}[i%3]))
	}
	if len(s.Story) != 3 || s.Story[2].Count != 10 || s.Story[2].At != s.At || s.Story[2].Seq != s.Seq {
		t.Errorf("%+v", s.Story)
	}
}

// TestEqualStoryLinesAreNotMergedAcrossAChange isolates a node twice, and lets a vote be denied
// before and after a change.
func TestEqualStoryLinesAreNotMergedAcrossAChange(t *testing.T) {
	cut, heal := Event{Kind: KindShape, Text: "n1 is isolated"}, Event{Kind: KindHealed, Text: "the network heals"}
	s := three()
	for _, e := range []Event{cut, heal, deny("n2"), cut, cut, heal, deny("n2"), deny("n2")} {
		later(s, time.Second, e)
	}
	var got []int
	for _, line := range s.Story {
		got = append(got, line.Count)
	}
	if want := []int{1, 1, 1, 2, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("the lines count %v events, want %v: %+v", got, want, s.Story)
	}
}

func TestStoryIsBounded(t *testing.T) {
	s := three()
	for i := range 10 * storyMax {
		later(s, 0, Event{Kind: KindShape, Text: string(rune(1000 + i))})
	}
	if len(s.Story) > storyMax || s.Story[len(s.Story)-1].Text != string(rune(1000+10*storyMax-1)) {
		t.Errorf("the story has %d lines", len(s.Story))
	}
}

func TestLeaderTermsRecordWhoLedWhen(t *testing.T) {
	s := three()
	later(s, time.Second, Event{Kind: KindRole, Node: "n1", Role: Follower})
	later(s, time.Second, Event{Kind: KindRole, Node: "n2", Role: Leader, Term: 3})
	later(s, time.Second, Event{Kind: KindProcess, Node: "n2", Process: Paused})
	later(s, time.Second, Event{Kind: KindProcess, Node: "n2", Process: Killed})
	later(s, time.Second, Event{Kind: KindRole, Node: "n3", Role: Leader, Term: 4})
	want := []LeaderTerm{{"n1", 2, 1 * time.Second, 2 * time.Second}, {"n2", 3, 3 * time.Second, 5 * time.Second}, {"n3", 4, 6 * time.Second, 0}}
	if !slices.Equal(s.LeaderTerms, want) {
		t.Errorf("got %v, want %v", s.LeaderTerms, want)
	}
	for i := range 5 * leaderTermsMax {
		later(s, time.Second, Event{Kind: KindRole, Node: "n3", Role: []Role{Follower, Leader}[i%2], Term: uint64(i)})
	}
	if len(s.LeaderTerms) > leaderTermsMax {
		t.Errorf("the state keeps %d leader terms", len(s.LeaderTerms))
	}
}
