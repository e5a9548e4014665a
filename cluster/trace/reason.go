package trace

import (
	"fmt"
	"time"
)

// Decision is a decision that a node's raft made.
type Decision string

// The decisions that come with a reason.
const (
	DenyVote        Decision = "deny-vote"
	DenyPreVote     Decision = "deny-prevote"
	StepDown        Decision = "step-down"
	StartPreVote    Decision = "start-prevote"
	StartElection   Decision = "start-election"
	WinElection     Decision = "win-election"
	Truncate        Decision = "truncate"
	SendSnapshot    Decision = "send-snapshot"
	InstallSnapshot Decision = "install-snapshot" // of a snapshot that the node has installed before
)

// Cause is the kind of a [Reason].
type Cause string

// The causes, with the fields of a [Reason] that they use beside Decision and Peer.
const (
	// Why a vote or pre-vote is denied. Peer is the candidate, Term the term of its request.
	NotMember  Cause = "not-member"  // the candidate is not in the voter's configuration
	NotVoter   Cause = "not-voter"   // the candidate is a non-voter there
	HasLeader  Cause = "has-leader"  // Other: the leader that the voter knows
	TermBehind Cause = "term-behind" // OwnTerm: the voter's
	VoteGiven  Cause = "vote-given"  // Other: the candidate it voted for in Term
	LogBehind  Cause = "log-behind"  // LastIndex, LastTerm: the voter's last entry; PeerIndex, PeerTerm: the candidate's
	DiskFailed Cause = "disk-failed" // Error; also the cause of a leader's step-down

	// Why a leader steps down.
	LostQuorum   Cause = "lost-quorum"   // Count of Total voters of its configuration replied within Silence, its lease
	LaterTerm    Cause = "later-term"    // Peer is in a later term: Term, 0 if unknown; OwnTerm: the term that the node led
	AskedForVote Cause = "asked-to-vote" // Peer asks for a vote in Term
	HandedOver   Cause = "handed-over"   // Peer asks for a vote in Term, after a transfer of leadership
	NotConfirmed Cause = "not-confirmed" // a follower did not confirm its leadership, because of a later term
	NoVoter      Cause = "no-voter"      // it is no voter in the committed configuration

	// Why a pre-vote or an election starts, for Term.
	HeartbeatTimeout Cause = "heartbeat-timeout" // Peer: its leader, "" for none; Silence; Other: what Silence counts from, "" for the last contact; or FiredByHand
	ElectionTimeout  Cause = "election-timeout"  // the previous one had no result in time; Other: FiredByHand or ""
	Transferred      Cause = "transferred"       // Peer hands leadership over, "" if unknown
	PreVoteWon       Cause = "prevote-won"       // Count of Total voters

	VotesWon Cause = "votes-won" // Term; Count of Total voters of its configuration: Voters

	LogConflict  Cause = "log-conflict"  // of a truncation, Peer: the leader; of a snapshot, OwnTerm and PeerTerm: the terms of the previous entry
	LogCompacted Cause = "log-compacted" // the leader's log no longer holds the entries that Peer needs
	EntryMissing Cause = "entry-missing" // the follower looked for entry PeerIndex in its log, which ends at LastIndex
)

// What the silence before an election counts from, if there was no contact with a leader.
const (
	SinceStart    = "start"
	SinceStepDown = "step-down"
)

// FiredByHand marks an election of which a user has fired the timer: it is the Other of a
// HeartbeatTimeout or an ElectionTimeout.
const FiredByHand = "fired"

// Reason is why a node's raft made a decision, from what the node itself knew at that moment.
type Reason struct {
	Decision  Decision      `json:"decision"`
	Cause     Cause         `json:"cause"`
	Peer      string        `json:"peer,omitempty"`
	Other     string        `json:"other,omitempty"`
	Term      uint64        `json:"term,omitempty"`
	OwnTerm   uint64        `json:"own_term,omitempty"`
	LastIndex uint64        `json:"last_index,omitempty"`
	LastTerm  uint64        `json:"last_term,omitempty"`
	PeerIndex uint64        `json:"peer_index,omitempty"`
	PeerTerm  uint64        `json:"peer_term,omitempty"`
	Count     int           `json:"count,omitempty"`
	Total     int           `json:"total,omitempty"`
	Silence   time.Duration `json:"silence,omitempty"`
	Voters    []string      `json:"voters,omitempty"`
	Error     string        `json:"error,omitempty"`
}

