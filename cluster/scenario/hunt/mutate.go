package hunt

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// random returns a new schedule.
func (g grammar) random(rng *rand.Rand) schedule {
	s := schedule{seed: seed(rng), lines: []string{g.load(rng)}}
	for range 3 + rng.IntN(8) {
		s.lines = append(s.lines, g.line(rng))
		if rng.IntN(3) > 0 {
			s.lines = append(s.lines, wait(rng))
		}
	}
	s.trim()
	return s
}

// seed draws the seed of a run: short, because people read it.
func seed(rng *rand.Rand) int64 { return 1 + rng.Int64N(1_000_000) }

// mutations are the ways to change the lines of a schedule, each as often as it stands here.
var mutations = [...]func(g grammar, rng *rand.Rand, lines []string) []string{
	grammar.insert, grammar.insert, grammar.insert, grammar.insert,
	grammar.insertWait, grammar.insertWait,
	grammar.drop, grammar.drop,
	grammar.replace, grammar.replace,
	grammar.stretch, grammar.stretch,
	grammar.loadMore,
	grammar.move,
	grammar.repeat,
	grammar.restartTail,
}

// mutate returns a changed copy of a schedule. Other is one more of the corpus, to take lines from.
func (g grammar) mutate(rng *rand.Rand, s, other schedule) schedule {
	m := schedule{seed: s.seed, lines: slices.Clone(s.lines)}
	if rng.IntN(8) == 0 {
		m.seed = seed(rng)
	}
	if rng.IntN(6) == 0 {
		m.lines = splice(rng, m.lines, other.lines)
	}
	for range 1 + rng.IntN(3) {
		m.lines = pick(rng, mutations[:]...)(g, rng, m.lines)
	}
	m.trim()
	return m
}

// splice joins the beginning of one schedule and the end of another.
func splice(rng *rand.Rand, a, b []string) []string {
	return slices.Concat(a[:rng.IntN(len(a)+1)], b[rng.IntN(len(b)+1):])
}

func (g grammar) insert(rng *rand.Rand, lines []string) []string {
	return slices.Insert(lines, rng.IntN(len(lines)+1), g.line(rng))
}

func (grammar) insertWait(rng *rand.Rand, lines []string) []string {
	return slices.Insert(lines, rng.IntN(len(lines)+1), wait(rng))
}

// drop removes one line, or a few.
func (grammar) drop(rng *rand.Rand, lines []string) []string {
	if len(lines) == 0 {
		return lines
	}
	at := rng.IntN(len(lines))
	return slices.Delete(lines, at, min(at+1+rng.IntN(3), len(lines)))
}

func (g grammar) replace(rng *rand.Rand, lines []string) []string {
	if len(lines) > 0 {
		lines[rng.IntN(len(lines))] = g.line(rng)
	}
	return lines
}

// stretch changes how long one line waits.
func (grammar) stretch(rng *rand.Rand, lines []string) []string {
	var waits []int
	for i, line := range lines {
		if waitOf(line) > 0 {
			waits = append(waits, i)
		}
	}
	if len(waits) == 0 {
		return lines
	}
	i := waits[rng.IntN(len(waits))]
	switch d := waitOf(lines[i]); rng.IntN(3) {
	case 0:
		lines[i] = wait(rng)
	case 1:
		lines[i] = "wait " + round(max(d/2, waitShortest)).String()
	default:
		lines[i] = "wait " + round(min(d*2, waitLongest)).String()
	}
	return lines
}

// move moves a line to another place.
func (grammar) move(rng *rand.Rand, lines []string) []string {
	if len(lines) == 0 {
		return lines
	}
	from := rng.IntN(len(lines))
	line := lines[from]
	lines = slices.Delete(lines, from, from+1)
	return slices.Insert(lines, rng.IntN(len(lines)+1), line)
}

// repeat adds a copy of a line somewhere.
func (grammar) repeat(rng *rand.Rand, lines []string) []string {
	if len(lines) == 0 {
		return lines
	}
	return slices.Insert(lines, rng.IntN(len(lines)+1), lines[rng.IntN(len(lines))])
}

// restartTail replaces the end of a schedule by a new one.
func (g grammar) restartTail(rng *rand.Rand, lines []string) []string {
	return append(lines[:rng.IntN(len(lines)+1)], g.random(rng).lines[1:]...)
}

// loadMore changes what the clients do from the start on.
func (g grammar) loadMore(rng *rand.Rand, lines []string) []string {
	if len(lines) > 0 && strings.HasPrefix(lines[0], "load ") {
		lines[0] = g.load(rng)
		return lines
	}
	return slices.Insert(lines, 0, g.load(rng))
}
