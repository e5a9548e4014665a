package trace

import (
	"fmt"
	"strings"
	"time"
)

func (s *State) narrateClockFault(n *Node, e *Event) {
	switch {
	case e.Factor == n.ClockFactor: // as before
	case e.Factor == 1:
		s.addLine(TopicClock, n.ID, "%s's clock runs at normal speed again", n.ID)
	case e.Factor > 1:
		s.addLine(TopicClock, n.ID, "%s's clock runs %gx slow: its timeouts take %s as long", n.ID, e.Factor, times(e.Factor))
	default:
		s.addLine(TopicClock, n.ID, "%s's clock runs fast: its timeouts take %s as long", n.ID, times(e.Factor))
	}
}

// times spells out a factor: half, twice, three times, 2.5 times.
func times(factor float64) string {
	words := map[float64]string{0.5: "half", 2: "twice", 3: "three times", 4: "four times", 5: "five times", 10: "ten times"}
	if word, ok := words[factor]; ok {
		return word
	}
	return fmt.Sprintf("%g times", factor)
}

func (s *State) narrateApplyFault(n *Node, e *Event) {
	switch e.Text {
	case n.ApplyFault: // as before
	case "":
		s.addLine(TopicClock, n.ID, "%s's state machine is at full speed again", n.ID)
	default:
		s.addLine(TopicClock, n.ID, "%s's state machine is slow: each command takes %s longer", n.ID, strings.TrimPrefix(e.Text, "slow "))
	}
}

// Lease returns the leader lease of a node: the setting multiplied by its clock factor.
func (n *Node) Lease(s *Settings) time.Duration {
	if n.ClockFactor == 0 { // a node made by hand, in a test
		return s.Lease
	}
	return time.Duration(float64(s.Lease) * n.ClockFactor)
}

// narrateSettings adds a line for each timeout that changes, and a warning for one that is too
// short for the network's latency.
func (s *State) narrateSettings(e *Event) {
	if e.Settings == nil {
		return
	}
	if s.Settings.Heartbeat > 0 { // not the first settings
		for _, t := range []struct {
			name     string
			was, now time.Duration
		}{
			{"heartbeat timeout", s.Settings.Heartbeat, e.Settings.Heartbeat},
			{"election timeout", s.Settings.Election, e.Settings.Election},
			{"leader lease", s.Settings.Lease, e.Settings.Lease},
		} {
			if t.was != t.now {
				s.addLine(TopicClock, "", "the %s is now %s (was %s)", t.name, t.now, t.was)
			}
		}
	}
	for _, warning := range timingWarnings(e.Settings, s.roundTrip(e.Settings)) {
		s.addLine(TopicClock, "", "warning: %s", warning)
	}
}

// roundTripsMin is how many round trips a heartbeat timeout should be long: a heartbeat, one that
// is lost, and as much again for a busy node. etcd recommends ten.
const roundTripsMin = 4

// contactEveryMax is the longest interval between two contacts of a leader with an idle follower:
// raft sends an append, even an empty one, within twice the CommitTimeout of 50 ms.
const contactEveryMax = 100 * time.Millisecond

// timingWarnings returns warnings about timeouts that are too short for the round trip.
func timingWarnings(s *Settings, roundTrip time.Duration) (warnings []string) {
	if s.Heartbeat <= 0 || roundTrip <= 0 {
		return nil
	}
	if least := roundTripsMin * roundTrip; s.Heartbeat < least {
		warnings = append(warnings, fmt.Sprintf("heartbeat timeout %s is under %d round trips (%s): followers may start elections",
			s.Heartbeat, roundTripsMin, least))
	}
	// Raft sends a heartbeat every tenth to fifth of the heartbeat timeout.
	if gap := min(s.Heartbeat/5, contactEveryMax) + roundTrip; s.Lease < gap {
		warnings = append(warnings, fmt.Sprintf("leader lease %s is shorter than the %s between two replies: the leader may step down", s.Lease, gap))
	}
	return warnings
}

// roundTrip returns how long a message and its reply take on the slowest pair of links, counting
// latency and delay faults only.
func (s *State) roundTrip(settings *Settings) time.Duration {
	slowest := time.Duration(0)
	for link, faults := range s.Faults {
		slowest = max(slowest, delayOf(faults)+delayOf(s.Faults[Link{From: link.To, To: link.From}]))
	}
	return 2*(settings.Latency+settings.Jitter) + slowest
}

// delayOf returns the longest delay that the faults of a link cause: "delay 200ms jitter 50ms".
func delayOf(faults []string) (d time.Duration) {
	for _, fault := range faults {
		words := strings.Fields(fault)
		if len(words) < 2 || words[0] != "delay" {
			continue
		}
		mean, _ := time.ParseDuration(words[1])
		d += mean
		if len(words) > 3 && words[2] == "jitter" {
			jitter, _ := time.ParseDuration(words[3])
			d += jitter
		}
	}
	return d
}
