package scenario

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// NemesisEvery is how often a nemesis acts when the command does not say.
const NemesisEvery = 5 * time.Second

// faultsMax is how many faults of a nemesis are active at once.
const faultsMax = 3

// nemesisKinds are the kinds of faults that a nemesis injects.
var nemesisKinds = []string{"network", "nodes", "disk", "membership"}

// ChaosKinds returns the kinds of faults that chaos injects.
func ChaosKinds() []string { return slices.Clone(nemesisKinds) }

// ValidateChaos returns an error for a kind that chaos does not have.
func ValidateChaos(kinds []string) error {
	for _, kind := range kinds {
		if !slices.Contains(nemesisKinds, kind) {
			return fmt.Errorf("%q is not a kind of fault%s; use %s", kind, didYouMean(kind, nemesisKinds), orList(nemesisKinds))
		}
	}
	return nil
}

// Nemesis injects random faults within what Raft survives: at most a minority of
// the voters is unavailable at a time, and every fault is healed in the end. In
// the language it is called chaos.
type Nemesis struct {
	c       *cluster.Inside
	rng     *rand.Rand // its own: nothing else may change what it draws
	kinds   []string
	every   time.Duration
	stop    chan struct{}
	stopped chan struct{}

	active []injectedFault // oldest first
	counts map[string]int  // injected faults by kind
}

// injectedFault is a fault that has not been healed yet.
type injectedFault struct {
	node  string       // the node it makes unavailable, "" for none
	added string       // the node it added to the members, "" for none
	heal  func() error // undoes it, unless someone else has
}

// StartNemesis starts a nemesis that injects or heals a fault at every interval.
// Its choices depend on the next number of rng only. It is called inside virtual
// time.
func StartNemesis(c *cluster.Inside, rng *rand.Rand, kinds []string, every time.Duration) *Nemesis {
	n := &Nemesis{
		c: c, rng: rand.New(rand.NewPCG(rng.Uint64(), 0)), kinds: kinds, every: every,
		stop: make(chan struct{}), stopped: make(chan struct{}), counts: map[string]int{},
	}
	c.Go(n.run)
	return n
}

// Stop ends the nemesis and waits until it has healed its faults. It returns how
// many faults it has injected, by kind.
func (n *Nemesis) Stop() map[string]int {
	close(n.stop)
	<-n.stopped
	return n.counts
}

func (n *Nemesis) run() {
	defer close(n.stopped)
	ticker := time.NewTicker(n.every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			n.injectOrHeal()
		case <-n.stop:
			n.healAll()
			return
		case <-n.c.Closing(): // a session does not stop its nemesis
			return
		}
	}
}

// injectOrHeal heals a fault or injects a new one.
func (n *Nemesis) injectOrHeal() {
	if len(n.active) > 0 && (len(n.active) >= faultsMax || n.rng.IntN(2) == 0) {
		n.healOne()
		return
	}
	kind := n.kinds[n.rng.IntN(len(n.kinds))]
	var f injectedFault
	switch kind {
	case "network":
		f = n.breakNetwork()
	case "nodes":
		f = n.stopNode()
	case "disk":
		f = n.breakDisk()
	case "membership":
		f = n.changeMembers()
	}
	if f.heal != nil {
		n.active = append(n.active, f)
		n.counts[kind]++
	}
}

// healOne heals the oldest fault. If that would remove a member and leave more
// than a minority of the rest unavailable, it heals a later fault instead. A fault
// that cannot be healed now goes to the end of the queue.
func (n *Nemesis) healOne() {
	i := 0
	if n.active[0].added != "" && len(n.unavailable()) > minority(len(n.state().Voters())-1) {
		i = max(slices.IndexFunc(n.active, func(f injectedFault) bool { return f.node != "" }), 0)
	}
	f := n.active[i]
	n.active = slices.Delete(n.active, i, i+1)
	if f.heal() != nil {
		n.active = append(n.active, f)
	}
}

// Healing a fault can fail for a while: a membership change fails while there is
// no leader. healAll tries healTries times and waits healEvery in between.
const (
	healTries = 60
	healEvery = time.Second
)

// healAll heals all faults.
func (n *Nemesis) healAll() {
	for range healTries {
		for range n.active {
			n.healOne()
		}
		if len(n.active) == 0 || n.c.Closed() {
			return
		}
		n.c.Sleep(healEvery)
	}
}

// state returns a copy of the present state.
func (n *Nemesis) state() *trace.State {
	state := n.c.Trace().State()
	return &state
}

// minority returns how many of some voters may be unavailable.
func minority(voters int) int { return voters - trace.Quorum(voters) }

// unavailable returns the nodes that cannot take part, because of the nemesis or not.
func (n *Nemesis) unavailable() map[string]bool {
	nodes := map[string]bool{}
	for _, f := range n.active {
		if f.node != "" {
			nodes[f.node] = true
		}
	}
	state := n.state()
	for i := range state.Nodes {
		if node := &state.Nodes[i]; node.Process != trace.Up && node.Process != trace.Removed {
			nodes[node.ID] = true
		}
	}
	return nodes
}

// pickVictim draws a node that may become unavailable: with it, no more than a
// minority of the voters is. It returns "" if there is none.
func (n *Nemesis) pickVictim() string {
	voters, unavailable := n.state().Voters(), n.unavailable()
	if len(unavailable) >= minority(len(voters)) {
		return ""
	}
	free := slices.DeleteFunc(voters, func(id string) bool { return unavailable[id] })
	if len(free) == 0 {
		return ""
	}
	return free[n.rng.IntN(len(free))]
}

// process returns the state of a node's process, Removed for a node that is gone.
func (n *Nemesis) process(id string) trace.ProcessState {
	if node := n.state().Node(id); node != nil {
		return node.Process
	}
	return trace.Removed
}
