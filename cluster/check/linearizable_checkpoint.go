package check

import "slices"

// checkpointIdle sets a checkpoint while no operation is in flight: whatever the order
// was, the counter has grown by the sum of all that counted.
func (h *opHistory) checkpointIdle() {
	var rest []*operation
	var done []*operation
	sum, top, anyUnknown := int64(0), maxValueOf(h.open), false
	for _, o := range h.open {
		if o.answered || o.committedBy != 0 {
			done = append(done, o)
			sum += o.delta()
			anyUnknown = anyUnknown || !o.answered
		} else {
			rest = append(rest, o)
		}
	}
	switch {
	case h.start.known:
		h.start.value += sum
	case !anyUnknown && top.isLast:
		h.start = counterState{value: top.value, known: true}
	default:
		return
	}
	h.checkpoint(done, rest, top)
}

// checkpointBusy sets a checkpoint although some operation is always in flight, by
// value: while the counter only grows, an operation that returned a lower value
// precedes one that returned a higher value.
func (h *opHistory) checkpointBusy() {
	if !h.start.known || !onlyGrows(h.open) {
		return
	}
	earliest := int64(noReturn)
	for _, o := range h.byID {
		earliest = min(earliest, o.call)
	}
	// When the operations in flight were invoked, the counter had reached this value.
	value, found := int64(0), false
	for _, o := range h.open {
		if o.answered && o.ret < earliest && (!found || o.op.Value > value) {
			value, found = o.op.Value, true
		}
	}
	if !found {
		return
	}
	before, after, sum := h.splitAt(value, earliest)
	if sum != value || !inOrder(before, after) || !h.checkWithEvidence(before) {
		return
	}
	h.start.value = value
	h.checkpoint(before, after, maxValueOf(before))
}

// splitAt divides the open operations into those that the counter includes at value,
// whose sum with the start it returns, and the others. Operations of unknown outcome
// fill the gap in the order of their commits.
func (h *opHistory) splitAt(value, earliest int64) (before, after []*operation, sum int64) {
	var unknown []*operation
	sum = h.start.value
	for _, o := range h.open {
		switch {
		case o.answered && (o.op.Value < value || o.op.Value == value && (o.delta() > 0 || o.ret < earliest)):
			before = append(before, o)
			sum += o.delta()
		case o.mayTakeEffect() && o.committedBy != 0 && h.byID[o.op.ID] != o:
			unknown = append(unknown, o)
		default:
			after = append(after, o)
		}
	}
	slices.SortStableFunc(unknown, func(a, b *operation) int { return int(a.committedBy - b.committedBy) })
	for _, o := range unknown {
		if sum < value {
			before = append(before, o)
			sum += o.delta()
		} else {
			after = append(after, o)
		}
	}
	slices.SortFunc(after, func(a, b *operation) int { return int(a.call - b.call) })
	return before, after, sum
}

// inOrder reports whether no operation in after returned before one in before was
// invoked.
func inOrder(before, after []*operation) bool {
	latest := int64(0)
	for _, o := range before {
		latest = max(latest, o.call)
	}
	return !slices.ContainsFunc(after, func(o *operation) bool { return o.answered && o.ret < latest })
}

// onlyGrows reports whether no operation lowers the counter.
func onlyGrows(operations []*operation) bool {
	return !slices.ContainsFunc(operations, func(o *operation) bool { return o.delta() < 0 })
}

// maxValue is the highest value that an operation returned.
type maxValue struct {
	value  int64
	isLast bool // it is also the latest one, because the counter only grew
}

func maxValueOf(operations []*operation) maxValue {
	top := maxValue{}
	for _, o := range operations {
		if o.answered && (!top.isLast || o.op.Value > top.value) {
			top = maxValue{o.op.Value, true}
		}
	}
	top.isLast = top.isLast && onlyGrows(operations)
	return top
}

// checkpoint replaces the operations in done by the counter's value after them.
func (h *opHistory) checkpoint(done, rest []*operation, top maxValue) {
	for _, o := range done {
		if o.answered {
			h.checkpointed++
			if h.highest == nil || o.op.Value > h.highest.op.Value {
				h.highest = o
			}
		} else {
			delete(h.byKey, o.op.OpKey())
		}
	}
	h.open = rest
	h.clients.checkpoint(done, rest, h.start.value, top)
}
