package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
	"capsize/faults"
)

// transferCandidates returns the nodes that can all reach each other: every node,
// or every node but the previous leader. It returns none if links between other
// nodes are broken.
func transferCandidates(st *trace.State, previous string) []string {
	separated := false // the previous leader has a broken link
	for link, faults := range st.Faults {
		switch {
		case len(faults) == 0:
		case link.From != previous && link.To != previous:
			return nil
		default:
			separated = true
		}
	}
	excluded := previous
	if n := st.Node(previous); n != nil && !separated && n.Process == trace.Up {
		excluded = ""
	}
	return selectNodes(st, func(n *trace.Node) bool { return n.ID != excluded })
}

// Save returns the session so far as the text of a scenario that repeats it, including the
// commands of a scenario on stage. nodes is the number of nodes at the start. The scenario
// expects the violations that the checks found. Call Save from outside virtual time.
//
// A command that was refused gets try. Client commands become async, because a person at
// the keyboard does not wait for their outcome; so do other commands that were still running
// when the next one started. Raft draws new election timeouts in each run, so where leadership
// changed in the session, the scenario transfers it to the same node.
func (s *Session) Save(nodes int, checks []trace.Check) string {
	end, text := &logged{at: s.c.Clock().Now()}, ""
	s.c.Trace().Read(func(st *trace.State) {
		s.shared.mu.Lock()
		defer s.shared.mu.Unlock()
		for _, one := range s.shared.commands {
			end.at = max(end.at, one.at, one.ended)
		}
		end.follow(s.shared.commands, st)
		text = save(s.c.Settings(), nodes, append(slices.Clip(s.shared.commands), end), checks)
	})
	return text
}

// save writes commands, the last of which is the end, as a scenario.
func save(settings trace.Settings, nodes int, commands []*logged, checks []trace.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "title A saved session\nnodes %d\nseed %d\nstorage %s\n", nodes, settings.Seed, settings.Storage)
	for _, kv := range cluster.NonDefaultSettings(settings) {
		fmt.Fprintf(&b, "set %s %s\n", kv[0], kv[1])
	}
	b.WriteString("\n")
	reached := commands[0].at // the moment of the session that the scenario has reached
	for i, c := range commands {
		writeWait(&b, c.at-reached)
		reached = max(reached, c.at)
		if len(c.transferCandidates) > 0 {
			fmt.Fprintf(&b, "wait leader %s\ntransfer %s\nwait leader %s\n", strings.Join(c.transferCandidates, ","), c.leader, c.leader)
			if c.Verb == (faults.Hold{}).Name() {
				b.WriteString("try wait converged within 1s\n") // the transfer is over before messages wait
			}
		}
		if c.Verb == "" || c.Verb == "ask" && !isJudged(commands[i+1:]) {
			continue
		}
		line, waits := c.repeat(c.running || c.ended > commands[i+1].at)
		b.WriteString(line)
		for _, below := range c.lines {
			b.WriteString(below + "\n")
		}
		if waits {
			reached = max(reached, c.ended)
		}
	}
	for _, c := range checks {
		if c.Verdict == trace.VerdictViolated {
			fmt.Fprintf(&b, "expect violation %s\n", c.Name)
		}
	}
	return b.String()
}

// isJudged reports whether the commands after an ask have its because.
func isJudged(after []*logged) bool {
	i := slices.IndexFunc(after, func(c *logged) bool { return c.Verb == "ask" || c.Verb == "because" })
	return i >= 0 && after[i].Verb == "because"
}

// repeat returns the line that repeats a command, "" for none, and whether the line waits
// for the command's end. overtaken says that the next command started before that end.
func (o *logged) repeat(overtaken bool) (line string, waits bool) {
	text, core := o.text(), o.Command
	try := o.refused && o.Verb != "expect" && o.Verb != "because"
	if o.Verb == "try" {
		try, core = true, Command{Verb: o.Args[0], Args: o.Args[1:]}
		text = strings.TrimSpace(strings.TrimPrefix(text, "try"))
	}
	d, _ := find(core.Verb)
	switch {
	case core.Verb == "wait" && overtaken:
		return "", false // save writes the time that passed anyway
	case d.byClient && !o.scripted, d.canRunAsync() && overtaken:
		text = "async " + text
	default:
		waits = true
	}
	if len(o.restated) > 0 {
		text = strings.Join(o.restated, "\n")
	}
	if try {
		text = "try " + strings.ReplaceAll(text, "\n", "\ntry ")
	}
	return text + "\n", waits
}

// writeWait writes the wait between two commands, as several ones if it is longer
// than a command can name.
func writeWait(b *strings.Builder, d time.Duration) {
	for d = d.Round(time.Millisecond); d > 0; d -= durationMax {
		fmt.Fprintf(b, "wait %s\n", min(d, durationMax))
	}
}
