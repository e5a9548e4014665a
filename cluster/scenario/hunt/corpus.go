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
	if len(c.entries) > entriesMax {
		c.forget()
	}
	return found
}

// forget drops the entry with the least energy.
func (c *corpus) forget() {
	least := 0
	for i := range c.entries {
		if c.energy(c.entries[i]) < c.energy(c.entries[least]) {
			least = i
		}
	}
	c.entries = slices.Delete(c.entries, least, least+1)
}

// energy is how much an entry deserves to be changed further: the more, the rarer and the more
// dangerous what it passes through, and the less often that was tried.
func (c *corpus) energy(e *entry) float64 {
	return c.score(e) * patience / float64(patience+e.chosen)
}

// score is the energy of an entry that has never been chosen.
func (c *corpus) score(e *entry) float64 {
	sum := 0.0
	for _, w := range e.features {
		sum += w.weight / float64(c.hits[w.feature])
	}
	return sum
}

// weigh computes the energies anew, for the choices until the next time.
func (c *corpus) weigh() {
	sum := 0.0
	c.sums = c.sums[:0]
	for _, e := range c.entries {
		sum += c.energy(e)
		c.sums = append(c.sums, sum)
	}
}

// choose draws an entry of those last weighed, each as often as its energy says.
func (c *corpus) choose(rng *rand.Rand) *entry {
	at, _ := slices.BinarySearch(c.sums, rng.Float64()*c.sums[len(c.sums)-1])
	e := c.entries[min(at, len(c.sums)-1)]
	e.chosen++
	return e
}

// best returns the score of the entry with the highest one, and its signals.
func (c *corpus) best() (score float64, signals Signals) {
	for _, e := range c.entries {
		if s := c.score(e); s > score {
			score, signals = s, e.worst
		}
	}
	return score, signals
}
