package scenario

import (
	"math/rand/v2"
	"slices"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
	"capsize/faults"
)

// The kinds of harm that chaos does.
var chaosKinds = []string{"network", "nodes", "disk", "membership"}

// chaosEvery is how often chaos strikes when it is not told.
const chaosEvery = 5 * time.Second

// chaos does random harm, within what Raft survives: it never takes more nodes
// out of action at a time than a minority of the voters, and it takes back all
// it did.
type chaos struct {
	x     *execution
	rng   *rand.Rand // its own, as what it draws must not depend on what others do
	kinds []string
	every time.Duration
	stop  chan struct{}
	ended chan struct{}
	harms []harm // not yet taken back, oldest first
	count map[string]int
}

// harm is one thing that chaos did.
type harm struct {
	node  string       // whom it takes out of action, "" for nobody
	added string       // whom it made a member, "" for nobody
	heal  func() error // takes it back, unless somebody else has
}

func parseChaos(r *reader) (action, error) {
	if r.skip("off") {
		return func(x *execution) error { x.stopChaos(); return nil }, nil
	}
	var kinds []string
	every := chaosEvery
	for r.more() {
		if r.skip("every") {
			var err error
			if every, err = r.duration("how often to strike"); err != nil {
				return nil, err
			}
			if every < 10*time.Millisecond {
				return nil, r.fail(r.words[r.next-1], "every %s: it must be at least 10ms", every)
			}
			break
		}
		allowed := slices.Concat(chaosKinds, []string{"every"})
		if len(kinds) == 0 {
			allowed = append(allowed, "off")
		}
		kind, err := r.oneOf("a kind of harm", allowed...)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, kind)
	}
	if len(kinds) == 0 {
		kinds = []string{"network", "nodes"}
	}
	return func(x *execution) error { x.startChaos(kinds, every); return nil }, nil
}

func (x *execution) startChaos(kinds []string, every time.Duration) {
	x.stopChaos()
	x.chaos = &chaos{
		x: x, rng: rand.New(rand.NewPCG(x.rng.Uint64(), 0)), kinds: kinds, every: every,
		stop: make(chan struct{}), ended: make(chan struct{}), count: map[string]int{},
	}
	x.c.Go(x.chaos.run)
}

// stopChaos ends chaos and waits until it has taken back what it did.
func (x *execution) stopChaos() {
	if x.chaos != nil {
		close(x.chaos.stop)
		<-x.chaos.ended
		x.chaos = nil
	}
}

func (k *chaos) run() {
	defer close(k.ended)
	ticker := time.NewTicker(k.every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			k.strike()
		case <-k.stop:
			k.healAll()
			return
		case <-k.x.c.Closing(): // a session does not stop its chaos
			return
		}
	}
}

// harmsMax is how many harms there are at once.
const harmsMax = 3

// strike takes back an old harm or does a new one.
func (k *chaos) strike() {
	if len(k.harms) > 0 && (len(k.harms) >= harmsMax || k.rng.IntN(2) == 0) {
		k.healOne()
		return
	}
	kind := k.kinds[k.rng.IntN(len(k.kinds))]
	var h harm
	switch kind {
	case "network":
		h = k.network()
	case "nodes":
		h = k.node()
	case "disk":
		h = k.disk()
	case "membership":
		h = k.membership()
	}
	if h.heal != nil {
		k.harms = append(k.harms, h)
		k.count[kind]++
	}
}

// healOne takes back the oldest harm, or a later one if without that more than a
// minority of the members that are left would be out of action. What cannot be
// taken back now has to wait.
func (k *chaos) healOne() {
	i := 0
	if k.harms[0].added != "" && len(k.harmed()) > minority(len(k.x.state().Voters())-1) {
		i = max(slices.IndexFunc(k.harms, func(h harm) bool { return h.node != "" }), 0)
	}
	h := k.harms[i]
	k.harms = slices.Delete(k.harms, i, i+1)
	if h.heal() != nil {
		k.harms = append(k.harms, h)
	}
}

// healTries is how often healAll tries what cannot be taken back yet, such as a
// change of the members while there is no leader; healEvery how long it waits between.
const (
	healTries = 60
	healEvery = time.Second
)

// healAll takes back all harm.
func (k *chaos) healAll() {
	for range healTries {
		for range k.harms {
			k.healOne()
		}
		if len(k.harms) == 0 || k.x.c.Closed() {
			return
		}
		k.x.sleep(healEvery)
	}
}

// minority returns how many of n voters may be out of action.
func minority(n int) int { return n - trace.Quorum(n) }

