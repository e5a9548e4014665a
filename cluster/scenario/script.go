package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"capsize/cluster"
	"capsize/cluster/trace"
)

const (
	sizeMax      = 1 << 20 // bytes of a scenario
	lineMax      = 1000    // characters of a line
	nodesDefault = 5       // nodes of a scenario that does not say
)

// Script is a scenario that has been parsed and has no mistakes.
type Script struct {
	Name     string // of the file, or of the built-in scenario
	Title    string
	Summary  string // what people learn from it, in one line
	Nodes    int    // at the start
	Settings trace.Settings

	// TitleIn and SummaryIn are translations.
	TitleIn, SummaryIn trace.Localized

	lines     []scriptLine // that hold a command
	steps     []step
	questions []*question
	parsing   questionParser
	scope     scope
	conflict  *Error // between the settings so far, at the value that caused it
}

// step is one command of a script.
type step struct {
	line    int
	column  int // of the command in the line
	command Command
	do      action
	// isExpectation is set for a step that only looks: the script continues after it
	// has failed.
	isExpectation bool
}

// ExpectedViolations returns the checks that the script expects to be violated.
func (s *Script) ExpectedViolations() []string { return slices.Clone(s.scope.expectedViolations) }

// Parse parses a scenario. The error is an [*Error] that says where the first
// mistake is and what is allowed there. A scenario with a mistake runs nothing.
func Parse(name string, data []byte) (*Script, error) {
	s := &Script{Name: name, Nodes: nodesDefault, Settings: cluster.DefaultSettings()}
	s.Settings.Storage = cluster.Memory
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := checkText(data); err != nil {
		return nil, atLine(err, name, 1)
	}
	number := 0
	for text := range strings.Lines(string(data)) {
		number++
		if err := s.parseLine(strings.TrimRight(text, "\r\n"), number); err != nil {
			return nil, atLine(err, name, number)
		}
	}
	if len(s.steps) == 0 {
		return nil, atLine(&Error{Column: 1, Message: "the scenario has no commands"}, name, max(number, 1))
	}
	if err := s.checkQuestions(); err != nil {
		return nil, atLine(err, name, 0)
	}
	if s.conflict != nil {
		return nil, atLine(s.conflict, name, s.conflict.Line)
	}
	return s, nil
}

// scriptLine is a line of a script that holds a command.
type scriptLine struct {
	text           string
	number, column int // in the file, from 1; of the command in the line, in characters
}

// writtenScript is a script as its commands, with the seed it runs with.
type writtenScript struct {
	Text string `json:"text"`
	Seed int64  `json:"seed"`
}

// Text returns the commands of the script, one a line, without the lines that are empty or hold
// only a comment. Scripts with the same text and the same seed do the same.
func (s *Script) Text() string {
	var b strings.Builder
	for _, l := range s.lines {
		b.WriteString(l.text)
		b.WriteByte('\n')
	}
	return b.String()
}

// MarshalJSON writes the commands of the script and its seed. The name and the comments are no part
// of a run, so they are left out: the order that starts a run is one of its events.
func (s *Script) MarshalJSON() ([]byte, error) {
	return json.Marshal(writtenScript{Text: s.Text(), Seed: s.Settings.Seed})
}

// UnmarshalJSON parses what MarshalJSON has written. The error may be an [*Error].
func (s *Script) UnmarshalJSON(data []byte) error {
	var written writtenScript
	if err := json.Unmarshal(data, &written); err != nil {
		return err
	}
	parsed, err := Parse("", []byte(written.Text))
	if err != nil {
		return err
	}
	parsed.Settings.Seed = written.Seed
	*s = *parsed
	return nil
}

// Locate gives failures of the script's commands, as they are without its other lines, their places
// in its file.
func (s *Script) Locate(failures []Failure) {
	for i := range failures {
		if f := &failures[i]; f.Line > 0 && f.Line <= len(s.lines) {
			at := s.lines[f.Line-1]
			f.File, f.Line, f.Column = s.Name, at.number, at.column
		}
	}
}

