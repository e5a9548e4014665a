package faults

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// defaultRPCTimeout bounds an RPC when NetworkConfig does not.
const defaultRPCTimeout = time.Second

// NetworkConfig says how a Network behaves before any fault is set.
type NetworkConfig struct {
	// Seed fixes all of the network's chance. Each directed link draws from a generator of its own, derived from
	// Seed and the link's two addresses, so the same packets and faults on a link meet with the same decisions
	// whatever happens on the others.
	Seed int64
	// Latency is the one-way latency of every link, and Jitter how far it strays to either side, evenly. With both
	// 0 a packet arrives at once.
	Latency, Jitter time.Duration
	// RPCTimeout bounds every RPC, from the call to its return. 0 stands for one second.
	RPCTimeout time.Duration
	// Tap, if any, is told of every packet: when it is sent, and when it is delivered or lost. It is called on the
	// goroutines that move the packets, in the order of the packets of each link but concurrently for different
	// links. It must not block and must not make an RPC. No lock that the other methods of a Network or Transport
	// need is held meanwhile, so they may be called in it, and under locks that it takes.
	Tap func(Packet)
}

// Network joins Raft nodes of one process by directed links that can go wrong. All methods may be called at any time
// by any goroutine. Inside a testing/synctest bubble the network must be made and used in that bubble.
type Network struct {
	seed       int64
	tap        func(Packet)
	latency    atomic.Int64 // nanoseconds
	jitter     atomic.Int64 // nanoseconds
	rpcTimeout atomic.Int64 // nanoseconds
	packetIDs  atomic.Uint64
	rpcIDs     atomic.Uint64
	closed     atomic.Bool
	calls      sync.Pool // *call, unused

	mu          sync.RWMutex // guards the maps, and the change (not the reading) of a link's faults
	slots       map[raft.ServerAddress]*endpointSlot
	links       map[Link]*link
	lastFaultID uint64
}

// endpointSlot is an address: what stays when the process behind it dies and comes back.
type endpointSlot struct {
	addr     raft.ServerAddress
	paused   atomic.Bool
	endpoint atomic.Pointer[Transport]
}

// up returns the living endpoint at the address, or nil.
func (s *endpointSlot) up() *Transport {
	if t := s.endpoint.Load(); t != nil && !t.closed.Load() {
		return t
	}
	return nil
}

// NewNetwork returns a network without endpoints or faults.
func NewNetwork(cfg NetworkConfig) *Network {
	n := &Network{
		seed:  cfg.Seed,
		tap:   cfg.Tap,
		slots: make(map[raft.ServerAddress]*endpointSlot),
		links: make(map[Link]*link),
	}
	n.SetLatency(cfg.Latency, cfg.Jitter)
	n.SetRPCTimeout(cfg.RPCTimeout)
	return n
}

// Transport returns a new endpoint at addr and closes the one that was there before. Faults belong to links, so they
// outlive it. After Close of the network the endpoint is born closed.
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

// Close closes every endpoint, so that every RPC fails as after Transport.Close, and drops what is under way. All goroutines of the
// network end by themselves. The tap is told nothing more.
func (n *Network) Close() {
	n.mu.Lock()
	n.closed.Store(true)
	stations := make([]*endpointSlot, 0, len(n.slots))
	for _, s := range n.slots {
		stations = append(stations, s)
	}
	n.mu.Unlock()
	for _, s := range stations {
		if t := s.endpoint.Load(); t != nil {
			t.kill()
		}
	}
}

// SetFault sets a fault on one directed link, in place of a fault of the same name. It applies to packets under way
// too: those are judged by it as if they had been sent now.
func (n *Network) SetFault(from, to raft.ServerAddress, f LinkFault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.setFaultLocked(Link{from, to}, f)
}

// Cut sets Cut on each of the links. See the shapes: Isolate, Split, Bridge and so on.
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
		return // It is there already: what it does to packets under way must not start over.
	case found:
		next = slices.Delete(next, i, i+1)
	}
	n.lastFaultID++
	next = slices.Insert(next, i, installedFault{LinkFault: f, id: n.lastFaultID})
	l.faults.Store(&next)
	go l.drain()
}

// ClearFault takes back the fault of that name, and with it what it still does to packets under way: what it held or
// slowed down comes through, in order. It does nothing if there is no such fault.
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

// HealAll clears every fault of every link. What Hold holds stays held.
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

// Faults returns the faults of one directed link, sorted by name. The slice is the caller's.
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

// Pause makes the node at addr a stopped process: every packet from and to it waits, those under way included, until
// Release. The deadlines of its RPCs and of those to it run on.
func (n *Network) Pause(addr raft.ServerAddress) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.slotLocked(addr).paused.Store(true)
}

// Resume ends Hold: what waited comes through at once, in the order of each link.
func (n *Network) Resume(addr raft.ServerAddress) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.slotLocked(addr)
	if !s.paused.Swap(false) {
		return
	}
	var released []*link
	for _, l := range n.links {
		if l.from == s || l.to == s {
			released = append(released, l)
		}
	}
	go drainAll(released)
}

// SetLatency changes the one-way latency and jitter of every link, for packets sent from now on. A packet never
// overtakes a slower one sent before it.
func (n *Network) SetLatency(latency, jitter time.Duration) {
	n.latency.Store(int64(latency))
	n.jitter.Store(int64(jitter))
}

// SetRPCTimeout changes the deadline of RPCs made from now on. 0 stands for one second.
func (n *Network) SetRPCTimeout(d time.Duration) {
	if d <= 0 {
		d = defaultRPCTimeout
	}
	n.rpcTimeout.Store(int64(d))
}

// link returns a directed link, and makes it if need be.
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

// report reports what became of a packet. Delay and Held belong to the report that it was sent.
func (n *Network) report(p *inflight, fate PacketStatus, why string) {
	if n.tap == nil || n.closed.Load() {
		return
	}
	report := p.Packet
	report.Status, report.Why = fate, why
	if fate != Sent {
		report.Delay, report.Held = 0, false
	}
	n.tap(report)
}
