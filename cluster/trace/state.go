package trace

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// inFlightMax is how many of the latest packets a state keeps.
	inFlightMax = 256
	// storyMax is how many of the latest lines of the story a state keeps.
	storyMax = 400
	// leaderTermsMax is how many of the latest leader terms a state keeps.
	leaderTermsMax = 200
	// opsMax is how many of the latest finished operations a state keeps.
	opsMax = 200
	// pendingMax is how many operations in flight a state keeps: more than there can be
	// clients.
	pendingMax = 512
	// logLinesMax is how many of the latest lines of the library's own log a state keeps
	// for each node.
	logLinesMax = 50
	// How many links with faults, checks and lost entries a state keeps. It ignores what
	// comes beyond; only an untrusted recording has so many.
	linksMax  = 10_000
	checksMax = 64
	lostMax   = 10_000
)

// NodesMax is how many nodes a state keeps. It ignores the rest; only an untrusted recording
// has so many.
const NodesMax = 999

// Link is one direction between two nodes.
type Link struct{ From, To string }

// Progress is what a leader knows about one of its followers.
type Progress struct {
	LastHeard time.Duration // when its last reply arrived
	Match     uint64        // the highest entry known to be replicated to it (Raft paper: matchIndex)
}

// Node is everything known about one node.
type Node struct {
	ID      string
	Process ProcessState
	Why     string        // why it crashed
	Since   time.Duration // when Process last changed
	Role    Role          // meaningful while Process.Running()
	RoleAt  time.Duration // when Role last changed

	Term     uint64 // on its disk
	VoteTerm uint64 // the term in which it last voted
	Vote     string // the candidate it voted for
	Leader   string // the leader it follows, "" for none

	LastHeard     time.Duration       // when it last heard from a leader
	LastHeardFrom string              // that leader; itself if it led last, "" if none since it started
	Votes         []string            // of a candidate: the nodes that voted for it in this term, itself included
	Peers         map[string]Progress // of a leader: what it knows about its followers

	First   uint64 // the index of Entries[0]; with an empty log, of the next entry
	Entries []Entry
	Commit  uint64
	Applied uint64 // the last entry applied; counts entries that the counter does not see

	Value          int64
	ValueAt        time.Duration // when Value last changed
	ValueChangedAt time.Duration // when Value last changed after standing still for calmPeriod
	BehindSince    time.Duration // since when it has lacked committed entries

	SnapshotIndex uint64 // the last entry its newest snapshot covers, 0 without one
	SnapshotTerm  uint64
	Snapshot      []byte // its content; never changed in place
	// SnapshotServers is the configuration in that snapshot.
	SnapshotServers []Server
	Servers         []Server // the configuration in use

	// Truncated are the entries it last removed from the end of its log, for the screen.
	Truncated      []Entry
	TruncatedFirst uint64
	TruncatedAt    time.Duration

	LogLines []LogLine // the latest of the library's own log, oldest first

	DiskFault   string  // "" for a healthy disk
	FaultSpent  bool    // DiskFault has damaged stored data, which it does once
	Damage      string  // the disk fault whose damage keeps it from starting, "" if it can start
	ClockFactor float64 // by which its timeouts and its lease are multiplied, normally 1
	ApplyFault  string  // "" for a state machine at full speed

	Gap string // why events of it may be missing or come late, "" if none are
}

// LogLine is a line of the library's own log on a node.
type LogLine struct {
	At   time.Duration
	Text string
}

// LastIndex returns the index of the last entry in its log or snapshot, whichever is later.
func (n *Node) LastIndex() uint64 {
	return max(n.SnapshotIndex, n.First+uint64(len(n.Entries))-1)
}

// LastTerm returns the term of the entry at LastIndex.
func (n *Node) LastTerm() uint64 {
	if e, ok := n.Entry(n.LastIndex()); ok {
		return e.Term
	}
	return n.SnapshotTerm
}

// Entry returns the entry at index, and whether the log holds it.
func (n *Node) Entry(index uint64) (Entry, bool) {
	if index < n.First || index >= n.First+uint64(len(n.Entries)) {
		return Entry{}, false
	}
	return n.Entries[index-n.First], true
}

// InFlight is a packet in flight, or one that was recently delivered or lost.
type InFlight struct {
	Packet
	SentAt  time.Duration
	EndedAt time.Duration // when it was delivered or lost
}

// LeaderTerm is a period during which a node considered itself the leader.
type LeaderTerm struct {
	Node     string
	Term     uint64
	From, To time.Duration // To is 0 while it lasts
}

