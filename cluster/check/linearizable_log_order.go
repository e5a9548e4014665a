package check

import (
	"cmp"
	"math"
	"slices"

	"capsize/cluster/trace"
)

// followsLog reports whether the operations can have taken effect in the order of the
// committed log: the increments one after another, each with the result that the log
// gives, and each read between two of them. It places reads greedily, without
// backtracking, so false proves nothing.
func (h *opHistory) followsLog(operations []*operation) bool {
	var adds, reads []*operation
	for _, o := range operations {
		switch {
		case o.op.Kind != trace.EntryAdd:
			if o.answered {
				reads = append(reads, o)
			}
		case o.index != 0 && (o.answered || o.mayTakeEffect()):
			adds = append(adds, o)
		case o.answered:
			return false // the log does not place it
		}
	}
	slices.SortFunc(adds, func(a, b *operation) int { return cmp.Compare(a.index, b.index) })
	gaps := gapsBetween(h.start, adds)
	return gaps != nil && placeReads(gaps, reads)
}

// gap is the time between an increment and the next one.
type gap struct {
	add   *operation // nil in the first gap
	value int64      // of the counter
	from  int64      // the earliest time at which the increment can take effect
	until int64      // the earliest time for the next one, if no read delays it
}

// latestEffect returns the latest time at which an increment can have taken effect.
func (o *operation) latestEffect() int64 {
	if o.answered {
		return o.ret
	}
	return max(o.call, o.committedBy)
}

// gapsBetween returns the gaps around the increments, or nil if a result is wrong.
func gapsBetween(start counterState, adds []*operation) []gap {
	value := start.value
	if !start.known {
		i := slices.IndexFunc(adds, func(o *operation) bool { return o.answered })
		if i < 0 {
			return nil
		}
		value = adds[i].op.Value
		for _, o := range adds[:i+1] {
			value -= o.delta()
		}
	}
	gaps := []gap{{value: value, from: math.MinInt64, until: noReturn}}
	for _, o := range adds {
		before := &gaps[len(gaps)-1]
		g := gap{add: o, value: before.value + o.delta(), from: max(before.from, o.call), until: noReturn}
		if o.answered && g.value != o.op.Value {
			return nil
		}
		before.until = g.from
		gaps = append(gaps, g)
	}
	return gaps
}

// placeReads puts each read into a gap and reports whether all fit, and the increments
// too: none may take effect before its call or after its reply.
func placeReads(gaps []gap, reads []*operation) bool {
	byValue := map[int64][]int{}
	for i := range gaps {
		byValue[gaps[i].value] = append(byValue[gaps[i].value], i)
	}
	placed := make([][]*operation, len(gaps))
	for _, o := range reads {
		// The first gap in which it delays no increment, or else the last one that it fits.
		fit := byValue[o.op.Value]
		best, _ := slices.BinarySearchFunc(fit, o.call, func(i int, call int64) int { return cmp.Compare(gaps[i].until, call) })
		if best == len(fit) || gaps[fit[best]].from > o.ret {
			best--
		}
		if best < 0 {
			return false
		}
		placed[fit[best]] = append(placed[fit[best]], o)
	}
	now := int64(math.MinInt64)
	for i := range gaps {
		if add := gaps[i].add; add != nil {
			if now = max(now, add.call); now > add.latestEffect() {
				return false
			}
		}
		latest := now
		for _, o := range placed[i] {
			if now > o.ret {
				return false
			}
			latest = max(latest, o.call)
		}
		now = latest
	}
	return true
}
