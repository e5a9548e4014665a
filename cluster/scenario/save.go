package scenario

import (
	"fmt"
	"strings"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// RecordedCommand is a command of a session, with what it takes to repeat it. The
// end of a session is recorded as one without a verb.
type RecordedCommand struct {
	Command
	At     time.Duration // virtual time
	Leader string        // the node that led

	// TransferCandidates are set if leadership must be transferred to Leader before the
	// command: one of these nodes has to lead for that. They are empty if Leader led at
	// the command before, too, or if a transfer cannot reach it.
	TransferCandidates []string
}

// Record appends a command that is given in a state, and returns the longer list.
func Record(recorded []RecordedCommand, at time.Duration, command Command, st *trace.State) []RecordedCommand {
	c, before := RecordedCommand{Command: command, At: at}, ""
	if len(recorded) > 0 {
		before = recorded[len(recorded)-1].Leader
	}
	c.Leader = before // without a leader now, the next one succeeds the one before
	if n := st.LeaderNode(); n != nil {
		c.Leader = n.ID
		if n.ID != before && n.Process == trace.Up {
			c.TransferCandidates = transferCandidates(st, before)
		}
	}
	return append(recorded, c)
}

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

// Save returns a session as the text of a scenario that repeats it.
//
// Commands of clients become async, because a person at the keys did not wait for
// their outcome. Raft draws new election timeouts in each run, so where leadership
// changed in the session, the scenario transfers it to the same node. Violations
// that the checks found are expected.
func Save(settings trace.Settings, nodes int, recorded []RecordedCommand, checks []trace.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "title A saved session\nnodes %d\nseed %d\nstorage %s\n", nodes, settings.Seed, settings.Storage)
	for _, kv := range cluster.NonDefaultSettings(settings) {
		fmt.Fprintf(&b, "set %s %s\n", kv[0], kv[1])
	}
	b.WriteString("\n")
	last := time.Duration(0)
	if len(recorded) > 0 {
		last = recorded[0].At
	}
	for _, c := range recorded {
		writeWait(&b, c.At-last)
		last = c.At
		if len(c.TransferCandidates) > 0 {
			fmt.Fprintf(&b, "wait leader %s\ntransfer %s\nwait leader %s\n", strings.Join(c.TransferCandidates, ","), c.Leader, c.Leader)
		}
		switch {
		case c.Verb == "":
		case c.IsClientOp():
			b.WriteString("async " + c.Text + "\n")
		default:
			b.WriteString(c.Text + "\n")
		}
	}
	for _, c := range checks {
		if c.Verdict == trace.VerdictViolated {
			fmt.Fprintf(&b, "expect violation %s\n", c.Name)
		}
	}
	return b.String()
}

// writeWait writes the wait between two commands, as several ones if it is longer
// than a command can name.
func writeWait(b *strings.Builder, d time.Duration) {
	for d = d.Round(time.Millisecond); d > 0; d -= durationMax {
		fmt.Fprintf(b, "wait %s\n", min(d, durationMax))
	}
}
