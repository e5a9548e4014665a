package exact

import (
	"testing"
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
