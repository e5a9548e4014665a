package faults

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/raft"
)

// Kind is the kind of RPC a packet belongs to. A reply has the kind of its request.
type Kind uint8

// The kinds of RPC that hashicorp/raft makes.
const (
	KindAppend     Kind = iota + 1 // AppendEntries that replicates entries or a commit index
	KindHeartbeat                  // AppendEntries without entries, previous entry or commit index
	KindVote                       // RequestVote
	KindPreVote                    // RequestPreVote
	KindSnapshot                   // InstallSnapshot
	KindTimeoutNow                 // TimeoutNow, which transfers leadership
)

var kindNames = [...]string{
	KindAppend:     "append",
	KindHeartbeat:  "heartbeat",
	KindVote:       "vote",
	KindPreVote:    "prevote",
	KindSnapshot:   "snapshot",
	KindTimeoutNow: "timeout-now",
}

// Kinds returns every kind, in a fixed order.
func Kinds() []Kind {
	return []Kind{KindAppend, KindHeartbeat, KindVote, KindPreVote, KindSnapshot, KindTimeoutNow}
}

// String returns the kind's name, such as "append" or "timeout-now".
func (k Kind) String() string {
	if k < KindAppend || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// ParseKind is the inverse of Kind.String. Its error lists the valid kinds.
func ParseKind(s string) (Kind, error) {
	for _, k := range Kinds() {
		if kindNames[k] == s {
			return k, nil
		}
	}
	return 0, fmt.Errorf("unknown message kind %q: use one of %s", s, strings.Join(kindNames[KindAppend:], ", "))
}

// kindSet is a set of kinds, one bit each.
type kindSet uint8

const everyKind = ^kindSet(0)

func setOf(kinds ...Kind) kindSet {
	var s kindSet
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

func (s kindSet) has(k Kind) bool { return s&(1<<k) != 0 }

// String lists the names of the kinds in the set: "append,heartbeat".
func (s kindSet) String() string {
	var names []string
	for _, k := range Kinds() {
		if s.has(k) {
			names = append(names, k.String())
		}
	}
	return strings.Join(names, ",")
}

// PacketStatus is where a packet is in its life. Each packet is Sent once, and then
// either Delivered or Lost once. In between, a [Hold] reports it as Waiting.
type PacketStatus uint8

// The statuses of a packet.
const (
	Sent PacketStatus = iota + 1
	Delivered
	Lost
	// Waiting is reported when a Hold stops the packet, and again when the deadline of its RPC
	// begins to run.
	Waiting
	// Expired is reported when the caller of an RPC gives up of which a Hold has stopped a packet.
	Expired
)

// String returns the status as one word, such as "sent".
func (s PacketStatus) String() string {
	switch s {
	case Sent:
		return "sent"
	case Delivered:
		return "delivered"
	case Lost:
		return "lost"
	case Waiting:
		return "waiting"
	case Expired:
		return "expired"
	default:
		return fmt.Sprintf("status(%d)", uint8(s))
	}
}

// Packet is one message on one link, as reported to the tap. It is a plain value and
// shares no memory with Raft.
type Packet struct {
	ID        uint64 // unique; a duplicate has an ID of its own
	RPC       uint64 // shared by a request, its reply and their duplicates
	Status    PacketStatus
	From, To  raft.ServerAddress
	Kind      Kind
	Reply     bool
	Duplicate bool
	Why       string        // if Lost: the reason, such as "cut" or "n4 is down"
	Delay     time.Duration // if Sent: the time until delivery; 0 if at once, or if Held
	Held      bool          // if Sent: the packet waits for a release, so its delay is unknown
	Deadline  time.Time     // if Waiting: when the caller gives up; zero if no deadline runs
	SizeBytes int           // an estimate of the size on the wire
	Content
}

// Content summarizes the message a packet carries. Fields that do not apply are zero.
type Content struct {
	Term                uint64
	PrevIndex, PrevTerm uint64 // append request: the entry before the first one
	FirstIndex          uint64 // append request: the index of the first entry
	Entries             int    // append request: the number of entries
	CommitIndex         uint64 // append request: the leader's commit index

	// LastIndex and LastTerm are the candidate's last entry in a vote or pre-vote request,
	// and the snapshot's last entry in a snapshot request. In an append reply, LastIndex is
	// the follower's last index.
	LastIndex, LastTerm uint64

	RequestTerm uint64 // reply: the term of its request

	OK       bool   // reply: success, or vote granted
	Transfer bool   // vote request: part of a leadership transfer
	Error    string // reply: the error the RPC ended with
}

// Sizes on the wire are estimates: these fixed parts, plus the variable parts.
const (
	requestOverheadBytes = 64
	entryOverheadBytes   = 32
	replySizeBytes       = 48
)

// DescribeRequest sets the kind, size and content of a request of raft's, such as
// *raft.AppendEntriesRequest. data is the content of a snapshot.
func (p *Packet) DescribeRequest(command any, data []byte) {
	p.SizeBytes = requestOverheadBytes + len(data)
	switch c := command.(type) {
	case *raft.AppendEntriesRequest:
		p.Kind = kindOfAppend(c)
		p.Term, p.PrevIndex, p.PrevTerm, p.CommitIndex = c.Term, c.PrevLogEntry, c.PrevLogTerm, c.LeaderCommitIndex
		p.Entries = len(c.Entries)
		if p.Entries > 0 {
			p.FirstIndex = c.Entries[0].Index
		}
		for _, e := range c.Entries {
			p.SizeBytes += entryOverheadBytes + len(e.Data) + len(e.Extensions)
		}
	case *raft.RequestVoteRequest:
		p.Kind, p.Term, p.LastIndex, p.LastTerm, p.Transfer = KindVote, c.Term, c.LastLogIndex, c.LastLogTerm, c.LeadershipTransfer
	case *raft.RequestPreVoteRequest:
		p.Kind, p.Term, p.LastIndex, p.LastTerm = KindPreVote, c.Term, c.LastLogIndex, c.LastLogTerm
	case *raft.InstallSnapshotRequest:
		p.Kind, p.Term, p.LastIndex, p.LastTerm = KindSnapshot, c.Term, c.LastLogIndex, c.LastLogTerm
		p.SizeBytes += len(c.Peers) + len(c.Configuration)
	case *raft.TimeoutNowRequest:
		p.Kind = KindTimeoutNow
	}
}

// kindOfAppend distinguishes heartbeats from replication as raft's NetworkTransport does
// (net_transport.go, handleCommand): a heartbeat has only a term and a leader.
func kindOfAppend(c *raft.AppendEntriesRequest) Kind {
	leader := c.Addr
	if len(leader) == 0 {
		leader = c.Leader //nolint:staticcheck // Raft still reads the deprecated field.
	}
	if c.Term != 0 && leader != nil && len(c.Entries) == 0 && c.PrevLogEntry == 0 && c.PrevLogTerm == 0 && c.LeaderCommitIndex == 0 {
		return KindHeartbeat
	}
	return KindAppend
}

// DescribeReply sets the size and content of a reply. Its kind is that of the request.
func (p *Packet) DescribeReply(answer raft.RPCResponse) {
	p.SizeBytes = replySizeBytes
	if answer.Error != nil {
		p.Error = answer.Error.Error()
		p.SizeBytes += len(p.Error)
	}
	switch r := answer.Response.(type) {
	case *raft.AppendEntriesResponse:
		p.Term, p.LastIndex, p.OK = r.Term, r.LastLog, r.Success
	case *raft.RequestVoteResponse:
		p.Term, p.OK = r.Term, r.Granted
	case *raft.RequestPreVoteResponse:
		p.Term, p.OK = r.Term, r.Granted
	case *raft.InstallSnapshotResponse:
		p.Term, p.OK = r.Term, r.Success
	case *raft.TimeoutNowResponse:
		p.OK = answer.Error == nil
	}
}
