package check

import (
	"fmt"

	"capsize/cluster/trace"
)

// foldValue folds in a node's counter after an entry.
func (s *state) foldValue(n *node, e *trace.Event) {
	if e.Index == 0 {
		return
	}
	term := n.termAt(e.Index)
	if e.Index <= n.replaced && e.Term != realTerm(term) {
		// The state machine still applies entries that the node has truncated.
		n.applied, n.value = e.Index, e.Value
		return
	}
	// A snapshot, or a trace that starts here, shows a value but not how it came about.
	restored := e.Kind == trace.KindInstalled || n.applied == 0 && (e.Index == n.snapshot || e.Seq == s.first.Seq)
	if l, ok := s.entries[entryID{e.Index, term}]; ok && !restored {
		if why := s.skippedIncrement(n, e.Index); why != "" {
			s.invalid = why
		} else if e.Index > n.applied && n.lineage != nil {
			s.step.applied = &applied{place{n.lineage.owner(e.Index), e.Index}, l.entry, n.value, e.Value}
		}
	}
	n.applied, n.value = e.Index, e.Value
	if n.lineage == nil {
		return
	}
	owner := n.lineage.owner(e.Index)
	at, ok := owner.commits[e.Index]
	if !ok || term != unknownTerm && at.term != term {
		return
	}
	switch {
	case at.valueSeq == 0:
		at.valueSeq, at.value, at.valueNode = e.Seq, e.Value, n.id
		owner.commits[e.Index] = at
	case at.value != e.Value:
		s.step.valueConflict = &valueConflict{e.Index, at, commit{valueSeq: e.Seq, value: e.Value, valueNode: n.id}}
	}
}

// skipsMax is how many consecutive entries may be none of the counter's.
const skipsMax = 1 << 16

// skippedIncrement returns which increment the trace leaves out between the last entry
// that a node applied and index, "" if none.
func (s *state) skippedIncrement(n *node, index uint64) string {
	from := max(n.applied, n.replaced) + 1
	if index > from+skipsMax {
		return fmt.Sprintf("%s jumps from entry %d to entry %d: the trace does not show it applying those between", n.id, n.applied, index)
	}
	for i := from; i < index; i++ {
		if l, ok := s.entries[entryID{i, n.termAt(i)}]; ok && l.entry.Kind == trace.EntryAdd {
			return fmt.Sprintf("%s applies entry %d, but the trace does not show it applying entry %d", n.id, index, i)
		}
	}
	return ""
}
