// Package trace says what happened in a cluster, and what that adds up to.
//
// Everything worth seeing is an [Event]. [State.Apply] folds an event into the
// [State], from which every pane of the screen, every expectation of a scenario
// and every check reads; the state depends on nothing but the events before it,
// so live, rewound and replayed are one code path. [Stream] is the place where the
// cluster's goroutines put events and from which readers take copies.
//
// A [History] remembers the events, so that the state of any moment that it holds
// can be had again; a [Writer] writes them to a file, a recording, which [Open]
// reads back into a History, also while it grows. [IsSignificant] says which events a
// person wants to stop at. The words for people are here too: the story, and the
// reasons in it.
//
// The package is plain data: it knows neither raft nor the cluster, so that a
// recording opens without either. Times are virtual, counted from the start of
// the cluster.
package trace

import "time"

// Kind says what an event is about, and with that which fields it carries.
type Kind string

// The kinds of events. The fields each carries, beside Seq and At, stand behind it.
const (
	KindSettings Kind = "settings" // Settings: how the cluster is set up; the first event

	KindProcess   Kind = "life"      // Node, Life, Text (why)
	KindRole      Kind = "role"      // Node, Role, Term
	KindTerm      Kind = "term"      // Node, Term: stored on its disk
	KindVote      Kind = "vote"      // Node, Term, Peer (the candidate): stored on its disk
	KindLeader    Kind = "leader"    // Node, Peer: whom it takes for the leader; "" nobody
	KindConfig    Kind = "config"    // Node, Servers: the configuration it uses
	KindLoaded    Kind = "loaded"    // Node, Index, Entries, Last, Term, Data, Servers: the log its disk held at a start, and its newest snapshot with its last entry
	KindAppended  Kind = "appended"  // Node, Index, Entries: stored on its disk from Index on
	KindTruncated Kind = "truncated" // Node, Index, Last: entries cut off at the end of its log
	KindCompacted Kind = "compacted" // Node, Index, Last: entries dropped at the start, covered by a snapshot
	KindCommitted Kind = "committed" // Node, Index: its commit index
	KindApplied   Kind = "applied"   // Node, Index, Term, Value: the counter after that entry
	KindSnapshot  Kind = "snapshot"  // Node, Index, Term, Size, Data, Servers: a snapshot it took of itself
	KindInstalled Kind = "installed" // Node, Index, Term, Value, Data, Servers: a snapshot that replaced its counter

	KindPacket Kind = "packet" // Packet

	KindLinkFault  Kind = "link-fault"  // Node (from), Peer (to), Faults: all that are set on the link now
	KindDiskFault  Kind = "disk-fault"  // Node, Text: the fault, "" for a sound disk
	KindClockFault Kind = "clock-fault" // Node, Factor on its timeouts
	KindShape      Kind = "shape"       // Text: what was done to the network, in words
	KindHealed     Kind = "healed"      // Text: what of it was taken back

	KindInvoked  Kind = "invoked"  // Op: a client called
	KindReturned Kind = "returned" // Op: a client got its answer, or gave up

	KindCommand Kind = "command"  // Text: what the user, or a scenario, ordered
	KindRefused Kind = "refused"  // Text: an order that could not be carried out, and why
	KindChapter Kind = "chapter"  // Text; Peer: its language, "" the scenario's own
	KindCaption Kind = "caption"  // Text; Peer: its language, "" the scenario's own
	KindVerdict Kind = "verdict"  // Check, Verdict, Text, Proof, Count; of acknowledged entries that were lost: Index, Entries
	KindLogLine Kind = "log-line" // Node, Text: a line of the library's own log
)

// Process is the state of a node's process.
type ProcessState string

// The states of a process. Raft's role means something only while Up or Paused.
const (
	Up      ProcessState = "up"
	Paused  ProcessState = "paused"  // stopped as by SIGSTOP
	Killed  ProcessState = "killed"  // the process died; the page cache survived
	Off     ProcessState = "off"     // the machine lost power; what was not fsynced is gone
	Crashed ProcessState = "crashed" // a fault of its disk ended it
	Removed ProcessState = "removed" // no longer a member, and stopped
	Wiped   ProcessState = "wiped"   // stopped, and its disk is empty
)

// Running says whether the process exists.
func (l ProcessState) Running() bool { return l == Up || l == Paused }

// Role is the part a node plays in Raft, by its own account.
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
	EntryNoop   EntryKind = "noop"   // what a new leader appends to commit what came before
	EntryConfig EntryKind = "config" // a change of the members
	EntryOther  EntryKind = "other"
)

// Entry is one entry of a node's log. Its index is given by its place.
type Entry struct {
	Term   uint64    `json:"term"`
	Kind   EntryKind `json:"kind"`
	Delta  int64     `json:"delta,omitempty"`
	Client string    `json:"client,omitempty"`
	Seq    uint64    `json:"seq,omitempty"` // the client's sequence number
	// NoSession says of an increment that it has no session: a retry counts again.
	NoSession bool `json:"sessionless,omitempty"`
	// Servers are the members that an entry of EntryConfig names.
	Servers []Server `json:"servers,omitempty"`
}

