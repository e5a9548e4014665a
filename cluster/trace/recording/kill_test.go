package recording

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"capsize/cluster/trace"

	"go.uber.org/goleak"
)

// recordHere is the environment variable that makes the test binary record to a file until
// it is killed.
const recordHere = "CAPSIZE_TEST_RECORD"

func TestMain(m *testing.M) {
	if name := os.Getenv(recordHere); name != "" {
		recordForEver(name)
	}
	goleak.VerifyTestMain(m)
}

// recordForEver records an event each millisecond, in real time, and prints it.
func recordForEver(name string) {
	w, err := Create(name, Header{Seed: 1})
	if err != nil {
		panic(err)
	}
	begun, seq := time.Now(), uint64(0)
	for range time.Tick(time.Millisecond) {
		seq++
		at := time.Since(begun)
		w.Add(&trace.Event{Seq: seq, At: at, Kind: trace.KindTerm, Node: "n1", Term: seq}, nil)
		if _, err := fmt.Println(seq, int64(at)); err != nil {
			os.Exit(1)
		}
	}
}

// TestKilledProgramLosesOnlyTheLastSecond kills a program that records (kill -9). It runs in
// real time, because the writer does.
func TestKilledProgramLosesOnlyTheLastSecond(t *testing.T) {
	const mayBeLost = time.Second
	for _, name := range []string{"a.trace", "a.trace.gz"} {
		name = filepath.Join(t.TempDir(), name)
		program := exec.CommandContext(t.Context(), os.Args[0])
		program.Env = append(os.Environ(), recordHere+"="+name)
		out, err := program.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := program.Start(); err != nil {
			t.Fatal(err)
		}
		var all []trace.Position
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var m trace.Position
			if _, err := fmt.Sscan(lines.Text(), &m.Seq, (*int64)(&m.At)); err != nil {
				t.Fatal(err)
			}
			if all = append(all, m); m.At > mayBeLost*3/2 {
				_ = program.Process.Kill()
			}
		}
		_ = program.Wait() // killed: always an error
		killed := all[len(all)-1].At
		_, h := openFile(t, name)
		_, last := h.Span()
		for _, m := range all {
			if m.At < killed-mayBeLost && m.Seq > last.Seq {
				t.Fatalf("%s: event %d at %s is lost after a kill at %s", name, m.Seq, m.At, killed)
			}
		}
		if last.Seq < 100 {
			t.Errorf("%s: the recording ends with event %d", name, last.Seq)
		}
	}
}
