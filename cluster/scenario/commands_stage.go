package scenario

import (
	"strconv"
	"strings"

	"capsize/cluster"
	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// The speeds that a command can set, in virtual seconds per second.
const (
	speedMin = 0.0001
	speedMax = 10_000
)

// stageCommands speak to the audience; let names nodes for later commands.
func stageCommands() []declaration {
	return []declaration{
		{name: "speed", neverRefused: true, syntax: "speed FACTOR|max|auto", help: "set the speed of time on stage; headless runs ignore it", parse: parseSpeedCommand},
		{name: "say", neverRefused: true, syntax: "say TEXT | say.LANG TEXT", help: "show a caption; say.zh is its Chinese version", parse: captionParser(trace.KindCaption)},
		{
			name: "chapter", neverRefused: true, syntax: "chapter TEXT | chapter.LANG TEXT", help: "start a chapter; chapter.zh is its Chinese name",
			parse: captionParser(trace.KindChapter),
		},
		{name: "step", neverRefused: true, syntax: "step [TEXT]", help: "on stage, wait for a key; headless runs continue", parse: func(p *lineParser) (action, error) {
			text := p.remainder()
			return func(r *run) error { r.presenter.Step(r.c, text); return nil }, nil
		}},
		{name: "let", syntax: "let NAME = SEL", help: "remember the nodes selected now as $NAME", parse: parseLet},
	}
}

func parseSpeedCommand(p *lineParser) (action, error) {
	w, err := p.next("a speed, max or auto")
	if err != nil {
		return nil, err
	}
	speed, ok := parseSpeed(w.text)
	if !ok {
		return nil, p.fail(w, "%q is not a speed; use %g to %d, max or auto", w.text, speedMin, speedMax)
	}
	return func(r *run) error { r.presenter.Speed(speed); return nil }, nil
}

// parseSpeed returns the speed that a word stands for, and whether it is one.
func parseSpeed(text string) (float64, bool) {
	switch text {
	case "max":
		return vtime.Max, true
	case "auto":
		return SpeedAuto, true
	}
	speed, err := strconv.ParseFloat(text, 64)
	return speed, err == nil && speed >= speedMin && speed <= speedMax
}

// captionParser returns the parser of a command whose text is for the audience: in
// the language of the scenario or, with a language behind a dot, as a translation of
// the text before it.
func captionParser(kind trace.Kind) func(p *lineParser) (action, error) {
	return func(p *lineParser) (action, error) {
		name, language, translated := strings.Cut(p.words[0].text, ".")
		if translated && !cluster.IsName(language) {
			return nil, p.failLanguage(name)
		}
		missing := p.failMissing("text")
		text := p.remainder()
		if text == "" {
			return nil, missing
		}
		return func(r *run) error { r.c.Note(kind, language, text); return nil }, nil
	}
}

func parseLet(p *lineParser) (action, error) {
	w, err := p.next("a name")
	if err != nil {
		return nil, err
	}
	if !cluster.IsName(w.text) {
		return nil, p.fail(w, "%q is not a valid name; use %s", w.text, cluster.NameRule)
	}
	if err := p.expect("=", "after the name"); err != nil {
		return nil, err
	}
	s, err := p.selector()
	p.scope.names = append(p.scope.names, w.text)
	return func(r *run) error {
		ids, err := s.resolve(r)
		r.names[w.text] = ids
		return err
	}, err
}
