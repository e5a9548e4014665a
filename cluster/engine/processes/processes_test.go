package processes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/engine"
	"capsize/cluster/engine/processes"
	"capsize/cluster/machines"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/trace"
)

func TestMain(m *testing.M) {
	if machines.IsChild() {
		if err := machines.RunChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestScenario(t *testing.T) {
	name := os.Getenv("S")
	if name == "" {
		name = "leader-crash"
	}
	for n := range strings.SplitSeq(name, ",") {
		script, err := scenario.Load(n)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		past, r, err := headless.RunRecorded(ctx, processes.Open, script)
		cancel()
		fmt.Println(n, err, r.OK, r.Failures, r.Checks, r.Events, time.Since(start))
		if os.Getenv("V") != "" && past != nil {
			_, last := past.Span()
			past.Events(1, last.Seq, func(e *tEvent) bool { fmt.Println(line(e)); return true })
		}
	}
	_ = cluster.Bolt
	_ = engine.NativeMode
}

type tEvent = trace.Event

func line(e *trace.Event) string {
	b, _ := json.Marshal(e)
	if len(b) > 260 {
		b = b[:260]
	}
	return string(b)
}
