// Package cluster runs several real hashicorp/raft nodes in one process, in
// virtual time, over a network and disks that break on demand, and turns all
// that happens into events.
//
// A [Cluster] lives in a bubble of virtual time. Two kinds of methods follow
// from that. The ones that say so are called from outside, or from anywhere: Open,
// Close, Order, Clock, Trace, History. All others are called inside, on a goroutine
// of the bubble, which [Cluster.Order] provides; they may take virtual time, so they
// must not run on the pacer itself.
//
// What happens is judged while it happens, by package check, unless the Config says
// otherwise; and a cluster can begin where another one was at a moment of its past.
//
// A node is three things of different lifetimes: the node (a name, a place in
// the network, faults), its disk, which outlives the process, and the process,
// which is new after each restart. What a dead process's goroutines still do
// has no effect: see process.go.
package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/faults"

	"github.com/hashicorp/raft"

	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
)

// NodesMax is how many nodes a cluster may have.
const NodesMax = 99

// pollEvery is how often what raft says of itself is compared with what the
// events say, for the few changes that no hook sees.
const pollEvery = 100 * time.Millisecond

// validName is what a node or client may be called.
var validName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)

// ErrMismatch is returned when the directory holds another cluster than asked for.
var ErrMismatch = errors.New("directory already holds a cluster")

// Config says what cluster to open.
type Config struct {
	// Nodes is how many voters a new cluster starts with. 0 means as many as
	// Dir holds already, or DefaultNodes if it holds none.
	Nodes, DefaultNodes int
	// Dir is where the nodes' files are kept; "" is a temporary directory that
	// is removed by Close. Unused with memory storage.
	Dir      string
	Settings trace.Settings
	// From, if not nil, is a moment of another cluster, from which this one goes
	// on: see branch. Nodes, DefaultNodes and Settings are those of that moment
	// then, whatever stands here, and Dir must hold no cluster.
	From *trace.State
	// HistoryBudget is how many bytes the history may take in which the past is
	// kept; 0 keeps none.
	HistoryBudget int64
	// Record is where all that happens is written to; nil is nowhere.
	Record *recording.Writer
	// Unchecked leaves out the checks, and with them their cost.
	Unchecked bool
	// tamper breaks the parts of a process, for the tests of the checks.
	tamper func(*raftDeps)
}

// Cluster is a running cluster.
type Cluster struct {
	clock  *vtime.Clock
	trace  *trace.Stream
	checks *check.Checker   // nil if it is unchecked
	past   *history.History // nil if none is kept
	bubble *vtime.Bubble
	dir    *dataDir // nil with memory storage

	settings trace.Settings
	tamper   func(*raftDeps) // nil outside of tests
	network  *faults.Network
	closing  chan struct{} // closed when the cluster ends; a channel of the bubble

	mu        sync.Mutex              // never held while waiting
	nodes     atomic.Pointer[[]*node] // replaced under mu, never changed in place
	rng       *rand.Rand              // what the cluster itself draws; guarded by mu
	clients   clientPool              // the clients
	isClosing atomic.Bool

	closeOnce sync.Once
	closeErr  error
}

// Open starts a cluster and returns it with its clock standing still. It is
// called from outside. Errors: [ErrBusy] when another capsize has the directory,
// [ErrMismatch] when it holds a cluster of another size, settings raft would not take, a directory that cannot be read or
// written, a moment that nothing can go on from.
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
	c := &Cluster{trace: &trace.Stream{}, settings: cfg.Settings, tamper: cfg.tamper}
	c.nodes.Store(new([]*node))
	if cfg.HistoryBudget > 0 {
		c.past = history.New(cfg.HistoryBudget)
		c.trace.AddSink(c.past)
	}
	if cfg.Record != nil {
		c.trace.AddSink(cfg.Record)
	}
	names, isNew, err := c.nodesToStart(cfg)
	if err != nil {
		return nil, err
	}
	// The counter remembers the last sequence number of each client; the clients
	// of this run must not be taken for those of an earlier one.
	switch {
	case from != nil:
		c.clients.seqBase = from.lastSeq
	case !isNew:
		c.clients.seqBase = uint64(time.Now().UnixMicro())
	}
	if !cfg.Unchecked {
		c.checks = check.New(c.trace.Emit)
		c.trace.SetChecker(c.checks.Observe)
	}
	c.clock = vtime.Start(func(b *vtime.Bubble) {
		if c.setUp(b); from != nil {
			err = c.startFork(from)
		} else {
			c.startNodes(names, isNew)
		}
	})
	if err = errors.Join(err, c.clock.Err()); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// nodesToStart returns the names of the nodes to start, and whether they are
// to be given their first configuration.
func (c *Cluster) nodesToStart(cfg Config) (names []string, isNew bool, err error) {
	if cfg.Settings.Storage == Bolt {
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
	case cfg.Nodes != 0 && cfg.Nodes != len(names):
		err = fmt.Errorf("%s: %w of %d nodes, not %d: leave out the number of nodes, or choose another directory", cfg.Dir, ErrMismatch, len(names), cfg.Nodes)
	}
	if err != nil && c.dir != nil {
		err = errors.Join(err, c.dir.close())
	}
	return names, false, err
}

// setUp sets the world up, inside: all but the nodes.
func (c *Cluster) setUp(b *vtime.Bubble) {
	c.bubble = b
	c.closing = make(chan struct{})
	c.rng = rand.New(rand.NewPCG(uint64(c.settings.Seed), 0))
	b.OnClose(c.close)
	c.network = faults.NewNetwork(faults.NetworkConfig{
		Seed:       c.settings.Seed,
		Latency:    c.settings.Latency,
		Jitter:     c.settings.Jitter,
		RPCTimeout: c.settings.RPCTimeout,
		Tap:        func(p faults.Packet) { c.emitPacket(&p) },
	})
	b.Go(c.poll)
}

