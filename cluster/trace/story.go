package trace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// StoryTopic is the subject of a story line. It decides the line's mark on the
// timeline.
type StoryTopic string

// The topics of the story.
const (
	TopicElection     StoryTopic = "election" // a pre-vote, an election, or a denied vote
	TopicLeader       StoryTopic = "leader"   // StoryLine.Node was elected
	TopicStepDown     StoryTopic = "step-down"
	TopicDeath        StoryTopic = "death" // killed, crashed, without power, removed, wiped
	TopicStart        StoryTopic = "start"
	TopicPause        StoryTopic = "pause"
	TopicUnreachable  StoryTopic = "unreachable" // a node that does not answer, or whose events are missing
	TopicNetwork      StoryTopic = "network"     // a network fault was set
	TopicHealing      StoryTopic = "healing"     // a network fault was cleared
	TopicDisk         StoryTopic = "disk"
	TopicClock        StoryTopic = "clock"
	TopicLog          StoryTopic = "log" // truncated entries, snapshots
	TopicMembers      StoryTopic = "members"
	TopicClient       StoryTopic = "client"  // an operation that failed, or whose outcome is unknown
	TopicRefusal      StoryTopic = "refusal" // a command that could not be carried out
	TopicPresentation StoryTopic = "words"   // captions and chapters
	TopicCheck        StoryTopic = "check"   // a check that is violated or undecided
)

// StoryLine describes one significant event in a sentence: who did what, and why.
type StoryLine struct {
	At    time.Duration // of the latest event, if several in a row read the same
	Seq   uint64        // of the latest event
	Topic StoryTopic
	Node  string
	Text  string
	In    Localized // of a caption or chapter: its translations
	Count int       // how many events in a row read the same, at least 1
}

// mergeWithin is how many of the latest lines are searched for the same sentence, which
// gives events that repeat in a cycle one line each, with a count.
const mergeWithin = 12

// addLine adds a line to the story, or counts up a recent one that reads the same.
func (s *State) addLine(topic StoryTopic, node, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for i := len(s.Story) - 1; i >= max(0, len(s.Story)-mergeWithin); i-- {
		line := s.Story[i]
		if line.Topic == topic && line.Text == text {
			line.At, line.Seq, line.Count = s.At, s.Seq, line.Count+1
			s.Story = append(slices.Delete(s.Story, i, i+1), line)
			return
		}
		// Two equal lines with a change between them are two events: a node that was isolated,
		// reconnected and isolated again.
		if !topic.recurs() || !line.Topic.recurs() {
			break
		}
	}
	if len(s.Story) == storyMax {
		s.Story = slices.Delete(s.Story, 0, storyMax/4)
	}
	s.Story = append(s.Story, StoryLine{At: s.At, Seq: s.Seq, Topic: topic, Node: node, Text: text, Count: 1})
}

// recurs reports whether lines of a topic can repeat while nothing changes: attempts that fail
// again and again.
func (t StoryTopic) recurs() bool { return t == TopicElection || t == TopicLog || t == TopicClient }

// narrate adds the line for an event, if the event is significant. It runs before the event
// is applied, because a sentence needs the state before it.
func (s *State) narrate(e *Event) {
	switch e.Kind {
	case KindSettings:
		s.narrateSettings(e)
	case KindShape:
		s.addLine(TopicNetwork, "", "%s", e.Text)
	case KindHealed:
		s.addLine(TopicHealing, "", "%s", e.Text)
	case KindRefused:
		s.addLine(TopicRefusal, "", "%s", e.Text)
	case KindChapter, KindCaption:
		s.narrateCaption(e)
	case KindQuestion:
		if e.Question != nil {
			s.narrateQuestion(e.Question)
		}
	case KindReturned:
		if e.Op != nil {
			s.narrateReturned(*e.Op)
		}
	case KindVerdict:
		s.narrateVerdict(e)
	default:
		if n := s.Node(e.Node); n != nil {
			s.narrateNode(n, e)
		}
	}
}

func (s *State) narrateNode(n *Node, e *Event) {
	switch e.Kind {
	case KindProcess:
		s.narrateProcess(n, e)
	case KindRole:
		s.narrateRole(n, e)
	case KindReason:
		if e.Reason != nil {
			s.narrateReason(n, e.Reason)
		}
	case KindLoaded:
		if e.Text != "" {
			s.addLine(TopicDisk, n.ID, "%s falls back to its snapshot up to entry %d: %s", n.ID, e.Last, e.Text)
		}
	case KindTruncated:
		s.narrateTruncated(n, e)
	case KindSnapshot:
		s.addLine(TopicLog, n.ID, "%s takes a snapshot at entry %d: it can drop the log before that", n.ID, e.Index)
	case KindInstalled:
		s.narrateInstalled(n, e)
	case KindRecovered:
		s.narrateRecovered(n, e.Servers)
	case KindConfig:
		s.narrateConfig(n, e)
	case KindDiskFault:
		s.narrateDiskFault(n, e)
	case KindClockFault:
		s.narrateClockFault(n, e)
	case KindApplyFault:
		s.narrateApplyFault(n, e)
	case KindGap:
		s.addLine(TopicUnreachable, n.ID, "events of %s may be missing from here: %s", n.ID, e.Text)
	default:
	}
}

