package cluster

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"capsize/cluster/trace"

	"github.com/hashicorp/raft"
)

// shortestTimeout is the shortest heartbeat timeout, election timeout and lease that raft accepts
// (hashicorp/raft config.go, ValidateConfig).
const shortestTimeout = 5 * time.Millisecond

// timeouts are the settings that can change while the cluster runs.
type timeouts struct{ heartbeat, election, lease time.Duration }

// LiveSettings returns the keys of the settings that [Inside.SetTimeout] changes, sorted.
func LiveSettings() []string { return []string{"election", "heartbeat", "lease"} }

// currentSettings returns the settings as they are now.
func (c *Inside) currentSettings() trace.Settings {
	s, t := c.settings, c.timeouts.Load()
	s.Heartbeat, s.Election, s.Lease = t.heartbeat, t.election, t.lease
	return s
}

// storeTimeouts sets the timeouts of nodes that start from now on to those of s.
func (c *Inside) storeTimeouts(s trace.Settings) {
	c.timeouts.Store(&timeouts{s.Heartbeat, s.Election, s.Lease})
}

// SetTimeout changes one of the [LiveSettings] on all nodes, including those that start later. An
// error says what raft would reject; then no node has changed.
func (c *Inside) SetTimeout(key, value string) error {
	c.mu.Lock()
	before := c.currentSettings()
	after, err := c.withLiveSetting(before, key, value)
	if err == nil {
		c.storeTimeouts(after)
	}
	c.mu.Unlock()
	if err != nil {
		return err
	}
	if err := c.reloadAll(); err != nil {
		c.storeTimeouts(before)
		return errors.Join(err, c.reloadAll())
	}
	c.emitSettings()
	return nil
}

// withLiveSetting returns the settings with one of the live settings changed, or an error if raft
// would reject them on a node.
func (c *Inside) withLiveSetting(s trace.Settings, key, value string) (trace.Settings, error) {
	if !slices.Contains(LiveSettings(), key) {
		return s, fmt.Errorf("%s cannot change while the cluster runs", key)
	}
	if err := SetSetting(&s, key, value); err != nil {
		return s, err
	}
	if err := ValidateSettings(s); err != nil {
		return s, err
	}
	for _, n := range c.allNodes() {
		// The lease is the shortest of the three.
		if factor := n.factor(); scale(s.Lease, factor) < shortestTimeout {
			return s, fmt.Errorf("%s %s is too short for %s, whose clock factor is %g: raft needs a lease of at least %s",
				key, value, n.name, factor, shortestTimeout)
		}
	}
	return s, nil
}

// reloadAll gives all running nodes their timeouts.
func (c *Inside) reloadAll() error {
	var all []error
	for _, n := range c.allNodes() {
		if s := n.server(); s != nil {
			all = append(all, s.reloadTimeouts())
		}
	}
	return errors.Join(all...)
}

// factor returns the factor by which the node's timeouts are multiplied.
func (n *node) factor() float64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.clockFactor
}

// timeouts returns the node's timeouts on the cluster's clock: the settings times its clock factor.
func (p *process) timeouts() timeouts {
	t, factor := p.c.timeouts.Load(), p.node.factor()
	return timeouts{scale(t.heartbeat, factor), scale(t.election, factor), scale(t.lease, factor)}
}

// scale multiplies a duration. It keeps the order of durations, which raft checks.
func scale(d time.Duration, factor float64) time.Duration {
	return time.Duration(math.Round(float64(d) * factor))
}

// reloadTimeouts gives raft the node's current timeouts. If raft is still starting, newRaft does
// so later.
func (p *process) reloadTimeouts() error {
	r := p.raft.Load()
	if r == nil {
		return nil
	}
	p.node.reloading.Lock()
	defer p.node.reloading.Unlock()
	t := p.timeouts()
	conf, err := liveConfig(r)
	if err != nil {
		return err
	}
	old := conf.Load().(raft.Config).LeaderLeaseTimeout
	// The lease must never exceed the heartbeat timeout: set a shorter lease first, and a longer
	// one last.
	setLease(conf, min(old, t.lease))
	reload := r.ReloadableConfig()
	reload.HeartbeatTimeout, reload.ElectionTimeout = t.heartbeat, t.election
	if err := r.ReloadConfig(reload); err != nil {
		setLease(conf, old)
		return fmt.Errorf("%s: %w", p.node.name, err)
	}
	setLease(conf, t.lease)
	return nil
}

// liveConfig returns where a running raft keeps its configuration, which it reads again before
// each use.
//
// ReloadConfig replaces that whole configuration, but accepts no lease (hashicorp/raft config.go,
// ReloadableConfig), although checkLeaderLease reads the lease each time. A slow clock makes the
// lease longer at once, not from the next start, so the lease is replaced in the same place and
// in the same way: atomically.
func liveConfig(r *raft.Raft) (*atomic.Value, error) {
	field := reflect.ValueOf(r).Elem().FieldByName("conf")
	if !field.IsValid() || field.Type() != reflect.TypeFor[atomic.Value]() {
		return nil, errors.New("cannot change the lease of this version of hashicorp/raft: its configuration is in an unknown place")
	}
	return (*atomic.Value)(unsafe.Pointer(field.UnsafeAddr())), nil
}

// setLease replaces the lease in a live configuration.
func setLease(conf *atomic.Value, lease time.Duration) {
	c := conf.Load().(raft.Config)
	c.LeaderLeaseTimeout = lease
	conf.Store(c)
}
