package engine

import "sync"

// Stage connects a running scenario with its presenter. The scenario asks inside virtual time,
// the screen looks with the next frame.
type Stage struct {
	resume func()      // continues what waits
	answer func(Votes) // answers the question that waits
	remote Remote

	mu      sync.Mutex
	speed   float64 // requested since the last frame, 0 = none
	step    string  // the text of the waiting step
	steps   int     // that have begun to wait
	choices int     // of the waiting question, 0 while a step waits
	votes   Votes   // the latest answer
	waiting bool    // a step or a question waits for the presenter
	seen    bool    // the presenter knows that
}

// Remote is a stage somewhere else that gets the same requests.
type Remote interface {
	RequestSpeed(speed float64)
	Begin(step string)
	Ask(choices int)
}

// Mirror passes every later request on to another stage. It comes before the first request.
func (p *Stage) Mirror(remote Remote) { p.remote = remote }

// NewStage returns a stage whose presenter continues a step with resume, and answers a question
// with answer.
func NewStage(resume func(), answer func(Votes)) *Stage {
	return &Stage{resume: resume, answer: answer}
}

// RequestSpeed asks the screen for a speed.
func (p *Stage) RequestSpeed(speed float64) {
	p.mu.Lock()
	p.speed = speed
	p.mu.Unlock()
	if p.remote != nil {
		p.remote.RequestSpeed(speed)
	}
}

// TakeSpeed returns the speed requested since the last call, 0 if there was none.
func (p *Stage) TakeSpeed() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	speed := p.speed
	p.speed = 0
	return speed
}

// Begin makes a step wait for the presenter.
func (p *Stage) Begin(step string) {
	p.begin(step, 0)
	if p.remote != nil {
		p.remote.Begin(step)
	}
}

// Steps returns how many steps have begun to wait so far.
func (p *Stage) Steps() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.steps
}

// Ask makes a question wait for the audience. The state of the cluster holds the question.
func (p *Stage) Ask(choices int) {
	p.begin("", choices)
	if p.remote != nil {
		p.remote.Ask(choices)
	}
}

func (p *Stage) begin(step string, choices int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.step, p.choices, p.votes, p.waiting, p.seen = step, choices, nil, true, false
	if choices == 0 {
		p.steps++
	}
}

// Waits reports whether a step or a question waits.
func (p *Stage) Waits() bool {
	_, waiting := p.Waiting()
	return waiting
}

// Waiting returns the text of the waiting step, "" for a question, and whether one of them waits.
func (p *Stage) Waiting() (step string, waiting bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.step, p.waiting
}

// Choices returns how many choices the waiting question has, 0 if none waits.
func (p *Stage) Choices() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.waiting {
		return 0
	}
	return p.choices
}

// See says that the presenter knows of what waits, and has paused the clock.
func (p *Stage) See() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = p.waiting
}

// Holds reports whether something waits that the presenter has not seen yet. The clock stands still
// until then, whatever the screen asks for: it may have asked before it knew.
func (p *Stage) Holds() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting && !p.seen
}

// Next continues what waits, and reports whether something did. A question is skipped.
func (p *Stage) Next() bool {
	if !p.End() {
		return false
	}
	p.resume()
	return true
}

// Answer answers the question that waits, and reports whether one did.
func (p *Stage) Answer(votes Votes) bool {
	if !p.EndQuestion(votes) {
		return false
	}
	p.answer(append(Votes{}, votes...)) // an order with nil would be none
	return true
}

// End ends what waits, and reports whether something did.
func (p *Stage) End() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	waited := p.waiting
	p.waiting = false
	return waited
}

// EndQuestion ends the question that waits with an answer, and reports whether one did.
func (p *Stage) EndQuestion(votes Votes) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.waiting || p.choices == 0 {
		return false
	}
	p.waiting, p.votes = false, votes
	return true
}

// takeVotes returns the answer to the latest question, nil if it was skipped.
func (p *Stage) takeVotes() Votes {
	p.mu.Lock()
	defer p.mu.Unlock()
	votes := p.votes
	p.votes = nil
	return votes
}
