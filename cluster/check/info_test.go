package check

import (
	"slices"
	"testing"
)

func TestEveryCheckHasAPromise(t *testing.T) {
	var described []string
	for _, info := range All() {
		if info.Promise == "" || len(info.Promise) > 60 {
			t.Errorf("%s promises %q, want 1 to 60 characters", info.Name, info.Promise)
		}
		described = append(described, info.Name)
	}
	names := Names()
	slices.Sort(described)
	slices.Sort(names)
	if !slices.Equal(described, names) {
		t.Errorf("described checks: %v, want %v", described, names)
	}
}
