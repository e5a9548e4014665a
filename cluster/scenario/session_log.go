package scenario

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// shared is what the commands of a session, or of a script, share.
type shared struct {
	mu       sync.Mutex     // lock order: after the trace's lock
	last     trace.Op       // the client operation that ended last
	running  int            // async commands that have not ended
	commands []*logged      // in the order in which they started
	expected []string       // checks whose violation is expected
	faults   map[string]int // that soaks injected, by kind; nil without a soak

	endSoak atomic.Bool // soaks must end
}

// injected counts the faults of a soak.
func (s *shared) injected(faults map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults == nil {
		s.faults = map[string]int{}
	}
	for kind, n := range faults {
		s.faults[kind] += n
	}
}

// takeFaults returns the faults since the last call, nil if there was no soak.
func (s *shared) takeFaults() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	faults := s.faults
	s.faults = nil
	return faults
}

// logged is a command of a session, with everything needed to repeat it. One without a
// verb marks the end of a session.
type logged struct {
	Command
	at, ended time.Duration // virtual time
	running   bool
	refused   bool
	scripted  bool     // a command of a scenario on stage
	lines     []string // of a question: those below the command that belong to it
	drawn     []string // the nodes that random selected
	restated  []string // lines that name its packets as another run can, nil if Text does
	leader    string   // the node that led

	// transferCandidates are set if leadership must be transferred to leader before the
	// command: one of these nodes must lead first. They are empty if leader also led at
	// the previous command, or if a transfer cannot reach it.
	transferCandidates []string
}

// begin logs a command that starts.
func (s *shared) begin(c *cluster.Inside, command Command, scripted bool) *logged {
	one := &logged{Command: command, at: c.Now(), running: true, scripted: scripted}
	c.Trace().Read(func(st *trace.State) {
		s.mu.Lock()
		defer s.mu.Unlock()
		one.follow(s.commands, st)
		s.commands = append(s.commands, one)
	})
	return one
}

// end logs that a command has ended, with its error.
func (s *shared) end(c *cluster.Inside, one *logged, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.ended, one.running, one.refused = c.Now(), false, err != nil
}

// drawnMax is how many nodes that random selected are logged for one command.
const drawnMax = 100

// drew logs a node that random selected.
func (s *shared) drew(one *logged, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one != nil && len(one.drawn) < drawnMax {
		one.drawn = append(one.drawn, id)
	}
}

// restate logs how another run can name the packets of a command.
func (s *shared) restate(one *logged, lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.restated = lines
}

// expect adds checks whose violation is expected.
func (s *shared) expect(checks []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected = append(s.expected, checks...)
}

// asyncStarts and asyncEnds count the async commands that run.
func (s *shared) asyncStarts() { s.addRunning(1) }
func (s *shared) asyncEnds()   { s.addRunning(-1) }

func (s *shared) addRunning(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running += n
}

// isIdle reports whether no async command runs.
func (s *shared) isIdle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running == 0
}

// follow sets the leader of a command that starts in a state, after others. A script works
// with any leader, so its commands need no transfer; the first command after it does.
func (o *logged) follow(earlier []*logged, st *trace.State) {
	before, scripted := "", false
	if len(earlier) > 0 {
		last := earlier[len(earlier)-1]
		before, scripted = last.leader, last.scripted
	}
	o.leader = before // without a leader now, the next one succeeds the previous one
	n := st.LeaderNode()
	if n == nil {
		return
	}
	o.leader = n.ID
	// While links are held, a user fires the election timers, and the scenario does so again.
	if !o.scripted && !st.HoldsAny() && n.Process == trace.Up && (n.ID != before || scripted) {
		if candidates := transferCandidates(st, before); slices.Contains(candidates, n.ID) {
			o.transferCandidates = candidates
		}
	}
}

// below logs the lines below a command that belong to it.
func (s *shared) below(one *logged, lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one != nil {
		one.lines = lines
	}
}

// text returns the command with random replaced by the nodes that it selected.
func (o *logged) text() string {
	text, words, drawn := o.Text, splitWords(o.Text), o.drawn
	var places []word
	for i, w := range words {
		if i > 0 && words[i-1].text == "via" && w.text == cluster.RouteRandom {
			continue // the client chooses
		}
		column := w.column
		for _, part := range strings.Split(w.text, ",") {
			if part == "random" {
				places = append(places, word{part, column})
			}
			column += utf8.RuneCountInString(part) + 1
		}
	}
	if len(places) != len(drawn) {
		return text // a condition selects again each time it is checked
	}
	runes := []rune(text)
	for i := len(places) - 1; i >= 0; i-- {
		at := places[i].column - 1
		runes = slices.Replace(runes, at, at+len("random"), []rune(drawn[i])...)
	}
	return string(runes)
}
