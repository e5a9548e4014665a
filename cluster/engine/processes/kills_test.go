package processes_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"capsize/cluster/trace"
)

// killsVariable sets how many processes TestKillsLoseNothing kills.
const killsVariable = "CAPSIZE_TEST_KILLS"

// Real SIGKILLs under load lose no acknowledged increment, and leave nothing behind.
func TestKillsLoseNothing(t *testing.T) {
	leaveNothing(t)
	kills := 10
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	b.WriteString("title Kills\nnodes 5\nstorage bolt\nset heartbeat 300ms\nset election 300ms\nset lease 150ms\n\nwait leader\nload 200/s clients 32\n")
	for i := range kills {
		victim := "random"
		if i%3 == 0 {
			victim = "leader"
		}
		fmt.Fprintf(&b, "wait leader\nlet v%d = %s\nkill $v%d\nwait 100ms\nrestart $v%d\n", i, victim, i, i)
	}
	b.WriteString("load off\nwait converged within 60s\nexpect log all same\nexpect checks ok\n")
	past, r := run(t, parse(t, "kills", b.String()))
	if !r.OK {
		t.Fatalf("%v, checks %v", r.Failures, r.Checks)
	}
	var end trace.State
	if !past.StateAt(r.Events, &end) {
		t.Fatal("the end is not in the history")
	}
	acknowledged, most := int64(r.Ops.OK), int64(r.Ops.OK+r.Ops.Unknown)+int64(end.Clients.InFlight)
	if r.Value < acknowledged || r.Value > most || acknowledged < int64(kills) {
		t.Errorf("%d kills: the counter is %d, with %d increments acknowledged and %d unknown",
			kills, r.Value, r.Ops.OK, r.Ops.Unknown)
	}
	t.Logf("%d kills in %.1fs: %d acknowledged, %d unknown, %d failed, value %d", kills, r.VirtualSeconds, r.Ops.OK, r.Ops.Unknown, r.Ops.Failed, r.Value)
}
