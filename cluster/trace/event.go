package trace

import (
	"slices"
	"time"
)

// Kind is what an event is about. It decides which fields the event carries.
type Kind string

// The kinds of events, each with the fields it carries beside Seq and At.
const (
	KindSettings Kind = "settings" // Settings: how the cluster is set up; always the first event

	KindProcess   Kind = "life"      // Node, Process, Text (why)
	KindRole      Kind = "role"      // Node, Role, Term; Reason: of a new leader, and of one that steps down
	KindTerm      Kind = "term"      // Node, Term: now on its disk
	KindVote      Kind = "vote"      // Node, Term, Peer (the candidate): now on its disk
	KindLeader    Kind = "leader"    // Node, Peer: the leader it follows, "" for none
	KindConfig    Kind = "config"    // Node, Servers: the configuration in use
	KindLoaded    Kind = "loaded"    // Node, Index, Entries: its log at a start; Last, Term, Data, Servers: its snapshot; Text: what is wrong with a newer one
	KindAppended  Kind = "appended"  // Node, Index, Entries: now on its disk, from Index on
	KindTruncated Kind = "truncated" // Node, Index, Last: entries removed from the end of its log; Reason
	KindCompacted Kind = "compacted" // Node, Index, Last: entries removed from its start, covered by a snapshot
	KindCommitted Kind = "committed" // Node, Index: its commit index
	KindApplied   Kind = "applied"   // Node, Index, Term, Value: the counter after that entry
	KindSnapshot  Kind = "snapshot"  // Node, Index, Term, Size, Data, Servers: a snapshot it took
	KindInstalled Kind = "installed" // Node, Index, Term, Value, Data, Servers: a snapshot from the leader; Reason: why, if it had installed it before
	KindReason    Kind = "reason"    // Node, Reason: a decision of its raft, and why
	KindRecovered Kind = "recovered" // Node, Servers: the configuration forced on its disk (unsafe recovery)

	KindPacket Kind = "packet" // Packet

	KindLinkFault  Kind = "link-fault"  // Node (from), Peer (to), Faults: every fault now set on the link
	KindDiskFault  Kind = "disk-fault"  // Node, Text: the fault, "" for a healthy disk
	KindDamage     Kind = "damage"      // Node, Text: the disk fault whose damage keeps it from starting, "" if it can start all the same
	KindClockFault Kind = "clock-fault" // Node, Factor: by which its timeouts and its lease are multiplied
	KindApplyFault Kind = "apply-fault" // Node, Text: the fault of its state machine, "" for none
	KindShape      Kind = "shape"       // Text: a sentence about faults set on the network
	KindHealed     Kind = "healed"      // Text: a sentence about network faults cleared

	KindInvoked  Kind = "invoked"  // Op: a client called
	KindReturned Kind = "returned" // Op: a client got its reply, or gave up

	KindCommand  Kind = "command"  // Text: a command of the user or of a scenario
	KindOrder    Kind = "order"    // Text: an order to an exact engine, as JSON: with the header, all that a run depends on
	KindRefused  Kind = "refused"  // Text: a command that could not be carried out, and why
	KindChapter  Kind = "chapter"  // Text; Peer: the language of a translation, "" for the original
	KindCaption  Kind = "caption"  // Text; Peer: the language of a translation, "" for the original
	KindQuestion Kind = "question" // Question: asked, answered, or judged
	KindVerdict  Kind = "verdict"  // Check, Verdict, Text, Proof, Count; Index, Entries: acknowledged entries that were lost
	KindGap      Kind = "gap"      // Node, Text: events of the node may be missing, or come late
	KindLogLine  Kind = "log-line" // Node, Text: a line of the library's own log
)

// ProcessState is the state of a node's process.
type ProcessState string

// The states of a process. A node has a role in Raft only while it is Up or Paused.
const (
	Up      ProcessState = "up"
	Paused  ProcessState = "paused"  // stopped as by SIGSTOP
	Killed  ProcessState = "killed"  // the process died; the page cache survived
	Off     ProcessState = "off"     // the machine lost power; writes not synced are gone
	Crashed ProcessState = "crashed" // a disk fault ended the process
	Removed ProcessState = "removed" // no longer a member, and stopped
	Wiped   ProcessState = "wiped"   // stopped, and its disk is empty
	// Unreachable: its host or its control connection does not answer. It may still run. What is
	// known about it is from before.
	Unreachable ProcessState = "unreachable"
)

// Running reports whether the process is known to exist.
func (p ProcessState) Running() bool { return p == Up || p == Paused }

// Down reports whether the process is known not to exist. An unreachable one is neither down nor
// running, nor is one that has never started.
func (p ProcessState) Down() bool { return !p.Running() && p != Unreachable && p != "" }

