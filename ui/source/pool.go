package source

import (
	"errors"
	"slices"
	"sync"

	"capsize/cluster"
)

// Pool starts and closes the clusters that replace each other on the screen, on
// goroutines of its own. If the screen ends first, it closes them.
type Pool struct {
	Tasks sync.WaitGroup // clusters being started or closed

	mu    sync.Mutex
	ended bool
	fresh []*cluster.Cluster // started, but not shown yet
}

// Start opens a cluster and elects its first leader. The pool owns the cluster until
// Release. It fails once the pool is closed, and with the errors of [cluster.Open].
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

// Release hands a started cluster over to the screen, which closes it from then on.
func (f *Pool) Release(c *cluster.Cluster) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh = slices.DeleteFunc(f.fresh, func(fresh *cluster.Cluster) bool { return fresh == c })
}

// Retire closes a cluster, nil for none, in the background, after before has
// returned.
func (f *Pool) Retire(c *cluster.Cluster, before func()) {
	f.Tasks.Go(func() {
		before()
		if c != nil {
			_ = c.Close() // nothing shows it any more
		}
	})
}

// Close waits for the tasks in progress, and closes the clusters never shown.
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
