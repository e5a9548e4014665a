package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"capsize/cluster/trace"
)

// The kinds of storage.
const (
	Bolt   = "bolt"   // raft-boltdb and snapshot files
	Memory = "memory" // raft's stores in memory
)

// Defaults returns the settings of a cluster when nothing else is asked for:
// hashicorp/raft's own timeouts, and logs short enough to see them compacted.
func Defaults() trace.Settings {
	return trace.Settings{
		Seed:              1,
		Storage:           Bolt,
		Heartbeat:         time.Second,
		Election:          time.Second,
		Lease:             500 * time.Millisecond,
		Latency:           5 * time.Millisecond,
		RPCTimeout:        time.Second,
		ClientTimeout:     5 * time.Second,
		PreVote:           true,
		Sessions:          true,
		SnapshotThreshold: 1000,
		TrailingLogs:      500,
	}
}

// setting is one thing that can be set by a key.
type setting struct {
	key string
	set func(*trace.Settings, string) error
}

var settings = []setting{
	{"client-timeout", duration(func(s *trace.Settings) *time.Duration { return &s.ClientTimeout }, 10*time.Millisecond)},
	{"election", duration(func(s *trace.Settings) *time.Duration { return &s.Election }, 5*time.Millisecond)},
	{"fsync", duration(func(s *trace.Settings) *time.Duration { return &s.Fsync }, 0)},
	{"heartbeat", duration(func(s *trace.Settings) *time.Duration { return &s.Heartbeat }, 5*time.Millisecond)},
	{"jitter", duration(func(s *trace.Settings) *time.Duration { return &s.Jitter }, 0)},
	{"latency", duration(func(s *trace.Settings) *time.Duration { return &s.Latency }, 0)},
	{"lease", duration(func(s *trace.Settings) *time.Duration { return &s.Lease }, 5*time.Millisecond)},
	{"prevote", onOff(func(s *trace.Settings) *bool { return &s.PreVote })},
	{"rpc-timeout", duration(func(s *trace.Settings) *time.Duration { return &s.RPCTimeout }, time.Millisecond)},
	{"sessions", onOff(func(s *trace.Settings) *bool { return &s.Sessions })},
	{"snapshot-threshold", count(func(s *trace.Settings) *uint64 { return &s.SnapshotThreshold })},
	{"trailing-logs", count(func(s *trace.Settings) *uint64 { return &s.TrailingLogs })},
}

// longest is the longest duration that can be set.
const longest = time.Hour

func duration(field func(*trace.Settings) *time.Duration, least time.Duration) func(*trace.Settings, string) error {
	return func(s *trace.Settings, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil || d < least || d > longest {
			return fmt.Errorf("%q is not a duration from %s to %s, like 250ms or 2s", value, least, longest)
		}
		*field(s) = d
		return nil
	}
}

func onOff(field func(*trace.Settings) *bool) func(*trace.Settings, string) error {
	return func(s *trace.Settings, value string) error {
		switch value {
		case "on", "off":
			*field(s) = value == "on"
			return nil
		}
		return fmt.Errorf("%q is neither on nor off", value)
	}
}

func count(field func(*trace.Settings) *uint64) func(*trace.Settings, string) error {
	return func(s *trace.Settings, value string) error {
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil || n == 0 {
			return fmt.Errorf("%q is not a whole number of entries from 1 on", value)
		}
		*field(s) = n
		return nil
	}
}

// SettingKeys returns the keys [Set] knows, sorted.
func SettingKeys() []string {
	keys := make([]string, len(settings))
	for i, s := range settings {
		keys[i] = s.key
	}
	return keys
}

// Set changes one setting. The error says what is allowed.
func Set(s *trace.Settings, key, value string) error {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.key == key })
	if i < 0 {
		return fmt.Errorf("there is no setting %q: there are %s", key, strings.Join(SettingKeys(), ", "))
	}
	if err := settings[i].set(s, value); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// Check says what is wrong with the settings together, as raft would see it
// (hashicorp/raft config.go, ValidateConfig).
func Check(s trace.Settings) error {
	switch {
	case s.Storage != Bolt && s.Storage != Memory:
		return fmt.Errorf("storage %q is neither %s nor %s", s.Storage, Bolt, Memory)
	case s.Election < s.Heartbeat:
		return fmt.Errorf("election (%s) is shorter than heartbeat (%s): a candidate must wait at least as long as a follower", s.Election, s.Heartbeat)
	case s.Lease > s.Heartbeat:
		return fmt.Errorf("lease (%s) is longer than heartbeat (%s): a leader must give up before its followers do", s.Lease, s.Heartbeat)
	}
	return nil
}
