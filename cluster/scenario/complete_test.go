package scenario

import (
	"slices"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/check"
)

func TestWordsAreCompleted(t *testing.T) {
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
	c.AwaitLeader(10 * time.Second)
	s := NewSession(c, 1, nil)
	for text, want := range map[string][]string{
		"read le":                    {"leader", "lease"},
		"set ":                       {"election", "heartbeat", "lease"},
		"set lea":                    {"lease"},
		"se":                         {"set"},
		"apply n1 s":                 {"slow"},
		"disk n1 corrupt s":          {"slow", "snapshot", "stall"},
		"remove-node n1 k":           {"keep"},
		"duplicate n1 -> n2 5% af":   {"after"},
		"expect ch":                  {"checks"},
		"expect viol":                {"violation"},
		"expect violation acked":     {check.AckedDurable},
		"expect violation election-": {check.ElectionSafety},
		"expect value 3 w":           {"within"},
		"expect ref":                 {"refused"},
		"tr":                         {"transfer", "try"},
		"try k":                      {"kill"},
		"try tr":                     {"transfer"},
		"try s":                      {"set", "snapshot", "soak"},
		"try expe":                   nil,
		"try kill n":                 {"n1"},
		"async t":                    {"transfer"},
		"async k":                    nil,
		"async transfer n":           {"n1"},
		"try async sn":               {"snapshot"},
		"expect refused k":           {"kill"},
		"expect refused w":           {"wipe"},
		"expect refused kill n":      {"n1"},
	} {
		if got := s.Complete(text); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