func (s *State) narrateProcess(n *Node, e *Event) {
	switch e.Process {
	case Up:
		switch n.Process {
		case Paused:
			s.addLine(TopicPause, n.ID, "%s resumes: everything held for it arrives at once", n.ID)
		case Unreachable:
			s.addLine(TopicStart, n.ID, "%s answers again with %s", n.ID, n.onDisk())
		case "", Removed:
			if s.LeaderNode() != nil {
				s.addLine(TopicStart, n.ID, "%s starts", n.ID)
			}
		default:
			s.addLine(TopicStart, n.ID, "%s restarts with %s", n.ID, n.onDisk())
		}
	case Paused:
		s.addLine(TopicPause, n.ID, "%s is paused (SIGSTOP): nothing gets in or out", n.ID)
	case Unreachable:
		s.addLine(TopicUnreachable, n.ID, "%s is unreachable: %s; it may still run", n.ID, cmp.Or(e.Text, "it does not answer"))
	case Killed:
		s.addLine(TopicDeath, n.ID, "%s is killed with %s", n.ID, n.onDisk())
	case Off:
		s.addLine(TopicDeath, n.ID, "%s loses power: writes it had not synced are gone", n.ID)
	case Crashed:
		s.addLine(TopicDeath, n.ID, "%s crashes: %s", n.ID, e.Text)
	case Removed:
		s.addLine(TopicDeath, n.ID, "%s stops: %s", n.ID, cmp.Or(e.Text, "it is no longer a member"))
	case Wiped:
		s.addLine(TopicDeath, n.ID, "%s is wiped: its log, term and vote are gone", n.ID)
	}
}

// onDisk describes what a node's disk holds.
func (n *Node) onDisk() string {
	entries := fmt.Sprintf("%d log entries", len(n.Entries))
	if len(n.Entries) == 1 {
		entries = "1 log entry"
	}
	switch {
	case n.SnapshotIndex > 0 && len(n.Entries) == 0:
		return fmt.Sprintf("a snapshot up to entry %d on disk", n.SnapshotIndex)
	case n.SnapshotIndex > 0:
		return fmt.Sprintf("a snapshot up to entry %d and %s on disk", n.SnapshotIndex, entries)
	case len(n.Entries) > 0:
		return entries + " on disk"
	}
	return "an empty disk"
}

func (s *State) narrateConfig(n *Node, e *Event) {
	if n.Role != Leader || len(n.Servers) == 0 {
		return
	}
	before := map[string]bool{}
	for _, server := range n.Servers {
		before[server.ID] = server.Voter
	}
	for _, server := range e.Servers {
		wasVoter, wasMember := before[server.ID]
		delete(before, server.ID)
		switch {
		case !wasMember && server.Voter:
			s.addLine(TopicMembers, server.ID, "%s adds %s as a voter", n.ID, server.ID)
		case !wasMember:
			s.addLine(TopicMembers, server.ID, "%s adds %s as a non-voter", n.ID, server.ID)
		case server.Voter && !wasVoter:
			s.addLine(TopicMembers, server.ID, "%s promotes %s to voter", n.ID, server.ID)
		case !server.Voter && wasVoter:
			s.addLine(TopicMembers, server.ID, "%s demotes %s to non-voter", n.ID, server.ID)
		}
	}
	for _, server := range n.Servers {
		if _, gone := before[server.ID]; gone {
			s.addLine(TopicMembers, server.ID, "%s removes %s from the cluster", n.ID, server.ID)
		}
	}
}

func (s *State) narrateDiskFault(n *Node, e *Event) {
	if e.Text == "" && n.DiskFault == "" {
		return // it was healthy before
	}
	fault, rest, _ := strings.Cut(e.Text, " ")
	effect := map[string]string{
		"":        "is healthy again",
		"slow":    "is slow: each write takes " + rest + " longer",
		"stall":   "stalls: writes wait until it is healthy again",
		"fail":    "fails: every write returns an error",
		"full":    "is full: it takes no new entries",
		"lie":     "lies: it reports writes as synced before they are",
		"corrupt": "flips bits while the node is down",
	}[fault]
	if e.Text == "corrupt snapshot" {
		effect = "flips bits in the newest snapshot while the node is down"
	}
	if effect == "" {
		effect = "has a fault: " + e.Text
	}
	s.addLine(TopicDisk, n.ID, "%s's disk %s", n.ID, effect)
}

func (s *State) narrateReturned(op Op) {
	what := "read"
	if op.Kind == EntryAdd {
		what = fmt.Sprintf("%+d", op.Delta)
	}
	// The attempt that decided the outcome may have been at another node than the last one.
	via, why := op.Node, op.Why
	if at, cause, ok := strings.Cut(op.Why, ": "); ok && s.Node(at) != nil {
		via, why = at, cause
	}
	if via != "" {
		via = " via " + via
	}
	switch op.Outcome {
	case Failed:
		s.addLine(TopicClient, op.Node, "%s's %s%s failed (%s)", op.Client, what, via, why)
	case Unknown:
		s.addLine(TopicClient, op.Node, "%s's %s%s: outcome unknown (%s)", op.Client, what, via, why)
	case OK, Pending:
	}
}

// narrateVerdict adds a line for a check that is violated or undecided, once.
func (s *State) narrateVerdict(e *Event) {
	if was := s.Check(e.Check); e.Verdict == VerdictOK || was != nil && was.Verdict == e.Verdict && was.Text == e.Text {
		return
	}
	s.addLine(TopicCheck, "", "%s is %s: %s", e.Check, e.Verdict, e.Text)
}
