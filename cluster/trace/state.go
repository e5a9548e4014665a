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
	// inFlightMax is how many of the latest packets a state remembers.
	inFlightMax = 256
	// storyMax is how many of the latest lines of the story a state remembers.
	storyMax = 400
	// leaderTermsMax is how many of the latest reigns a state remembers.
	leaderTermsMax = 200
	// opsMax is how many of the latest finished operations a state remembers.
	opsMax = 200
	// pendingMax is how many operations under way a state remembers: more than
	// there can be clients.
	pendingMax = 512
	// logLinesMax is how many of the latest lines of the library's own log a state
	// remembers of each node.
	logLinesMax = 50
	// What names of nodes, links with a fault, checks and lost entries it remembers
	// beyond these it ignores: no cluster has so many, but a trace from elsewhere may.
	NodesMax  = 999
	linksMax  = 10_000
	checksMax = 64
	lostMax   = 10_000
)

// Link is one direction between two nodes.
type Link struct{ From, To string }

// Progress is what a leader knows of one of its followers.
type Progress struct {
	LastHeard time.Duration // when its last answer arrived
	Match     uint64        // the last entry known to be the same on it
}

// Node is all that is known of one node.
type Node struct {
	ID      string
	Process ProcessState
	Why     string        // why it crashed
	Since   time.Duration // when Life last changed
	Role    Role          // meaningful while Life.Running()
	RoleAt  time.Duration // when Role last changed

	Term     uint64 // on its disk
	VoteTerm uint64 // the term it last voted in
	Vote     string // for whom
	Leader   string // whom it takes for the leader, "" nobody

	LastHeard     time.Duration       // when it last heard from a leader
	LastHeardFrom string              // from which; itself if it led last, "" if none since it started
	Votes         []string            // of a candidate: who granted its vote in this term, itself included
	Peers         map[string]Progress // of a leader: what it knows of the others

	First   uint64 // index of Entries[0]; with an empty log, of the next entry
	Entries []Entry
	Commit  uint64
	Applied uint64 // committed entries that mean nothing to the counter included

	Value          int64
	ValueAt        time.Duration // when Value last changed
	ValueChangedAt time.Duration // when Value last changed after it had stood still for calm
	BehindSince    time.Duration // when it last began to lack entries that are committed

	SnapshotIndex uint64 // the last entry its newest snapshot covers, 0 without one
	SnapshotTerm  uint64
	Snapshot      []byte // its content; never changed in place
	// SnapshotServers is the configuration in that snapshot.
	SnapshotServers []Server
	Servers         []Server // the configuration it uses

	// Truncated is what it last cut off its log, for the screen to show that it did.
	Truncated      []Entry
	TruncatedFirst uint64
	TruncatedAt    time.Duration

	LogLines []LogLine // the latest of the library's own log, oldest first

	DiskFault   string  // "" for a sound disk
	ClockFactor float64 // on its timeouts, 1 as set up
}

// LogLine is a line of the library's own log on a node.
type LogLine struct {
	At   time.Duration
	Text string
}

// LastIndex returns the index of the last entry of its log or snapshot, whichever
// is later.
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

// Entry returns the entry at index, and whether its log holds one.
func (n *Node) Entry(index uint64) (Entry, bool) {
	if index < n.First || index >= n.First+uint64(len(n.Entries)) {
		return Entry{}, false
	}
	return n.Entries[index-n.First], true
}

// InFlight is a packet on its way, or one that has lately arrived or been lost.
type InFlight struct {
	Packet
	SentAt  time.Duration
	EndedAt time.Duration // when it was delivered or lost
}

// LeaderTerm is a time for which a node took itself for the leader.
type LeaderTerm struct {
	Node     string
	Term     uint64
	From, To time.Duration // To is 0 while it lasts
}

// Traffic counts packets. The counts are exact, whatever else is remembered.
type Traffic struct{ Sent, Delivered, Lost uint64 }

// Clients is what the clients were told so far.
type Clients struct {
	OK, Failed, Unknown uint64
	InFlight            int
	Recent              []Op // the latest that returned, oldest first
	Pending             []Op // those under way, oldest first
	// OKAt counts the acknowledged ones by the second of virtual time in which
	// they were, in the place of the second modulo its length.
	OKAt     []uint64
	OKSecond int64 // the latest one counted
}

// RateSeconds is of how many of the latest seconds a state knows how many
// operations were acknowledged in each.
const RateSeconds = 20

// OKIn returns how many operations were acknowledged in a second of virtual time,
// 0 if that is too long ago to be known.
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

// Check is what one of the checks says at a moment.
type Check struct {
	Name    string
	Verdict Verdict
	Text    string        // in a plain sentence: what was promised and what happened, or why it is undecided
	Proof   []uint64      // the numbers of the events it rests on
	Count   uint64        // how many operations or events it rests on
	At      time.Duration // of the verdict
	Seq     uint64        // of the verdict
}

// LostEntry is an entry that a client was told is counted, and that a later
// committed log does not have.
type LostEntry struct {
	Index uint64
	Entry Entry
}