// harmed returns the nodes that are out of action, by chaos or not.
func (k *chaos) harmed() map[string]bool {
	harmed := map[string]bool{}
	for _, h := range k.harms {
		if h.node != "" {
			harmed[h.node] = true
		}
	}
	state := k.x.state()
	for i := range state.Nodes {
		if n := &state.Nodes[i]; n.Process != trace.Up && n.Process != trace.Removed {
			harmed[n.ID] = true
		}
	}
	return harmed
}

// victim draws a node that may be harmed: with it, no more than a minority is.
func (k *chaos) victim() string {
	voters, harmed := k.x.state().Voters(), k.harmed()
	if len(harmed) >= minority(len(voters)) {
		return ""
	}
	free := slices.DeleteFunc(voters, func(id string) bool { return harmed[id] })
	if len(free) == 0 {
		return ""
	}
	return free[k.rng.IntN(len(free))]
}

// life returns the state of a node's process, Removed if it is gone.
func (k *chaos) life(id string) trace.ProcessState {
	if n := k.x.state().Node(id); n != nil {
		return n.Process
	}
	return trace.Removed
}

// network breaks links. That takes nobody out of action for good, so any shape
// will do, also one that leaves no majority.
func (k *chaos) network() harm {
	c, names := k.x.c, k.x.c.Names()
	if len(names) < 2 {
		return harm{}
	}
	one := names[k.rng.IntN(len(names))]
	fault := []faults.LinkFault{
		faults.Cut{},
		faults.Cut{},
		faults.Refuse{},
		faults.Lose{Percent: 30},
		faults.Duplicate{Percent: 30},
		faults.Reorder{Percent: 30},
		faults.Delay{Mean: 50 * time.Millisecond, Jitter: 40 * time.Millisecond},
		faults.Jam{},
	}[k.rng.IntN(8)]
	oneWay, split := k.rng.IntN(3) == 0, k.rng.IntN(3) == 0
	side := []string{one}
	if split { // a random half
		k.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		side = names[:len(names)/2]
	}
	var set []link
	state := k.x.state()
	for _, a := range side {
		for _, b := range names {
			if slices.Contains(side, b) {
				continue
			}
			for _, l := range []link{{a, b}, {b, a}} {
				if (l.from == a || !oneWay) && len(state.Faults[trace.Link{From: l.from, To: l.to}]) == 0 && c.SetLink(l.from, l.to, fault) == nil {
					set = append(set, l)
				}
			}
		}
	}
	return harm{heal: func() error {
		for _, l := range set {
			_ = c.ClearLink(l.from, l.to, fault) // one of the two may be gone by now
		}
		return nil
	}}
}

// node takes a node out of action.
func (k *chaos) node() harm {
	c, id := k.x.c, k.victim()
	if id == "" {
		return harm{}
	}
	do, undo := (*cluster.Cluster).Kill, (*cluster.Cluster).Restart
	switch k.rng.IntN(3) {
	case 0:
		do, undo = (*cluster.Cluster).Pause, (*cluster.Cluster).Resume
	case 1:
		do = (*cluster.Cluster).PowerOff
	}
	if do(c, id) != nil {
		return harm{}
	}
	became := k.life(id)
	return harm{node: id, heal: func() error {
		if k.life(id) != became {
			return nil // somebody else did something to it meanwhile
		}
		return undo(c, id)
	}}
}

// disk breaks a disk, but not its promise: a disk that lies leaves Raft's model.
func (k *chaos) disk() harm {
	c, id := k.x.c, k.victim()
	if id == "" {
		return harm{}
	}
	fault := []faults.DiskFault{
		faults.Slow{Latency: 100 * time.Millisecond}, faults.Stall{}, faults.Fail{}, faults.Full{},
	}[k.rng.IntN(4)]
	if c.SetDisk(id, fault) != nil {
		return harm{}
	}
	return harm{node: id, heal: func() error {
		if k.life(id) == trace.Removed {
			return nil
		}
		if err := c.SetDisk(id, nil); err != nil {
			return err
		}
		if k.life(id) == trace.Crashed {
			return c.Restart(id)
		}
		return nil
	}}
}

// membership adds a node, to be removed again, or hands leadership over.
func (k *chaos) membership() harm {
	c := k.x.c
	if k.rng.IntN(2) == 0 {
		if id := k.victim(); id != "" && c.Transfer(id) == nil {
			return harm{heal: func() error { return nil }}
		}
		return harm{}
	}
	before := c.Names()
	if len(before) >= cluster.NodesMax {
		return harm{}
	}
	// Without an answer the node may have become a member all the same.
	_ = c.AddNode("", true)
	for _, id := range c.Names() {
		if !slices.Contains(before, id) {
			return harm{added: id, heal: func() error {
				if k.life(id) == trace.Removed {
					return nil
				}
				return c.RemoveNode(id)
			}}
		}
	}
	return harm{}
}
