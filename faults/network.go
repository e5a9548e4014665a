package faults

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// The defaults of NetworkConfig.
const (
	defaultRPCTimeout  = time.Second
	defaultMaxInFlight = 18
)

// NetworkConfig is how a Network behaves before any fault is set.
type NetworkConfig struct {
	// Seed fixes all of the network's randomness. Each directed link draws from a
	// generator of its own, derived from Seed and the link's two addresses, so the same
	// packets and faults on a link get the same decisions whatever happens on others.
	Seed int64
	// Latency is the one-way latency of every link, drawn uniformly from Latency-Jitter to
	// Latency+Jitter. With both 0, a packet arrives at once.
	Latency, Jitter time.Duration
	// RPCTimeout bounds every RPC, from the call to its return, and in a pipeline the wait
	// for each reply. 0 means one second.
	RPCTimeout time.Duration
	// QueueHeartbeats sends heartbeats through the Consumer channel like all other requests,
	// as raft's InmemTransport does. By default they take raft's fast path, as over TCP.
	QueueHeartbeats bool
	// MaxRPCsInFlight bounds the requests in flight in a pipeline; 1 turns pipelining off. 0
	// means 18, as in raft's InmemTransport. The default of raft's NetworkTransport is
	// raft.DefaultMaxRPCsInFlight, 2.
	MaxRPCsInFlight int
	// Tap, if not nil, receives every packet twice: when it is sent, and when it is
	// delivered or lost. It runs on the goroutines that move the packets: in order for
	// each link, concurrently for different links. It must not block and must not make an
	// RPC. The network holds no lock that other methods of a Network or Transport need, so
	// Tap may call them, and code that holds a lock Tap takes may call them too.
	Tap func(Packet)
}

// Network joins the Raft nodes of one process by directed links that can fail. Any
// goroutine may call its methods at any time. A network for a testing/synctest bubble
// must be created and used inside it.
type Network struct {
	seed            int64
	tap             func(Packet)
	queueHeartbeats bool
	maxInFlight     int

	latency    atomic.Int64 // nanoseconds
	jitter     atomic.Int64 // nanoseconds
	rpcTimeout atomic.Int64 // nanoseconds
	packetIDs  atomic.Uint64
	rpcIDs     atomic.Uint64
	closed     atomic.Bool
	calls      sync.Pool // *call, unused

	mu          sync.RWMutex // guards the maps, and changes to (not reads of) a link's faults
	slots       map[raft.ServerAddress]*endpointSlot
	links       map[Link]*link
	lastFaultID uint64
}

// endpointSlot is an address. It stays while the processes behind it die and restart.
type endpointSlot struct {
	addr     raft.ServerAddress
	paused   atomic.Bool
	endpoint atomic.Pointer[Transport]
}

// up returns the open endpoint at the address, or nil.
func (s *endpointSlot) up() *Transport {
	if t := s.endpoint.Load(); t != nil && !t.closed.Load() {
		return t
	}
	return nil
}

// NewNetwork returns a network without endpoints or faults.
func NewNetwork(cfg NetworkConfig) *Network {
	n := &Network{
		seed:            cfg.Seed,
		tap:             cfg.Tap,
		queueHeartbeats: cfg.QueueHeartbeats,
		maxInFlight:     cfg.MaxRPCsInFlight,
		slots:           make(map[raft.ServerAddress]*endpointSlot),
		links:           make(map[Link]*link),
	}
	if n.maxInFlight <= 0 {
		n.maxInFlight = defaultMaxInFlight
	}
	n.SetLatency(cfg.Latency, cfg.Jitter)
	n.SetRPCTimeout(cfg.RPCTimeout)
	return n
}

// Transport returns a new endpoint at addr and closes the previous one. Faults belong to
// links, so they outlive endpoints. Once the network is closed, new endpoints are closed
// too.
func (n *Network) Transport(addr raft.ServerAddress) *Transport {
	n.mu.Lock()
	t := newTransport(n, n.slotLocked(addr))
	old := t.slot.endpoint.Swap(t)
	closed := n.closed.Load()
	n.mu.Unlock()
	if old != nil {
		old.kill()
	}
	if closed {
		t.kill()
	}
	return t
}

// Close closes every endpoint, which fails every RPC as [Transport.Close] does, and drops
// the packets in flight. The network's goroutines end by themselves. The tap receives
// nothing more.
func (n *Network) Close() {
	n.mu.Lock()
	n.closed.Store(true)
	slots := make([]*endpointSlot, 0, len(n.slots))
	for _, s := range n.slots {
		slots = append(slots, s)
	}
	n.mu.Unlock()
	for _, s := range slots {
		if t := s.endpoint.Load(); t != nil {
			t.kill()
		}
	}
}

// SetFault sets a fault on one directed link and replaces a fault of the same name. It
// also applies to packets in flight, as if they were sent now.
func (n *Network) SetFault(from, to raft.ServerAddress, f LinkFault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.setFaultLocked(Link{from, to}, f)
}