// Server is one member of a configuration.
type Server struct {
	ID    string `json:"id"`
	Voter bool   `json:"voter"`
}

// Status says what became of a packet.
type PacketStatus string

// The fates of a packet.
const (
	Sent      PacketStatus = "sent"
	Delivered PacketStatus = "delivered"
	Lost      PacketStatus = "lost"
)

// Packet is one message on its way: the request or the reply of an RPC.
type Packet struct {
	ID        uint64        `json:"id"`
	RPC       uint64        `json:"rpc"` // the same for a request and its reply
	Status    PacketStatus  `json:"fate"`
	From      string        `json:"from"`
	To        string        `json:"to"`
	Kind      string        `json:"kind"` // append, heartbeat, vote, prevote, snapshot, timeout-now
	Reply     bool          `json:"reply,omitempty"`
	Duplicate bool          `json:"duplicate,omitempty"`
	Held      bool          `json:"held,omitempty"`  // waits on a jammed link or at a paused node
	Why       string        `json:"why,omitempty"`   // of a lost packet
	Delay     time.Duration `json:"delay,omitempty"` // of a sent packet: how long it travels
	SizeBytes int           `json:"size,omitempty"`
	Term      uint64        `json:"term,omitempty"`
	OK        bool          `json:"ok,omitempty"` // of a reply: accepted, or the vote granted
	// Of append requests: the entry before, the first one carried, how many, and
	// the sender's commit index.
	PrevIndex uint64 `json:"prev_index,omitempty"`
	PrevTerm  uint64 `json:"prev_term,omitempty"`
	First     uint64 `json:"first,omitempty"`
	Entries   int    `json:"entries,omitempty"`
	Commit    uint64 `json:"commit,omitempty"`
	// Of vote requests, the candidate's last entry; of append replies, the
	// follower's; of snapshot requests, the last one the snapshot covers.
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
	Unknown Outcome = "unknown" // may have been applied, or may yet be
)

// Op is one operation of a client.
type Op struct {
	ID      uint64        `json:"id"`
	Client  string        `json:"client"`
	Kind    EntryKind     `json:"kind"` // EntryAdd or EntryRead
	Delta   int64         `json:"delta,omitempty"`
	Level   string        `json:"level,omitempty"` // of a read: none, weak, linearizable, strong
	Route   string        `json:"route"`           // leader, round-robin, random, or a node
	Seq     uint64        `json:"seq,omitempty"`
	Invoked time.Duration `json:"invoked"`
	// Of a returned operation.
	Returned time.Duration `json:"returned,omitempty"`
	Node     string        `json:"node,omitempty"` // who answered, or was asked last
	Attempts int           `json:"attempts,omitempty"`
	Outcome  Outcome       `json:"outcome,omitempty"`
	Value    int64         `json:"value,omitempty"` // the counter, of an operation that is ok
	Why      string        `json:"why,omitempty"`   // of one that is not
	// Of an operation in a State, not in an event: the numbers of the events of its
	// call and of its answer, by which a verdict's proof names it.
	CallSeq   uint64 `json:"-"`
	ReturnSeq uint64 `json:"-"`
}

// Verdict is what a check says of all that happened so far.
type Verdict string

// The verdicts of a check. One that was violated stays so.
const (
	VerdictOK        Verdict = "ok"
	VerdictViolated  Verdict = "violated"
	VerdictUndecided Verdict = "undecided" // Event.Text says why
)

// Settings is how a cluster is set up.
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
	PreVote           bool          `json:"prevote"`
	Sessions          bool          `json:"sessions"`
	SnapshotThreshold uint64        `json:"snapshot_threshold"`
	TrailingLogs      uint64        `json:"trailing_logs"`
	// SnapshotCure has a node go on behind an installed snapshot as raft's own
	// code means it to, which it does not (hashicorp/raft #697).
	SnapshotCure bool `json:"snapshot_cure"`
}

// Event is one thing that happened. Which fields it carries depends on its Kind.
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
	Count   uint64  `json:"count,omitempty"` // of a verdict: how many operations or events it rests on
	Text    string  `json:"text,omitempty"`

	// Data is the content of a snapshot, as the counter wrote it.
	Data []byte `json:"data,omitempty"`
	// Proof are the numbers of the events that a verdict rests on, in order.
	Proof    []uint64  `json:"proof,omitempty"`
	Entries  []Entry   `json:"entries,omitempty"`
	Servers  []Server  `json:"servers,omitempty"`
	Faults   []string  `json:"faults,omitempty"`
	Packet   *Packet   `json:"packet,omitempty"`
	Op       *Op       `json:"op,omitempty"`
	Settings *Settings `json:"settings,omitempty"`
}
