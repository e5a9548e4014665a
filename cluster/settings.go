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

// DefaultSettings returns the default settings of a cluster: hashicorp/raft's own timeouts, the
// code paths that it takes in production, and logs short enough to show compaction.
func DefaultSettings() trace.Settings {
	return trace.Settings{
		Seed:              1,
		Storage:           Bolt,
		Heartbeat:         time.Second,
		Election:          time.Second,
		Lease:             500 * time.Millisecond,
		Latency:           5 * time.Millisecond,
		RPCTimeout:        time.Second,
		ClientTimeout:     5 * time.Second,
		Sessions:          true,
		SnapshotThreshold: 1000,
		TrailingLogs:      500,
		Library:           trace.Library{PreVote: true, FastHeartbeats: true, Pipeline: true},
	}
}

// setting is a field of trace.Settings that users set by a key.
type setting struct {
	key string
	set func(*trace.Settings, string) error
	get func(*trace.Settings) string
}

// allSettings lists the settings, sorted by key.
var allSettings = []setting{
	duration("client-timeout", func(s *trace.Settings) *time.Duration { return &s.ClientTimeout }, 10*time.Millisecond),
	duration("election", func(s *trace.Settings) *time.Duration { return &s.Election }, 5*time.Millisecond),
	duration("fsync", func(s *trace.Settings) *time.Duration { return &s.Fsync }, 0),
	duration("heartbeat", func(s *trace.Settings) *time.Duration { return &s.Heartbeat }, 5*time.Millisecond),
	either("heartbeats", func(s *trace.Settings) *bool { return &s.FastHeartbeats }, "fast", "queued"),
	duration("jitter", func(s *trace.Settings) *time.Duration { return &s.Jitter }, 0),
	duration("latency", func(s *trace.Settings) *time.Duration { return &s.Latency }, 0),
	duration("lease", func(s *trace.Settings) *time.Duration { return &s.Lease }, 5*time.Millisecond),
	either("pipeline", func(s *trace.Settings) *bool { return &s.Pipeline }, "on", "off"),
	either("prevote", func(s *trace.Settings) *bool { return &s.PreVote }, "on", "off"),
	duration("rpc-timeout", func(s *trace.Settings) *time.Duration { return &s.RPCTimeout }, time.Millisecond),
	either("sessions", func(s *trace.Settings) *bool { return &s.Sessions }, "on", "off"),
	either("snapshot-cure", func(s *trace.Settings) *bool { return &s.SnapshotCure }, "on", "off"),
	count("snapshot-threshold", func(s *trace.Settings) *uint64 { return &s.SnapshotThreshold }),
	count("trailing-logs", func(s *trace.Settings) *uint64 { return &s.TrailingLogs }),
}

// durationMax is the longest duration that a setting accepts.
const durationMax = time.Hour

func duration(key string, field func(*trace.Settings) *time.Duration, least time.Duration) setting {
	return setting{
		key: key,
		set: func(s *trace.Settings, value string) error {
			d, err := time.ParseDuration(value)
			if err != nil || d < least || d > durationMax {
				return fmt.Errorf("%q is not a duration from %s to %s, like 250ms or 2s", value, least, durationMax)
			}
			*field(s) = d
			return nil
		},
		get: func(s *trace.Settings) string { return field(s).String() },
	}
}

// either is a setting with two values: yes sets the field, and no clears it.
func either(key string, field func(*trace.Settings) *bool, yes, no string) setting {
	return setting{
		key: key,
		set: func(s *trace.Settings, value string) error {
			switch value {
			case yes, no:
				*field(s) = value == yes
				return nil
			}
			return fmt.Errorf("%q is neither %s nor %s", value, yes, no)
		},
		get: func(s *trace.Settings) string {
			if *field(s) {
				return yes
			}
			return no
		},
	}
}

func count(key string, field func(*trace.Settings) *uint64) setting {
	return setting{
		key: key,
		set: func(s *trace.Settings, value string) error {
			n, err := strconv.ParseUint(value, 10, 32)
			if err != nil || n == 0 {
				return fmt.Errorf("%q is not a number of entries, 1 or more", value)
			}
			*field(s) = n
			return nil
		},
		get: func(s *trace.Settings) string { return strconv.FormatUint(*field(s), 10) },
	}
}

// NonDefaultSettings returns the keys and values of the settings that differ from
// [DefaultSettings].
func NonDefaultSettings(s trace.Settings) (changed [][2]string) {
	defaults := DefaultSettings()
	for _, one := range allSettings {
		if value := one.get(&s); value != one.get(&defaults) {
			changed = append(changed, [2]string{one.key, value})
		}
	}
	return changed
}

// SettingKeys returns the keys that [SetSetting] accepts, sorted.
func SettingKeys() []string {
	keys := make([]string, len(allSettings))
	for i, s := range allSettings {
		keys[i] = s.key
	}
	return keys
}

// ApplySettings changes the settings that are given as KEY=VALUE. It stops at the first error,
// which says what is allowed.
func ApplySettings(s *trace.Settings, all []string) error {
	for _, one := range all {
		key, value, ok := strings.Cut(one, "=")
		if !ok {
			return fmt.Errorf("%s: write KEY=VALUE, like election=2s", one)
		}
		if err := set(s, strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
			return fmt.Errorf("%s: %w", one, err)
		}
	}
	return nil
}

// SetSetting changes one setting. The error names the setting and says what is allowed.
func SetSetting(s *trace.Settings, key, value string) error {
	err := set(s, key, value)
	if err != nil && slices.Contains(SettingKeys(), key) {
		return fmt.Errorf("%s: %w", key, err)
	}
	return err
}

// set is SetSetting without the setting's name in the error.
func set(s *trace.Settings, key, value string) error {
	i := slices.IndexFunc(allSettings, func(s setting) bool { return s.key == key })
	if i < 0 {
		return fmt.Errorf("unknown setting %q: the settings are %s", key, strings.Join(SettingKeys(), ", "))
	}
	return allSettings[i].set(s, value)
}

// ValidateSettings checks the rules between settings that raft enforces (hashicorp/raft
// config.go, ValidateConfig), and the kind of storage.
func ValidateSettings(s trace.Settings) error {
	switch {
	case s.Storage != Bolt && s.Storage != Memory:
		return fmt.Errorf("storage %q is neither %s nor %s", s.Storage, Bolt, Memory)
	case s.Election < s.Heartbeat:
		return fmt.Errorf("election (%s) is shorter than heartbeat (%s): a candidate must wait at least as long as a follower",
			s.Election, s.Heartbeat)
	case s.Lease > s.Heartbeat:
		return fmt.Errorf("lease (%s) is longer than heartbeat (%s): a leader must give up before its followers do",
			s.Lease, s.Heartbeat)
	}
	return nil
}
