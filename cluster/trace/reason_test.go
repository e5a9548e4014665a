package trace

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestReasonsAreTold holds the sentence of every decision with each of its causes.
func TestReasonsAreTold(t *testing.T) {
	const silence = 1590 * time.Millisecond
	tests := []struct {
		want string
		r    Reason
	}{
		{"n3 denies n2 its vote: n2 is not in its configuration", Reason{Decision: DenyVote, Cause: NotMember, Peer: "n2"}},
		{"n3 denies n2 a pre-vote: n2 is not a voter in its configuration", Reason{Decision: DenyPreVote, Cause: NotVoter, Peer: "n2"}},
		{"n3 denies n2 its vote: it still follows leader n1", Reason{Decision: DenyVote, Cause: HasLeader, Peer: "n2", Other: "n1"}},
		{"n3 denies n2 a pre-vote: it is the leader", Reason{Decision: DenyPreVote, Cause: HasLeader, Peer: "n2", Other: "n3"}},
		{"n3 denies n2 its vote: it is already in term 9", Reason{Decision: DenyVote, Cause: TermBehind, Peer: "n2", Term: 3, OwnTerm: 9}},
		{"n3 denies n2 its vote: it voted for n1 in term 3", Reason{Decision: DenyVote, Cause: VoteGiven, Peer: "n2", Other: "n1", Term: 3}},
		{"n3 denies n2 its vote: n2's log ends at 4, its own at 5 (both term 2)", Reason{Decision: DenyVote, Cause: LogBehind, Peer: "n2", LastIndex: 5, LastTerm: 2, PeerIndex: 4, PeerTerm: 2}},
		{"n3 denies n2 a pre-vote: n2's log ends at 6 (term 1), its own at 5 (term 2)", Reason{Decision: DenyPreVote, Cause: LogBehind, Peer: "n2", LastIndex: 5, LastTerm: 2, PeerIndex: 6, PeerTerm: 1}},
		{"n3 denies n2 its vote: its disk failed to store the vote (full)", Reason{Decision: DenyVote, Cause: DiskFailed, Peer: "n2", Error: "full"}},
		{"n3 denies n2 its vote", Reason{Decision: DenyVote, Cause: "new", Peer: "n2"}},

		{"n3 starts a pre-vote: no heartbeat from n1 for 1.5s", Reason{Decision: StartPreVote, Cause: HeartbeatTimeout, Peer: "n1", Silence: silence}},
		{"n3 starts an election for term 4: no heartbeat from n1 for 1.5s", Reason{Decision: StartElection, Cause: HeartbeatTimeout, Peer: "n1", Silence: silence, Term: 4}},
		{"n3 starts a pre-vote: no heartbeat since it started 1.5s ago", Reason{Decision: StartPreVote, Cause: HeartbeatTimeout, Other: SinceStart, Silence: silence}},
		{"n3 starts a pre-vote: no heartbeat since it stepped down 1.5s ago", Reason{Decision: StartPreVote, Cause: HeartbeatTimeout, Other: SinceStepDown, Silence: silence}},
		{"n3 starts a pre-vote: no known leader (last contact 1.5s ago)", Reason{Decision: StartPreVote, Cause: HeartbeatTimeout, Silence: silence}},
		{"n3 starts another pre-vote: the previous one timed out", Reason{Decision: StartPreVote, Cause: ElectionTimeout}},
		{"n3 starts an election for term 4: the previous election timed out", Reason{Decision: StartElection, Cause: ElectionTimeout, Term: 4}},
		{"n3 starts an election for term 4: pre-vote won (3 of 5)", Reason{Decision: StartElection, Cause: PreVoteWon, Term: 4, Count: 3, Total: 5}},
		{"n1 hands leadership to n3, which starts an election at once", Reason{Decision: StartElection, Cause: Transferred, Peer: "n1", Term: 4}},
		{"n3 starts an election at once: the leader hands leadership to it", Reason{Decision: StartElection, Cause: Transferred, Term: 4}},

		{"n3 sends n2 a snapshot: its log no longer holds the entries that n2 needs", Reason{Decision: SendSnapshot, Cause: LogCompacted, Peer: "n2"}},
		{"", Reason{Decision: "new"}},
	}
	for _, test := range tests {
		s := three()
		later(s, 0, Event{Kind: KindReason, Node: "n3", Reason: &test.r})
		expectStory(t, s, test.want)
	}
}

