package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// sizeMax is how large a scenario may be, in bytes.
const sizeMax = 1 << 20

// lineMax is how long a line may be, in characters.
const lineMax = 1000

// nodesDefault is how many nodes a scenario has that does not say.
const nodesDefault = 5

// Script is a scenario that has been read and found without mistakes.
type Script struct {
	Name     string // of the file, or of the built-in scenario
	Title    string
	Nodes    int
	Settings trace.Settings
	steps    []step
	scope    scope
	lastSet  int // the line of the last setting, for what is wrong with them together
}

// step is one command of a script.
type step struct {
	line int
	text string
	do   action
	// expects says that the step only looks: the script can go on without it.
	expects bool
}

// Parse reads a scenario. The error is an [*Error] that says where the first
// mistake is and what is allowed there; nothing of a file with a mistake is run.
func Parse(name string, data []byte) (*Script, error) {
	s := &Script{Name: name, Nodes: nodesDefault, Settings: cluster.DefaultSettings()}
	s.Settings.Storage = cluster.Memory
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := checkText(data); err != nil {
		return nil, located(err, name, 1)
	}
	number := 0
	for text := range strings.Lines(string(data)) {
		number++
		if err := s.parseLine(strings.TrimRight(text, "\r\n"), number); err != nil {
			return nil, located(err, name, number)
		}
	}
	if len(s.steps) == 0 {
		return nil, located(&Error{Column: 1, Message: "the scenario is empty: it holds no command"}, name, max(number, 1))
	}
	if err := cluster.ValidateSettings(s.Settings); err != nil {
		return nil, located(&Error{Column: 1, Message: err.Error()}, name, s.lastSet)
	}
	return s, nil
}

// located says in which line of which file a mistake is.
func located(err error, file string, line int) error {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Column: 1, Message: err.Error()}
	}
	if e.Line == 0 {
		e.Line = line
	}
	e.File = file
	return e
}

// checkText says why the file cannot be a scenario at all.
func checkText(data []byte) error {
	if len(data) > sizeMax {
		return &Error{Column: 1, Message: fmt.Sprintf("the file has %d bytes: a scenario has at most %d", len(data), sizeMax)}
	}
	line, column := 1, 0
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		data = data[size:]
		column++
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == '\r' && (len(data) == 0 || data[0] == '\n'): // how lines end on Windows
		case column > lineMax:
			return &Error{Line: line, Column: column, Message: fmt.Sprintf("the line is too long: it has more than %d characters", lineMax)}
		case r == utf8.RuneError && size == 1:
			return &Error{Line: line, Column: column, Message: "this is not UTF-8 text"}
		case unicode.IsControl(r) && r != '\t':
			return &Error{Line: line, Column: column, Message: fmt.Sprintf("a control character (%U): a scenario is plain text", r)}
		}
	}
	return nil
}

func (s *Script) parseLine(text string, number int) error {
	r := &reader{text: text, words: split(text), scope: &s.scope}
	if !r.more() {
		return nil
	}
	first := r.words[0]
	c, err := r.command()
	if err != nil {
		return err
	}
	if c.setup != nil {
		if len(s.steps) > 0 {
			return r.fail(first, "%s must stand before the first command that does something", c.name)
		}
		if err := c.setup(r, s); err != nil {
			return err
		}
		s.lastSet = number
		return r.done()
	}
	if len(s.steps) == 0 {
		for i := range s.Nodes {
			s.scope.nodes = append(s.scope.nodes, fmt.Sprintf("n%d", i+1))
		}
	}
	do, err := c.parse(r)
	if err == nil {
		err = r.done()
	}
	if err != nil {
		return err
	}
	s.steps = append(s.steps, step{line: number, text: strings.TrimSpace(text), do: do, expects: c.name == "expect"})
	return nil
}

// Line is a single command, typed by hand.
type Line struct{ do action }

// ParseLine reads a single command for a cluster that has these nodes, and on
// which these names have been given. The error is an [*Error] without a file.
func ParseLine(text string, nodes, names []string) (*Line, error) {
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		return nil, &Error{Column: utf8.RuneCountInString(text[:i]) + 1, Message: "a command is one line"}
	}
	if err := checkText([]byte(text)); err != nil {
		return nil, err
	}
	r := &reader{text: text, words: split(text), scope: &scope{nodes: nodes, names: names}}
	c, err := r.command()
	if err != nil {
		return nil, err
	}
	if c.setup != nil {
		return nil, r.fail(r.words[0], "%s says what cluster to start, and this one runs already", c.name)
	}
	do, err := c.parse(r)
	if err == nil {
		err = r.done()
	}
	if err != nil {
		return nil, err
	}
	return &Line{do: do}, nil
}
