package shrink

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// simplerDurations returns the draft with one of its durations shorter or rounder.
func simplerDurations(d draft) (all []edit) {
	for i, line := range d.commands {
		words := strings.Fields(line)
		for k, word := range words {
			duration, err := time.ParseDuration(word)
			if err != nil || k == 0 {
				continue
			}
			for _, simpler := range simplerThan(duration) {
				other := slices.Clone(words)
				other[k] = shortDuration(simpler)
				if other[k] != word {
					all = append(all, edit{d.withCommand(i, strings.Join(other, " ")), i})
				}
			}
		}
	}
	return all
}

// nice are the durations that people write.
var nice = []time.Duration{
	time.Microsecond, time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 3 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour,
}

// simplerThan returns durations to try in the place of one: first the nice ones that are shorter, then
// it rounded. Each is shorter and no less round, or rounder, so that replacing comes to an end.
func simplerThan(d time.Duration) (all []time.Duration) {
	add := func(one time.Duration) {
		if one > 0 && isSimpler(one, d) && !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	// Few of the nice ones are tried: much shorter, and a little shorter.
	var shorter []time.Duration
	for _, one := range nice {
		if one < d {
			shorter = append(shorter, one)
		}
	}
	for n := len(shorter); n > 0; {
		step := max(n/2, 1)
		add(shorter[len(shorter)-n])
		n -= step
	}
	for _, digits := range []int{1, 2, 3} {
		unit := roundingUnit(d, digits)
		add(d.Truncate(unit))
		add(d.Truncate(unit) + unit)
	}
	return all
}

// isSimpler reports whether a duration is easier to read than another: it has fewer digits, or as
// many and is shorter.
func isSimpler(a, b time.Duration) bool {
	return cmp.Or(cmp.Compare(digitsOf(a), digitsOf(b)), cmp.Compare(a, b)) < 0
}

// digitsOf returns how many digits a duration has, without zeros at both ends.
func digitsOf(d time.Duration) int {
	if slices.Contains(nice, d) {
		return 1
	}
	return len(strings.Trim(strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, shortDuration(d)), "0"))
}

// roundingUnit returns the unit of which a duration has so many digits.
func roundingUnit(d time.Duration, digits int) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 10 {
		unit *= 10
	}
	for range digits - 1 {
		unit = max(unit/10, 1)
	}
	return unit
}

// shortDuration returns a duration without zeros at its end: 10m, not 10m0s, that is easy to type.
func shortDuration(d time.Duration) string {
	text := strings.ReplaceAll(d.String(), "µ", "u")
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// mergedWaits returns the draft with two waits that follow each other as one.
func mergedWaits(d draft) (all []edit) {
	for i := 1; i < len(d.commands); i++ {
		first, ok := waitOf(d.commands[i-1])
		second, okToo := waitOf(d.commands[i])
		if ok && okToo {
			all = append(all, edit{d.withCommand(i-1).withCommand(i-1, "wait "+shortDuration(first+second)), i})
		}
	}
	return all
}

// waitOf returns how long a command waits, and whether it only waits.
func waitOf(line string) (time.Duration, bool) {
	text, ok := strings.CutPrefix(line, "wait ")
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}