// Role is a node's role in Raft, as the node itself sees it.
type Role string

// The roles of the Raft paper, section 5.1.
const (
	Follower  Role = "follower"
	Candidate Role = "candidate"
	Leader    Role = "leader"
)

// EntryKind is the type of a log entry.
type EntryKind string

// The types of log entries.
const (
	EntryAdd    EntryKind = "add"    // an increment
	EntryRead   EntryKind = "read"   // a read through the log
	EntryNoop   EntryKind = "noop"   // appended by a new leader to commit earlier entries (Raft paper, section 8)
	EntryConfig EntryKind = "config" // a membership change
	EntryOther  EntryKind = "other"
)

// Entry is one entry of a node's log. Its position in a list gives its index.
type Entry struct {
	Term   uint64    `json:"term"`
	Kind   EntryKind `json:"kind"`
	Delta  int64     `json:"delta,omitempty"`
	Client string    `json:"client,omitempty"`
	Seq    uint64    `json:"seq,omitempty"` // the client's sequence number
	// NoSession marks an increment without a session: a retry counts again.
	NoSession bool `json:"sessionless,omitempty"`
	// Servers are the members in an entry of EntryConfig.
	Servers []Server `json:"servers,omitempty"`
}

// Same reports whether two entries of one index are the same entry.
func (e *Entry) Same(other *Entry) bool {
	return e.Term == other.Term && e.Kind == other.Kind && e.Delta == other.Delta && e.OpKey() == other.OpKey() &&
		slices.Equal(e.Servers, other.Servers)
}

// OpKey identifies a client's operation, in a call and in a log entry.
type OpKey struct {
	Client string
	Seq    uint64 // the client's sequence number
}

// OpKey returns the key of the operation that the entry carries.
func (e *Entry) OpKey() OpKey { return OpKey{e.Client, e.Seq} }

// OpKey returns the key by which the operation's log entry identifies it.
func (o *Op) OpKey() OpKey { return OpKey{o.Client, o.Seq} }

// Server is one member of a configuration.
type Server struct {
	ID    string `json:"id"`
	Voter bool   `json:"voter"`
}

// PacketStatus is what became of a packet.
type PacketStatus string

// The statuses of a packet.
const (
	Sent      PacketStatus = "sent"
	Delivered PacketStatus = "delivered"
	Lost      PacketStatus = "lost"
	Waiting   PacketStatus = "waiting" // stopped by a hold, until it is delivered or dropped
	Expired   PacketStatus = "expired" // the caller of an RPC that a hold has stopped gives up: its deadline has passed
)

// DroppedByHand is why a packet is lost that a user has dropped.
const DroppedByHand = "dropped by hand"

// Packet is one message between two nodes: the request or the reply of an RPC.
type Packet struct {
	ID        uint64        `json:"id"`
	RPC       uint64        `json:"rpc"` // the same for a request and its reply
	Status    PacketStatus  `json:"fate"`
	From      string        `json:"from"`
	To        string        `json:"to"`
	Kind      string        `json:"kind"` // append, heartbeat, vote, prevote, snapshot, timeout-now
	Reply     bool          `json:"reply,omitempty"`
	Duplicate bool          `json:"duplicate,omitempty"`
	Held      bool          `json:"held,omitempty"`  // waiting on a jammed link or at a paused node
	Why       string        `json:"why,omitempty"`   // of a lost packet: the cause
	Delay     time.Duration `json:"delay,omitempty"` // of a sent packet: its time in flight
	// Deadline is when the caller of a waiting packet's RPC gives up, 0 if no deadline runs.
	Deadline  time.Duration `json:"deadline,omitempty"`
	SizeBytes int           `json:"size,omitempty"`
	Term      uint64        `json:"term,omitempty"`
	OK        bool          `json:"ok,omitempty"` // of a reply: accepted, or vote granted
	// Of append requests: the entry before the first one carried, that first one, how many
	// follow, and the leader's commit index.
	PrevIndex uint64 `json:"prev_index,omitempty"`
	PrevTerm  uint64 `json:"prev_term,omitempty"`
	First     uint64 `json:"first,omitempty"`
	Entries   int    `json:"entries,omitempty"`
	Commit    uint64 `json:"commit,omitempty"`
	// Of vote requests: the candidate's last entry; of append replies: the follower's; of
	// snapshot requests: the last entry the snapshot covers.
	LastIndex uint64 `json:"last_index,omitempty"`
	LastTerm  uint64 `json:"last_term,omitempty"`
	Error     string `json:"error,omitempty"` // of a reply that carries one
}

// Outcome is what a client knows about its operation.
type Outcome string

// The outcomes of an operation. Pending ones have not returned.
const (
	Pending Outcome = ""
	OK      Outcome = "ok"
	Failed  Outcome = "failed"  // certainly not applied
	Unknown Outcome = "unknown" // may have been applied, or may still be
)

