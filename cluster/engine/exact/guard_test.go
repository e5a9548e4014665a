package exact

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

	"capsize/cluster/engine"
	"capsize/cluster/engine/exact/module"
	"capsize/cluster/scenario"
	"capsize/cluster/vtime"
)

// The guest may read its clock, as Go's scheduler and collector do, but nothing it does may depend
// on it: with another clock the run is the same.
func TestRealTimeChangesNothing(t *testing.T) {
	want := perform(t, 7, "minority-partition").Fingerprint
	before := theProgram.clockStep
	t.Cleanup(func() { theProgram.clockStep = before })
	for _, step := range []int64{1, 50_000, 5_000_000} {
		theProgram.clockStep = step
		if got := perform(t, 7, "minority-partition").Fingerprint; got != want {
			t.Errorf("a clock that moves by %d ns with each reading changes the run: something reads real time", step)
		}
	}
}

// use makes the tests use the module with another runtime.
func use(t *testing.T, cfg wazero.RuntimeConfig) {
	t.Helper()
	if underRace {
		t.Skip("compiling takes too long")
	}
	m, err := module.Load(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := compile(t.Context(), m, cfg)
	if err != nil {
		t.Fatal(err)
	}
	compiled := theProgram
	theProgram = other
	t.Cleanup(func() {
		theProgram = compiled
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Another way to run the module gives the same run: nothing depends on the machine code.
func TestInterpreterGivesTheSameRun(t *testing.T) {
	want := perform(t, 3, "leader-crash").Fingerprint
	use(t, wazero.NewRuntimeConfigInterpreter())
	if got := perform(t, 3, "leader-crash").Fingerprint; got != want {
		t.Errorf("the interpreter gives %s, machine code %s", got, want)
	}
}

// A guest that ends by itself says so in one line, with all it takes to repeat that.
func TestOutOfMemory(t *testing.T) {
	use(t, wazero.NewRuntimeConfig().WithMemoryLimitPages(16<<4))
	e, err := theProgram.Open(config(11), engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	soak, err := scenario.Parse("soak", []byte("soak 1h"))
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan engine.Answer, 1)
	e.Submit(engine.Order{Scenario: soak}, func(a engine.Answer) { answers <- a })
	e.Run(vtime.Max)
	<-e.Done()
	for _, err := range []error{e.Err(), (<-answers).End.Err, e.Close()} {
		if err == nil || !strings.Contains(err.Error(), "memory") || !strings.Contains(err.Error(), "(seed 11, after event ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("it ended with %v", err)
		}
	}
	if err := engine.JoinClose(fmt.Errorf("stopped: %w", e.Err()), e.Close()); strings.Count(err.Error(), "has ended") != 1 {
		t.Errorf("it says it more than once: %v", err)
	}
	if err := e.Advance(time.Second); !errors.Is(err, vtime.ErrClosed) {
		t.Errorf("time passes after the end: %v", err)
	}
}

// Machine code that was damaged in the cache is compiled anew, wherever the damage is.
func TestDamagedMachineCodeIsCompiledAnew(t *testing.T) {
	if underRace {
		t.Skip("compiling takes too long")
	}
	m, err := module.Load(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, damage := range []func(code []byte) []byte{
		nil, // the first time there is none
		func(code []byte) []byte { return append(bytes.Repeat([]byte{0xcc}, 200), code[200:]...) },
		func(code []byte) []byte { return code[:len(code)/2] },
	} {
		if damage != nil {
			changeFiles(t, dir, damage)
		}
		p, err := compileCached(t.Context(), m, dir)
		if err != nil {
			t.Fatal(err)
		}
		e, err := p.Open(config(1), engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(e.Advance(time.Second), e.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	}
}

// changeFiles changes the files below a directory, except for the seal.
func changeFiles(t *testing.T, dir string, change func([]byte) []byte) {
	t.Helper()
	changed := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == sealName {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		changed++
		return os.WriteFile(name, change(content), 0o600)
	})
	if err != nil || changed == 0 {
		t.Fatalf("%v, %d files changed", err, changed)
	}
}
