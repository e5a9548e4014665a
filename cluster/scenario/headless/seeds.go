package headless

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// Seeds is a range of seeds, and the shard of it that one process runs. Seed n belongs to shard
// n mod Shards + 1, whatever the range.
type Seeds struct {
	First, Last   int64 // both included; First >= 0
	Shard, Shards int64 // Shard is from 1 to Shards
}

// The limits of a range of seeds.
const (
	seedMax   = 1 << 62
	seedsMax  = 10_000_000
	shardsMax = 1_000_000
)

// ParseSeeds parses a range, like 1-100 or 7, and a shard of it, like 3/8 or "" for all of it.
func ParseSeeds(seeds, shard string) (Seeds, error) {
	s := Seeds{Shard: 1, Shards: 1}
	first, last, isRange := strings.Cut(seeds, "-")
	if !isRange {
		last = first
	}
	var okFirst, okLast bool
	s.First, okFirst = parseWhole(first, seedMax)
	s.Last, okLast = parseWhole(last, seedMax)
	switch {
	case !okFirst || !okLast:
		return s, fmt.Errorf("--seeds %s: not a range of seeds; write it like 1-100, from 0 to %d", seeds, int64(seedMax))
	case s.First > s.Last:
		return s, fmt.Errorf("--seeds %s: runs backwards; write %d-%d", seeds, s.Last, s.First)
	case s.Last-s.First >= seedsMax:
		return s, fmt.Errorf("--seeds %s: %d seeds are too many; use at most %d", seeds, s.Last-s.First+1, seedsMax)
	case shard == "":
		return s, nil
	}
	i, m, isShard := strings.Cut(shard, "/")
	var okI, okM bool
	s.Shard, okI = parseWhole(i, seedMax)
	s.Shards, okM = parseWhole(m, shardsMax)
	switch {
	case !isShard || !okI || !okM || s.Shards < 1:
		return s, fmt.Errorf("--shard %s: not a shard; write it like 3/8, the third of eight", shard)
	case s.Shard < 1 || s.Shard > s.Shards:
		return s, fmt.Errorf("--shard %s: there is no shard %d of %d; use 1/%d to %d/%d", shard, s.Shard, s.Shards, s.Shards, s.Shards, s.Shards)
	case s.Count() == 0:
		return s, fmt.Errorf("--shard %s: has none of the %d seeds; use fewer shards", shard, s.Last-s.First+1)
	}
	return s, nil
}

// parseWhole parses a number from 0 to most that is written with digits only.
func parseWhole(text string, most int64) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n <= most && strings.Trim(text, "0123456789") == ""
}

// Range returns the whole range as text.
func (s Seeds) Range() string {
	if s.First == s.Last {
		return strconv.FormatInt(s.First, 10)
	}
	return fmt.Sprintf("%d-%d", s.First, s.Last)
}

// ShardText returns the shard as text.
func (s Seeds) ShardText() string { return fmt.Sprintf("%d/%d", s.Shard, s.Shards) }

// Has reports whether a seed belongs to the shard.
func (s Seeds) Has(seed int64) bool {
	return seed >= s.First && seed <= s.Last && seed%s.Shards == s.Shard-1
}

// first returns the first seed of the shard, which may lie behind the range.
func (s Seeds) first() int64 {
	return s.First + (s.Shard-1-s.First%s.Shards+s.Shards)%s.Shards
}

// Count returns the number of seeds in the shard.
func (s Seeds) Count() int64 {
	if s.first() > s.Last {
		return 0
	}
	return (s.Last-s.first())/s.Shards + 1
}

// All returns the seeds of the shard, in order.
func (s Seeds) All() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for i, n := int64(0), s.Count(); i < n; i++ {
			if !yield(s.first() + i*s.Shards) {
				return
			}
		}
	}
}
