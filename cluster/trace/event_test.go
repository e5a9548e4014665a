package trace

import "testing"

func TestEntriesAreTheSameIfTheyDoTheSame(t *testing.T) {
	entry := Entry{Term: 2, Kind: EntryAdd, Delta: 1, Client: "c1", Seq: 3}
	config := Entry{Term: 2, Kind: EntryConfig, Servers: []Server{{ID: "n1", Voter: true}}}
	if !entry.Same(&entry) || !config.Same(&config) || entry.Same(&config) {
		t.Error("an entry must be the same as itself only")
	}
	for what, other := range map[string]Entry{
		"term":            {Term: 3, Kind: EntryAdd, Delta: 1, Client: "c1", Seq: 3},
		"delta":           {Term: 2, Kind: EntryAdd, Delta: 2, Client: "c1", Seq: 3},
		"client":          {Term: 2, Kind: EntryAdd, Delta: 1, Client: "c2", Seq: 3},
		"sequence number": {Term: 2, Kind: EntryAdd, Delta: 1, Client: "c1", Seq: 4},
	} {
		if entry.Same(&other) {
			t.Errorf("entries of another %s must differ", what)
		}
	}
	demoted := Entry{Term: 2, Kind: EntryConfig, Servers: []Server{{ID: "n1"}}}
	if config.Same(&demoted) {
		t.Error("configurations with other members must differ")
	}
}
