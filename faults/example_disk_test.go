package faults_test

import (
	"fmt"
	"io"
	"log"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"capsize/faults"
)

// words is a state machine that collects what it is told.
type words []string

func (w *words) Apply(l *raft.Log) any {
	*w = append(*w, string(l.Data))
	return nil
}

func (w *words) Snapshot() (raft.FSMSnapshot, error) { return nil, raft.ErrUnsupportedProtocol }
func (w *words) Restore(io.ReadCloser) error         { return raft.ErrUnsupportedProtocol }

// startNode starts a cluster of one node on an open disk and waits until it leads.
func startNode(disk *faults.DiskSession, said *words) *raft.Raft {
	config := raft.DefaultConfig()
	config.LocalID = "n1"
	config.Logger = hclog.NewNullLogger()
	const timeout = 20 * time.Millisecond
	config.HeartbeatTimeout, config.ElectionTimeout, config.LeaderLeaseTimeout = timeout, timeout, timeout
	address, transport := raft.NewInmemTransport("")
	members := raft.Configuration{Servers: []raft.Server{{ID: "n1", Address: address}}}

	// A node that has been started before keeps what it has: the error says so.
	_ = raft.BootstrapCluster(config, disk.Logs(), disk.Stable(), disk.Snapshots(), transport, members)
	node, err := raft.NewRaft(config, said, disk.Logs(), disk.Stable(), disk.Snapshots(), transport)
	if err != nil {
		log.Fatal(err)
	}
	<-node.LeaderCh()
	return node
}

// A node acknowledges three words. Its disk lies about the last two, and the machine loses power.
func ExampleDisk() {
	store := raft.NewInmemStore()
	backend := faults.DiskBackend{Logs: store, Stable: store, Snapshots: raft.NewInmemSnapshotStore()}
	machine := faults.NewDisk(faults.DiskConfig{Seed: 1})

	var said words
	disk, err := machine.Open(backend)
	if err != nil {
		log.Fatal(err)
	}
	node := startNode(disk, &said)
	for i, word := range []string{"durable", "is", "forever"} {
		if i == 1 {
			machine.SetFault(faults.Lie{})
		}
		if err := node.Apply([]byte(word), time.Second).Error(); err != nil {
			log.Fatal(err)
		}
	}
	disk.Kill()
	_ = node.Shutdown().Error()
	fmt.Println("acknowledged:    ", said)

	if err := machine.PowerLoss(backend); err != nil {
		log.Fatal(err)
	}
	said = nil
	if disk, err = machine.Open(backend); err != nil {
		log.Fatal(err)
	}
	node = startNode(disk, &said)
	_ = node.Barrier(time.Second).Error()
	fmt.Println("after power loss:", said)
	disk.Kill()
	_ = node.Shutdown().Error()

	// Output:
	// acknowledged:     [durable is forever]
	// after power loss: [durable]
}
