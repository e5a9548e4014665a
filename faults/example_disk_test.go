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

// words is a state machine that collects the commands it applies.
type words []string

func (w *words) Apply(l *raft.Log) any {
	*w = append(*w, string(l.Data))
	return nil
}

func (w *words) Snapshot() (raft.FSMSnapshot, error) { return nil, raft.ErrUnsupportedProtocol }
func (w *words) Restore(io.ReadCloser) error         { return raft.ErrUnsupportedProtocol }

// startNode starts a one-node cluster on an open disk and waits until the node leads.
func startNode(session *faults.DiskSession, applied *words) *raft.Raft {
	config := raft.DefaultConfig()
	config.LocalID = "n1"
	config.Logger = hclog.NewNullLogger()
	const timeout = 20 * time.Millisecond
	config.HeartbeatTimeout, config.ElectionTimeout, config.LeaderLeaseTimeout = timeout, timeout, timeout
	address, transport := raft.NewInmemTransport("")
	members := raft.Configuration{Servers: []raft.Server{{ID: "n1", Address: address}}}

	// On a restart this returns an error and changes nothing: the cluster exists already.
	_ = raft.BootstrapCluster(config, session.Logs(), session.Stable(), session.Snapshots(), transport, members)
	node, err := raft.NewRaft(config, applied, session.Logs(), session.Stable(), session.Snapshots(), transport)
	if err != nil {
		log.Fatal(err)
	}
	<-node.LeaderCh()
	return node
}

// A node acknowledges three words. Its disk lies about the last two, and then the machine
// loses power.
func ExampleDisk() {
	store := raft.NewInmemStore()
	backend := faults.DiskBackend{Logs: store, Stable: store, Snapshots: raft.NewInmemSnapshotStore()}
	disk := faults.NewDisk(faults.DiskConfig{Seed: 1})

	var applied words
	session, err := disk.Open(backend)
	if err != nil {
		log.Fatal(err)
	}
	node := startNode(session, &applied)
	for i, word := range []string{"durable", "is", "forever"} {
		if i == 1 {
			disk.SetFault(faults.Lie{})
		}
		if err := node.Apply([]byte(word), time.Second).Error(); err != nil {
			log.Fatal(err)
		}
	}
	session.Kill()
	_ = node.Shutdown().Error()
	fmt.Println("acknowledged:    ", applied)

	if err := disk.PowerLoss(backend); err != nil {
		log.Fatal(err)
	}
	applied = nil
	if session, err = disk.Open(backend); err != nil {
		log.Fatal(err)
	}
	node = startNode(session, &applied)
	_ = node.Barrier(time.Second).Error()
	fmt.Println("after power loss:", applied)
	session.Kill()
	_ = node.Shutdown().Error()

	// Output:
	// acknowledged:     [durable is forever]
	// after power loss: [durable]
}