// atLine adds the file and, where it is missing, the line to a mistake.
func atLine(err error, file string, line int) error {
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

// checkText returns an error if the data cannot be a scenario, whatever it says.
func checkText(data []byte) error {
	if len(data) > sizeMax {
		return &Error{Column: 1, Message: fmt.Sprintf("the file is too large: %d bytes, at most %d are allowed", len(data), sizeMax)}
	}
	line, column := 1, 0
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		data = data[size:]
		column++
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == '\r' && (len(data) == 0 || data[0] == '\n'): // a line end of Windows
		case column > lineMax:
			return &Error{Line: line, Column: column, Message: fmt.Sprintf("the line is too long: at most %d characters are allowed", lineMax)}
		case r == utf8.RuneError && size == 1:
			return &Error{Line: line, Column: column, Message: "invalid UTF-8; a scenario is plain text"}
		case unicode.IsControl(r) && r != '\t':
			return &Error{Line: line, Column: column, Message: fmt.Sprintf("control character %U; a scenario is plain text", r)}
		}
	}
	return nil
}

// parseLine parses one line and adds it to the script.
func (s *Script) parseLine(text string, number int) error {
	p := newLineParser(text, &s.scope)
	if !p.hasMore() {
		return nil
	}
	command, first := asCommand(text, p.words), p.words[0]
	s.lines = append(s.lines, scriptLine{text: text, number: number, column: first.column})
	d, err := p.command()
	if err != nil {
		return err
	}
	if d.setup != nil && (d.parse == nil || len(s.steps) == 0) {
		if len(s.steps) > 0 {
			return p.fail(first, "%s comes too late: put it before the first command that runs", d.name)
		}
		if err := d.setup(p, s); err != nil {
			return err
		}
		s.noteConflict(p.words[len(p.words)-1], number)
		return p.expectEnd()
	}
	if len(s.steps) == 0 {
		s.scope.settings = s.Settings
		for i := range s.Nodes {
			s.scope.nodes = append(s.scope.nodes, fmt.Sprintf("n%d", i+1))
		}
	}
	if d.block != nil {
		return d.block(p, s, number)
	}
	s.noteStep(d)
	if err := s.endHead(p); err != nil {
		return err
	}
	do, err := p.action(d)
	if err != nil {
		return err
	}
	s.steps = append(s.steps, step{line: number, column: first.column, command: command, do: do, isExpectation: d.name == "expect"})
	return nil
}

// noteConflict notes whether the settings so far contradict each other. A later one may still
// resolve that. Value is the last one that was set.
func (s *Script) noteConflict(value word, line int) {
	err := cluster.ValidateSettings(s.Settings)
	switch {
	case err == nil:
		s.conflict = nil
	case s.conflict == nil || s.conflict.Message != err.Error():
		s.conflict = &Error{Line: line, Column: value.column, Message: err.Error()}
	}
}

// action parses the rest of the line after the first word.
func (p *lineParser) action(d declaration) (action, error) {
	do, err := d.parse(p)
	if err != nil {
		return nil, err
	}
	return do, p.expectEnd()
}

// Line is a command that has been parsed and can run.
type Line struct {
	Command
	Column             int // of the command in the text, from 1, in characters
	do                 action
	expectedViolations []string // checks
}

// ParseLine parses a single command for a cluster with these nodes and the default
// settings, in a session that has defined these names. The error is an [*Error] without a file.
func ParseLine(text string, nodes, names []string) (*Line, error) {
	return parseLine(text, &scope{nodes: nodes, names: names, settings: cluster.DefaultSettings()})
}

// parseLine is ParseLine for what a session has declared so far.
func parseLine(text string, declared *scope) (*Line, error) {
	if i := strings.IndexAny(text, "\r\n"); i >= 0 {
		return nil, &Error{Column: utf8.RuneCountInString(text[:i]) + 1, Message: "a command must be a single line"}
	}
	if err := checkText([]byte(text)); err != nil {
		return nil, err
	}
	p := newLineParser(text, declared)
	command := asCommand(text, p.words)
	d, err := p.command()
	if err != nil {
		return nil, err
	}
	if d.block != nil {
		return nil, p.fail(p.words[0], "%s is part of a question, and only a scenario asks: write ask, its choices and because into a file, and open that", d.name)
	}
	if d.parse == nil {
		return nil, p.fail(p.words[0], "%s describes a cluster before it starts, and this one is running; put it into a scenario", d.name)
	}
	do, err := p.action(d)
	if err != nil {
		return nil, err
	}
	return &Line{Command: command, Column: p.words[0].column, do: do, expectedViolations: declared.expectedViolations}, nil
}
