package present

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"capsize/cluster/trace"
)

// Answers writes each question that has been judged, and how people answered it, as a line of JSON.
// It writes on a goroutine of its own, because a question comes with the trace locked.
type Answers struct {
	out  io.WriteCloser
	wake chan struct{}
	done chan struct{} // closed when all is written

	mu      sync.Mutex
	waiting []answered
	closed  bool
	err     error // the first one
}

// answered is one line. Choices are counted from 1.
type answered struct {
	Lesson   string   `json:"lesson"` // the name of the scenario
	Question int      `json:"question"`
	Text     string   `json:"text"`
	Choices  []string `json:"choices"`
	Answer   *int     `json:"answer"` // of a single person
	Counts   []int    `json:"counts"`
	True     []int    `json:"true"`
	Right    *bool    `json:"right"` // of a single person
	Seed     int64    `json:"seed"`
	At       float64  `json:"at"` // virtual seconds
}

// OpenAnswers opens a file for appending, and creates it if it is missing.
func OpenAnswers(name string) (*Answers, error) {
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return NewAnswers(out), nil
}

// NewAnswers writes to out, and closes it in the end.
func NewAnswers(out io.WriteCloser) *Answers {
	a := &Answers{out: out, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go a.write()
	return a
}

// Of returns a sink that takes the questions of a scenario.
func (a *Answers) Of(lesson string) trace.Sink { return &answersOf{a, lesson} }

// Close writes what is left. The error is the first one, if anything could not be written. A nil
// Answers has nothing to write.
func (a *Answers) Close() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.signal()
	<-a.done
	if err := errors.Join(a.err, a.out.Close()); err != nil {
		return fmt.Errorf("writing the answers: %w", err)
	}
	return nil
}

func (a *Answers) signal() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// write writes the lines as they come, until Close.
func (a *Answers) write() {
	defer close(a.done)
	encoder := json.NewEncoder(a.out)
	encoder.SetEscapeHTML(false)
	for range a.wake {
		a.mu.Lock()
		lines, closed := a.waiting, a.closed
		a.waiting = nil
		a.mu.Unlock()
		for i := range lines {
			if err := encoder.Encode(&lines[i]); err != nil && a.err == nil {
				a.err = err
			}
		}
		if closed {
			return
		}
	}
}

// answersOf takes the questions of one scenario.
type answersOf struct {
	*Answers
	lesson string
}

// Start implements [trace.Sink].
func (*answersOf) Start(*trace.State) {}

// AddPacket implements [trace.Sink].
func (*answersOf) AddPacket(*trace.Packet, *trace.State) {}

// Add implements [trace.Sink].
func (a *answersOf) Add(e *trace.Event, s *trace.State) {
	q := e.Question
	if q == nil || !q.Judged {
		return
	}
	line := answered{
		Lesson: a.lesson, Question: q.Number, Text: q.Text, Choices: []string{}, True: []int{},
		Counts: append([]int{}, q.Picked...), Seed: s.Settings.Seed, At: e.At.Seconds(),
	}
	for i := range q.Choices {
		line.Choices = append(line.Choices, q.Choices[i].Text)
	}
	for _, i := range q.True() {
		line.True = append(line.True, i+1)
	}
	if pick := q.Pick(); pick >= 0 {
		number, right := pick+1, q.Choices[pick].True
		line.Answer, line.Right = &number, &right
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		a.waiting = append(a.waiting, line)
		a.signal()
	}
}