// Denial returns why a node, voter, denies Peer its vote (Raft paper, sections 5.2 and 5.4.1). It
// returns "" for any other decision.
func (r *Reason) Denial(voter string) string {
	switch r.Cause {
	case NotMember:
		return fmt.Sprintf("%s is not in its configuration", r.Peer)
	case NotVoter:
		return fmt.Sprintf("%s is not a voter in its configuration", r.Peer)
	case HasLeader:
		if r.Other == voter {
			return "it is the leader"
		}
		return fmt.Sprintf("it still follows leader %s", r.Other)
	case TermBehind:
		return fmt.Sprintf("it is already in term %d", r.OwnTerm)
	case VoteGiven:
		return fmt.Sprintf("it voted for %s in term %d", r.Other, r.Term)
	case LogBehind:
		if r.LastTerm == r.PeerTerm {
			return fmt.Sprintf("%s's log ends at %d, its own at %d (both term %d)", r.Peer, r.PeerIndex, r.LastIndex, r.LastTerm)
		}
		return fmt.Sprintf("%s's log ends at %d (term %d), its own at %d (term %d)", r.Peer, r.PeerIndex, r.PeerTerm, r.LastIndex, r.LastTerm)
	case DiskFailed:
		return "its disk failed to store the vote" + r.inBrackets()
	default:
		return ""
	}
}

// inBrackets returns the error in brackets, "" if there is none.
func (r *Reason) inBrackets() string {
	if r.Error == "" {
		return ""
	}
	return " (" + r.Error + ")"
}

// stepDown returns why a leader becomes a follower.
func (r *Reason) stepDown() string {
	switch r.Cause {
	case LostQuorum:
		return fmt.Sprintf("lost contact with its quorum for %s (heard from %d of %d)", Seconds(r.Silence), r.Count, r.Total)
	case LaterTerm:
		switch {
		case r.Peer == "":
			return "another node is in a later term"
		case r.Term == 0:
			return fmt.Sprintf("%s is in a later term", r.Peer)
		case r.Term == r.OwnTerm:
			return fmt.Sprintf("%s also leads term %d", r.Peer, r.Term)
		}
		return fmt.Sprintf("%s leads term %d", r.Peer, r.Term)
	case AskedForVote:
		return fmt.Sprintf("%s asks for its vote in term %d", r.Peer, r.Term)
	case HandedOver:
		return fmt.Sprintf("%s asks for its vote in term %d (leadership transfer)", r.Peer, r.Term)
	case NotConfirmed:
		return "a follower is in a later term"
	case NoVoter:
		return "it is no longer a voter"
	case DiskFailed:
		return "its disk failed to store an entry" + r.inBrackets()
	default:
		return ""
	}
}

// campaign returns why a node starts a pre-vote or an election.
func (r *Reason) campaign() string {
	switch r.Cause {
	case HeartbeatTimeout:
		silence := Seconds(r.Silence)
		switch {
		case r.Other == FiredByHand && r.Peer != "":
			return fmt.Sprintf("its timer is fired by hand (last heard from %s %s ago)", r.Peer, silence)
		case r.Other == FiredByHand:
			return "its timer is fired by hand"
		case r.Peer != "":
			return fmt.Sprintf("no heartbeat from %s for %s", r.Peer, silence)
		case r.Other == SinceStart:
			return fmt.Sprintf("no heartbeat since it started %s ago", silence)
		case r.Other == SinceStepDown:
			return fmt.Sprintf("no heartbeat since it stepped down %s ago", silence)
		}
		return fmt.Sprintf("no known leader (last contact %s ago)", silence)
	case ElectionTimeout:
		if r.Other == FiredByHand {
			return "its timer is fired by hand"
		}
		if r.Decision == StartPreVote {
			return "the previous one timed out"
		}
		return "the previous election timed out"
	case PreVoteWon:
		return fmt.Sprintf("pre-vote won (%d of %d)", r.Count, r.Total)
	default:
		return ""
	}
}

// again returns why a node installs a snapshot that it has installed before. The library sends
// it repeatedly if the follower's stale log conflicts with it (hashicorp/raft #697).
func (r *Reason) again() string {
	switch r.Cause {
	case LogConflict:
		return fmt.Sprintf("its stale log has term %d, the leader's %d (raft #697)", r.OwnTerm, r.PeerTerm)
	case EntryMissing:
		return fmt.Sprintf("its stale log ends at %d but lacks entry %d (raft #697)", r.LastIndex, r.PeerIndex)
	default:
		return ""
	}
}
