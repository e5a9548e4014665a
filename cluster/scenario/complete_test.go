package scenario

import (
	"slices"
	"testing"

	"capsize/cluster"
	"capsize/cluster/check"
)

func TestChecksAreCompleted(t *testing.T) {
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	c, err := cluster.Open(cluster.Config{Nodes: 1, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := NewSession(c, 1, nil)
	for text, want := range map[string][]string{
		"expect ch":                  {"checks"},
		"expect viol":                {"violation"},
		"expect violation acked":     {check.AckedDurable},
		"expect violation election-": {check.ElectionSafety},
	} {
		if got := s.Complete(text); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
