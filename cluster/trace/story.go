package trace

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// StoryTopic says what a line of the story is about, for its mark on the timeline.
type StoryTopic string

// The topics of the story.
const (
	TopicElection     StoryTopic = "election" // someone asks for votes, or is refused one
	TopicLeader       StoryTopic = "leader"   // someone was elected, Line.Node
	TopicStepDown     StoryTopic = "step-down"
	TopicDeath        StoryTopic = "death" // killed, crashed, without power, removed, wiped
	TopicStart        StoryTopic = "start"
	TopicPause        StoryTopic = "pause"
	TopicNetwork      StoryTopic = "network" // something of it was broken
	TopicHealing      StoryTopic = "healing" // something of it was taken back
	TopicDisk         StoryTopic = "disk"
	TopicClock        StoryTopic = "clock"
	TopicLog          StoryTopic = "log" // entries cut off, snapshots
	TopicMembers      StoryTopic = "members"
	TopicClient       StoryTopic = "client"  // an operation that failed or is unknown
	TopicRefusal      StoryTopic = "refusal" // an order that could not be carried out
	TopicPresentation StoryTopic = "words"   // captions and chapters
	TopicCheck        StoryTopic = "check"   // a promise that was broken, or can no longer be checked
)

// StoryLine is one thing that mattered, in a plain sentence: who, what, and why.
type StoryLine struct {
	At    time.Duration // of the last time, if it happened several times in a row
	Seq   uint64        // of the event that told it last
	Topic StoryTopic
	Node  string
	Text  string
	In    Localized // of words, what they are in other languages
	Count int       // how many times in a row, at least 1
}

// mergeWithin is how many of the latest lines are searched for the same
// sentence, so that things that go round in a circle are told once, with a count.
const mergeWithin = 4

func (s *State) say(topic StoryTopic, node, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for i := len(s.Story) - 1; i >= max(0, len(s.Story)-mergeWithin); i-- {
		line := s.Story[i]
		if line.Topic == topic && line.Text == text {
			line.At, line.Seq, line.Count = s.At, s.Seq, line.Count+1
			s.Story = append(slices.Delete(s.Story, i, i+1), line)
			return
		}
	}
	if len(s.Story) == storyMax {
		s.Story = slices.Delete(s.Story, 0, storyMax/4)
	}
	s.Story = append(s.Story, StoryLine{At: s.At, Seq: s.Seq, Topic: topic, Node: node, Text: text, Count: 1})
}

// tell adds the sentence for an event, if it matters. Heartbeats never do.
func (s *State) tell(e *Event) {
	switch e.Kind {
	case KindShape:
		s.say(TopicNetwork, "", "%s", e.Text)
	case KindHealed:
		s.say(TopicHealing, "", "%s", e.Text)
	case KindRefused:
		s.say(TopicRefusal, "", "%s", e.Text)
	case KindChapter, KindCaption:
		s.tellWords(e)
	case KindReturned:
		if e.Op != nil {
			s.tellReturned(*e.Op)
		}
	case KindVerdict:
		s.tellVerdict(e)
	case KindPacket:
		// Told by applyPacket.
	default:
		if n := s.Node(e.Node); n != nil {
			s.tellNode(n, e)
		}
	}
}

func (s *State) tellNode(n *Node, e *Event) {
	switch e.Kind {
	case KindProcess:
		s.tellLife(n, e)
	case KindRole:
		s.tellRole(n, e)
	case KindVote:
		s.tellVote(n, e)
	case KindTruncated:
		s.tellTruncated(n, e)
	case KindSnapshot:
		s.say(TopicLog, n.ID, "%s takes a snapshot of its counter at entry %d, and may forget the log before it", n.ID, e.Index)
	case KindInstalled:
		s.say(TopicLog, n.ID, "%s installs a snapshot up to entry %d: the leader no longer has the entries it lacks", n.ID, e.Index)
	case KindConfig:
		s.tellConfig(n, e)
	case KindDiskFault:
		s.tellDisk(n, e)
	case KindClockFault:
		if e.Factor == 1 {
			s.say(TopicClock, n.ID, "the clock of %s runs right again", n.ID)
		} else {
			s.say(TopicClock, n.ID, "the timeouts of %s are now %g times as long as set up", n.ID, e.Factor)
		}
	default:
	}
}

