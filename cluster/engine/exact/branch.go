package exact

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// Branch returns an engine that has done the same up to a moment, and stands still there. Left
// alone it repeats what came after, orders included. The first new order begins another future.
//
// It starts from the last snapshot before the moment, or anew.
func (e *Engine) Branch(at trace.Position) (engine.Engine, error) {
	earlier := e.snapshots.upTo(at)
	e.mu.Lock()
	past := replay{orders: slices.Clone(e.past), hold: at.Seq, holdAt: at.At}
	e.mu.Unlock()
	cfg := e.cfg
	cfg.Record, cfg.Sink = nil, nil
	b, err := e.program.branch(cfg, e.options, earlier, past)
	if err != nil {
		return nil, err
	}
	b.runToHold()
	if err := b.awaitHold(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// branch starts an engine that is to repeat a past from the last of some snapshots or, without
// any, from the beginning.
func (p *Program) branch(cfg cluster.Config, o engine.Options, earlier []*snapshot, past replay) (*Engine, error) {
	if len(earlier) == 0 {
		opened, err := p.Open(cfg, o)
		if err != nil {
			return nil, err
		}
		e := opened.(*Engine)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.replay = past
		return e, nil
	}
	from := earlier[len(earlier)-1]
	e, err := p.start(cfg, o)
	if err != nil {
		return nil, err
	}
	for _, one := range earlier {
		e.snapshots.add(one)
	}
	if err := e.restore(from); err != nil {
		return nil, errors.Join(fmt.Errorf("restoring the moment %s: %w", from.at, err), e.guest.close())
	}
	e.past = slices.Clone(past.orders[:from.orders])
	past.orders = past.orders[from.orders:]
	e.replay = past
	e.addSinks()
	e.run()
	return e, nil
}

// runToHold lets time pass as fast as possible until the moment at which to hold.
func (e *Engine) runToHold() {
	e.mu.Lock()
	e.pace.set(vtime.Max, time.Now())
	e.mu.Unlock()
	e.signal()
}

// awaitHold waits until the engine stands still at the moment at which it is to hold.
func (e *Engine) awaitHold() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for !e.replay.held && !e.over {
		e.moved.Wait()
	}
	return e.err
}

// snapshotEvery is the virtual time between two snapshots: a branch repeats at most as much.
const snapshotEvery = 10 * time.Second

// snapshotsBytes bounds the memory of all snapshots of an engine.
const snapshotsBytes = 64 << 20

// snapshots are moments of an engine, in order.
type snapshots struct {
	next    time.Duration // when the next one is due
	packing sync.WaitGroup

	mu    sync.Mutex // guards what follows
	all   []*snapshot
	bytes int
}

// upTo returns the snapshots before a moment.
func (s *snapshots) upTo(at trace.Position) []*snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.all)
	for n > 0 && (s.all[n-1].state.Seq > at.Seq || s.all[n-1].at > at.At) {
		n--
	}
	return slices.Clone(s.all[:n])
}

// add adds a snapshot. If they take too much memory, every second one goes: the older, the rarer.
func (s *snapshots) add(one *snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all, s.bytes = append(s.all, one), s.bytes+len(one.memory)
	if s.bytes <= snapshotsBytes {
		return
	}
	kept := s.all[:0]
	s.bytes = 0
	for i, one := range s.all {
		if i%2 == 1 {
			kept, s.bytes = append(kept, one), s.bytes+len(one.memory)
		}
	}
	clear(s.all[len(kept):])
	s.all = kept
}

// takeSnapshot takes a snapshot if one is due. It is called between two calls of the guest.
func (e *Engine) takeSnapshot() error {
	at := e.reached
	if e.history == nil || at < e.snapshots.next {
		return nil
	}
	one, err := e.take()
	if err != nil {
		return err
	}
	e.snapshots.next = at + snapshotEvery
	e.snapshots.packing.Go(func() {
		if one.pack() == nil { // otherwise a branch starts from an earlier one
			e.snapshots.add(one)
		}
	})
	return nil
}
