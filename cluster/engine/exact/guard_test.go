package exact

import (
	"testing"

	"github.com/tetratelabs/wazero"

	"capsize/cluster/engine/exact/module"
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

// Another way to run the module gives the same run: nothing depends on the machine code.
func TestInterpreterGivesTheSameRun(t *testing.T) {
	want := perform(t, 3, "leader-crash").Fingerprint
	compiled := theProgram
	m, err := module.Load(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if theProgram, err = compile(t.Context(), m, wazero.NewRuntimeConfigInterpreter()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := theProgram.Close(); err != nil {
			t.Error(err)
		}
		theProgram = compiled
	})
	t.Run("interpreted", func(t *testing.T) {
		if got := perform(t, 3, "leader-crash").Fingerprint; got != want {
			t.Errorf("the interpreter gives %s, machine code %s", got, want)
		}
	})
}