func (s *State) tellLife(n *Node, e *Event) {
	kept := "its disk is empty"
	if last := n.LastIndex(); last > 0 {
		kept = fmt.Sprintf("its disk holds the log up to entry %d", last)
	}
	switch e.Process {
	case Up:
		switch n.Process {
		case Paused:
			s.say(TopicPause, n.ID, "%s goes on: all that waited for it arrives at once", n.ID)
		case "", Removed:
			if s.LeaderNode() != nil {
				s.say(TopicStart, n.ID, "%s starts", n.ID)
			}
		default:
			s.say(TopicStart, n.ID, "%s is back: %s", n.ID, kept)
		}
	case Paused:
		s.say(TopicPause, n.ID, "%s is paused: it neither hears nor says anything, but does not know it", n.ID)
	case Killed:
		s.say(TopicDeath, n.ID, "%s is killed: %s", n.ID, kept)
	case Off:
		s.say(TopicDeath, n.ID, "%s loses power: what its disk had not really stored is gone", n.ID)
	case Crashed:
		s.say(TopicDeath, n.ID, "%s crashes: %s", n.ID, e.Text)
	case Removed:
		s.say(TopicDeath, n.ID, "%s is no longer a member and stops", n.ID)
	case Wiped:
		s.say(TopicDeath, n.ID, "%s is wiped: it forgets its log, its term and its vote", n.ID)
	}
}

func (s *State) tellRole(n *Node, e *Event) {
	switch e.Role {
	case Leader:
		voters := s.Voters()
		if len(voters) == 1 {
			s.say(TopicLeader, n.ID, "%s leads term %d: it is the only voter", n.ID, e.Term)
			return
		}
		s.say(TopicLeader, n.ID, "%s leads term %d, elected by %d of %d: %s",
			n.ID, e.Term, len(n.Votes), len(voters), strings.Join(n.Votes, " "))
	case Candidate:
		if from := s.handedOver(n); from != "" {
			s.say(TopicElection, n.ID, "%s need not wait for a timeout: %s hands leadership over to it", n.ID, from)
		} else if s.Settings.PreVote {
			s.say(TopicElection, n.ID, "%s asks whether it could win an election: %s", n.ID, n.silence(e.At))
		}
	case Follower:
		if n.Role == Leader {
			s.say(TopicStepDown, n.ID, "%s steps down: %s", n.ID, s.stepDownReason(n))
		}
	}
}

// handedOver returns which leader has just told the node to start an election, ""
// if none has.
func (s *State) handedOver(n *Node) string {
	for i := range s.InFlight {
		f := &s.InFlight[i]
		if f.Kind == "timeout-now" && f.To == n.ID && !f.Reply && f.Status == Delivered && f.EndedAt == s.At {
			return f.From
		}
	}
	return ""
}

// stepDownReason says why a leader ceases to lead, which raft itself does not say.
func (s *State) stepDownReason(n *Node) string {
	// A packet that has just brought a later term (Raft paper, section 5.1). What
	// asks for a pre-vote speaks of a term that may never come.
	var met *InFlight
	for i := range s.InFlight {
		f := &s.InFlight[i]
		if f.To == n.ID && f.Status == Delivered && f.EndedAt == s.At && f.Term > n.Term && (f.Reply || f.Kind != "prevote") {
			met = f
		}
	}
	voters := s.Voters()
	heard := 0
	for _, id := range voters {
		if id == n.ID || n.Peers[id].LastHeard > 0 && s.At-n.Peers[id].LastHeard <= s.Settings.Lease {
			heard++
		}
	}
	switch {
	case met != nil:
		return fmt.Sprintf("it learns from %s that the term is %d by now, not %d", met.From, met.Term, n.Term)
	case heard < Quorum(len(voters)):
		return fmt.Sprintf("only %d of %d answered it within %s, itself included", heard, len(voters), seconds(s.Settings.Lease))
	case len(voters) > 0 && !slices.Contains(voters, n.ID):
		return "it is no longer a voter"
	case n.DiskFault != "":
		return fmt.Sprintf("it could not write its log, because its disk has a fault (%s)", n.DiskFault)
	}
	return "it no longer leads by its own account"
}

// silence says why a node starts an election.
func (n *Node) silence(now time.Duration) string {
	switch n.LastHeardFrom {
	case "":
		return fmt.Sprintf("no leader has called in the %s since it started", seconds(now-n.LastHeard))
	case n.ID:
		return fmt.Sprintf("no leader has called in the %s since it led itself", seconds(now-n.LastHeard))
	}
	return fmt.Sprintf("it has heard nothing from %s for %s", n.LastHeardFrom, seconds(now-n.LastHeard))
}

func (s *State) tellVote(n *Node, e *Event) {
	if e.Peer != n.ID || !n.Process.Running() { // what its disk holds is told before it starts
		return
	}
	if s.Settings.PreVote || s.handedOver(n) != "" {
		s.say(TopicElection, n.ID, "%s stands for election in term %d", n.ID, e.Term)
		return
	}
	s.say(TopicElection, n.ID, "%s stands for election in term %d: %s", n.ID, e.Term, n.silence(s.At))
}