// Cut sets [Cut] on each of the links. Isolate, Split, Bridge and the other shapes return
// such links.
func (n *Network) Cut(links []Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, at := range links {
		n.setFaultLocked(at, Cut{})
	}
}

func (n *Network) setFaultLocked(at Link, f LinkFault) {
	l := n.linkLocked(at.From, at.To)
	old := l.installed()
	i, found := slices.BinarySearchFunc(old, f.Name(), func(o installedFault, name string) int { return strings.Compare(o.Name(), name) })
	next := slices.Clone(old)
	switch {
	case found && old[i].String() == f.String():
		return // already set: its effect on packets in flight must not start over
	case found:
		next = slices.Delete(next, i, i+1)
	}
	n.lastFaultID++
	next = slices.Insert(next, i, installedFault{LinkFault: f, id: n.lastFaultID})
	l.faults.Store(&next)
	go l.drain()
}

// ClearFault clears the fault of that name, and its effect on packets in flight: those
// that it held or slowed down arrive, in order. It does nothing if there is no such fault.
func (n *Network) ClearFault(from, to raft.ServerAddress, name string) {
	n.clear(Link{from, to}, func(f LinkFault) bool { return f.Name() == name })
}

// Heal clears every fault of one directed link.
func (n *Network) Heal(from, to raft.ServerAddress) {
	n.clear(Link{from, to}, func(LinkFault) bool { return true })
}

func (n *Network) clear(at Link, gone func(LinkFault) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if l := n.links[at]; l != nil && l.clearLocked(gone) {
		go l.drain()
	}
}

// HealAll clears every fault of every link. Paused nodes stay paused.
func (n *Network) HealAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	var healed []*link
	for _, l := range n.links {
		if l.clearLocked(func(LinkFault) bool { return true }) {
			healed = append(healed, l)
		}
	}
	go drainAll(healed)
}

// Faults returns the faults of one directed link, sorted by name. The caller owns the
// slice.
func (n *Network) Faults(from, to raft.ServerAddress) []LinkFault {
	n.mu.RLock()
	l := n.links[Link{from, to}]
	n.mu.RUnlock()
	if l == nil {
		return nil
	}
	var faults []LinkFault
	for _, f := range l.installed() {
		faults = append(faults, f.LinkFault)
	}
	return faults
}

// Pause stops the network of the node at addr, as SIGSTOP on its process would: every
// packet from and to it, including those in flight, waits until Resume. The deadlines of
// its RPCs, and of RPCs to it, keep running.
func (n *Network) Pause(addr raft.ServerAddress) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.slotLocked(addr).paused.Store(true)
}

// Resume ends Pause: the packets that waited arrive at once, in the order of each link.
func (n *Network) Resume(addr raft.ServerAddress) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.slotLocked(addr)
	if !s.paused.Swap(false) {
		return
	}
	var resumed []*link
	for _, l := range n.links {
		if l.from == s || l.to == s {
			resumed = append(resumed, l)
		}
	}
	go drainAll(resumed)
}

// SetLatency changes the one-way latency and jitter of every link, for packets sent from
// now on. A packet still never overtakes a slower one sent before it.
func (n *Network) SetLatency(latency, jitter time.Duration) {
	n.latency.Store(int64(latency))
	n.jitter.Store(int64(jitter))
}

// SetRPCTimeout changes the timeout of RPCs made from now on. 0 means one second.
func (n *Network) SetRPCTimeout(d time.Duration) {
	if d <= 0 {
		d = defaultRPCTimeout
	}
	n.rpcTimeout.Store(int64(d))
}

// link returns a directed link, and creates it if necessary.
func (n *Network) link(from, to raft.ServerAddress) *link {
	n.mu.RLock()
	l := n.links[Link{from, to}]
	n.mu.RUnlock()
	if l != nil {
		return l
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.linkLocked(from, to)
}

func (n *Network) linkLocked(from, to raft.ServerAddress) *link {
	if l := n.links[Link{from, to}]; l != nil {
		return l
	}
	a, b := n.slotLocked(from), n.slotLocked(to)
	l, back := newLink(n, a, b), newLink(n, b, a)
	l.back, back.back = back, l
	n.links[Link{to, from}] = back
	n.links[Link{from, to}] = l
	return l
}

func (n *Network) slotLocked(addr raft.ServerAddress) *endpointSlot {
	s := n.slots[addr]
	if s == nil {
		s = &endpointSlot{addr: addr}
		n.slots[addr] = s
	}
	return s
}

// report tells the tap the new status of a packet. Only the report of Sent carries Delay
// and Held.
func (n *Network) report(p *inflight, status PacketStatus, why string) {
	if n.tap == nil {
		return
	}
	report := p.Packet
	report.Status, report.Why = status, why
	if status != Sent {
		report.Delay, report.Held = 0, false
	}
	if status != Waiting {
		report.Deadline = time.Time{}
	}
	n.tapPacket(report)
}
