package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/control"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
	"capsize/cluster/vtime"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// ErrBusy is returned by [Open] when another capsize uses the directory.
var ErrBusy = errors.New("another capsize is using it: quit that one or choose another directory")

// ErrMismatch is returned by [Open] when Dir already holds a cluster that the Config does
// not fit.
var ErrMismatch = errors.New("directory already holds a cluster")

// Config describes the cluster to open.
type Config struct {
	// Nodes is the number of voters of a new cluster. 0 means as many nodes as Dir
	// already holds, or DefaultNodes if it holds none.
	Nodes, DefaultNodes int
	// Dir is the directory for the nodes' files. "" means a temporary directory, which
	// Close removes. Memory storage does not use it.
	Dir      string
	Settings trace.Settings
	// From, if not nil, is a past state of another cluster from which this one continues:
	// see fork. It then replaces Nodes, DefaultNodes and Settings, and Dir must not hold a
	// cluster.
	From *trace.State
	// HistoryBudget is the size in bytes to which the kept history may grow. 0 keeps no
	// history.
	HistoryBudget int64
	// Record receives every event. nil records nothing.
	Record *recording.Writer
	// Sink receives every event too. nil receives none.
	Sink trace.Sink
	// Unchecked turns the safety checks off, which saves their cost.
	Unchecked bool
	// InlineChecks runs all safety checks on the goroutines of the cluster, so the events
	// alone determine the place of each verdict among them, as exact runs require. Otherwise
	// linearizability is checked in the background.
	InlineChecks bool
	// Machines runs the nodes as processes of the operating system, in real time. nil runs them in
	// this process, in virtual time.
	Machines Machines
	// tamper breaks what raft is built from, to test the checks.
	tamper func(*raftDeps)
}

// Open starts a cluster and returns it with its clock stopped. It is called from outside.
//
// It returns [ErrBusy] if another capsize uses the directory, [ErrMismatch] if the directory
// holds a cluster that does not fit, and other errors for settings that raft rejects, a
// directory that cannot be read or written, and a state that cannot be restored.
func Open(cfg Config) (*Cluster, error) {
	from, err := newFork(cfg.From)
	if err != nil {
		return nil, err
	}
	if from != nil {
		cfg.Settings = from.state.Settings
	}
	if err := ValidateSettings(cfg.Settings); err != nil {
		return nil, err
	}
	in := &Inside{stream: &trace.Stream{}, settings: cfg.Settings, tamper: cfg.tamper}
	in.machines = cfg.Machines
	in.storeTimeouts(cfg.Settings)
	in.nodes.Store(new([]*node))
	c := &Cluster{inside: in, record: cfg.Record}
	if cfg.HistoryBudget > 0 {
		c.history = history.New(cfg.HistoryBudget)
		in.stream.AddSink(c.history)
	}
	if cfg.Record != nil {
		in.stream.AddSink(cfg.Record)
	}
	if cfg.Sink != nil {
		in.stream.AddSink(cfg.Sink)
	}
	names, isNew, err := in.nodesToStart(cfg)
	if err != nil {
		return nil, err
	}
	// The state machine remembers the last sequence number of each client, so the clients
	// of this run must continue above those of earlier runs, or their increments would be
	// dropped as duplicates.
	switch {
	case from != nil:
		in.clients.seqBase = from.lastSeq
	case !isNew:
		in.clients.seqBase = uint64(time.Now().UnixMicro())
	}
	if !cfg.Unchecked {
		if cfg.InlineChecks {
			in.checks = check.NewInline(in.stream.Emit)
		} else {
			in.checks = check.New(in.stream.Emit)
		}
		in.stream.SetChecker(in.checks.Observe)
	}
	if err := c.start(from, names, isNew); err != nil {
		return nil, err
	}
	return c, nil
}

// start starts the clock and the nodes. After an error, everything is closed.
func (c *Cluster) start(from *fork, names []string, isNew bool) (err error) {
	in, start := c.inside, vtime.Start
	if in.machines != nil {
		start = vtime.StartReal
	}
	c.clock = start(func(b *vtime.Bubble) {
		if err = in.setUp(b); err != nil {
			return
		}
		if from != nil {
			err = in.startFork(from)
		} else {
			in.startNodes(names, isNew)
		}
	})
	if err = errors.Join(err, c.clock.Err()); err != nil {
		return errors.Join(err, c.Close())
	}
	if in.machines != nil {
		in.booting.Wait() // in virtual time, they have come as far as they can at once
		if unstarted := in.unstarted.Load(); unstarted != nil {
			return errors.Join(unstarted, c.Close())
		}
	}
	return nil
}

