package control

import (
	"fmt"
	"time"

	"capsize/cluster/trace"
	"capsize/counter"
)

// Protocol is the version of the messages. Both ends must have the same.
const Protocol = 1

// ToNode is a message to a node's process. Exactly one field is set.
type ToNode struct {
	Boot    *Boot    // the first message to a process that was started for this connection
	Drive   *Drive   // the first message to a process that runs already
	Request *Request // all others
}

// Boot tells a new process which node it is.
type Boot struct {
	Protocol int
	Name     string
	Run      uint64         // grows with each process of the node
	Dir      string         // of the node's files
	Settings trace.Settings // of the cluster, as they are now
	First    []trace.Server // of a new cluster: its members; otherwise empty
	Seed     int64          // of the disk's faults
	Disk     string         // fault of the disk, "" for none
	Apply    time.Duration  // how much longer the state machine takes for each command
	Factor   float64        // of the clock
	Proxy    string         // address through which the node reaches the others, "" for directly
	Token    string         // for the proxy
}

// Drive asks a running process for its state and all later events.
type Drive struct{ Protocol int }

// Operation is what a request is about.
type Operation string

// The operations, with the fields of a [Request] that they use.
const (
	Propose     Operation = "propose"      // Command
	Read        Operation = "read"         // Level, Command
	AddVoter    Operation = "add-voter"    // Node, Timeout
	AddNonvoter Operation = "add-nonvoter" // Node, Timeout
	Demote      Operation = "demote"       // Node, Timeout
	Remove      Operation = "remove"       // Node, Timeout
	Transfer    Operation = "transfer"     // Node, "" for any
	Snapshot    Operation = "snapshot"     //
	Timeouts    Operation = "timeouts"     // Settings, Factor
	SetDisk     Operation = "disk"         // Fault
	SetApply    Operation = "apply"        // Timeout: the delay
	LosePower   Operation = "lose-power"   // the process ends
	Die         Operation = "die"          // the process kills itself
)

// Request asks a process for something. It answers with a [Reply] of the same ID.
type Request struct {
	ID        uint64
	Operation Operation
	Command   counter.Command
	Level     string
	Node      string
	Timeout   time.Duration
	Settings  *trace.Settings
	Factor    float64
	Fault     string
}

// FromNode is a message from a node's process. Beside After, exactly one field is set.
type FromNode struct {
	Hello *Hello       // the first message
	State *trace.Event // of the events that add up to its present state, if it ran before
	Ready *Ready       // once raft runs, or cannot
	Event *trace.Event // one more event of the node
	Reply *Reply
	After []Mark // what has come from other nodes since the last message with an event
}

// Hello is who answers.
type Hello struct {
	Protocol int
	Name     string
	Address  string // where other nodes, or the proxy, reach it
	Run      uint64
	Events   uint64 // how many events the node had before those that follow
	Settings trace.Settings
	// Proxy is the address through which it reaches the others, "" for directly. Peers are then the
	// addresses at which the proxy reaches each node.
	Proxy string
	Peers map[string]string
}

// Ready says that a node's raft runs, or why it does not.
type Ready struct{ Error string }

// Mark is how many events a node had when it sent something.
type Mark struct {
	Node   string
	Run    uint64
	Events uint64
}

// Reply answers a request.
type Reply struct {
	ID     uint64
	Value  int64
	Code   string // of a known error, "" for another or none
	Error  string // "" for success
	Leads  bool   // the node believes it leads
	Leader string // whom it takes for the leader
}

// CheckProtocol returns an error unless the other end speaks the same version.
func CheckProtocol(who string, version int) error {
	if version != Protocol {
		return fmt.Errorf("%s speaks version %d of the control protocol, this capsize version %d: use the same capsize for both",
			who, version, Protocol)
	}
	return nil
}
