package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"

	"capsize/cluster/trace"
	"capsize/counter"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// fork is a past state of another cluster, prepared for a new cluster to continue from, as if
// all servers had rebooted at that moment. Each node gets a disk with the term, vote, log and
// newest snapshot that it had in that state, and starts from it. Faults of links, disks and
// clocks are set again, time continues from that moment, and nodes that were down stay down.
//
// A fork loses what a reboot loses: roles and leaders, commit indexes, timers, messages in
// flight, unfinished operations of clients, and pauses. It also loses what a trace does not
// record about disks. Unsynced writes of a lying disk count as synced. Flipped bits that keep a
// node from starting may be in another record, and other flipped bits are gone. A vote of which
// raft had stored only the term counts as not cast. The log may hold fewer of the entries that a
// snapshot covers.
type fork struct {
	state   *trace.State
	nodes   []forkNode
	links   map[trace.Link][]faults.LinkFault
	lastSeq uint64 // the highest sequence number of any client on any disk
}

// forkNode is one node of a fork.
type forkNode struct {
	*trace.Node
	logs     []*raft.Log
	snapshot raft.Configuration // the configuration in its snapshot
	fault    faults.DiskFault   // nil for a healthy disk
	damage   faults.DiskFault   // whose damage keeps it from starting, nil for none
	apply    time.Duration      // added by a slow state machine
}

// newFork prepares a state, or returns nil for nil. The state may come from an untrusted file:
// the error says what is missing or impossible.
func newFork(state *trace.State) (*fork, error) {
	if state == nil {
		return nil, nil
	}
	f := &fork{state: state, links: map[trace.Link][]faults.LinkFault{}}
	if len(state.Nodes) == 0 {
		return nil, errors.New("nothing to branch from: no node had started yet")
	}
	checked := state.Settings
	for _, one := range allSettings {
		if err := one.set(&checked, one.get(&state.Settings)); err != nil {
			return nil, fmt.Errorf("settings at that moment: %s: %w", one.key, err)
		}
	}
	for i := range state.Nodes {
		if err := f.addNode(&state.Nodes[i]); err != nil {
			return nil, fmt.Errorf("cannot restore %s: %w", state.Nodes[i].ID, err)
		}
	}
	for link, words := range state.Faults {
		for _, text := range words {
			fault, err := faults.ParseLinkFault(text)
			if err != nil {
				return nil, fmt.Errorf("the link from %s to %s: %w", link.From, link.To, err)
			}
			f.links[link] = append(f.links[link], fault)
		}
	}
	return f, nil
}

// addNode prepares one node.
func (f *fork) addNode(n *trace.Node) error {
	o := forkNode{Node: n, snapshot: configurationOf(n.SnapshotServers)}
	var err error
	if o.fault, err = faults.ParseDiskFault(n.DiskFault); err != nil {
		return err
	}
	if o.damage, err = faults.ParseDiskFault(n.Damage); err != nil {
		return err
	}
	if n.FaultSpent && (o.fault == faults.Corrupt{} || o.fault == faults.CorruptSnapshot{}) {
		o.fault = nil
	}
	if o.apply, err = parseApplyFault(n.ApplyFault); err != nil {
		return err
	}
	if n.SnapshotIndex > 0 {
		seq, err := counter.LastSeq(n.Snapshot)
		if err != nil {
			return fmt.Errorf("its snapshot at entry %d: %w", n.SnapshotIndex, err)
		}
		f.lastSeq = max(f.lastSeq, seq)
	}
	for i, e := range n.Entries {
		log, err := logOf(n.First+uint64(i), e)
		if err != nil {
			return err
		}
		o.logs = append(o.logs, log)
		f.lastSeq = max(f.lastSeq, e.Seq)
	}
	if f.lastSeq > math.MaxUint64/2 {
		return fmt.Errorf("sequence number %d is too large: none would be left for new clients", f.lastSeq)
	}
	f.nodes = append(f.nodes, o)
	return nil
}

// logOf returns the log entry that e describes. It is the inverse of entryOf.
func logOf(index uint64, e trace.Entry) (*raft.Log, error) {
	log := &raft.Log{Index: index, Term: e.Term}
	var err error
	switch e.Kind {
	case trace.EntryAdd:
		log.Data, err = counter.Command{
			Op: counter.OpAdd, Client: e.Client, Seq: e.Seq, Session: !e.NoSession, Delta: e.Delta,
		}.Encode()
	case trace.EntryRead:
		log.Data, err = counter.Command{Op: counter.OpRead, Client: e.Client, Seq: e.Seq}.Encode()
	case trace.EntryNoop:
		log.Type = raft.LogNoop
	case trace.EntryConfig:
		log.Type, log.Data = raft.LogConfiguration, raft.EncodeConfiguration(configurationOf(e.Servers))
		if len(e.Servers) == 0 {
			err = errors.New("configuration has no members")
		}
	default:
		err = fmt.Errorf("cannot restore an entry of kind %q", e.Kind)
	}
	if err != nil {
		return nil, fmt.Errorf("entry %d: %w", index, err)
	}
	return log, nil
}

// configurationOf returns the configuration with these members. It is the inverse of serversOf.
func configurationOf(servers []trace.Server) (conf raft.Configuration) {
	for _, s := range servers {
		server := raft.Server{ID: raft.ServerID(s.ID), Address: raft.ServerAddress(s.ID), Suffrage: raft.Voter}
		if !s.Voter {
			server.Suffrage = raft.Nonvoter
		}
		conf.Servers = append(conf.Servers, server)
	}
	return conf
}

