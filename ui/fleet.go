package ui

import (
	"errors"
	"slices"
	"sync"

	"capsize/cluster"
)

// fleet starts and ends the clusters that take each other's place on the screen,
// beside the screen. None is left behind when the screen ends meanwhile.
type fleet struct {
	tasks sync.WaitGroup // what is under way

	mu    sync.Mutex
	ended bool
	fresh []*cluster.Cluster // those that have started and are not shown yet
}

// start opens a cluster, which belongs to the fleet until it is launched.
func (f *fleet) start(cfg cluster.Config) (source, error) {
	f.mu.Lock()
	ended := f.ended
	if !ended {
		f.tasks.Add(1)
	}
	f.mu.Unlock()
	if ended {
		return source{}, errors.New("the screen has ended")
	}
	defer f.tasks.Done()
	c, err := cluster.Open(cfg)
	if err != nil {
		return source{}, err
	}
	f.mu.Lock()
	f.fresh = append(f.fresh, c)
	f.mu.Unlock()
	return living(c), nil
}

// launch gives a cluster that has started to the screen, which shows it.
func (f *fleet) launch(c *cluster.Cluster) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh = slices.DeleteFunc(f.fresh, func(fresh *cluster.Cluster) bool { return fresh == c })
}

// retire ends a cluster, nil for none, once its orders are carried out.
func (f *fleet) retire(c *cluster.Cluster, orders *orders) {
	f.tasks.Go(func() {
		orders.close()
		if c != nil {
			_ = c.Close() // it is of no interest any more
		}
	})
}

// close waits until all that is under way has ended, and ends what nobody has seen.
func (f *fleet) close() (err error) {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	f.tasks.Wait()
	for _, c := range f.fresh {
		err = errors.Join(err, c.Close())
	}
	return err
}
