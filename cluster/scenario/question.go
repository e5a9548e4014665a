package scenario

import (
	"slices"
	"strings"
	"unicode/utf8"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// question is a question of a script: ask with its choices, and the because that ends it.
type question struct {
	asked       trace.Question // as it is asked
	because     string
	becauseIn   trace.Localized
	conditions  []condition // of the choices, in their order
	wheres      []string    // the conditions as they are written
	stepFollows bool        // a step follows at once, at which the audience reads the answer

	line, column int      // of its ask
	below        []string // the lines below ask that belong to it, and
	belowBecause []string // those below because
}

// questionParser is where in a question the parser of a script stands.
type questionParser struct {
	open   *question // that has no because yet, nil for none
	inHead bool      // choices may follow
	of     string    // what a translation in the next line translates: ask, choice or because
	to     *trace.Localized
}

// questionCommands ask an audience, and judge what it has answered.
func questionCommands() []declaration {
	return []declaration{
		{
			name: "ask", neverRefused: true, syntax: "ask TEXT | ask.LANG TEXT", block: parseAsk,
			help: "ask the audience; two to five choices follow at once. On stage, time stands still until they answer or skip",
		},
		{
			name: "choice", neverRefused: true, syntax: "choice TEXT when EXPECTATION [within D] | choice.LANG TEXT", block: parseChoice,
			help: "offer an answer, which is right if the cluster meets the expectation (as after expect) at because, or at some moment within D after the answer",
		},
		{
			name: "because", neverRefused: true, syntax: "because TEXT | because.LANG TEXT", block: parseBecause,
			help: "end the question: wait for the longest D, mark the choice that came true and say why, until a key on stage; fail the run unless exactly one did",
		},
	}
}

// blockText takes the text of a line that is part of a question, and its language, "" for the
// scenario's own.
func (p *lineParser) blockText() (language, text string, err error) {
	name, language, translated := strings.Cut(p.words[0].text, ".")
	if translated && !cluster.IsName(language) {
		return "", "", p.failLanguage(name)
	}
	missing := p.failMissing("text")
	if text = p.remainder(); text == "" {
		return "", "", missing
	}
	return language, text, nil
}

// translate adds a translation of what the line before holds.
func (s *Script) translate(p *lineParser, name, language, text string) error {
	at := &s.parsing
	if at.of != name {
		return p.fail(p.words[0], "%s translates nothing: put it directly below its %s", p.words[0].text, name)
	}
	if *at.to == nil {
		*at.to = trace.Localized{}
	}
	(*at.to)[language] = text
	q := s.questions[len(s.questions)-1]
	if name == "because" {
		q.belowBecause = append(q.belowBecause, strings.TrimSpace(p.text))
	} else {
		q.below = append(q.below, strings.TrimSpace(p.text))
	}
	return nil
}

func parseAsk(p *lineParser, s *Script, line int) error {
	at := p.words[0]
	language, text, err := p.blockText()
	if err != nil {
		return err
	}
	if language != "" {
		return s.translate(p, "ask", language, text)
	}
	switch open := s.parsing.open; {
	case open != nil:
		return p.fail(at, "the question in line %d has no because yet: end it before you ask the next one", open.line)
	case len(s.questions) == trace.QuestionsMax:
		return p.fail(at, "a scenario asks at most %d questions", trace.QuestionsMax)
	}
	q := &question{asked: trace.Question{Number: len(s.questions) + 1, Text: text}, line: line, column: at.column}
	s.questions = append(s.questions, q)
	s.parsing = questionParser{open: q, inHead: true, of: "ask", to: &q.asked.In}
	s.steps = append(s.steps, step{line: line, column: at.column, command: SplitCommand(p.text), do: q.ask})
	return nil
}

func parseChoice(p *lineParser, s *Script, _ int) error {
	at := p.words[0]
	language, text, err := p.blockText()
	q := s.parsing.open
	switch {
	case err != nil:
		return err
	case language != "":
		if text, err = s.translatedChoice(p, text); err != nil {
			return err
		}
		return s.translate(p, "choice", language, text)
	case q == nil:
		return p.fail(at, "choice without a question: write ask TEXT above it")
	case !s.parsing.inHead:
		return p.fail(at, "choice comes too late: put it directly below the ask in line %d", q.line)
	case len(q.conditions) == trace.ChoicesMax:
		return p.fail(at, "the question in line %d has %d choices already, as many as it can have: leave this one out", q.line, trace.ChoicesMax)
	}
	text, where, c, err := p.splitWhen()
	if err != nil {
		return err
	}
	q.asked.Choices = append(q.asked.Choices, trace.Choice{Text: text})
	q.conditions, q.wheres = append(q.conditions, c), append(q.wheres, where)
	q.below = append(q.below, strings.TrimSpace(p.text))
	s.parsing.of, s.parsing.to = "choice", &q.asked.Choices[len(q.asked.Choices)-1].In
	return nil
}

func parseBecause(p *lineParser, s *Script, line int) error {
	at := p.words[0]
	language, text, err := p.blockText()
	if err != nil {
		return err
	}
	if language != "" {
		return s.translate(p, "because", language, text)
	}
	q := s.parsing.open
	if q == nil {
		return p.fail(at, "because without a question: write ask TEXT and its choices above it")
	}
	if err := s.endHead(p); err != nil {
		return err
	}
	q.because = text
	s.parsing = questionParser{of: "because", to: &q.becauseIn}
	s.steps = append(s.steps, step{line: line, column: at.column, command: SplitCommand(p.text), do: q.judge, isExpectation: true})
	return nil
}

// noteStep notes whether a command that directly follows a question is a step.
func (s *Script) noteStep(d declaration) {
	if s.parsing.of == "because" && d.name == "step" {
		s.questions[len(s.questions)-1].stepFollows = true
	}
}

// endHead ends the choices of a question, at a line that holds another command.
func (s *Script) endHead(p *lineParser) error {
	at := &s.parsing
	at.of = ""
	if !at.inHead {
		return nil
	}
	at.inHead = false
	if n := len(at.open.conditions); n < trace.ChoicesMin {
		found := "no choice"
		if n == 1 {
			found = "one choice"
		}
		return p.fail(p.words[0], "the question in line %d has %s: give it two to five, directly below ask", at.open.line, found)
	}
	return nil
}

// checkQuestions returns an error if the script ends within a question.
func (s *Script) checkQuestions() error {
	if q := s.parsing.open; q != nil {
		return &Error{Line: q.line, Column: q.column, Message: "ask without because: end the question with because TEXT"}
	}
	return nil
}

// QuestionLine returns the line of a question's ask, counted from 1 like the question, 0 if there
// is none.
func (s *Script) QuestionLine(number int) int {
	if number < 1 || number > len(s.questions) {
		return 0
	}
	return s.questions[number-1].line
}

// Questions returns the questions, each with its reason.
func (s *Script) Questions() []trace.Question {
	var all []trace.Question
	for _, q := range s.questions {
		one := q.asked
		one.Because, one.BecauseIn = q.because, q.becauseIn
		all = append(all, one)
	}
	return all
}

// whenWord stands between a choice and its expectation.
const whenWord = "when"

// splitWhen splits a choice at the last when before an expectation. It returns the text before it,
// and the expectation as it is written and as it was parsed.
func (p *lineParser) splitWhen() (text, where string, c condition, err error) {
	from := strings.Index(p.text, p.words[0].text) + len(p.words[0].text)
	places := whens(p.text, from)
	if len(places) == 0 {
		return "", "", condition{}, p.failMissing("when EXPECTATION: what must hold in the cluster for this choice to be right")
	}
	for _, at := range slices.Backward(places) {
		where := p.text[at+len(whenWord):]
		// Spaces in place of the text keep the columns.
		rest := newLineParser(strings.Repeat(" ", utf8.RuneCountInString(p.text[:at+len(whenWord)]))+where, p.scope.copy())
		if len(rest.words) == 0 {
			err = p.failMissing("an expectation: " + orList(expectationWords()))
			continue
		}
		c, failed := rest.choiceCondition()
		if failed == nil {
			if text = strings.TrimSpace(p.text[from:at]); text == "" {
				return "", "", c, p.fail(word{column: utf8.RuneCountInString(p.text[:at]) + 1}, "expected the text of the choice before when")
			}
			return text, joinWords(where), c, nil
		}
		// The mistake is most likely in a line that begins as an expectation does.
		if err == nil || slices.Contains(expectationWords(), rest.words[0].text) {
			err = failed
		}
	}
	return "", "", condition{}, err
}

// whens returns the offsets of each when between spaces, from an offset on.
func whens(text string, from int) (all []int) {
	isSpace := func(at int) bool { return at >= len(text) || text[at] == ' ' || text[at] == '\t' }
	for at := from; ; at++ {
		next := strings.Index(text[at:], whenWord)
		if next < 0 {
			return all
		}
		if at += next; isSpace(at-1) && isSpace(at+len(whenWord)) {
			all = append(all, at)
		}
	}
}

// joinWords returns the words of a text, up to a comment, with one space between them.
func joinWords(text string) string {
	var all []string
	for _, w := range splitWords(text) {
		all = append(all, w.text)
	}
	return strings.Join(all, " ")
}

// choiceCondition parses the expectation of a choice, to the end of the line.
func (p *lineParser) choiceCondition() (condition, error) {
	if p.peek() == "refused" {
		return condition{}, p.fail(p.words[0], "a choice must not run a command: put the command below the choices, and say here what it brings about")
	}
	word, err := p.choice("an expectation", expectationWords()...)
	if err != nil {
		return condition{}, err
	}
	c, err := p.condition(word)
	if err == nil {
		err = p.expectEnd()
	}
	return c, err
}

// translatedChoice returns the text of a choice's translation. It may repeat the expectation.
func (s *Script) translatedChoice(p *lineParser, text string) (string, error) {
	own, where, _, err := p.splitWhen()
	if err != nil || s.parsing.of != "choice" {
		return text, nil //nolint:nilerr // a text without an expectation is all text
	}
	q := s.questions[len(s.questions)-1]
	if want := q.wheres[len(q.wheres)-1]; where != want {
		return "", p.fail(p.words[0], "the translation says when %s, its original when %s: write it only once, or the same", where, want)
	}
	return own, nil
}
