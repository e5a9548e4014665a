package scenario

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// command is one command of the language.
type command struct {
	name   string // its first word
	syntax string // as in the reference
	help   string // one line
	// setup is for commands that say what cluster to start; they stand first.
	setup func(r *reader, s *Script) error
	// parse is for all others.
	parse func(r *reader) (action, error)
	// ask is for those that a client carries out, beside parse.
	ask func(r *reader) (operation, error)
}

// operation is what a client does: it finds out whom to ask now, and returns what
// asks and takes virtual time.
type operation func(x *execution) (do func(), err error)

// action carries a command out, on a goroutine of the cluster's bubble. It may
// take virtual time. Its error is a [*Failure] for what was expected and is not
// so, or says why the command could not be carried out.
type action func(x *execution) error

// table holds all commands. It is made when it is needed first, because async
// looks commands up in the table that it is in.
var table struct {
	once     sync.Once
	commands []command
}

// commands returns all commands, in the order of the reference.
func commands() []command {
	table.once.Do(func() {
		table.commands = slices.Concat(setupCommands(), clientCommands(), nodeCommands(), memberCommands(),
			networkCommands(), linkCommands(), waitCommands(), stageCommands(), expectCommands())
	})
	return table.commands
}

// find returns the command that a word names.
func find(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

// names returns the first words of all commands.
func names() []string {
	var all []string
	for _, c := range commands() {
		all = append(all, c.name)
	}
	return all
}

// command takes the first word of a command.
func (r *reader) command() (command, error) {
	w, err := r.take("a command")
	if err != nil {
		return command{}, err
	}
	name, _, _ := strings.Cut(w.text, ".") // say.zh is say in another language
	if c, ok := find(name); ok && (name == w.text || name == "say" || name == "chapter") {
		return c, nil
	}
	return command{}, r.fail(w, "%q is no command%s; capsize commands lists them", w.text, didYouMean(w.text, names()))
}

// Failure is an expectation that did not hold. Of a check, or of a command that
// stands alone, the line is 0.
type Failure struct {
	Line int    `json:"line"`
	Text string `json:"text"`
	Want string `json:"want"`
	Got  string `json:"got"`
}

func (f *Failure) Error() string {
	where := ""
	if f.Line > 0 {
		where = fmt.Sprintf("line %d: ", f.Line)
	}
	if f.Text != "" {
		where += f.Text + ": "
	}
	return fmt.Sprintf("%swanted %s, got %s", where, f.Want, f.Got)
}
