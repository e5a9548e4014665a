package tcp

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"capsize/faults"
)

// link is one direction between two nodes, with its faults.
type link struct {
	faults.Link
	latency, jitter time.Duration

	mu      sync.Mutex
	rng     *rand.Rand
	faults  []faults.LinkFault // sorted by name; never changed in place
	changed chan struct{}      // closed when faults change, and replaced
	free    time.Time          // when what is limited in bandwidth is through
}

func newLink(at faults.Link, cfg *ProxyConfig) *link {
	h := fnv.New64a()
	_, _ = h.Write([]byte(at.From + "\x00" + at.To)) // a hash never fails
	return &link{
		Link: at, latency: cfg.Latency, jitter: cfg.Jitter,
		rng: rand.New(rand.NewPCG(uint64(cfg.Seed), h.Sum64())), changed: make(chan struct{}),
	}
}

// set replaces the faults by what change makes of them.
func (l *link) set(change func([]faults.LinkFault) []faults.LinkFault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = change(slices.Clone(l.faults))
	close(l.changed)
	l.changed = make(chan struct{})
}

// transit is a message on a link.
type transit struct {
	*message
	sentAt  time.Time
	latency time.Duration
	effects map[string]faults.Effect // of the faults that it has met, by their text
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
	l.mu.Lock()
	t := &transit{message: m, sentAt: time.Now(), latency: l.latency}
	if l.jitter > 0 {
		t.latency = max(0, t.latency+time.Duration(l.rng.Int64N(2*int64(l.jitter)+1))-l.jitter)
	}
	l.mu.Unlock()
	return t, l.judge(t)
}

// judge applies the present faults to a message. Each fault meets it once, as long as it is set.
func (l *link) judge(t *transit) fate {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := fate{due: t.sentAt.Add(t.latency), changed: l.changed}
	met := t.effects
	t.effects = nil
	for _, fault := range l.faults {
		text := fault.String()
		e, ok := met[text]
		if !ok {
			e = fault.Apply(t.packet, l.rng)
			if e.Occupies > 0 {
				l.free = later(l.free, time.Now()).Add(e.Occupies)
				e.Delay += l.free.Sub(t.sentAt)
			}
		}
		if t.effects == nil {
			t.effects = map[string]faults.Effect{}
		}
		t.effects[text] = e
		if e.Lost != "" && f.lost == "" {
			f.lost, f.refused = e.Lost, e.Refused
		}
		f.held = f.held || e.Held
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
