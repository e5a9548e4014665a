package enginetest

import (
	"strings"
	"testing"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/trace"
)

// atOnce gives a line and returns its answer, which must come although the clock stands still.
func atOnce(e engine.Engine, line string) engine.Answer {
	return engine.Do(e, engine.Order{Line: line})
}

// movesByHand elects a leader by hand. No command takes more than a few nanoseconds of virtual
// time, and each sees what the one before has set off.
func movesByHand(t *testing.T, e engine.Engine) {
	t.Helper()
	do(t, e, engine.Order{Line: "wait leader"})
	do(t, e, engine.Order{Line: "transfer n1"})
	do(t, e, engine.Order{Line: "wait converged"})
	atOnce(e, "hold all")
	atOnce(e, "try deliver all")
	atOnce(e, "try deliver all")
	at := e.Now()
	for _, line := range []string{
		"fire n3 election", "drop prevote", "fire n2 election", "deliver n2 -> n3 prevote", "deliver n3 -> n2 prevote",
		"deliver n2 -> n3 vote", "deliver n3 -> n2 vote", "expect leader n2", "expect role n1 leader",
	} {
		if a := atOnce(e, line); a.End.Err != nil {
			t.Fatalf("%s: %v", line, a.End.Err)
		}
	}
	if passed := e.Now() - at; passed <= 0 || passed > time.Microsecond {
		t.Errorf("the election took %s", passed)
	}
	if a := atOnce(e, "deliver prevote nth 9"); a.End.Err == nil || !strings.Contains(a.End.Err.Error(), "wait") {
		t.Errorf("delivering what does not wait: %v", a.End.Err)
	}
	if s := state(e); len(s.Waiting) == 0 || !s.HoldsAny() || s.Nodes[0].Role != trace.Leader {
		t.Errorf("%d packets wait, and n1 is %s", len(s.Waiting), s.Nodes[0].Role)
	}
	atOnce(e, "release")
	do(t, e, engine.Order{Line: "wait converged"})
	if s := state(e); s.HoldsAny() || len(s.Waiting) > 0 {
		t.Errorf("%d packets wait after the release", len(s.Waiting))
	}
}