// nodesToStart opens the data directory and returns the names of the nodes to start. isNew
// reports whether they still need their first configuration.
func (c *Inside) nodesToStart(cfg Config) (names []string, isNew bool, err error) {
	if cfg.Machines != nil && !cfg.Machines.Own() {
		return cfg.Machines.Names(), false, nil
	}
	if cfg.Settings.Storage == Bolt || cfg.Machines != nil {
		if c.dir, err = openDataDir(cfg.Dir); err != nil {
			return nil, false, err
		}
		if names, err = c.dir.names(); err != nil {
			return nil, false, errors.Join(err, c.dir.close())
		}
	}
	switch {
	case cfg.From != nil && len(names) == 0:
		return nil, false, nil
	case cfg.From != nil:
		err = fmt.Errorf("%s: %w: choose an empty directory for a branch", cfg.Dir, ErrMismatch)
	case len(names) == 0:
		if cfg.Nodes == 0 {
			cfg.Nodes = cfg.DefaultNodes
		}
		if cfg.Nodes < 1 || cfg.Nodes > NodesMax {
			err = fmt.Errorf("%d nodes: a cluster has 1 to %d", cfg.Nodes, NodesMax)
			break
		}
		for i := range cfg.Nodes {
			names = append(names, fmt.Sprintf("n%d", i+1))
		}
		return names, true, nil
	case len(names) > NodesMax:
		err = fmt.Errorf("%s: %w of %d nodes: a cluster has at most %d", cfg.Dir, ErrMismatch, len(names), NodesMax)
	case cfg.Nodes != 0 && cfg.Nodes != len(names):
		err = fmt.Errorf("%s: %w of %d nodes, not %d: leave out the number of nodes, or choose another directory",
			cfg.Dir, ErrMismatch, len(names), cfg.Nodes)
	}
	if err != nil && c.dir != nil {
		err = errors.Join(err, c.dir.close())
	}
	return names, false, err
}

// setUp builds everything but the nodes. It runs inside.
func (c *Inside) setUp(b *vtime.Bubble) error {
	c.bubble = b
	c.closing = make(chan struct{})
	c.rng = rand.New(rand.NewPCG(uint64(c.settings.Seed), 0))
	b.OnClose(c.close)
	b.Go(c.poll)
	if c.machines != nil {
		return c.setUpMachines()
	}
	maxInFlight := raft.DefaultMaxRPCsInFlight
	if !c.settings.Pipeline {
		maxInFlight = 1
	}
	c.packets = faults.NewNetwork(faults.NetworkConfig{
		Seed:       c.settings.Seed,
		Latency:    c.settings.Latency,
		Jitter:     c.settings.Jitter,
		RPCTimeout: c.settings.RPCTimeout,

		QueueHeartbeats: !c.settings.FastHeartbeats,
		MaxRPCsInFlight: maxInFlight,
		Tap:             func(p faults.Packet) { c.emitPacket(&p) },
	})
	c.network = c.packets
	c.connect = func(p *process) endpoint { return c.packets.Transport(p.node.address) }
	return nil
}

// setUpMachines builds what nodes need that run outside of this process.
func (c *Inside) setUpMachines() (err error) {
	c.order = newOrder(func(node string) {
		c.emit(trace.Event{Kind: trace.KindGap, Node: node, Text: "its events are late or lost"})
	})
	c.connect = func(p *process) endpoint { // only the disk of a stopped node is used here
		_, e := raft.NewInmemTransport(p.node.address)
		return memoryEndpoint{e}
	}
	run := uint64(time.Now().Unix()) // of the network: a node may remember marks of an earlier one
	c.order.begin(theNetwork, run, 0)
	c.network, err = c.machines.Connect(c.settings, func(p faults.Packet, mark uint64) uint64 {
		return ofNetwork | MarkOf(run, c.order.add(&report{
			source: theNetwork, after: []control.Mark{markFrom(string(p.From), mark)}, events: 1,
			tell: func() { c.emitPacket(&p) },
		}))
	})
	return err
}

// startNodes starts the nodes of a new or reopened cluster. It runs inside.
func (c *Inside) startNodes(names []string, isNew bool) {
	c.emitSettings()
	var first raft.Configuration
	if isNew {
		for _, name := range names {
			first.Servers = append(first.Servers, raft.Server{ID: raft.ServerID(name), Address: raft.ServerAddress(name)})
		}
	}
	for _, name := range names {
		n, err := c.newNode(name)
		if err != nil {
			panic(err) // nodesToStart has generated or validated the names
		}
		// A disk with latency takes virtual time to open. This runs on the pacer, which
		// must not wait for virtual time.
		c.booting.Add(1)
		c.bubble.Go(func() {
			defer c.booting.Done()
			err := n.boot(first)
			var unstarted *startError
			if errors.As(err, &unstarted) && !c.OwnsNodes() {
				n.setState(trace.Unreachable, unstarted.cause.Error())
				c.bubble.Go(n.reconnect)
				return
			}
			c.emitRefused(err)
			if unstarted != nil {
				c.unstarted.CompareAndSwap(nil, unstarted)
			}
		})
	}
}

func (c *Inside) emitSettings() {
	settings := c.currentSettings()
	c.emit(trace.Event{Kind: trace.KindSettings, Settings: &settings})
}
