package scenario

import (
	"fmt"
	"strings"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// RecordedCommand is a command that was given, and when. One without a text is where a
// session ends.
type RecordedCommand struct {
	At     time.Duration // virtual time
	Text   string
	Leader string // who led
	// Among are the nodes of which one has to lead before that one can be handed
	// leadership. There are none if it led already, or cannot be.
	Among []string
}

// Order notes a command that is given as the state is, after others.
func Order(ordered []RecordedCommand, at time.Duration, text string, st *trace.State) []RecordedCommand {
	o, before := RecordedCommand{At: at, Text: text}, ""
	if len(ordered) > 0 {
		before = ordered[len(ordered)-1].Leader
	}
	o.Leader = before // while nobody leads, the next one follows on the one before
	if n := st.LeaderNode(); n != nil {
		o.Leader = n.ID
		if n.ID != before && n.Process == trace.Up {
			o.Among = among(st, before)
		}
	}
	return append(ordered, o)
}

// among returns the nodes that can all talk to one another: all of them, or all but
// the one that led before; none if more than that one are apart.
func among(st *trace.State, before string) []string {
	apart := false
	for link, faults := range st.Faults {
		switch {
		case len(faults) == 0:
		case link.From != before && link.To != before:
			return nil
		default:
			apart = true
		}
	}
	if n := st.Node(before); n != nil && !apart && n.Process == trace.Up {
		before = ""
	}
	return where(st, func(n *trace.Node) bool { return n.ID != before && n.Process != trace.Removed })
}

// Save writes what was ordered of a cluster as a scenario. Clients' commands become
// asynchronous, as they were: whoever pressed the keys did not wait for the
// answers. Raft draws its election timeouts anew in each run, so where another node may lead
// than led at the time, leadership is handed over. What the checks found to be violated is
// expected.
func Save(settings trace.Settings, nodes int, ordered []RecordedCommand, checks []trace.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "title A saved session\nnodes %d\nseed %d\nstorage %s\n", nodes, settings.Seed, settings.Storage)
	for _, kv := range cluster.NonDefaultSettings(settings) {
		fmt.Fprintf(&b, "set %s %s\n", kv[0], kv[1])
	}
	b.WriteString("\n")
	last := time.Duration(0)
	if len(ordered) > 0 {
		last = ordered[0].At
	}
	for _, o := range ordered {
		writeWait(&b, o.At-last)
		last = o.At
		if len(o.Among) > 0 {
			fmt.Fprintf(&b, "wait leader %s\ntransfer %s\nwait leader %s\n", strings.Join(o.Among, ","), o.Leader, o.Leader)
		}
		if o.Text == "" {
			continue
		}
		switch word, _, _ := strings.Cut(o.Text, " "); word {
		case "increment", "add", "read":
			b.WriteString("async ")
		}
		b.WriteString(o.Text + "\n")
	}
	for _, c := range checks {
		if c.Verdict == trace.VerdictViolated {
			fmt.Fprintf(&b, "expect violation %s\n", c.Name)
		}
	}
	return b.String()
}

// writeWait writes the wait between two commands; a longer one than a command
// can name becomes several.
func writeWait(b *strings.Builder, d time.Duration) {
	for d = d.Round(time.Millisecond); d > 0; d -= durationMax {
		fmt.Fprintf(b, "wait %s\n", min(d, durationMax))
	}
}
