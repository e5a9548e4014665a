package scenario

import (
	"errors"
	"unicode/utf8"

	"capsize/cluster/trace"
)

// prefixCommands change how the command after them runs.
func prefixCommands() []declaration {
	return []declaration{
		{
			name: "async", syntax: "async COMMAND", parse: parseAsync,
			help: "start a command that takes time and continue at once; a refusal does not fail the run",
		},
		{name: "try", syntax: "try COMMAND", help: "run a command and continue even if it is refused, or if a wait times out", parse: parseTry},
	}
}

// asyncVerbs returns the names of the commands that can run async.
func asyncVerbs() []string {
	var names []string
	for _, d := range declarations() {
		if d.canRunAsync() {
			names = append(names, d.name)
		}
	}
	return names
}

func parseAsync(p *lineParser) (action, error) {
	w, err := p.next("a command after async: " + orList(asyncVerbs()))
	if err != nil {
		return nil, err
	}
	d, err := p.commandNamed(w)
	switch {
	case err != nil:
		return nil, err
	case d.name == "try":
		return nil, p.fail(w, "try comes before async: write try async …")
	case !d.canRunAsync():
		return nil, p.fail(w, "%q cannot run async; use %s", w.text, orList(asyncVerbs()))
	}
	text := p.textFrom(w)
	start, err := d.start(p)
	return func(r *run) error {
		do, err := start(r)
		if err != nil {
			return err
		}
		r.shared.asyncStarts()
		r.c.Go(func() {
			defer r.shared.asyncEnds()
			if err := do(); err != nil && !d.byClient {
				r.tellRefusal(text, err)
			}
		})
		return nil
	}, err
}

// triedError is the error of a command after try: it does not end the run.
type triedError struct{ error }

func (e triedError) Unwrap() error { return e.error }

// IsTried reports whether err is a refusal that try allows.
func IsTried(err error) bool { return errors.As(err, &triedError{}) }

func parseTry(p *lineParser) (action, error) {
	w, d, err := p.commandAfter("try")
	if err != nil {
		return nil, err
	}
	switch {
	case d.name == "try":
		return nil, p.fail(w, "try appears twice: write it once")
	case !d.canBeTried():
		return nil, p.fail(w, "%s is never refused: write it without try", d.name)
	}
	text := p.textFrom(w)
	do, err := d.parse(p)
	return func(r *run) error {
		err := do(r)
		if err == nil {
			return nil
		}
		if !isNothingWaiting(err) {
			r.tellRefusal(text, err)
		}
		return triedError{err}
	}, err
}

// commandAfter parses a command that runs, after words that need one.
func (p *lineParser) commandAfter(words string) (word, declaration, error) {
	w, err := p.next("a command after " + words)
	if err != nil {
		return w, declaration{}, err
	}
	d, err := p.commandNamed(w)
	switch {
	case err != nil:
		return w, d, err
	case d.block != nil:
		return w, d, p.fail(w, "%s is part of a question: write it without %s", d.name, words)
	case !d.runs():
		return w, d, p.fail(w, "%s describes a cluster before it starts: write it without %s", d.name, words)
	}
	return w, d, nil
}

// textFrom returns the line from a word on, without a comment.
func (p *lineParser) textFrom(w word) string {
	last := p.words[len(p.words)-1]
	return string([]rune(p.text)[w.column-1 : last.column-1+utf8.RuneCountInString(last.text)])
}

// tellRefusal adds a refusal to the story.
func (r *run) tellRefusal(command string, err error) {
	r.c.Note(trace.KindRefused, "", command+": "+oneLine(err))
}