// expectStory expects the story to be one line, or none if want is "".
func expectStory(t *testing.T, s *State, want string) {
	t.Helper()
	var got []string
	for _, line := range s.Story {
		got = append(got, line.Text)
	}
	if strings.Join(got, "|") != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestStepDownIsToldWithItsReason(t *testing.T) {
	tests := []struct {
		want string
		r    *Reason
	}{
		{"n1 steps down: lost contact with its quorum for 500ms (heard from 2 of 5)", &Reason{Cause: LostQuorum, Count: 2, Total: 5, Silence: 500 * time.Millisecond}},
		{"n1 steps down: n3 is in a later term", &Reason{Cause: LaterTerm, Peer: "n3", OwnTerm: 2}},
		{"n1 steps down: n3 leads term 4", &Reason{Cause: LaterTerm, Peer: "n3", Term: 4, OwnTerm: 2}},
		{"n1 steps down: n3 also leads term 2", &Reason{Cause: LaterTerm, Peer: "n3", Term: 2, OwnTerm: 2}},
		{"n1 steps down: n3 asks for its vote in term 4", &Reason{Cause: AskedForVote, Peer: "n3", Term: 4}},
		{"n1 steps down: n3 asks for its vote in term 4 (leadership transfer)", &Reason{Cause: HandedOver, Peer: "n3", Term: 4}},
		{"n1 steps down: a follower is in a later term", &Reason{Cause: NotConfirmed}},
		{"n1 steps down: it is no longer a voter", &Reason{Cause: NoVoter}},
		{"n1 steps down: its disk failed to store an entry (disk full)", &Reason{Cause: DiskFailed, Error: "disk full"}},
		{"n1 steps down: its disk failed to store an entry", &Reason{Cause: DiskFailed}},
		{"n1 steps down", &Reason{Cause: "new"}},
		{"n1 steps down", nil},
	}
	for _, test := range tests {
		// The reason comes with the event, or after it.
		s := three()
		later(s, 0, Event{Kind: KindRole, Node: "n1", Role: Follower, Reason: test.r})
		expectStory(t, s, test.want)
		if test.r != nil {
			s := three()
			later(s, 0, Event{Kind: KindRole, Node: "n1", Role: Follower})
			test.r.Decision = StepDown
			later(s, 0, Event{Kind: KindReason, Node: "n1", Reason: test.r})
			later(s, 0, Event{Kind: KindReason, Node: "n1", Reason: test.r}) // once is enough
			later(s, 0, Event{Kind: KindReason, Node: "n2", Reason: test.r})
			expectStory(t, s, test.want)
		}
	}
}

func TestElectionIsToldWithTheVotesOfTheWinner(t *testing.T) {
	votes := func(n, of int, from ...string) *Reason {
		return &Reason{Decision: WinElection, Cause: VotesWon, Count: n, Total: of, Voters: from}
	}
	for want, r := range map[string]*Reason{
		"n2 becomes leader of term 3 with 2 of 4 votes: n2, n3": votes(2, 4, "n2", "n3"),
		"n2 becomes leader of term 3 with 8 of 9 votes":         votes(8, 9, "a", "b", "c", "d", "e", "f", "g", "h"),
		"n2 becomes leader of term 3: it is the only voter":     votes(1, 1, "n2"),
		"n2 becomes leader of term 3":                           nil,
	} {
		s := three()
		later(s, 0, Event{Kind: KindRole, Node: "n2", Role: Leader, Term: 3, Reason: r})
		expectStory(t, s, want)
	}
}

func TestInstalledSnapshotIsToldAgainWithItsReason(t *testing.T) {
	for want, r := range map[string]*Reason{
		"n2 installs a snapshot up to entry 9":                                                             nil,
		"n2 reinstalls the snapshot up to entry 9":                                                         {Decision: InstallSnapshot},
		"n2 reinstalls the snapshot up to entry 9: its stale log has term 2, the leader's 3 (raft #697)":   {Decision: InstallSnapshot, Cause: LogConflict, OwnTerm: 2, PeerTerm: 3},
		"n2 reinstalls the snapshot up to entry 9: its stale log ends at 53 but lacks entry 7 (raft #697)": {Decision: InstallSnapshot, Cause: EntryMissing, PeerIndex: 7, LastIndex: 53},
	} {
		s := three()
		later(s, 0, Event{Kind: KindInstalled, Node: "n2", Index: 9, Reason: r})
		expectStory(t, s, want)
	}
}

// TestTruncationTellsOnlyWhatIsKnownOfTheEntries truncates entries 2 and 3, of term 2.
func TestTruncationTellsOnlyWhatIsKnownOfTheEntries(t *testing.T) {
	commit := func(node string, index uint64) func(*State) {
		return func(s *State) { later(s, 0, Event{Kind: KindCommitted, Node: node, Index: index}) }
	}
	// rewrite gives n1 entries 2 and 3 of term 3, and commits them.
	rewrite := func(s *State) {
		later(s, 0, Event{Kind: KindTruncated, Node: "n1", Index: 2, Last: 3})
		later(s, 0, Event{Kind: KindAppended, Node: "n1", Index: 2, Entries: []Entry{{Term: 3}, {Term: 3}}})
		commit("n1", 3)(s)
	}
	tests := []struct {
		name, want string
		before     []func(*State)
	}{
		{"beyond every commit", "never committed, ", nil},
		{"after a commit before them", "never committed, ", []func(*State){commit("n1", 1)}},
		{"others committed in their place", "never committed, ", []func(*State){rewrite}},
		{"committed", "some of them committed, ", []func(*State){commit("n1", 2)}},
		{"acknowledged and lost", "acknowledged to clients, ", []func(*State){commit("n1", 3), func(s *State) {
			s.Lost = []LostEntry{{Index: 3, Entry: Entry{Term: 2}}, {Index: 9, Entry: Entry{Term: 2}}}
			s.CommitTerms = nil
		}}},
		{"another entry lost", "some of them committed, ", []func(*State){commit("n1", 3), func(s *State) {
			s.Lost = []LostEntry{{Index: 3, Entry: Entry{Term: 7}}}
		}}},
		{"committed on two sides in two ways", "", []func(*State){commit("n3", 3), rewrite}},
		{"committed by a node that compacted them", "", []func(*State){func(s *State) {
			later(s, 0, Event{Kind: KindCompacted, Node: "n1", Index: 1, Last: 3})
			commit("n1", 3)(s)
		}}},
		{"committed by a node without them", "", []func(*State){commit("n4", 9)}},
		{"the first of them unknown", "", []func(*State){func(s *State) { s.Commit, s.CommitTerms = 3, []TermRun{{1, 0}, {3, 3}} }}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := three()
			for _, before := range test.before {
				before(s)
			}
			s.Story = nil
			later(s, 0, Event{Kind: KindTruncated, Node: "n2", Index: 2, Last: 3, Reason: &Reason{Cause: LogConflict, Peer: "n1"}})
			expectStory(t, s, "n2 truncates entries 2-3 (term 2): "+test.want+"in conflict with n1's log")
		})
	}
	s := three()
	later(s, 0, Event{Kind: KindTruncated, Node: "n2", Index: 3, Last: 3})
	expectStory(t, s, "n2 truncates entry 3 (term 2): never committed, in conflict with the leader's log")
}

