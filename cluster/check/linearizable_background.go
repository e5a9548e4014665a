package check

import "sync"

// background is the goroutine on which a judge works while the cluster runs on. It is
// started outside virtual time: inside, it would be part of the bubble and keep the clock
// still while it works. Nobody waits for it, except in await, and a judge that falls behind
// takes several batches as one.
type background struct {
	due      chan struct{} // signals that a batch is due
	awaiting chan struct{} // await asks for a verdict on the whole queue
	answered chan struct{} // and learns that it is out
	closing  chan struct{}
	closed   chan struct{}
	once     sync.Once
}

func newBackground() *background {
	return &background{
		due: make(chan struct{}, 1), awaiting: make(chan struct{}), answered: make(chan struct{}),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
}

// run works for w until close.
func (b *background) run(w *worker) {
	defer close(b.closed)
	for {
		select {
		case <-b.due:
			w.passOn(false)
		case <-b.awaiting:
			w.passOn(true)
			select {
			case b.answered <- struct{}{}:
			case <-b.closing:
			}
		case <-b.closing:
			return
		}
	}
}

// signal wakes the goroutine.
func (b *background) signal() {
	select {
	case b.due <- struct{}{}:
	default:
	}
}

func (b *background) await() {
	select {
	case b.awaiting <- struct{}{}:
	case <-b.closed:
		return
	}
	select {
	case <-b.answered:
	case <-b.closed:
	}
}

func (b *background) close() {
	b.once.Do(func() { close(b.closing) })
	<-b.closed
}