// Traffic counts packets. The counts are exact even where older packets are forgotten.
type Traffic struct{ Sent, Delivered, Lost uint64 }

// Clients is what the clients know about their operations.
type Clients struct {
	OK, Failed, Unknown uint64
	InFlight            int
	Recent              []Op // the latest that returned, oldest first
	Pending             []Op // those in flight, oldest first
	// OKAt counts acknowledged operations for each second of virtual time, at the second
	// modulo the length of OKAt.
	OKAt     []uint64
	OKSecond int64 // the latest second counted
}

// RateSeconds is for how many of the latest seconds a state counts acknowledged operations.
const RateSeconds = 20

// OKIn returns how many operations were acknowledged in a second of virtual time, 0 if it
// is more than RateSeconds ago.
func (c *Clients) OKIn(second int64) int {
	if second < 0 || second > c.OKSecond || second <= c.OKSecond-RateSeconds || len(c.OKAt) == 0 {
		return 0
	}
	return int(c.OKAt[second%int64(len(c.OKAt))])
}

// countOK counts an acknowledged operation.
func (c *Clients) countOK(at time.Duration) {
	c.OK++
	if len(c.OKAt) == 0 {
		c.OKAt = make([]uint64, RateSeconds)
	}
	second := int64(at / time.Second)
	for s := max(c.OKSecond, second-RateSeconds) + 1; s <= second; s++ {
		c.OKAt[s%RateSeconds] = 0
	}
	c.OKSecond = max(c.OKSecond, second)
	c.OKAt[c.OKSecond%RateSeconds]++
}

// Check is the latest verdict of a check.
type Check struct {
	Name    string
	Verdict Verdict
	Text    string        // a sentence: what was promised and what happened, or why it is undecided
	Proof   []uint64      // the numbers of the events that prove it
	Count   uint64        // how many operations or events it is based on
	At      time.Duration // of the verdict
	Seq     uint64        // of the verdict
}

// LostEntry is an entry that was acknowledged to a client and is missing from a log
// committed later.
type LostEntry struct {
	Index uint64
	Entry Entry
}

// TermRun says that the committed entries from First up to the next run have one term, 0 if
// unknown.
type TermRun struct{ First, Term uint64 }

// State is what the events add up to at one moment. The zero State is the moment before the
// first event. A State from [Stream.State] or [State.Clone] belongs to the caller.
type State struct {
	Seq      uint64        // of the last event
	At       time.Duration // of the last event
	Settings Settings

	Nodes       []Node // sorted by CompareNames
	Faults      map[Link][]string
	InFlight    []InFlight // by Packet.ID modulo its length
	Traffic     Traffic
	Waiting     []InFlight // stopped by a hold, in the order in which they came to wait
	Unanswered  []InFlight // dropped by hand, while their callers wait for a reply
	Clients     Clients
	Story       []StoryLine  // oldest first
	LeaderTerms []LeaderTerm // the latest last

	Chapter, Caption string // the latest of a scenario, "" for none
	// ChapterIn and CaptionIn are their translations.
	ChapterIn, CaptionIn Localized
	CaptionAt            time.Duration // when the caption appeared
	Question             *Question     // the latest of a scenario, nil for none; never changed in place
	QuestionAt           time.Duration // when it was asked, answered or judged last
	QuestionShown        bool          // nothing was said since
	Commit               uint64        // the highest commit index of any node

	// CommitTerms are the terms of the committed entries, as runs ordered by First.
	CommitTerms []TermRun

	Checks []Check     // in the order of their first verdicts
	Lost   []LostEntry // by index

	// index maps names to positions in Nodes. It is replaced when a node is added, never
	// changed in place, because clones share it.
	index map[string]int
}

// Clone returns a copy that shares nothing that applying events changes.
func (s *State) Clone() State {
	var c State
	s.CopyTo(&c)
	return c
}

