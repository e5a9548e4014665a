package headless

import (
	"bytes"
	"strings"
	"testing"

	"capsize/cluster/scenario"
)

func TestTableShowsWhatFailed(t *testing.T) {
	good := Result{Scenario: "good", OK: true, Identity: Identity{Seed: 1}, VirtualSeconds: 12.34, WallSeconds: 0.5, Ops: Ops{OK: 3}, Value: 3, Term: 2}
	bad := Result{Scenario: "bad.capsize", Identity: Identity{Seed: 2}, Ops: Ops{1, 2, 3}, Failures: []scenario.Failure{
		{Line: 7, Column: 5, Text: "expect value 3", Want: "value 3", Got: "2 on n1"}, {Text: "settle", Want: "this", Got: "that"},
	}}
	soak := Result{Scenario: "soak", OK: true, Faults: map[string]int{"nodes": 2, "disk": 1}}
	var table bytes.Buffer
	if err := WriteTable(&table, []Result{good, bad, soak}); err != nil {
		t.Fatal(err)
	}
	want := `SCENARIO     RESULT  VIRTUAL  WALL   OPS                        VALUE  TERM
good         ok      12.3s    0.50s  3 ok                       3      2
bad.capsize  failed  0.0s     0.00s  1 ok, 2 failed, 3 unknown  0      0
soak         ok      0.0s     0.00s  0 ok                       0      0

bad.capsize:7:5: expect value 3: wanted value 3, got 2 on n1
bad.capsize: settle: wanted this, got that
soak: faults injected: disk 1, nodes 2
`
	if table.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &table, want)
	}
	table.Reset()
	if err := WriteTable(&table, []Result{bad, bad}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table.String(), "SEED") || !strings.Contains(table.String(), "got 2 on n1 (seed 2)") {
		t.Errorf("repetitions do not show their seeds:\n%s", &table)
	}
	if AllOK([]Result{good, bad}) || !AllOK([]Result{good, soak}) {
		t.Error("AllOK does not report whether all runs are ok")
	}
}
