package tcp

import (
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"capsize/faults"
)

// link is one direction between two nodes, with its faults. All connections between them share it.
type link struct {
	faults.Link
	latency, jitter time.Duration
	lingering       atomic.Int64 // connections whose client is gone

	mu      sync.Mutex
	rng     *rand.Rand
	faults  []faults.LinkFault   // sorted by name
	changed chan struct{}        // closed when faults change, and replaced
	free    map[string]time.Time // when what occupies the link is through, by the text of the fault
}

func newLink(at faults.Link, cfg *ProxyConfig) *link {
	h := fnv.New64a()
	_, _ = h.Write([]byte(at.From + "\x00" + at.To)) // a hash never fails
	return &link{
		Link: at, latency: cfg.Latency, jitter: cfg.Jitter, free: map[string]time.Time{},
		rng: rand.New(rand.NewPCG(uint64(cfg.Seed), h.Sum64())), changed: make(chan struct{}),
	}
}

// set replaces the faults by what change makes of them.
func (l *link) set(change func([]faults.LinkFault) []faults.LinkFault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = change(l.faults)
	maps.DeleteFunc(l.free, func(text string, _ time.Time) bool {
		return !slices.ContainsFunc(l.faults, func(f faults.LinkFault) bool { return f.String() == text })
	})
	close(l.changed)
	l.changed = make(chan struct{})
}

// transit is a message on a link, or the start or the end of a connection.
type transit struct {
	*message      // nil for a start or an end
	held     bool // when it was sent
	sentAt   time.Time
	latency  time.Duration
	effects  map[string]faults.Effect // of the faults that it has met, by their text
}

// fate is what the present faults make of a message.
type fate struct {
	lost    string // why, "" if it is not
	refused bool
	held    bool
	due     time.Time       // if neither
	changed <-chan struct{} // closed when the faults change
}

// send begins the transit of a message.
func (l *link) send(m *message) (*transit, fate) {
	t := &transit{message: m, sentAt: time.Now(), latency: l.latency}
	if l.jitter > 0 {
		l.mu.Lock()
		t.latency = max(0, t.latency+time.Duration(l.rng.Int64N(2*int64(l.jitter)+1))-l.jitter)
		l.mu.Unlock()
	}
	return t, l.judge(t)
}

// judge applies the present faults to a message. Each fault meets it once, as long as it is set.
func (l *link) judge(t *transit) fate {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := fate{due: t.sentAt.Add(t.latency), changed: l.changed}
	if len(l.faults) == 0 {
		t.effects = nil
		return f
	}
	packet := faults.Packet{From: l.From, To: l.To}
	if t.message != nil {
		packet = t.packet
	}
	met := t.effects
	t.effects = make(map[string]faults.Effect, len(l.faults))
	for _, fault := range l.faults {
		text := fault.String()
		e, ok := met[text]
		if !ok {
			e = fault.Apply(packet, l.rng)
		}
		t.effects[text] = e
		if e.Lost != "" && f.lost == "" {
			f.lost, f.refused = e.Lost, e.Refused
		}
		f.held = f.held || e.Held
	}
	for text, e := range t.effects {
		if _, ok := met[text]; !ok && e.Occupies > 0 && f.lost == "" {
			l.free[text] = later(l.free[text], time.Now()).Add(e.Occupies)
			e.Delay += l.free[text].Sub(t.sentAt)
			t.effects[text] = e
		}
		f.due = f.due.Add(e.Delay)
	}
	return f
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