// startFork starts the nodes of a fork. It runs inside.
func (c *Inside) startFork(f *fork) error {
	c.bubble.BeginAt(f.state.At)
	c.emitSettings()
	var starting []func()
	for _, o := range f.nodes {
		if o.Process == trace.Removed {
			c.emit(trace.Event{Kind: trace.KindProcess, Node: o.ID, Process: trace.Removed, Text: o.Why})
			continue
		}
		n, err := c.newNode(o.ID)
		if err != nil {
			return err
		}
		if err := n.restoreDisk(o); err != nil {
			return fmt.Errorf("restoring the disk of %s: %w", n.name, err)
		}
		if !o.Process.Down() { // what is unreachable may run
			starting = append(starting, func() {
				err := n.boot(raft.Configuration{})
				if err != nil && n.running() == nil { // it may not have emitted the content
					n.emitContent(o)
				}
				c.emitRefused(err)
			})
		} else {
			n.setState(o.Process, o.Why)
			n.emitContent(o)
		}
		if err := c.setFaults(o); err != nil {
			return err
		}
	}
	for _, from := range f.nodes {
		for _, to := range f.nodes {
			for _, fault := range f.links[trace.Link{From: from.ID, To: to.ID}] {
				c.network.SetFault(raft.ServerAddress(from.ID), raft.ServerAddress(to.ID), fault)
			}
			if len(f.links[trace.Link{From: from.ID, To: to.ID}]) > 0 {
				c.emitLink(from.ID, to.ID)
			}
		}
	}
	for _, start := range starting {
		c.bubble.Go(start)
	}
	return nil
}

// setFaults restores the faults of a node's disk, clock and state machine.
func (c *Inside) setFaults(o forkNode) error {
	if o.fault != nil {
		if err := c.SetDisk(o.ID, o.fault); err != nil {
			return err
		}
	}
	if o.apply != 0 {
		if err := c.SetApply(o.ID, o.apply); err != nil {
			return err
		}
	}
	if o.ClockFactor != 1 {
		return c.SetClock(o.ID, o.ClockFactor)
	}
	return nil
}

// emitContent emits the content of the disk of a node that stays down.
func (n *node) emitContent(o forkNode) {
	for _, e := range []trace.Event{
		{
			Kind: trace.KindLoaded, Index: o.First, Entries: o.Entries,
			Last: o.SnapshotIndex, Term: o.SnapshotTerm, Data: o.Snapshot, Servers: o.SnapshotServers,
		},
		{Kind: trace.KindTerm, Term: o.Term},
		{Kind: trace.KindVote, Term: o.VoteTerm, Peer: o.Vote},
	} {
		e.Node = n.name
		n.c.emit(e)
	}
	if o.damage != nil {
		n.emitDamage(o.damage)
	}
}

// restoreDisk writes what a node had stored to its empty disk. It takes no virtual time, even
// if the disk has latency or a fault.
func (n *node) restoreDisk(o forkNode) error {
	if err := n.storage.create(); err != nil {
		return err
	}
	backend, closeDisk, err := n.storage.open()
	if err != nil {
		return err
	}
	disk, err := faults.NewDisk(faults.DiskConfig{}).Open(backend)
	if err == nil {
		err = n.restoreStores(disk, o)
		disk.Kill()
	}
	if err == nil && o.damage != nil {
		err = n.restoreDamage(backend, o.damage)
	}
	return errors.Join(err, closeDisk())
}

// restoreDamage damages the stored data of a node that could not start for such damage.
func (n *node) restoreDamage(backend faults.DiskBackend, damage faults.DiskFault) error {
	disk := n.currentDisk()
	disk.SetFault(damage)
	defer disk.ClearFault()
	session, err := disk.Open(backend)
	if err == nil {
		session.Kill()
	}
	if faults.DamageOf(err) == nil {
		return fmt.Errorf("its disk does not get damaged again: %w", cmp.Or(err, errors.New("there is nothing to damage")))
	}
	return nil
}

// restoreStores writes what a node had stored to an open disk.
func (n *node) restoreStores(disk *faults.DiskSession, o forkNode) error {
	stable := disk.Stable()
	if o.Term > 0 {
		if err := stable.SetUint64([]byte(keyCurrentTerm), o.Term); err != nil {
			return err
		}
	}
	if o.VoteTerm > 0 {
		err := errors.Join(
			stable.SetUint64([]byte(keyLastVoteTerm), o.VoteTerm),
			stable.Set([]byte(keyLastVoteCand), []byte(o.Vote)))
		if err != nil {
			return err
		}
	}
	if len(o.logs) > 0 {
		if err := disk.Logs().StoreLogs(o.logs); err != nil {
			return err
		}
	}
	if o.SnapshotIndex == 0 {
		return nil
	}
	// The snapshot store encodes the members' addresses through the transport.
	endpoint := n.c.packets.Transport(n.address)
	defer func() { _ = endpoint.Close() }() // it never carries a call
	// A trace does not record the index of the configuration. Raft only needs one that the
	// snapshot covers.
	sink, err := disk.Snapshots().Create(raft.SnapshotVersionMax, o.SnapshotIndex, o.SnapshotTerm,
		o.snapshot, o.SnapshotIndex, endpoint)
	if err != nil {
		return err
	}
	if _, err := sink.Write(o.Snapshot); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}
