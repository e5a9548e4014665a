package hunt

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

const (
	// entriesMax is how many inputs a corpus keeps.
	entriesMax = 1000
	// patience is how often an entry is chosen before its energy has halved.
	patience = 16
)

// corpus holds the inputs that reached something new.
type corpus struct {
	hits    map[feature]int // how many runs passed through each
	entries []*entry
	sums    []float64 // of the energies of the entries, up to each
}

// entry is an input of the corpus.
type entry struct {
	schedule
	features []weighted // in order: a sum depends on it
	worst    Signals
	chosen   int
	energy   float64 // its score, less the more often it was chosen; as last weighed
}

// weighted is a feature with its weight.
type weighted struct {
	feature
	weight float64
}

// add counts what a run passed through, and keeps its input if a part of that is new. It returns
// how many features are.
func (c *corpus) add(s schedule, covered coverage) (found int) {
	for f := range covered.features {
		if c.hits[f]++; c.hits[f] == 1 {
			found++
		}
	}
	if found == 0 {
		return 0
	}
	e := &entry{schedule: s, worst: covered.worst}
	for f, weight := range covered.features {
		e.features = append(e.features, weighted{f, weight})
	}
	slices.SortFunc(e.features, func(a, b weighted) int { return cmp.Compare(a.feature, b.feature) })
	c.entries = append(c.entries, e)
	return found
}

// score is how much an entry deserves to be changed further: the more, the rarer and the more
// dangerous what it passes through.
func (c *corpus) score(e *entry) float64 {
	sum := 0.0
	for _, w := range e.features {
		sum += w.weight / float64(c.hits[w.feature])
	}
	return sum
}

// weigh drops the entries with the least energy if there are too many, and prepares the choices until
// the next time. It returns the highest score, and the signals of that entry.
func (c *corpus) weigh() (best float64, signals Signals) {
	for _, e := range c.entries {
		score := c.score(e)
		e.energy = score * patience / float64(patience+e.chosen)
		if score > best {
			best, signals = score, e.worst
		}
	}
	slices.SortStableFunc(c.entries, func(a, b *entry) int { return cmp.Compare(b.energy, a.energy) })
	c.entries = c.entries[:min(len(c.entries), entriesMax)]
	sum := 0.0
	c.sums = c.sums[:0]
	for _, e := range c.entries {
		sum += e.energy
		c.sums = append(c.sums, sum)
	}
	return best, signals
}

// choose draws an entry of those last weighed, each as often as its energy says.
func (c *corpus) choose(rng *rand.Rand) *entry {
	at, _ := slices.BinarySearch(c.sums, rng.Float64()*c.sums[len(c.sums)-1])
	e := c.entries[min(at, len(c.sums)-1)]
	e.chosen++
	return e
}
