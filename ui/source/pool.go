package source

import (
	"errors"
	"slices"
	"sync"

	"capsize/cluster"
)

// Pool starts and ends the clusters that take each other's place on the screen,
// beside the screen. None is left behind when the screen ends meanwhile.
type Pool struct {
	Tasks sync.WaitGroup // what is under way

	mu    sync.Mutex
	ended bool
	fresh []*cluster.Cluster // those that have started and are not shown yet
}

// Start opens a cluster, which belongs to the fleet until it is launched.
func (f *Pool) Start(cfg cluster.Config) (Source, error) {
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
	c, err := cluster.Open(cfg)
	if err != nil {
		return Source{}, err
	}
	f.mu.Lock()
	f.fresh = append(f.fresh, c)
	f.mu.Unlock()
	return Live(c), nil
}

// Release gives a cluster that has started to the screen, which shows it.
func (f *Pool) Release(c *cluster.Cluster) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh = slices.DeleteFunc(f.fresh, func(fresh *cluster.Cluster) bool { return fresh == c })
}

// Retire ends a cluster, nil for none, after something that ends before.
func (f *Pool) Retire(c *cluster.Cluster, before func()) {
	f.Tasks.Go(func() {
		before()
		if c != nil {
			_ = c.Close() // it is of no interest any more
		}
	})
}

// Close waits until all that is under way has ended, and ends what nobody has seen.
func (f *Pool) Close() (err error) {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	f.Tasks.Wait()
	for _, c := range f.fresh {
		err = errors.Join(err, c.Close())
	}
	return err
}