// CopyTo makes c a clone of s. It reuses the memory of c, so a copy for each frame
// costs little.
func (s *State) CopyTo(c *State) {
	nodes, faults, inFlight, story, leaderTerms, checks := c.Nodes, c.Faults, c.InFlight, c.Story, c.LeaderTerms, c.Checks
	pending, waiting, unanswered := c.Clients.Pending, c.Waiting, c.Unanswered
	*c = *s
	c.Nodes = append(nodes[:0], s.Nodes...)
	for i := range c.Nodes {
		n := &c.Nodes[i]
		// Entries are appended or cut, never overwritten: both states may read the same
		// array, but only one may append to it.
		n.Entries = slices.Clip(n.Entries)
		n.Votes = slices.Clip(n.Votes)
		n.Peers = maps.Clone(n.Peers)
		n.LogLines = slices.Clip(n.LogLines)
	}
	if faults == nil {
		faults = map[Link][]string{}
	}
	clear(faults)
	maps.Copy(faults, s.Faults)
	c.Faults = faults
	c.InFlight = append(inFlight[:0], s.InFlight...)
	c.Waiting = append(waiting[:0], s.Waiting...)
	c.Unanswered = append(unanswered[:0], s.Unanswered...)
	c.Story = append(story[:0], s.Story...)
	c.LeaderTerms = append(leaderTerms[:0], s.LeaderTerms...)
	c.Checks = append(checks[:0], s.Checks...)
	c.Lost = slices.Clip(c.Lost)
	c.CommitTerms = slices.Clip(c.CommitTerms)
	c.Clients.Recent = slices.Clip(c.Clients.Recent)
	c.Clients.Pending = append(pending[:0], s.Clients.Pending...)
	c.Clients.OKAt = slices.Clone(c.Clients.OKAt)
}

// Node returns the node with that name, nil if there never was one. The pointer is valid
// until the next event.
func (s *State) Node(id string) *Node {
	if i, ok := s.index[id]; ok && i < len(s.Nodes) && s.Nodes[i].ID == id {
		return &s.Nodes[i]
	}
	if len(s.index) == len(s.Nodes) {
		return nil
	}
	// A state put together by hand has no index.
	i := slices.IndexFunc(s.Nodes, func(n Node) bool { return n.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Nodes[i]
}

// Check returns the latest verdict of a check, nil if it has none. The pointer is valid
// until the next event.
func (s *State) Check(name string) *Check {
	i := slices.IndexFunc(s.Checks, func(c Check) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Checks[i]
}

// addNode inserts a new node in order. It returns nil if there are too many.
func (s *State) addNode(id string) *Node {
	if len(s.Nodes) >= NodesMax {
		return nil
	}
	at, _ := slices.BinarySearchFunc(s.Nodes, id, func(n Node, id string) int { return CompareNames(n.ID, id) })
	s.Nodes = slices.Insert(s.Nodes, at, Node{ID: id, First: 1, ClockFactor: 1})
	s.IndexNodes()
	return &s.Nodes[at]
}

// IndexNodes rebuilds the index behind [State.Node]. Code that sets Nodes directly, such as a
// decoder, calls it.
func (s *State) IndexNodes() {
	if len(s.Nodes) == 0 {
		return
	}
	s.index = make(map[string]int, len(s.Nodes))
	for i := range s.Nodes {
		s.index[s.Nodes[i].ID] = i
	}
}

// LeaderNode returns the leader: of all running nodes that consider themselves leader, the
// one with the highest term. It returns nil if there is none.
func (s *State) LeaderNode() *Node {
	var leader *Node
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Process.Running() && n.Role == Leader && (leader == nil || n.Term > leader.Term) {
			leader = n
		}
	}
	return leader
}

// IsOutside reports whether a node is not in the configuration of n. A removed node can keep
// running.
func (n *Node) IsOutside(id string) bool {
	return len(n.Servers) > 0 && !slices.ContainsFunc(n.Servers, func(s Server) bool { return s.ID == id })
}

// Voters returns the names of the voters in the configuration of the leader or, without
// one, of the node with the most up-to-date log.
func (s *State) Voters() []string {
	best := s.LeaderNode()
	if best == nil {
		for i := range s.Nodes {
			n := &s.Nodes[i]
			if best == nil || len(best.Servers) == 0 || (n.LastTerm() > best.LastTerm() ||
				n.LastTerm() == best.LastTerm() && n.LastIndex() > best.LastIndex()) && len(n.Servers) > 0 {
				best = n
			}
		}
	}
	if best == nil {
		return nil
	}
	var voters []string
	for _, server := range best.Servers {
		if server.Voter {
			voters = append(voters, server.ID)
		}
	}
	return voters
}

// CompareNames compares names of nodes in natural order: n2 comes before n10.
func CompareNames(a, b string) int {
	stemA, numberA := splitNumber(a)
	stemB, numberB := splitNumber(b)
	return cmp.Or(cmp.Compare(stemA, stemB), cmp.Compare(numberA, numberB), cmp.Compare(a, b))
}

// splitNumber splits off the number at the end of a name.
func splitNumber(name string) (stem string, number int) {
	stem = strings.TrimRight(name, "0123456789")
	number, _ = strconv.Atoi(name[len(stem):])
	return stem, number
}

// Quorum returns the size of a majority of n voters.
func Quorum(n int) int { return n/2 + 1 }
