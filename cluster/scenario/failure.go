package scenario

import (
	"errors"
	"fmt"
	"strings"
)

// Failure is an expectation that did not hold, or a command that could not be
// carried out. Line is 0 for a check and for a command outside a scenario.
type Failure struct {
	File   string `json:"-"`
	Line   int    `json:"line"`
	Column int    `json:"-"` // of the command in its line, from 1, in characters
	Text   string `json:"text"`
	Want   string `json:"want"`
	Got    string `json:"got"`
}

// wantSuccess is what a failure wants of a command that could not be carried out.
const wantSuccess = "the command to succeed"

func (f *Failure) Error() string {
	if f.Line > 0 {
		return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message())
	}
	return f.Message()
}

// Message returns the failure without its place.
func (f *Failure) Message() string {
	text := ""
	if f.Text != "" {
		text = f.Text + ": "
	}
	if f.Want == wantSuccess {
		return text + f.Got
	}
	return fmt.Sprintf("%swanted %s, got %s", text, f.Want, f.Got)
}

// asFailures returns the error of a step as failures: a soak can have several.
func (s *Script) asFailures(err error, at step) (all []Failure) {
	var several soakError
	if !errors.As(err, &several) {
		return []Failure{s.asFailure(err, at)}
	}
	for i := range several {
		all = append(all, s.asFailure(&several[i], at))
	}
	return all
}

// asFailure returns the error of a step as a failure.
func (s *Script) asFailure(err error, at step) Failure {
	var f *Failure
	if !errors.As(err, &f) {
		f = &Failure{Want: wantSuccess, Got: oneLine(err)}
	}
	return Failure{File: s.Name, Line: at.line, Column: at.column, Text: at.command.Text, Want: f.Want, Got: f.Got}
}

// oneLine returns an error as one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// oneLineError is an error with its text in one line, for the screen.
type oneLineError struct{ error }

func (e oneLineError) Error() string { return oneLine(e.error) }

func (e oneLineError) Unwrap() error { return e.error }

// multiError joins errors in one line, where [errors.Join] uses one line for each.
type multiError []error

// joinErrors joins the errors that are not nil; it returns nil if there are none.
func joinErrors(all []error) error {
	var m multiError
	for _, err := range all {
		if err != nil {
			m = append(m, err)
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

// Unwrap returns the joined errors.
func (m multiError) Unwrap() []error { return m }

func (m multiError) Error() string {
	texts := make([]string, len(m))
	for i, err := range m {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}
