package source

import (
	"errors"
	"slices"
	"sync"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/trace"
)

// Pool starts and closes the clusters that replace each other on the screen, on
// goroutines of its own. If the screen ends first, it closes them.
type Pool struct {
	Tasks sync.WaitGroup // clusters being started or closed

	mu    sync.Mutex
	ended bool
	fresh []engine.Engine // started, but not shown yet
}

// attended is how every cluster starts that the screen shows: steps wait for a key.
var attended = engine.Options{Attended: true}

// Start opens a cluster and elects its first leader. The pool owns the cluster until
// Release. It fails once the pool is closed, and with the errors of the opener.
func (f *Pool) Start(open engine.Opener, cfg cluster.Config) (Source, error) {
	return f.start(func() (engine.Engine, error) { return open(cfg, attended) }, Live)
}

// Branch continues from a moment of an engine's past. The pool owns the new engine until
// Release. It fails once the pool is closed, and with the errors of [engine.Engine.Branch].
func (f *Pool) Branch(from engine.Engine, at trace.Position) (Source, error) {
	s, err := f.start(func() (engine.Engine, error) { return from.Branch(at) }, branchOf)
	s.Start = at.At
	return s, err
}

// branchOf returns the source of a branch. One that is exact already has the leader of that
// moment, or the lack of one.
func branchOf(e engine.Engine) Source {
	if e.Mode() != engine.ExactMode {
		return Live(e)
	}
	e.Stage().TakeSpeed() // requested before that moment
	return watched(e)
}

// start opens an engine, owns it, and makes a source of it.
func (f *Pool) start(open func() (engine.Engine, error), show func(engine.Engine) Source) (Source, error) {
	f.mu.Lock()
	ended := f.ended
	if !ended {
		f.Tasks.Add(1)
	}
	f.mu.Unlock()
	if ended {
		return Source{}, errors.New("the screen has ended")
	}
	defer f.Tasks.Done()
	e, err := open()
	if err != nil {
		return Source{}, err
	}
	f.mu.Lock()
	f.fresh = append(f.fresh, e)
	f.mu.Unlock()
	return show(e), nil
}

// Release hands a started cluster over to the screen, which closes it from then on.
func (f *Pool) Release(e engine.Engine) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh = slices.DeleteFunc(f.fresh, func(fresh engine.Engine) bool { return fresh == e })
}

// Retire closes a cluster, nil for none, in the background, after before has
// returned.
func (f *Pool) Retire(e engine.Engine, before func()) {
	f.Tasks.Go(func() {
		before()
		if e != nil {
			_ = e.Close() // nothing shows it any more
		}
	})
}

// Close waits for the tasks in progress, and closes the clusters never shown.
func (f *Pool) Close() (err error) {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	f.Tasks.Wait()
	for _, e := range f.fresh {
		err = errors.Join(err, e.Close())
	}
	return err
}
