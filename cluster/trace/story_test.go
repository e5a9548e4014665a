package trace

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// three is a cluster of three nodes, led by n1 in term 2 with three entries.
func three() *State {
	var s State
	s.Apply(&Event{Kind: KindSettings, Settings: &Settings{PreVote: true, Lease: 500 * time.Millisecond}})
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

// packet has a packet sent and delivered, at the present moment.
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

func TestTheStorySaysWhoWhatAndWhy(t *testing.T) {
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
		{"n2 is killed: its disk holds the log up to entry 3", nil, life("n2", Killed)},
		{"n2 loses power: what its disk had not really stored is gone", nil, life("n2", Off)},
		{"n2 crashes: input/output error", nil, life("n2", Crashed)},
		{"n2 is wiped: it forgets its log, its term and its vote", nil, life("n2", Wiped)},
		{"n2 is no longer a member and stops", nil, life("n2", Removed)},
		{"n2 is paused: it neither hears nor says anything, but does not know it", nil, life("n2", Paused)},
		{"n2 goes on: all that waited for it arrives at once", func(s *State) { apply(s, life("n2", Paused)) }, life("n2", Up)},
		{"n2 is back: its disk holds the log up to entry 3", func(s *State) { apply(s, life("n2", Killed)) }, life("n2", Up)},
		{"n2 is back: its disk is empty", func(s *State) { apply(s, life("n2", Wiped)) }, life("n2", Up)},
		{"n4 starts", func(s *State) { s.Apply(&Event{Kind: KindTerm, Node: "n4"}) }, life("n4", Up)},
		{"n2 starts", func(s *State) { apply(s, life("n2", Removed)) }, life("n2", Up)},

		{"n2 asks whether it could win an election: it has heard nothing from n1 for 1.5s", func(s *State) { s.At += 1500 * time.Millisecond }, role("n2", Candidate, 2)},
		{"n2 need not wait for a timeout: n1 hands leadership over to it", func(s *State) { s.packet(Packet{Kind: "timeout-now", From: "n1", To: "n2"}) }, role("n2", Candidate, 2)},
		{"n2 stands for election in term 3", nil, Event{Kind: KindVote, Node: "n2", Peer: "n2", Term: 3}},
		{"n2 stands for election in term 3: it has heard nothing from n1 for 700ms", func(s *State) { s.Settings.PreVote = false; s.At += 700 * time.Millisecond }, Event{Kind: KindVote, Node: "n2", Peer: "n2", Term: 3}},
		{"n2 stands for election in term 3: no leader has called in the 700ms since it started", func(s *State) {
			s.Settings.PreVote = false
			s.Apply(&Event{Kind: KindProcess, Node: "n2", Process: Killed, At: s.At})
			s.Apply(&Event{Kind: KindProcess, Node: "n2", Process: Up, At: s.At})
			s.At += 700 * time.Millisecond
		}, Event{Kind: KindVote, Node: "n2", Peer: "n2", Term: 3}},
		{"", nil, Event{Kind: KindVote, Node: "n2", Peer: "n1", Term: 3}},
		{"", func(s *State) { apply(s, life("n2", Killed)); s.Story = nil }, Event{Kind: KindVote, Node: "n2", Peer: "n2", Term: 3}}, // what its disk holds
		{"n2 leads term 3, elected by 2 of 3: n2 n3", func(s *State) {
			apply(s, role("n2", Candidate, 2))
			s.Apply(&Event{Kind: KindTerm, Node: "n2", Term: 3})
			s.Apply(&Event{Kind: KindVote, Node: "n2", Peer: "n2", Term: 3})
			s.packet(Packet{Kind: "vote", From: "n3", To: "n2", Term: 3, Reply: true, OK: true})
			s.Story = nil
		}, role("n2", Leader, 3)},
		{"n1 leads term 3: it is the only voter", func(s *State) { apply(s, config(n1)); apply(s, role("n1", Follower, 2)); s.Story = nil }, role("n1", Leader, 3)},

		{"n1 steps down: only 1 of 3 answered it within 500ms, itself included", func(s *State) { s.At += time.Second }, role("n1", Follower, 2)},
		{"n1 steps down: it learns from n3 that the term is 4 by now, not 2", func(s *State) { s.packet(Packet{Kind: "append", Reply: true, From: "n3", To: "n1", Term: 4}) }, role("n1", Follower, 2)},
		{"n1 steps down: only 1 of 3 answered it within 500ms, itself included", func(s *State) { s.packet(Packet{Kind: "prevote", From: "n3", To: "n1", Term: 4}) }, role("n1", Follower, 2)},
		{"n1 steps down: it is no longer a voter", func(s *State) {
			answer(s)
			s.Apply(&Event{Kind: KindConfig, Node: "n1", Servers: []Server{{"n1", false}, n2, n3}, At: s.At})
			s.Story = nil
		}, role("n1", Follower, 2)},
		{"n1 steps down: it could not write its log, because its disk has a fault (full)", func(s *State) {
			answer(s)
			s.Apply(&Event{Kind: KindDiskFault, Node: "n1", Text: "full", At: s.At})
			s.Story = nil
		}, role("n1", Follower, 2)},

		{"n3 refuses its vote to n2: its own log ends at 3 (term 2), the other at 1 (term 1)", func(s *State) {
			candidate(s)
			s.Apply(&Event{Kind: KindTruncated, Node: "n2", Index: 2, Last: 3, At: s.At})
			s.Story = nil
		}, refused("vote", 3)},
		{"n3 refuses its pre-vote to n2: it still takes n1 for the leader", func(s *State) {
			candidate(s)
			s.Apply(&Event{Kind: KindLeader, Node: "n3", Peer: "n1", At: s.At})
		}, refused("prevote", 3)},
		{"n3 refuses its vote to n2: it knows term 9 already", func(s *State) { candidate(s); s.Apply(&Event{Kind: KindTerm, Node: "n3", Term: 9, At: s.At}) }, refused("vote", 9)},
		{"n3 refuses its vote to n2: it gave it to n1", func(s *State) {
			candidate(s)
			s.Apply(&Event{Kind: KindTerm, Node: "n3", Term: 3, At: s.At})
			s.Apply(&Event{Kind: KindVote, Node: "n3", Peer: "n1", Term: 3, At: s.At})
		}, refused("vote", 3)},

		{"n2 cuts entry 3 of term 2 off its log: it was never committed, and the leader's log has something else there", nil, Event{Kind: KindTruncated, Node: "n2", Index: 3, Last: 3}},
		{"n2 cuts entries 2 to 3 of term 2 off its log: clients had been told that they count, and the leader's log has something else there", func(s *State) {
			s.Lost = []LostEntry{{Index: 3, Entry: Entry{Term: 2}}}
		}, Event{Kind: KindTruncated, Node: "n2", Index: 2, Last: 3}},
		{"n2 cuts entries 2 to 3 of term 2 off its log: they were never committed, and the leader's log has something else there", nil, Event{Kind: KindTruncated, Node: "n2", Index: 2, Last: 3}},
		{"n2 takes a snapshot of its counter at entry 3, and may forget the log before it", nil, Event{Kind: KindSnapshot, Node: "n2", Index: 3}},
		{"n2 installs a snapshot up to entry 9: the leader no longer has the entries it lacks", nil, Event{Kind: KindInstalled, Node: "n2", Index: 9}},

		{"n1 makes n4 a member, as a voter", nil, config(n1, n2, n3, Server{"n4", true})},
		{"n1 makes n4 a member, as a non-voter", nil, config(n1, n2, n3, Server{"n4", false})},
		{"n1 makes n3 a non-voter", nil, config(n1, n2, Server{"n3", false})},
		{"n1 removes n3 from the members", nil, config(n1, n2)},

		{"the disk of n2 stalls: writes wait until it is sound again", nil, disk("stall")},
		{"the disk of n2 is slow now: each write takes longer (slow 50ms)", nil, disk("slow 50ms")},
		{"the disk of n2 fails every write from now on", nil, disk("fail")},
		{"the disk of n2 is full: it takes no more entries", nil, disk("full")},
		{"the disk of n2 lies from now on: it says that a write is stored before it is", nil, disk("lie")},
		{"the disk of n2 flips bits while the node is down", nil, disk("corrupt")},
		{"the disk of n2 is sound again", nil, disk("")},
		{"the disk of n2 has a fault: melts", nil, disk("melts")},
		{"the timeouts of n2 are now 2.5 times as long as set up", nil, Event{Kind: KindClockFault, Node: "n2", Factor: 2.5}},
		{"the clock of n2 runs right again", nil, Event{Kind: KindClockFault, Node: "n2", Factor: 1}},

		{"c1 was told that its +2 via n3 failed: n3: it is down", nil, returned(Op{Kind: EntryAdd, Delta: 2, Outcome: Failed, Why: "n3: it is down"})},
		{"c1 does not know whether its -1 via n3 counted: no answer", nil, returned(Op{Kind: EntryAdd, Delta: -1, Outcome: Unknown, Why: "no answer"})},
		{"c1 was told that its read via n3 failed: no answer", nil, returned(Op{Kind: EntryRead, Outcome: Failed, Why: "no answer"})},
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

// answer has both followers answer the leader now.
func answer(s *State) {
	for _, id := range []string{"n2", "n3"} {
		s.packet(Packet{Kind: "heartbeat", Reply: true, From: id, To: "n1", Term: 2, OK: true})
	}
}

// candidate makes n2 one, in term 3, and lets n3 know of no leader.
func candidate(s *State) {
	s.Apply(&Event{Kind: KindRole, Node: "n2", Role: Candidate, At: s.At})
	s.Apply(&Event{Kind: KindTerm, Node: "n2", Term: 3, At: s.At})
	s.Apply(&Event{Kind: KindLeader, Node: "n3", At: s.At})
}

func refused(kind string, term uint64) Event {
	return Event{Kind: KindPacket, Packet: &Packet{ID: 9, Kind: kind, Reply: true, Status: Delivered, From: "n3", To: "n2", Term: term}}
}

func returned(op Op) Event {
	op.Client, op.Node = "c1", "n3"
	return Event{Kind: KindReturned, Op: &op}
}

// A check that finds all well has nothing to tell, and one that found something
// tells it once, however much is lost after that.
func TestAVerdictIsToldOnceUnlessAllIsWell(t *testing.T) {
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
		t.Errorf("told %q, not %q", told, want)
	}
}

func TestWhatALeaderHearsLaterIsNotInAClone(t *testing.T) {
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

func TestEntriesCutAndReplacedLaterAreStillInAClone(t *testing.T) {
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
		t.Errorf("what it cut off last is now %v", got)
	}
}

func TestWhatGoesRoundInACircleIsToldOnceWithACount(t *testing.T) {
	s := three()
	for i := range 30 {
		later(s, time.Second, Event{Kind: KindShape, Text: []string{"a", "b", "c"}[i%3]})
	}
	if len(s.Story) != 3 || s.Story[2].Count != 10 || s.Story[2].At != s.At || s.Story[2].Seq != s.Seq {
		t.Errorf("%+v", s.Story)
	}
}

func TestTheStoryIsBounded(t *testing.T) {
	s := three()
	for i := range 10 * storyMax {
		later(s, 0, Event{Kind: KindShape, Text: string(rune(1000 + i))})
	}
	if len(s.Story) > storyMax || s.Story[len(s.Story)-1].Text != string(rune(1000+10*storyMax-1)) {
		t.Errorf("%d lines", len(s.Story))
	}
}

func TestReignsSayWhoLedWhen(t *testing.T) {
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
	for i := range 5 * reignsMax {
		later(s, time.Second, Event{Kind: KindRole, Node: "n3", Role: []Role{Follower, Leader}[i%2], Term: uint64(i)})
	}
	if len(s.LeaderTerms) > reignsMax {
		t.Errorf("%d reigns", len(s.LeaderTerms))
	}
}
