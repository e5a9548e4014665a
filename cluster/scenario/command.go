package scenario

import (
	"slices"
	"strings"
	"sync"
)

// Command is a line of the language, split into words. It has not been checked: a
// [Line] has.
type Command struct {
	Text string   // the line without surrounding space
	Verb string   // the first word, "" in a line without a command
	Args []string // the other words, up to a comment
}

// SplitCommand splits a line into the words of a command.
func SplitCommand(text string) Command { return asCommand(text, splitWords(text)) }

func asCommand(text string, words []word) Command {
	c := Command{Text: strings.TrimSpace(text)}
	for i, w := range words {
		if i == 0 {
			c.Verb = w.text
		} else {
			c.Args = append(c.Args, w.text)
		}
	}
	return c
}

// IsStep reports whether the command waits for the presenter.
func (c Command) IsStep() bool { return c.Verb == "step" }

// Speed returns the speed that the command sets, like [Presenter.Speed], and
// whether it sets one.
func (c Command) Speed() (float64, bool) {
	if c.Verb != "speed" || len(c.Args) != 1 {
		return 0, false
	}
	return parseSpeed(c.Args[0])
}

// IsClientOp reports whether a client carries the command out: its outcome can be
// unknown, and it can run async.
func (c Command) IsClientOp() bool {
	d, ok := find(c.Verb)
	return ok && d.byClient
}

// IsAsync reports whether the command only starts another one.
func (c Command) IsAsync() bool {
	return c.Verb == "async" || c.Verb == "try" && len(c.Args) > 0 && c.Args[0] == "async"
}

// within returns the command inside try, async or expect refused.
func (c Command) within() Command {
	args := c.Args
	switch {
	case len(args) == 0:
		return c
	case c.Verb == "expect" && args[0] == "refused" && len(args) > 1:
		args = args[1:]
	case c.Verb != "try" && c.Verb != "async":
		return c
	}
	return Command{Text: c.Text, Verb: args[0], Args: args[1:]}.within()
}

// ChangesFaults reports whether the command sets or clears faults that other
// commands can restore. Wiping a disk is not among them.
func (c Command) ChangesFaults() bool {
	d, ok := find(c.within().Verb)
	return ok && d.changesFaults
}

// IsByHand reports whether the command moves single messages or fires a single timer. It takes
// no more virtual time than that needs, and gets it also while the clock stands still.
func (c Command) IsByHand() bool {
	d, ok := find(c.within().Verb)
	return ok && d.byHand
}

// action runs a command on a goroutine of the cluster's bubble. It may take virtual
// time. It returns a [*Failure] if an expectation does not hold, and another error
// if the command cannot be carried out.
type action func(r *run) error

// starter prepares a command that takes virtual time: it selects the nodes now, and
// returns a function that runs the command.
type starter func(r *run) (do func() error, err error)

// declaration declares one command of the language. It has block, setup, parse, or both of these. With
// both, setup parses it in the lines before the first command that runs.
type declaration struct {
	name   string // its first word
	syntax string // as in the reference
	help   string // one line

	// setup parses a command that describes the cluster to start.
	setup func(p *lineParser, s *Script) error
	// parse parses a command that runs.
	parse func(p *lineParser) (action, error)
	// block parses a line that is part of a question, which only a script can ask.
	block func(p *lineParser, s *Script, line int) error
	// start parses it for async; nil if the command takes no virtual time.
	start func(p *lineParser) (starter, error)
	// byClient is set if a client runs it: its operation then ends with an outcome, and
	// is never refused.
	byClient     bool
	neverRefused bool // if it always succeeds
	// byHand is set if the command takes an instant of virtual time, also while the clock stands
	// still: see [Command.IsByHand].
	byHand bool
	// changesFaults is set if other commands can restore what it changes.
	changesFaults bool
	// virtual is why the command needs virtual time, "" if it works over processes too.
	virtual string
	// ownNodes and brokenLinks are set if the command needs nodes that this program has started, or
	// links that can fail.
	ownNodes, brokenLinks bool
}

// runs reports whether the command runs on a cluster.
func (d declaration) runs() bool { return d.parse != nil }

// canRunAsync reports whether async can precede the command.
func (d declaration) canRunAsync() bool { return d.start != nil }

// canBeTried reports whether try can precede the command.
func (d declaration) canBeTried() bool {
	return d.runs() && !d.neverRefused && d.name != "try" && d.name != "expect"
}

// canBeRefused reports whether expect refused can precede the command. A wait times out
// instead, and async does not wait for a refusal.
func (d declaration) canBeRefused() bool {
	return d.canBeTried() && d.name != "wait" && d.name != "async" && d.name != "let"
}

// table holds all commands. It is filled on first use, because async looks commands
// up in the table that holds it.
var table struct {
	once sync.Once
	all  []declaration
}

// timed returns the declaration of a command that takes virtual time, so it can run
// async.
func timed(name, syntax, help string, start func(*lineParser) (starter, error)) declaration {
	return declaration{name: name, syntax: syntax, help: help, start: start, parse: func(p *lineParser) (action, error) {
		prepare, err := start(p)
		return func(r *run) error {
			do, err := prepare(r)
			if err != nil {
				return err
			}
			return do()
		}, err
	}}
}

// declarations returns all commands in the order of the reference.
func declarations() []declaration {
	table.once.Do(func() {
		table.all = slices.Concat(setupCommands(), clientCommands(), nodeCommands(), memberCommands(),
			breakingLinks(networkCommands()), breakingLinks(linkCommands()), handCommands(), prefixCommands(), waitCommands(), stageCommands(), questionCommands(),
			chaosCommands(), soakCommands(), expectCommands())
	})
	return table.all
}

// find returns the command of that name.
func find(name string) (declaration, bool) {
	for _, d := range declarations() {
		if d.name == name {
			return d, true
		}
	}
	return declaration{}, false
}

// verbs returns the names of all commands.
func verbs() []string {
	var all []string
	for _, d := range declarations() {
		all = append(all, d.name)
	}
	return all
}

// hasTranslations reports whether the command takes a language behind a dot, like
// say.zh.
func hasTranslations(name string) bool {
	return slices.Contains([]string{"title", "summary", "say", "chapter", "ask", "choice", "because"}, name)
}

// command takes the first word of a line and returns the command it names.
func (p *lineParser) command() (declaration, error) {
	w, err := p.next("a command")
	if err != nil {
		return declaration{}, err
	}
	return p.commandNamed(w)
}

// commandNamed returns the command that a word names.
func (p *lineParser) commandNamed(w word) (declaration, error) {
	name, _, translated := strings.Cut(w.text, ".")
	if d, ok := find(name); ok && (!translated || hasTranslations(name)) {
		if p.scope.realTime && d.virtual != "" {
			return d, p.fail(w, "%s", d.virtualOnly())
		}
		return d, nil
	}
	return declaration{}, p.fail(w, `unknown command %q%s; run "capsize commands" for the list`, w.text, didYouMean(w.text, slices.Concat(p.scope.words, verbs())))
}
