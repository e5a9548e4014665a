package scenario

import (
	"strings"
	"testing"

	"capsize/cluster"
)

func TestCommandThatNeverEndsIsGivenUp(t *testing.T) {
	failures := unattended(t, parse(t, "nodes 3\nkill n2\ndisk n2 stall\nwait 1s\nrestart n2\nincrement"))
	if len(failures) != 1 {
		t.Fatalf("%+v", failures)
	}
	if f := failures[0]; f.Line != 5 || f.Text != "restart n2" || !strings.Contains(f.Want, "2h0m0s") || !strings.Contains(f.Got, "still running") {
		t.Errorf("got %+v", f)
	}
}

func TestManyIncrementsGetTimeForTheirTimeouts(t *testing.T) {
	s := step{command: SplitCommand("increment 100000 via random")}
	settings := cluster.DefaultSettings()
	if least := 100_000 * settings.ClientTimeout; s.limit(&settings) <= least {
		t.Errorf("given up after %s, but they can take %s", s.limit(&settings), least)
	}
}