// State is what a trace adds up to at one moment. The zero State is the moment
// before the first event. A State got from [Log.State] or [State.Clone] is the
// caller's own.
type State struct {
	Seq      uint64        // of the last event
	At       time.Duration // of the last event
	Settings Settings

	Nodes       []Node // sorted by CompareNames
	Faults      map[Link][]string
	InFlight    []InFlight // by Packet.ID modulo its length
	Traffic     Traffic
	Clients     Clients
	Story       []StoryLine  // what happened in words, oldest first
	LeaderTerms []LeaderTerm // who led when, the latest last

	Chapter, Caption string // what a scenario said last, "" nothing
	// ChapterIn and CaptionIn are the same in other languages.
	ChapterIn, CaptionIn Localized
	CaptionAt            time.Duration // when the scenario said it
	Commit               uint64        // the highest commit index that any node reported

	Checks []Check     // the latest verdict of each check that has one, in the order of the first
	Lost   []LostEntry // by index

	// index says where in Nodes each one is. It is replaced when a node is added,
	// never changed, so that clones may share it.
	index map[string]int
}

// Clone returns a state that shares nothing that either may change.
func (s *State) Clone() State {
	var c State
	s.CopyTo(&c)
	return c
}

// CopyTo makes c the same as s, sharing nothing that either may change. It uses
// the memory that c has, so that a copy for each frame costs little.
func (s *State) CopyTo(c *State) {
	nodes, faults, flights, story, reigns, checks := c.Nodes, c.Faults, c.InFlight, c.Story, c.LeaderTerms, c.Checks
	pending := c.Clients.Pending
	*c = *s
	c.Nodes = append(nodes[:0], s.Nodes...)
	for i := range c.Nodes {
		n := &c.Nodes[i]
		// Entries are only ever appended to or cut, never overwritten: both may
		// read the same array, but only one may append to it.
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
	c.InFlight = append(flights[:0], s.InFlight...)
	c.Story = append(story[:0], s.Story...)
	c.LeaderTerms = append(reigns[:0], s.LeaderTerms...)
	c.Checks = append(checks[:0], s.Checks...)
	c.Lost = slices.Clip(c.Lost)
	c.Clients.Recent = slices.Clip(c.Clients.Recent)
	c.Clients.Pending = append(pending[:0], s.Clients.Pending...)
	c.Clients.OKAt = slices.Clone(c.Clients.OKAt)
}

// Node returns the node with that name, nil if there never was one. The pointer
// is good until the next event.
func (s *State) Node(id string) *Node {
	if i, ok := s.index[id]; ok && i < len(s.Nodes) && s.Nodes[i].ID == id {
		return &s.Nodes[i]
	}
	if len(s.index) == len(s.Nodes) {
		return nil
	}
	// Whoever put the state together by hand has made no index.
	i := slices.IndexFunc(s.Nodes, func(n Node) bool { return n.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Nodes[i]
}

// Check returns what a check says, nil if it has said nothing yet. The pointer is
// good until the next event.
func (s *State) Check(name string) *Check {
	i := slices.IndexFunc(s.Checks, func(c Check) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Checks[i]
}

// addNode puts a new node into its place, and returns nil if there are too many.
func (s *State) addNode(id string) *Node {
	if len(s.Nodes) >= NodesMax {
		return nil
	}
	at, _ := slices.BinarySearchFunc(s.Nodes, id, func(n Node, id string) int { return CompareNames(n.ID, id) })
	s.Nodes = slices.Insert(s.Nodes, at, Node{ID: id, First: 1, ClockFactor: 1})
	s.IndexNodes()
	return &s.Nodes[at]
}

func (s *State) IndexNodes() {
	if len(s.Nodes) == 0 {
		return
	}
	s.index = make(map[string]int, len(s.Nodes))
	for i := range s.Nodes {
		s.index[s.Nodes[i].ID] = i
	}
}

// LeaderNode returns the node that leads: of all running nodes that think they
// do, the one of the highest term. It is nil when there is none.
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

// Voters returns the names of the voters in the configuration of the node that
// leads or, without a leader, of the node with the longest log.
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

// CompareNames orders names of nodes as people do: n2 comes before n10.
func CompareNames(a, b string) int {
	stemA, numberA := splitNumber(a)
	stemB, numberB := splitNumber(b)
	return cmp.Or(cmp.Compare(stemA, stemB), cmp.Compare(numberA, numberB), cmp.Compare(a, b))
}

// splitNumber splits off the number a name ends in.
func splitNumber(name string) (stem string, number int) {
	stem = strings.TrimRight(name, "0123456789")
	number, _ = strconv.Atoi(name[len(stem):])
	return stem, number
}

// Quorum returns how many of n voters decide.
func Quorum(n int) int { return n/2 + 1 }

// PacketsInFlight returns the packets that are on their way, oldest first.
func (s *State) PacketsInFlight() []InFlight {
	var flying []InFlight
	for _, f := range s.InFlight {
		if f.ID != 0 && f.Status == Sent {
			flying = append(flying, f)
		}
	}
	slices.SortFunc(flying, func(a, b InFlight) int { return int(a.ID) - int(b.ID) })
	return flying
}
