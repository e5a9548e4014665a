package hunt

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"capsize/cluster/scenario"
)

const (
	// linesMax is how many lines a schedule has at most.
	linesMax = 24
	// waitMax is how much virtual time the waits of a schedule take at most.
	waitMax = 8 * time.Second
)

// aftermath follows every schedule: what a schedule has broken may show once the nodes talk again.
var aftermath = []string{"try heal", "disk all ok", "try resume all", "try restart down", "wait 2s", "try read linearizable"}

// schedule is an input of the search: the lines of a scenario between its header and the aftermath.
type schedule struct {
	seed  int64
	lines []string
}

// header is how the clusters of a search are set up.
type header struct {
	nodes    int
	settings []string // lines like "set heartbeats fast"
}

// script returns the schedule as a scenario. The error says which line cannot be parsed.
func (h header) script(name string, s schedule) (*scenario.Script, error) {
	lines := []string{"title Found by a hunt", fmt.Sprintf("nodes %d", h.nodes), fmt.Sprintf("seed %d", s.seed)}
	lines = slices.Concat(lines, h.settings, []string{""}, s.lines, aftermath)
	return scenario.Parse(name, []byte(strings.Join(lines, "\n")+"\n"))
}

// trim shortens a schedule that has become too long.
func (s *schedule) trim() {
	s.lines = s.lines[:min(len(s.lines), linesMax)]
	total := time.Duration(0)
	for i, line := range s.lines {
		if total += waitOf(line); total > waitMax {
			s.lines = s.lines[:i]
			return
		}
	}
}

// waitOf returns the duration of a line that waits, 0 for any other.
func waitOf(line string) time.Duration {
	text, ok := strings.CutPrefix(line, "wait ")
	if !ok {
		return 0
	}
	d, _ := time.ParseDuration(text) // 0 for a condition
	return d
}

// The shortest and the longest wait. Their logarithm is drawn evenly, because both the time of a
// message and the time of an election matter.
const (
	waitShortest = time.Millisecond
	waitLongest  = 2 * time.Second
)

// wait returns a line that waits for a random time, of two significant digits.
func wait(rng *rand.Rand) string {
	low, high := math.Log(float64(waitShortest)), math.Log(float64(waitLongest))
	return "wait " + round(time.Duration(math.Exp(low+rng.Float64()*(high-low)))).String()
}

// round keeps two significant digits of a duration.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 100 {
		unit *= 10
	}
	return d.Round(unit)
}
