package scenario

import "fmt"

// Over processes, time is real, and the messages between the nodes travel over TCP. Some commands
// cannot be carried out there: see [declaration.virtual].

// Why commands need virtual time.
const (
	losesNothing     = "TCP resends what is lost; use cut, delay or jam"
	duplicatesNone   = "TCP discards what arrives twice"
	reordersNothing  = "TCP restores the order; use delay or jam"
	needsStillClock  = "it needs a clock that stands still; use jam"
	firesNoRealTimer = "it needs a clock that stands still"
)

// needsVirtualTime marks a command that cannot be carried out over processes, and why.
func needsVirtualTime(d declaration, why string) declaration {
	d.virtual = why
	return d
}

// onOwnNodes marks a command that needs nodes that this program has started.
func onOwnNodes(d declaration) declaration {
	d.ownNodes = true
	return d
}

// breakingLinks marks commands that need links that can fail.
func breakingLinks(all []declaration) []declaration {
	for i := range all {
		all[i].brokenLinks = true
	}
	return all
}

// virtualOnly returns why the command cannot be carried out over processes, "" if it can.
func (d declaration) virtualOnly() string {
	if d.virtual == "" {
		return ""
	}
	return fmt.Sprintf("%s is not possible over processes: %s", d.name, d.virtual)
}

// CheckRealTime returns an [*Error] at the first command that needs virtual time, nil if the whole
// script can be performed over processes.
func (s *Script) CheckRealTime() error {
	for _, line := range s.lines {
		w, ok := commandWord(splitWords(line.text))
		if !ok {
			continue
		}
		if d, _ := find(w.text); d.virtual != "" {
			return &Error{File: s.Name, Line: line.number, Column: w.column, Message: d.virtualOnly()}
		}
	}
	return nil
}

// commandWord returns the name of a command, without the words that only change how it runs.
func commandWord(words []word) (word, bool) {
	for len(words) > 0 {
		switch {
		case words[0].text == "try", words[0].text == "async":
			words = words[1:]
		case len(words) > 1 && words[0].text == "expect" && words[1].text == "refused":
			words = words[2:]
		default:
			return words[0], true
		}
	}
	return word{}, false
}

// OverProcesses makes the prompt refuse and leave out what needs virtual time. It comes before the
// first command.
func (p *Prompt) OverProcesses() { p.realTime = true }

// LeaveOut makes the prompt leave out, but not refuse, the commands that need nodes that this program
// has started, or links that can fail: the cluster refuses them with its reason. It comes before the
// first command.
func (p *Prompt) LeaveOut(ownNodes, brokenLinks bool) {
	p.foreignNodes, p.fixedLinks = ownNodes, brokenLinks
}

// Knows reports whether a command is one for the prompt's cluster: some need virtual time, or nodes or
// links that not every cluster has.
func (p *Prompt) Knows(verb string) bool {
	d, ok := find(verb)
	return ok && d.runs() && p.allows(d)
}

// allows reports whether a command can be carried out on the prompt's cluster.
func (p *Prompt) allows(d declaration) bool {
	return (!p.realTime || d.virtual == "") && (!p.foreignNodes || !d.ownNodes) && (!p.fixedLinks || !d.brokenLinks)
}
