package check

import (
	"fmt"

	"capsize/cluster/trace"
)

// advance notes that a node holds its log for committed up to index. From there it
// looks back until it meets what is known already: below, by log-matching, the two
// are the same, so that each entry is looked at once.
func (w *world) advance(n *node, index uint64, e *trace.Event) {
	if !n.loaded || index <= n.committed {
		return
	}
	if index > n.last() {
		w.doubt = fmt.Sprintf("%s holds entry %d for committed (event %d), and its log ends at %d", n.id, index, e.Seq, n.last())
		index = n.last()
	}
	lowest := uint64(0) // the lowest entry at which the two differ
	i := index
	for ; i > n.committed; i-- {
		term := n.termAt(i)
		if i < n.snapshot || term == unknownTerm {
			break // its snapshot covers it, and what its log may still hold there means nothing
		}
		if i <= w.low {
			// What was committed there is forgotten, but terms never go down along a log.
			if term > w.lowTerm {
				lowest = i
				continue
			}
			break
		}
		known, ok := w.committed[i]
		if ok && known.term == term {
			break
		}
		if ok {
			lowest = i
		}
	}
	if lowest != 0 {
		w.forked(n, lowest, e)
	}
	for i++; i <= index; i++ {
		if _, ok := w.committed[i]; !ok && i > w.low {
			w.commit(n, i, e)
		}
	}
	n.committed = max(n.committed, index)
}

// commit notes that an entry of a node's log is committed.
func (w *world) commit(n *node, index uint64, e *trace.Event) {
	at := place{index, n.termAt(index)}
	w.committed[index] = commit{term: at.term, node: n.id, seq: e.Seq, in: n.term}
	w.end = max(w.end, index)
	w.step.news = append(w.step.news, index)
	if l, ok := w.links[at]; ok && l.entry.Kind == trace.EntryAdd {
		key := opKey{l.entry.Client, l.entry.Seq}
		if _, twice := w.placed[key]; !twice {
			w.placed[key] = index
		}
	}
}

// forked notes that what is known to be committed from index on is not what a node
// commits there. What counts from now on is what was committed last.
func (w *world) forked(n *node, index uint64, e *trace.Event) {
	f := &fork{at: index, was: w.committed[index], now: commit{term: n.termAt(index), node: n.id, seq: e.Seq}}
	for i := max(index, w.low+1); i <= w.end; i++ {
		old, ok := w.committed[i]
		if !ok {
			continue
		}
		f.old = append(f.old, old)
		delete(w.committed, i)
		if l, ok := w.links[place{i, old.term}]; ok {
			if key := (opKey{l.entry.Client, l.entry.Seq}); w.placed[key] == i {
				delete(w.placed, key)
			}
		}
	}
	w.end = index - 1
	w.step.fork = f
}
