package scenario

import (
	"fmt"
	"strings"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// Ordered is a command that was given, and when.
type Ordered struct {
	At   time.Duration // virtual time
	Text string
}

// Save writes what was ordered of a cluster as a scenario, up to the moment now.
// Clients' commands become asynchronous, as they were: whoever pressed the keys
// did not wait for the answers. What the checks found to be violated is expected.
func Save(settings trace.Settings, nodes int, ordered []Ordered, now time.Duration, checks []trace.Check) string {
	var b strings.Builder
	fmt.Fprintf(&b, "title A saved session\nnodes %d\nseed %d\nstorage %s\n", nodes, settings.Seed, settings.Storage)
	for _, kv := range cluster.Changed(settings) {
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
		switch word, _, _ := strings.Cut(o.Text, " "); word {
		case "increment", "add", "read":
			b.WriteString("async ")
		}
		b.WriteString(o.Text + "\n")
	}
	writeWait(&b, now-last)
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