func TestCommitTermsAreRecordedOnce(t *testing.T) {
	s := three()
	for _, index := range []uint64{1, 2, 3, 2, 3} {
		later(s, 0, Event{Kind: KindCommitted, Node: "n1", Index: index})
	}
	if want := []TermRun{{1, 1}, {2, 2}}; !slices.Equal(s.CommitTerms, want) {
		t.Errorf("the runs are %v, want %v", s.CommitTerms, want)
	}
}

func TestCloneAndOriginalRecordCommitTermsApart(t *testing.T) {
	s := three()
	s.CommitTerms = make([]TermRun, 0, 8)
	later(s, 0, Event{Kind: KindCommitted, Node: "n1", Index: 1})
	clone := s.Clone()
	later(&clone, 0, Event{Kind: KindCommitted, Node: "n1", Index: 2})
	later(s, 0, Event{Kind: KindTruncated, Node: "n1", Index: 2, Last: 3})
	later(s, 0, Event{Kind: KindAppended, Node: "n1", Index: 2, Entries: []Entry{{Term: 9}}})
	later(s, 0, Event{Kind: KindCommitted, Node: "n1", Index: 2})
	if want := []TermRun{{1, 1}, {2, 2}}; !slices.Equal(clone.CommitTerms, want) {
		t.Errorf("the clone has the runs %v, want %v", clone.CommitTerms, want)
	}
}

func TestCommitTermsAreBounded(t *testing.T) {
	s := three()
	for i := range 5 * commitTermsMax {
		index := uint64(4 + i)
		later(s, 0, Event{Kind: KindAppended, Node: "n1", Index: index, Entries: []Entry{{Term: index}}})
		later(s, 0, Event{Kind: KindCommitted, Node: "n1", Index: index})
	}
	if len(s.CommitTerms) > commitTermsMax {
		t.Errorf("the state keeps %d runs", len(s.CommitTerms))
	}
	if committed, known := s.committed(s.Commit-1, s.Commit-1); !committed || !known {
		t.Errorf("the entry before the last: committed %t, known %t, want both", committed, known)
	}
	if committed, known := s.committed(2, 2); committed || known {
		t.Errorf("a forgotten entry: committed %t, known %t, want neither", committed, known)
	}
}

func TestVotesOfAnEarlierTermAreForgotten(t *testing.T) {
	s := three()
	later(s, 0, Event{Kind: KindRole, Node: "n2", Role: Candidate, Term: 2})
	for term := uint64(3); term <= 4; term++ {
		later(s, 0, Event{Kind: KindTerm, Node: "n2", Term: term})
		later(s, 0, Event{Kind: KindVote, Node: "n2", Peer: "n2", Term: term})
		if term == 3 {
			s.packet(Packet{Kind: "vote", From: "n3", To: "n2", Term: 3, Reply: true, OK: true})
			if got := s.Node("n2").Votes; len(got) != 2 {
				t.Errorf("in term 3 it has the votes of %q, want n2 and n3", got)
			}
		}
	}
	if got := s.Node("n2").Votes; len(got) != 1 {
		t.Errorf("in term 4 it has the votes of %q, want n2 alone", got)
	}
}