func (s *State) tellTruncated(n *Node, e *Event) {
	which, fate := fmt.Sprintf("entries %d to %d", e.Index, e.Last), "they were never committed"
	if e.Index == e.Last {
		which, fate = fmt.Sprintf("entry %d", e.Index), "it was never committed"
	}
	for _, lost := range s.Lost {
		if entry, ok := n.Entry(lost.Index); ok && lost.Index >= e.Index && lost.Index <= e.Last && entry.Term == lost.Entry.Term {
			fate = "clients had been told that they count"
		}
	}
	term := ""
	if entry, ok := n.Entry(e.Index); ok {
		term = fmt.Sprintf(" of term %d", entry.Term)
	}
	s.say(TopicLog, n.ID, "%s cuts %s%s off its log: %s, and the leader's log has something else there", n.ID, which, term, fate)
}

func (s *State) tellConfig(n *Node, e *Event) {
	if n.Role != Leader || len(n.Servers) == 0 {
		return
	}
	kind := func(voter bool) string {
		if voter {
			return "voter"
		}
		return "non-voter"
	}
	before := map[string]bool{}
	for _, server := range n.Servers {
		before[server.ID] = server.Voter
	}
	for _, server := range e.Servers {
		if voter, ok := before[server.ID]; !ok {
			s.say(TopicMembers, server.ID, "%s makes %s a member, as a %s", n.ID, server.ID, kind(server.Voter))
		} else if voter != server.Voter {
			s.say(TopicMembers, server.ID, "%s makes %s a %s", n.ID, server.ID, kind(server.Voter))
		}
		delete(before, server.ID)
	}
	for _, server := range n.Servers {
		if _, gone := before[server.ID]; gone {
			s.say(TopicMembers, server.ID, "%s removes %s from the members", n.ID, server.ID)
		}
	}
}

func (s *State) tellDisk(n *Node, e *Event) {
	word, _, _ := strings.Cut(e.Text, " ")
	meaning := map[string]string{
		"":        "is sound again",
		"slow":    "is slow now: each write takes longer (" + e.Text + ")",
		"stall":   "stalls: writes wait until it is sound again",
		"fail":    "fails every write from now on",
		"full":    "is full: it takes no more entries",
		"lie":     "lies from now on: it says that a write is stored before it is",
		"corrupt": "flips bits while the node is down",
	}[word]
	if meaning == "" {
		meaning = "has a fault: " + e.Text
	}
	s.say(TopicDisk, n.ID, "the disk of %s %s", n.ID, meaning)
}

func (s *State) tellReturned(op Op) {
	what := "read"
	if op.Kind == EntryAdd {
		what = fmt.Sprintf("%+d", op.Delta)
	}
	via := ""
	if op.Node != "" {
		via = " via " + op.Node
	}
	switch op.Outcome {
	case Failed:
		s.say(TopicClient, op.Node, "%s was told that its %s%s failed: %s", op.Client, what, via, op.Why)
	case Unknown:
		s.say(TopicClient, op.Node, "%s does not know whether its %s%s counted: %s", op.Client, what, via, op.Why)
	case OK, Pending:
	}
}

// tellVerdict tells what a check has found, in its own sentence, once.
func (s *State) tellVerdict(e *Event) {
	if was := s.Check(e.Check); e.Verdict == VerdictOK || was != nil && was.Verdict == e.Verdict && was.Text == e.Text {
		return
	}
	s.say(TopicCheck, "", "%s is %s: %s", e.Check, e.Verdict, e.Text)
}

// tellsOfVote says whether a packet brings the refusal of a vote.
func tellsOfVote(p *Packet) bool {
	return p.Status == Delivered && p.Reply && !p.OK && p.Error == "" && (p.Kind == "vote" || p.Kind == "prevote")
}

// tellPacket tells of a refused vote: the reason lies in two logs.
func (s *State) tellPacket(p *Packet) {
	voter, candidate := s.Node(p.From), s.Node(p.To)
	if voter == nil || candidate == nil || candidate.Role != Candidate {
		return
	}
	what := "its vote"
	if p.Kind == "prevote" {
		what = "its pre-vote"
	}
	s.say(TopicElection, voter.ID, "%s refuses %s to %s: %s", voter.ID, what, candidate.ID, refusal(voter, candidate))
}

// refusal says why voter does not vote for candidate (Raft paper, sections 5.2 and 5.4.1).
func refusal(voter, candidate *Node) string {
	vi, vt, ci, ct := voter.LastIndex(), voter.LastTerm(), candidate.LastIndex(), candidate.LastTerm()
	switch {
	case voter.Leader != "" && voter.Leader != candidate.ID:
		return fmt.Sprintf("it still takes %s for the leader", voter.Leader)
	case vt > ct || vt == ct && vi > ci:
		return fmt.Sprintf("its own log ends at %d (term %d), the other at %d (term %d)", vi, vt, ci, ct)
	case voter.Term > candidate.Term:
		return fmt.Sprintf("it knows term %d already", voter.Term)
	case voter.VoteTerm == candidate.Term && voter.Vote != candidate.ID && voter.Vote != "":
		return fmt.Sprintf("it gave it to %s", voter.Vote)
	}
	return "its term or log had moved on"
}

// seconds writes a duration as people say it.
func seconds(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	default:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
}
