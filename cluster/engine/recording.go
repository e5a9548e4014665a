package engine

import (
	"sync"
	"time"

	"capsize/cluster/check"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// Recording shows what a cluster did, from a file that may still grow. Nothing in it can change:
// its clock stands still at the last event, and every order is refused with [ErrRecorded].
type Recording struct {
	history *history.History
	options Options
	prompt  *scenario.Prompt
	stage   *Stage
	closed  chan struct{}

	mu          sync.Mutex
	file        *check.Recording
	state       trace.State // after the last event
	sinks       []trace.Sink
	subscribers []func(trace.Event)
	isClosed    bool
}

// OpenRecording reads a recording into a history of at most budgetBytes and checks it again. Its
// branches start with the options. The rest is that of [check.OpenRecording].
func OpenRecording(name string, budgetBytes int64, o Options, progress func(bytesRead, size int64)) (*Recording, error) {
	file, err := check.OpenRecording(name, budgetBytes, progress)
	if err != nil {
		return nil, err
	}
	r := &Recording{history: file.History, options: o, stage: NewStage(func() {}, func(Votes) {}), closed: make(chan struct{}), file: file}
	r.prompt = scenario.NewPrompt(r.Read)
	_, last := r.history.Span()
	r.history.StateAt(last.Seq, &r.state)
	return r, nil
}

// Follow takes what has been written to the file since. It returns within a few milliseconds:
// the caller calls it again and again.
func (r *Recording) Follow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isClosed || r.file.Reader.Follow() == 0 {
		return
	}
	_, last := r.history.Span()
	r.history.Events(r.state.Seq+1, last.Seq, func(e *trace.Event) bool {
		r.state.Apply(e)
		for _, sink := range r.sinks {
			sink.Add(e, &r.state)
		}
		for _, f := range r.subscribers {
			f(*e)
		}
		return true
	})
}

// Missing describes what of the file could not be read: see [recording.Reader.Missing].
func (r *Recording) Missing() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file.Reader.Missing()
}

// Mismatch compares the recorded verdicts with those of the events: see [check.Recheck.Mismatch].
func (r *Recording) Mismatch() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file.Recheck.Mismatch()
}

// Understated returns the verdicts that are worse than recorded: see [check.Recheck.Understated].
func (r *Recording) Understated() []trace.Check {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file.Recheck.Understated()
}

// Mode is RecordingMode.
func (r *Recording) Mode() Mode { return RecordingMode }

// Submit answers ErrRecorded.
func (r *Recording) Submit(_ Order, answered func(Answer)) {
	a := Answer{End: scenario.End{Err: ErrRecorded}}
	r.Read(func(s *trace.State) { a.End.At, a.End.Seq = s.At, s.Seq })
	answered(a)
}

// Prompt parses and completes lines for the members at the end of the recording.
func (r *Recording) Prompt() *scenario.Prompt { return r.prompt }

// Stage is one on which nothing happens.
func (r *Recording) Stage() *Stage { return r.stage }

// Branch starts a cluster from the disks at a moment, like [Native.Branch].
func (r *Recording) Branch(at trace.Position) (Engine, error) {
	return branchFromDisks(r.history, at, r.options)
}

// CopyTo copies the state at the end of the recording.
func (r *Recording) CopyTo(s *trace.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.CopyTo(s)
}

// Read calls f with the state at the end of the recording.
func (r *Recording) Read(f func(*trace.State)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.state)
}

// Subscribe makes Follow call f with every event that it takes.
func (r *Recording) Subscribe(f func(trace.Event)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.subscribers = append(r.subscribers, f)
}

// AddSink passes the state at the end to a sink, and every event that Follow takes.
func (r *Recording) AddSink(sink trace.Sink) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sink.Start(&r.state)
	r.sinks = append(r.sinks, sink)
}

// History returns the events of the recording. It stays usable after Close.
func (r *Recording) History() *history.History { return r.history }

// Now returns the time of the last event.
func (r *Recording) Now() (at time.Duration) {
	r.Read(func(s *trace.State) { at = s.At })
	return at
}

// Run does nothing.
func (r *Recording) Run(float64) {}

// Speed is 0.
func (r *Recording) Speed() float64 { return 0 }

// Advance returns ErrRecorded.
func (r *Recording) Advance(time.Duration) error { return ErrRecorded }

// Done is closed by Close.
func (r *Recording) Done() <-chan struct{} { return r.closed }

// Err is nil.
func (r *Recording) Err() error { return nil }

// Close closes the file.
func (r *Recording) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isClosed {
		r.isClosed = true
		r.file.Close()
		close(r.closed)
	}
	return nil
}

// Remark is "".
func (r *Recording) Remark() string { return "" }