// startNodes starts the nodes of a cluster that is new or was closed, inside.
func (c *Cluster) startNodes(names []string, isNew bool) {
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
			panic(err) // the names of a directory were looked at when it was opened
		}
		// A disk with latency takes virtual time to open, which the pacer, on
		// which this runs, must not wait for.
		c.bubble.Go(func() { c.emitRefused(n.boot(first)) })
	}
}

func (c *Cluster) emitSettings() {
	settings := c.settings
	c.emit(trace.Event{Kind: trace.KindSettings, Settings: &settings})
}

// Close ends the cluster: all nodes are stopped, the files closed and, if they
// were temporary, removed. It is called from outside. The error says what went
// wrong or was left behind. To close it again changes nothing.
func (c *Cluster) Close() error {
	c.closeOnce.Do(func() {
		if c.clock != nil {
			c.closeErr = c.clock.Close()
		}
		if c.checks != nil {
			c.checks.Close()
		}
		if c.dir != nil {
			c.closeErr = errors.Join(c.closeErr, c.dir.close())
		}
	})
	return c.closeErr
}

// CloseWithin is Close that is given up after so long in real time.
func (c *Cluster) CloseWithin(limit time.Duration) error {
	closed := make(chan error, 1)
	go func() { closed <- c.Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(limit):
		return fmt.Errorf("cluster did not shut down within %s", limit)
	}
}

// close stops everything that would go on for ever, inside.
func (c *Cluster) close() {
	c.isClosing.Store(true)
	close(c.closing)
	var stopping sync.WaitGroup
	for _, n := range c.allNodes() {
		n.currentDisk().ClearFault() // what a lying disk holds back would end with the program
		stopping.Go(func() { c.emitRefused(n.stop(trace.Killed, "")) })
	}
	stopping.Wait()
	c.network.Close()
}

// Clock returns the cluster's clock, to be used from outside.
func (c *Cluster) Clock() *vtime.Clock { return c.clock }

// Trace returns what has happened so far. It may be used from anywhere.
func (c *Cluster) Trace() *trace.Stream { return c.trace }

// AwaitVerdicts waits, in real time, until all that has happened so far has been
// judged. It may be called from anywhere; inside, time stands still meanwhile.
func (c *Cluster) AwaitVerdicts() {
	if c.checks != nil {
		c.checks.Await()
	}
}

// History returns the past as far as it is kept, nil if none is. It may be used
// from anywhere.
func (c *Cluster) History() *history.History { return c.past }

// Do carries out what the user ordered: it notes the command, and runs f on
// a goroutine of the bubble. It is called from outside, and returns f's error
// if f was done at once; if f takes virtual time, Order returns nil, and a
// later error becomes an event.
func (c *Cluster) Do(command string, f func() error) error {
	var mu sync.Mutex
	var result error
	var returned, late bool
	err := c.clock.Do(func() {
		if c.isClosing.Load() {
			returned, result = true, vtime.ErrClosed
			return
		}
		c.emit(trace.Event{Kind: trace.KindCommand, Text: command})
		c.bubble.Go(func() {
			err := f()
			mu.Lock()
			defer mu.Unlock()
			returned, result = true, err
			if late && err != nil {
				c.emit(trace.Event{Kind: trace.KindRefused, Text: command + ": " + err.Error()})
			}
		})
	})
	if err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	late = !returned
	return result
}

// emitRefused makes an event of an error that nobody waits for.
func (c *Cluster) emitRefused(err error) {
	if err != nil {
		c.emit(trace.Event{Kind: trace.KindRefused, Text: err.Error()})
	}
}

// AwaitLeader lets time pass as fast as it goes until a node leads, for at most
// limit of virtual time. It is called from outside, and reports whether one does.
func (c *Cluster) AwaitLeader(limit time.Duration) bool {
	const step = 10 * time.Millisecond
	for range limit / step {
		found := false
		c.trace.Read(func(s *trace.State) { found = s.LeaderNode() != nil && s.HasLeader() })
		if found {
			return true
		}
		if c.clock.Advance(step) != nil {
			return false
		}
	}
	return false
}

// Now returns the virtual time since the start, in a branch the one of the cluster
// that it goes on from.
func (c *Cluster) Now() time.Duration { return c.bubble.Now() }

func (c *Cluster) emit(e trace.Event) {
	defer c.bubble.Catch()
	e.At = c.bubble.Now()
	c.trace.Emit(e)
}

// poll compares what raft says of itself with what the events said.
func (c *Cluster) poll() {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			for _, n := range c.allNodes() {
				if p := n.running(); p != nil {
					p.observe()
				}
			}
		case <-c.closing:
			return
		}
	}
}

// sleep waits for d of virtual time, or less if the cluster ends.
func (c *Cluster) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-c.closing:
	}
}

// allNodes returns the nodes that exist, in the order in which they came. The slice
// must not be changed.
func (c *Cluster) allNodes() []*node { return *c.nodes.Load() }

// node returns the node of that name.
func (c *Cluster) node(name string) (*node, error) {
	if n := c.find(name); n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("no node %q: the nodes are %s", name, strings.Join(c.Names(), ", "))
}

// find returns the node of that name, nil if there is none.
func (c *Cluster) find(name string) *node {
	for _, n := range c.allNodes() {
		if n.name == name {
			return n
		}
	}
	return nil
}

// Names returns the nodes that exist, in the order in which they came.
func (c *Cluster) Names() []string {
	var names []string
	for _, n := range c.allNodes() {
		names = append(names, n.name)
	}
	return names
}
