package scenario

import (
	"slices"
	"sync"

	"capsize/cluster/trace"
)

// Prompt parses and completes commands as they are typed, for a cluster as it is now. It can be
// used from anywhere.
type Prompt struct {
	read  func(func(*trace.State)) // calls a function with the present state
	words []string                 // see Reserve
	// realTime is set over processes: see OverProcesses.
	realTime bool
	// foreignNodes and fixedLinks are set if those cannot fail: see LeaveOut.
	foreignNodes, fixedLinks bool

	mu    sync.Mutex
	names []string // that commands have defined
}

// NewPrompt returns the prompt of a cluster whose present state read passes on.
func NewPrompt(read func(func(*trace.State))) *Prompt { return &Prompt{read: read} }

// Reserve names words that the caller takes itself, like quit: an error for an unknown
// command can suggest them. It comes before the first command.
func (p *Prompt) Reserve(words ...string) { p.words = words }

// Define adds names that a command has defined.
func (p *Prompt) Define(names ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.names = slices.Compact(slices.Sorted(slices.Values(slices.Concat(p.names, names))))
}

// Names returns the names that commands have defined, sorted.
func (p *Prompt) Names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.names)
}

// Parse parses a command. The error is an [*Error].
func (p *Prompt) Parse(text string) (*Line, error) {
	declared := scope{words: p.words, realTime: p.realTime}
	p.read(func(s *trace.State) { declared.nodes, declared.settings = memberNames(s), s.Settings })
	declared.names = p.Names()
	return parseLine(text, &declared)
}

// nodes returns the members of the cluster as it is now.
func (p *Prompt) nodes() (names []string) {
	p.read(func(s *trace.State) { names = memberNames(s) })
	return names
}