// Op is one operation of a client.
type Op struct {
	ID      uint64        `json:"id"`
	Client  string        `json:"client"`
	Kind    EntryKind     `json:"kind"` // EntryAdd or EntryRead
	Delta   int64         `json:"delta,omitempty"`
	Level   string        `json:"level,omitempty"` // of a read: none, weak, lease, linearizable, strong
	Route   string        `json:"route"`           // leader, round-robin, random, or a node
	Seq     uint64        `json:"seq,omitempty"`
	Invoked time.Duration `json:"invoked"`
	// Of a returned operation.
	Returned time.Duration `json:"returned,omitempty"`
	Node     string        `json:"node,omitempty"` // the node that replied, or was asked last
	Attempts int           `json:"attempts,omitempty"`
	Outcome  Outcome       `json:"outcome,omitempty"`
	Value    int64         `json:"value,omitempty"` // of an operation that is ok: the counter
	Why      string        `json:"why,omitempty"`   // of one that is not: the cause
	// Of an operation in a State, not in an event: the numbers of its call's and its
	// return's event, by which a verdict's proof refers to it.
	CallSeq   uint64 `json:"-"`
	ReturnSeq uint64 `json:"-"`
}

// Verdict is what a check says about the events so far.
type Verdict string

// The verdicts of a check. A violated check stays violated.
const (
	VerdictOK        Verdict = "ok"
	VerdictViolated  Verdict = "violated"
	VerdictUndecided Verdict = "undecided" // Event.Text says why
)

// Settings are the settings of a cluster.
type Settings struct {
	Seed              int64         `json:"seed"`
	Storage           string        `json:"storage"` // bolt or memory
	Heartbeat         time.Duration `json:"heartbeat"`
	Election          time.Duration `json:"election"`
	Lease             time.Duration `json:"lease"`
	Latency           time.Duration `json:"latency"`
	Jitter            time.Duration `json:"jitter"`
	Fsync             time.Duration `json:"fsync"`
	RPCTimeout        time.Duration `json:"rpc_timeout"`
	ClientTimeout     time.Duration `json:"client_timeout"`
	Sessions          bool          `json:"sessions"`
	SnapshotThreshold uint64        `json:"snapshot_threshold"`
	TrailingLogs      uint64        `json:"trailing_logs"`
	Library
}

// Library says which optional code paths of hashicorp/raft a cluster uses. Older recordings have
// neither FastHeartbeats nor Pipeline.
type Library struct {
	PreVote bool `json:"prevote"`
	// SnapshotCure works around a livelock of the library after an installed snapshot
	// (hashicorp/raft #697).
	SnapshotCure bool `json:"snapshot_cure"`
	// FastHeartbeats lets heartbeats bypass the queue of a node's main loop.
	FastHeartbeats bool `json:"fast_heartbeats"`
	// Pipeline sends appends without waiting for the replies to earlier ones.
	Pipeline bool `json:"pipeline"`
}

// Event is one thing that happened. Its Kind decides which fields it carries. An event is one
// line of a recording; the JSON names are part of the file format.
type Event struct {
	Seq  uint64        `json:"seq"`
	At   time.Duration `json:"at"`
	Kind Kind          `json:"kind"`
	Node string        `json:"node,omitempty"`
	Peer string        `json:"peer,omitempty"`

	Process ProcessState `json:"life,omitempty"`
	Role    Role         `json:"role,omitempty"`

	Term  uint64 `json:"term,omitempty"`
	Index uint64 `json:"index,omitempty"`
	Last  uint64 `json:"last,omitempty"`
	Value int64  `json:"value,omitempty"`
	Size  int64  `json:"size,omitempty"` // bytes

	Factor  float64 `json:"factor,omitempty"`
	Check   string  `json:"check,omitempty"`
	Verdict Verdict `json:"verdict,omitempty"`
	Count   uint64  `json:"count,omitempty"` // of a verdict: how many operations or events it is based on
	Text    string  `json:"text,omitempty"`

	// Data is the content of a snapshot, as package counter encodes it.
	Data []byte `json:"data,omitempty"`
	// Proof lists the numbers of the events that prove a verdict, in order.
	Proof    []uint64  `json:"proof,omitempty"`
	Entries  []Entry   `json:"entries,omitempty"`
	Servers  []Server  `json:"servers,omitempty"`
	Faults   []string  `json:"faults,omitempty"`
	Packet   *Packet   `json:"packet,omitempty"`
	Reason   *Reason   `json:"reason,omitempty"`
	Op       *Op       `json:"op,omitempty"`
	Settings *Settings `json:"settings,omitempty"`
	Question *Question `json:"question,omitempty"`
}
