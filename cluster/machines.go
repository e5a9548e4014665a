package cluster

import (
	"capsize/cluster/control"
	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// Network joins the nodes by links that can fail. Its methods are those of [faults.Network].
type Network interface {
	SetFault(from, to raft.ServerAddress, f faults.LinkFault)
	ClearFault(from, to raft.ServerAddress, name string)
	Faults(from, to raft.ServerAddress) []faults.LinkFault
	Cut(links []faults.Link)
	Close()
}

// Machines is where the nodes of a cluster run that is not in virtual time: as processes of the
// operating system, on this host or on others.
type Machines interface {
	// Names returns the nodes that run already. It is empty if the cluster starts its nodes.
	Names() []string
	// Connect returns the network between the nodes. It reports each packet to tap, with the mark
	// of its sender when it was sent (see [MarkOf]), and delivers it with the mark that tap returns.
	Connect(s trace.Settings, tap func(p faults.Packet, mark uint64) uint64) (Network, error)
	// Own reports whether the files of the nodes, and the start and the end of their processes, are
	// in the hands of this program. Otherwise it only drives them.
	Own() bool
	// Refuse returns why a fault of a link is not possible, nil if it is.
	Refuse(f faults.LinkFault) error
	// Start starts the process of a node, or connects to the one that runs. The error says why it
	// did not come up.
	Start(boot control.Boot) (Machine, error)
	// Close ends what the processes of all nodes needed. The processes have ended, or run on.
	Close() error
}

// Machine is a process that runs a node.
type Machine interface {
	// Hello is what the process has said about itself.
	Hello() control.Hello
	// Send sends a message to the process, soon.
	Send(control.ToNode) error
	// Receive receives the next message. The error says that no more will come.
	Receive(*control.FromNode) error
	// Pause stops the process, and Resume continues it, as SIGSTOP and SIGCONT do.
	Pause() error
	Resume() error
	// Kill ends the process at once, as SIGKILL does.
	Kill() error
	// Leave lets go of a process that is not in the hands of this program.
	Leave() error
	// Wait waits, after Receive has failed, until the process has ended, and says how. Its state is
	// Unreachable if only the connection has.
	Wait() (state trace.ProcessState, why string)
}

// theNetwork is what reports packets, in the order of events. No node has that name.
const theNetwork = "the network"

// A mark is one number: a bit that says that it is the network's, 31 bits of the run, the others of the
// events of the run.
const (
	ofNetwork = 1 << 63
	eventBits = 32
	runMax    = 1<<31 - 1
)

// MarkOf returns the mark of a node in a run that has had so many events.
func MarkOf(run, events uint64) uint64 { return run&runMax<<eventBits | events&(1<<eventBits-1) }

// markFrom is the inverse of MarkOf, for a mark that came from a node or from the network before it.
func markFrom(node string, mark uint64) control.Mark {
	if mark&ofNetwork != 0 {
		node = theNetwork
	}
	return control.Mark{Node: node, Run: mark >> eventBits & runMax, Events: mark & (1<<eventBits - 1)}
}
