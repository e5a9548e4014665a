package faults

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// diskList is the tests' state machine: the list of all commands.
type diskList struct {
	mu   sync.Mutex
	list []string
}

func (f *diskList) Apply(l *raft.Log) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, string(l.Data))
	return nil
}

func (f *diskList) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.list, " ")
}

func (f *diskList) Snapshot() (raft.FSMSnapshot, error) { return diskListSnapshot(f.String()), nil }

func (f *diskList) Restore(r io.ReadCloser) error {
	text, err := io.ReadAll(r)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = strings.Fields(string(text))
	return errors.Join(err, r.Close())
}

type diskListSnapshot string

func (s diskListSnapshot) Persist(sink raft.SnapshotSink) error {
	_, err := io.WriteString(sink, string(s))
	return errors.Join(err, sink.Close())
}

func (diskListSnapshot) Release() {}

func diskRaftConfig(id raft.ServerID) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID, c.Logger, c.ShutdownOnRemove = id, hclog.NewNullLogger(), false
	c.SnapshotThreshold, c.TrailingLogs = 1<<40, 2
	return c
}

// diskNode is a raft node on a diskMachine.
type diskNode struct {
	*diskMachine
	id        raft.ServerID
	raft      *raft.Raft
	fsm       *diskList
	transport *raft.InmemTransport
}

type diskCluster []*diskNode

// newDiskCluster starts a cluster of n nodes.
func newDiskCluster(t *testing.T, n int, storage diskStorage, cfg DiskConfig) diskCluster {
	t.Helper()
	var c diskCluster
	for range n {
		c = append(c, &diskNode{diskMachine: newDiskMachine(t, storage, cfg)})
	}
	c.boot(t)
	return c
}

// boot names the nodes n1, n2 and so on, makes them one cluster, and starts them.
func (c diskCluster) boot(t *testing.T) {
	t.Helper()
	var servers []raft.Server
	for i, node := range c {
		node.id = raft.ServerID(fmt.Sprintf("n%d", i+1))
		servers = append(servers, raft.Server{ID: node.id, Address: raft.ServerAddress(node.id)})
	}
	for _, node := range c {
		o := node.process
		diskMust(t, raft.BootstrapCluster(diskRaftConfig(node.id), o.Logs(), o.Stable(), o.Snapshots(), diskTransport(),
			raft.Configuration{Servers: servers}))
		diskMust(t, c.start(node))
	}
	t.Cleanup(func() {
		for _, node := range c {
			node.end()
		}
	})
}

// start runs raft on the node's open disk, connected to the running nodes.
func (c diskCluster) start(node *diskNode) error {
	node.fsm = &diskList{}
	_, node.transport = raft.NewInmemTransport(raft.ServerAddress(node.id))
	for _, other := range c {
		if other != node && other.transport != nil {
			other.transport.Connect(raft.ServerAddress(node.id), node.transport)
			node.transport.Connect(raft.ServerAddress(other.id), other.transport)
		}
	}
	var err error
	node.raft, err = raft.NewRaft(diskRaftConfig(node.id), node.fsm,
		node.process.Logs(), node.process.Stable(), node.process.Snapshots(), node.transport)
	return err
}

// end kills the node's process. It kills the disk session first, so nothing the
// process still does has an effect.
func (n *diskNode) end() {
	n.t.Helper()
	n.process.Kill()
	if n.raft != nil {
		diskMust(n.t, n.raft.Shutdown().Error())
		diskMust(n.t, n.transport.Close())
		n.raft, n.transport = nil, nil
	}
}

func (c diskCluster) leader() *diskNode {
	for {
		for _, node := range c {
			if node.raft != nil && node.raft.State() == raft.Leader {
				return node
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (n *diskNode) apply(command string) error {
	return n.raft.Apply([]byte(command), time.Second).Error()
}

func TestFailingStableStoreCrashesOnlyItsNode(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newDiskCluster(t, 3, storage, DiskConfig{FsyncLatency: time.Millisecond})
				leader := c.leader()
				diskMust(t, leader.apply("one"))
				time.Sleep(time.Second)
				i := slices.Index(c, leader)
				heir, victim := c[(i+1)%3], c[(i+2)%3]
				victim.disk.SetFault(Fail{})
				diskMust(t, leader.raft.LeadershipTransferToServer(heir.id, raft.ServerAddress(heir.id)).Error())
				time.Sleep(time.Second)
				if len(victim.crashes()) != 1 || victim.crashes()[0].Error() != "storing key CurrentTerm: input/output error" {
					t.Fatalf("crashes: %v, want one that names the key", victim.crashes())
				}
				diskMust(t, c.leader().apply("two")) // the others continue
				victim.end()                         // Shutdown returns although raft's main loop has ended
				victim.disk.ClearFault()
				victim.restart(false)
				diskMust(t, c.start(victim))
				time.Sleep(20 * time.Second)
				if got := victim.fsm.String(); got != "one two" {
					t.Fatalf("after its restart the node applied %q, want one two", got)
				}
			})
		})
	}
}

// unreadable is a log store whose reads fail with err while broken is set.
type unreadable struct {
	raft.LogStore
	broken *atomic.Bool
	err    error
}

func (u unreadable) GetLog(index uint64, l *raft.Log) error {
	if u.broken.Load() {
		return u.err
	}
	return u.LogStore.GetLog(index, l)
}

