package exact

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"sync"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/engine/exact/wire"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
	"capsize/cluster/vtime"
)

// Engine is a cluster whose runs repeat exactly.
type Engine struct {
	*trace.Stream // of what the guest has reported
	cfg           cluster.Config
	options       engine.Options
	program       *Program
	guest         *machine
	history       *history.History
	prompt        *scenario.Prompt
	stage         *engine.Stage

	// Only the goroutine that calls the guest uses these.
	decoder *recording.Decoder
	digest  hash.Hash
	given   []byte // what the guest takes in the present call
	// finished is set once a performance has ended, and the run with it.
	finished bool

	snapshots snapshots
	control
}

// control is what the other goroutines want of the one that calls the guest.
type control struct {
	mu      sync.Mutex    // guards what follows
	wake    chan struct{} // a change below
	moved   *sync.Cond    // the guest has come further, or has ended
	pace    pace
	reached time.Duration   // the virtual time at which the present call of the guest ends, or the last one ended
	ordered bool            // the guest carries out an order: nothing of it is held back
	orders  []pending       // to give to the guest, in order
	answers map[int32]reply // of the orders given
	lastID  int32
	past    []pastOrder // given so far
	replay  replay
	closing bool
	err     error // why the engine has ended
	ended   chan struct{}
	over    bool // nothing more happens
}

// pending is an order on its way to the guest.
type pending struct {
	order    engine.Order
	answered reply
}

// reply receives the answer to an order.
type reply func(engine.Answer)

// ErrStorage is the error of a cluster that keeps files.
var ErrStorage = errors.New("an exact run keeps its disks in memory: use storage memory, without --data")

// Open is an [engine.Opener]. The errors are ErrStorage, and those of a configuration that
// [cluster.Open] rejects.
func (p *Program) Open(cfg cluster.Config, o engine.Options) (engine.Engine, error) {
	if cfg.Dir != "" || cfg.Settings.Storage != cluster.Memory {
		return nil, ErrStorage
	}
	if cfg.From != nil {
		return nil, errors.New("an exact run starts at time 0: only an exact run can branch exactly")
	}
	cfg.Nodes = cmp.Or(cfg.Nodes, cfg.DefaultNodes)
	e, err := p.start(cfg, o)
	if err != nil {
		return nil, err
	}
	e.addSinks()
	_, err = e.give(e.guest.start, wire.Config{Nodes: cfg.Nodes, Settings: cfg.Settings, Attended: o.Attended})
	if err == nil {
		err = e.err
	}
	if err != nil {
		return nil, errors.Join(err, e.guest.close())
	}
	e.run()
	return e, nil
}

// start makes an engine with a guest that holds no cluster yet.
func (p *Program) start(cfg cluster.Config, o engine.Options) (*Engine, error) {
	e := &Engine{
		Stream: &trace.Stream{}, cfg: cfg, options: o, program: p,
		decoder: recording.NewDecoder(), digest: sha256.New(),
		control: control{wake: make(chan struct{}, 1), answers: map[int32]reply{}, ended: make(chan struct{})},
	}
	e.moved = sync.NewCond(&e.mu)
	e.stage = engine.NewStage(
		func() { e.Submit(engine.Order{Continue: true}, func(engine.Answer) {}) },
		func(votes engine.Votes) { e.Submit(engine.Order{Answer: &votes}, func(engine.Answer) {}) },
	)
	e.prompt = scenario.NewPrompt(e.Read)
	if cfg.HistoryBudget > 0 {
		e.history = history.New(cfg.HistoryBudget)
	}
	e.pace.speed = vtime.Max // nothing before the first tick waits
	var err error
	e.guest, err = p.instantiate(cfg.Settings.Seed, e)
	return e, err
}

// addSinks passes the events from now on to the history and to the recording.
func (e *Engine) addSinks() {
	if e.history != nil {
		e.AddSink(e.history)
	}
	if e.cfg.Record != nil {
		e.AddSink(e.cfg.Record)
	}
	if e.cfg.Sink != nil {
		e.AddSink(e.cfg.Sink)
	}
}

// run starts to call the guest. Nothing has been added to the stream yet, or all that has was
// restored.
func (e *Engine) run() {
	e.pace.speed = 0
	go e.drive()
}

// Mode is ExactMode.
func (e *Engine) Mode() engine.Mode { return engine.ExactMode }

// Prompt parses and completes lines.
func (e *Engine) Prompt() *scenario.Prompt { return e.prompt }

// Stage is where scenarios meet their presenter.
func (e *Engine) Stage() *engine.Stage { return e.stage }

// History returns the kept history, or nil if none is kept.
func (e *Engine) History() *history.History { return e.history }

// Remark is "".
func (e *Engine) Remark() string { return "" }

// Submit starts an order between two ticks. Commands by hand take a moment of their own, and the
// next tick is that much shorter. Submit drops what is left of an earlier run to repeat.
func (e *Engine) Submit(order engine.Order, answered func(engine.Answer)) {
	e.mu.Lock()
	if e.closing || e.over {
		e.mu.Unlock()
		answered(engine.Answer{End: scenario.End{Err: vtime.ErrClosed}})
		return
	}
	e.replay.drop()
	e.orders = append(e.orders, pending{order, answered})
	e.mu.Unlock()
	e.signal()
}

// Now returns the virtual time.
func (e *Engine) Now() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pace.now(time.Now())
}

// Run makes time pass at a speed, except while a step waits for the presenter to see it.
func (e *Engine) Run(speed float64) {
	e.mu.Lock()
	if speed <= 0 || !e.stage.Holds() {
		e.pace.set(speed, time.Now())
		if speed > 0 {
			e.replay.release()
		}
	}
	e.mu.Unlock()
	e.signal()
}

// Speed returns the speed, 0 while the clock stands still.
func (e *Engine) Speed() float64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pace.speed
}

// Advance lets d of virtual time pass as fast as possible, or less if the engine holds before.
func (e *Engine) Advance(d time.Duration) error {
	e.mu.Lock()
	to := e.pace.now(time.Now()) + d
	e.pace.order = to
	e.replay.release()
	e.mu.Unlock()
	e.signal()
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.pace.done < to && !e.over && !e.replay.held {
		e.moved.Wait()
	}
	if e.over {
		return vtime.ErrClosed
	}
	e.pace.set(e.pace.speed, time.Now())
	return nil
}

// Done is closed when the engine has ended.
func (e *Engine) Done() <-chan struct{} { return e.ended }

// Err returns why the engine has ended by itself.
func (e *Engine) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// Close ends the engine, and the recording with it.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closing = true
	e.mu.Unlock()
	e.signal()
	<-e.ended
	e.snapshots.packing.Wait()
	err := e.Err()
	if e.cfg.Record != nil {
		err = errors.Join(err, e.cfg.Record.Close())
	}
	return err
}

// HoldAfter makes the engine stand still right after the event that it reports. It must be called
// from a sink or a subscriber.
func (e *Engine) HoldAfter(event trace.Position) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.replay.hold, e.replay.holdAt, e.replay.held = event.Seq, event.At, false
}

// Fingerprint identifies the events so far: two runs with the same one are the same, byte for
// byte. It must be called while the guest stands still, as in an answer.
func (e *Engine) Fingerprint() string { return fmt.Sprintf("sha256:%x", e.digest.Sum(nil)) }
