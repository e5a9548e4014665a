package exact

import (
	"strings"
	"testing"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/trace"
)

// Commands by hand come between two ticks too, but take a moment of their own. A branch repeats
// them nanosecond by nanosecond, from the beginning and from a snapshot.
func TestBranchRepeatsWhatWasDoneByHand(t *testing.T) {
	for _, from := range []time.Duration{time.Second, 25 * time.Second} {
		e := open(t, config(3), engine.Options{})
		advance(t, e, 3*time.Second+from)
		before := trace.Position{Seq: e.State().Seq, At: e.Now()}
		do(t, e, "transfer n1", "increment", "hold all")
		var middle trace.Position
		for _, line := range []string{
			"try deliver all", "try deliver all", "fire n3 election", "drop prevote", "fire n2 election", "deliver n2 -> n3 prevote", "deliver n3 -> n2 prevote",
			"deliver n2 -> n3 vote", "deliver n3 -> n2 vote", "fire n1 lease", "async increment", "release",
		} {
			if line == "deliver n2 -> n3 vote" {
				middle = trace.Position{Seq: e.State().Seq, At: e.Now()}
			}
			if a := engine.Do(e, engine.Order{Line: line}); a.End.Err != nil && !strings.HasPrefix(line, "try") {
				t.Fatalf("%s: %v", line, a.End.Err)
			}
		}
		advance(t, e, 5*time.Second)
		e.snapshots.packing.Wait()
		for _, at := range []trace.Position{before, middle} {
			b, err := e.Branch(at)
			if err != nil {
				t.Fatal(err)
			}
			if b.Now() != at.At || b.(*Engine).State().Seq != at.Seq {
				t.Errorf("the branch starts at event %d, %s; want %+v", b.(*Engine).State().Seq, b.Now(), at)
			}
			advance(t, b, e.Now()-b.Now())
			last := e.State().Seq
			want, got := events(e, at.Seq+1, last), events(b, at.Seq+1, last)
			if strings.Join(want, "\n") != strings.Join(got, "\n") || len(got) < 100 {
				t.Errorf("from %s: the branch has another future: %d events, want %d", at.At, len(got), len(want))
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