// Raft panics when it cannot read a committed entry, or when that entry is missing: a
// lying disk may lose entries and leave a gap.
func TestUnreadableEntryCrashesOnlyItsNode(t *testing.T) {
	for _, err := range []error{errors.New("bad sector"), raft.ErrLogNotFound} {
		t.Run(err.Error(), func(t *testing.T) { testUnreadable(t, err) })
	}
}

func testUnreadable(t *testing.T, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		broken := map[*diskMachine]*atomic.Bool{}
		var last *atomic.Bool
		storage := diskStorage{"unreadable", func(t *testing.T) (func() DiskBackend, func()) {
			t.Helper()
			open, shut := diskMemory(t)
			last = &atomic.Bool{}
			b := open()
			b.Logs = unreadable{b.Logs, last, err}
			return func() DiskBackend { return b }, shut
		}}
		var c diskCluster
		for range 3 {
			m := newDiskMachine(t, storage, DiskConfig{})
			broken[m] = last
			c = append(c, &diskNode{diskMachine: m})
		}
		c.boot(t)
		leader := c.leader()
		diskMust(t, leader.apply("one"))
		time.Sleep(time.Second)
		victim := c[(slices.Index(c, leader)+1)%3]
		broken[victim.diskMachine].Store(true)
		diskMust(t, leader.apply("two"))
		time.Sleep(time.Second)
		if crashed := victim.crashes(); len(crashed) != 1 || !errors.Is(crashed[0], ErrDamaged) {
			t.Fatalf("crashes: %v, want one with ErrDamaged", crashed)
		}
		diskMust(t, leader.apply("three"))
	})
}

// NewRaft stores the term on its caller's goroutine. That caller can recover from the
// panic, so the disk must not end the goroutine.
func TestFailingDiskPanicsOnlyInNewRaft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newDiskCluster(t, 1, diskStorages[0], DiskConfig{})
		c[0].end()
		c[0].restart(false)
		c[0].disk.SetFault(Fail{})
		defer func() {
			text := fmt.Sprint(recover())
			if !strings.Contains(text, "storing key CurrentTerm: input/output error") {
				t.Errorf("NewRaft panicked with %v, want the disk's error", text)
			}
			if len(c[0].crashes()) != 1 {
				t.Errorf("crashes: %v, want one", c[0].crashes())
			}
		}()
		t.Errorf("NewRaft returned %v, want a panic", c.start(c[0]))
	})
}

func TestLeaderStepsDownWhenItsLogWriteFails(t *testing.T) {
	for _, fault := range []DiskFault{Fail{}, Full{}} {
		t.Run(fault.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newDiskCluster(t, 3, diskStorages[0], DiskConfig{})
				leader := c.leader()
				leader.disk.SetFault(fault)
				if err := leader.apply("one"); err == nil {
					t.Fatal("a command was acknowledged although the log write failed")
				}
				synctest.Wait() // the leader answers before it steps down
				if leader.raft.State() == raft.Leader {
					t.Fatal("the node is still the leader")
				}
			})
		})
	}
}

// A node that is killed again and again, in the middle of its work, never panics and always
// restarts.
func TestRaftNodeSurvivesKillsAtAnyMoment(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newDiskCluster(t, 3, storage, DiskConfig{FsyncLatency: 3 * time.Millisecond})
				for i := range 30 {
					var futures []raft.ApplyFuture
					for j := range 20 {
						futures = append(futures, c.leader().raft.Apply(fmt.Appendf(nil, "%d.%d", i, j), time.Second))
					}
					victim := c[i%3]
					snapshot := victim.raft.Snapshot()
					time.Sleep(time.Duration(i) * time.Millisecond)
					victim.process.Kill()
					time.Sleep(time.Duration(i%7) * time.Millisecond) // its goroutines run on for a while
					victim.end()
					victim.restart(i%2 == 0)
					diskMust(t, c.start(victim))
					_, _ = futures, snapshot
					time.Sleep(3 * time.Second)
				}
				diskMust(t, c.leader().apply("end"))
				time.Sleep(20 * time.Second)
				want := c.leader().fsm.String()
				for _, node := range c {
					if len(node.crashes()) > 0 {
						t.Errorf("%s crashed: %v", node.id, node.crashes())
					}
					if got := node.fsm.String(); got != want || !strings.HasSuffix(got, " end") {
						t.Errorf("%s applied\n%s\ninstead of\n%s", node.id, got, want)
					}
				}
			})
		})
	}
}

// Raft keeps an acknowledged command, but not if a majority of disks lie.
func TestLyingDisksLoseAnAcknowledgedCommand(t *testing.T) {
	for _, storage := range diskStorages {
		t.Run(storage.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newDiskCluster(t, 3, storage, DiskConfig{})
				diskMust(t, c.leader().apply("one"))
				time.Sleep(time.Second)
				for _, node := range c {
					node.disk.SetFault(Lie{})
				}
				diskMust(t, c.leader().apply("two"))
				for _, node := range c {
					node.end()
					node.restart(true)
				}
				for _, node := range c {
					diskMust(t, c.start(node))
				}
				diskMust(t, c.leader().apply("three"))
				time.Sleep(time.Second)
				for _, node := range c {
					if got := node.fsm.String(); got != "one three" {
						t.Errorf("%s applied %q, want one three", node.id, got)
					}
				}
			})
		})
	}
}
