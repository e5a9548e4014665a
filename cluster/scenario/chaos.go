package scenario

import (
	"errors"
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

// chaos does random harm, within what Raft survives: it never touches more nodes
// at a time than a minority of the voters, and it takes back all it did.
type chaos struct {
	x     *execution
	kinds []string
	every time.Duration
	stop  chan struct{}
	ended chan struct{}
	harms []harm // not yet taken back, oldest first
	count map[string]int
}

// harm is one thing that chaos did.
type harm struct {
	node string // whom it touches, "" for none
	heal func() error
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
		kind, err := r.oneOf("a kind of harm", slices.Concat(chaosKinds, []string{"every", "off"})...)
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
	x.chaos = &chaos{x: x, kinds: kinds, every: every, stop: make(chan struct{}), ended: make(chan struct{}), count: map[string]int{}}
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
			for len(k.harms) > 0 {
				k.healOldest()
			}
			return
		}
		if k.x.c.Ended() {
			<-k.stop
			return
		}
	}
}

// harmsMax is how many harms there are at once.
const harmsMax = 3

// strike takes back an old harm or does a new one.
func (k *chaos) strike() {
	if len(k.harms) > 0 && (len(k.harms) >= harmsMax || k.x.rng.IntN(2) == 0) {
		k.healOldest()
		return
	}
	kind := k.kinds[k.x.rng.IntN(len(k.kinds))]
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

func (k *chaos) healOldest() {
	h := k.harms[0]
	k.harms = k.harms[1:]
	// What it healed may have been healed, or killed, by others meanwhile.
	_ = h.heal()
}

// victim draws a node that is up and may be harmed: with it, no more than a
// minority is.
func (k *chaos) victim() string {
	state := k.x.state()
	voters := state.Voters()
	harmed := map[string]bool{}
	for _, h := range k.harms {
		if h.node != "" {
			harmed[h.node] = true
		}
	}
	for i := range state.Nodes {
		if n := &state.Nodes[i]; n.Life != trace.Up && n.Life != trace.Removed {
			harmed[n.ID] = true
		}
	}
	if len(harmed) >= len(voters)-trace.Quorum(len(voters)) {
		return ""
	}
	free := slices.DeleteFunc(voters, func(id string) bool { return harmed[id] })
	if len(free) == 0 {
		return ""
	}
	return free[k.x.rng.IntN(len(free))]
}

// network breaks links. Cutting never harms a node for good, so any shape will do.
func (k *chaos) network() harm {
	c, names := k.x.c, k.x.c.Names()
	if len(names) < 2 {
		return harm{}
	}
	one := names[k.x.rng.IntN(len(names))]
	fault := []faults.LinkFault{
		faults.Cut{},
		faults.Cut{},
		faults.Refuse{},
		faults.Lose{Percent: 30},
		faults.Duplicate{Percent: 30},
		faults.Reorder{Percent: 30},
		faults.Delay{Mean: 50 * time.Millisecond, Jitter: 40 * time.Millisecond},
		faults.Jam{},
	}[k.x.rng.IntN(8)]
	oneWay, split := k.x.rng.IntN(3) == 0, k.x.rng.IntN(3) == 0
	side := []string{one}
	if split { // a random half
		k.x.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
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
		var all []error
		for _, l := range set {
			all = append(all, c.ClearLink(l.from, l.to, fault))
		}
		return errors.Join(all...)
	}}
}

// node takes a node out of action.
func (k *chaos) node() harm {
	c, id := k.x.c, k.victim()
	if id == "" {
		return harm{}
	}
	do, undo := (*cluster.Cluster).Kill, (*cluster.Cluster).Restart
	switch k.x.rng.IntN(3) {
	case 0:
		do, undo = (*cluster.Cluster).Pause, (*cluster.Cluster).Resume
	case 1:
		do = (*cluster.Cluster).PowerOff
	}
	if do(c, id) != nil {
		return harm{}
	}
	return harm{node: id, heal: func() error { return undo(c, id) }}
}

// disk breaks a disk, but not its promise: a disk that lies leaves Raft's model.
func (k *chaos) disk() harm {
	c, id := k.x.c, k.victim()
	if id == "" {
		return harm{}
	}
	fault := []faults.DiskFault{
		faults.Slow{Latency: 100 * time.Millisecond}, faults.Stall{}, faults.Fail{}, faults.Full{},
	}[k.x.rng.IntN(4)]
	if c.SetDisk(id, fault) != nil {
		return harm{}
	}
	return harm{node: id, heal: func() error {
		err := c.SetDisk(id, nil)
		state := k.x.state()
		if n := state.Node(id); n != nil && n.Life == trace.Crashed {
			err = errors.Join(err, c.Restart(id))
		}
		return err
	}}
}

// membership adds a node, to be removed again, or hands leadership over.
func (k *chaos) membership() harm {
	c := k.x.c
	if k.x.rng.IntN(2) == 0 {
		if id := k.victim(); id != "" && c.Transfer(id) == nil {
			return harm{heal: func() error { return nil }}
		}
		return harm{}
	}
	before := c.Names()
	if len(before) >= cluster.NodesMax || c.AddNode("", true) != nil {
		return harm{}
	}
	for _, id := range c.Names() {
		if !slices.Contains(before, id) {
			return harm{heal: func() error { return c.RemoveNode(id) }}
		}
	}
	return harm{}
}
