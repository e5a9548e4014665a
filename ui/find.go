package ui

import (
	"fmt"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
)

// findMenu offers what to look for in the time before the moment that is shown.
func (m *model) findMenu() {
	o := m.open("find the last", menuNote)
	index := m.views.log.index
	if newest := newestIndex(&m.state); index == 0 || index > newest {
		index = newest
	}
	add := func(key, what, detail string, is func(*trace.Event) bool) {
		o.add(key, what, detail, false, func() { m.findLast(what, is) })
	}
	add("e", "election", "a node became the leader", func(e *trace.Event) bool {
		return e.Kind == trace.KindRole && e.Role == trace.Leader
	})
	entry := fmt.Sprintf("append of entry %d", index)
	add("a", entry, "the one under the cursor of the log, or the newest", func(e *trace.Event) bool {
		return e.Kind == trace.KindAppended && e.Index <= index && index-e.Index < uint64(len(e.Entries))
	})
	add("u", "unknown answer", "a client does not know what became of its call", func(e *trace.Event) bool {
		return e.Kind == trace.KindReturned && e.Op != nil && e.Op.Outcome == trace.Unknown
	})
	add("t", "truncation", "a node cut off entries of its log", func(e *trace.Event) bool { return e.Kind == trace.KindTruncated })
	add("d", "death", "a node was killed, lost its power or crashed", func(e *trace.Event) bool {
		return e.Kind == trace.KindProcess && (e.Process == trace.Killed || e.Process == trace.Off || e.Process == trace.Crashed)
	})
	add("v", "violation", "a check found a promise broken", func(e *trace.Event) bool {
		return e.Kind == trace.KindVerdict && e.Verdict == trace.VerdictViolated
	})
}

// findLast shows the last event before the moment that is shown for which a
// predicate holds.
func (m *model) findLast(what string, is func(*trace.Event) bool) {
	shown := m.moment()
	before := shown.Seq
	if !m.travel.past {
		shown = m.now()
		before = shown.Seq + 1 // what has just happened is found too
	}
	seq, ok := m.history.FindLast(before, is)
	if !ok || seq < m.first().Seq {
		m.say("", fmt.Sprintf("there is no %s before %s", what, canvas.ClockMillis(shown.At)), true)
		return
	}
	m.travel.stepped = false
	m.playPast(false)
	m.look(seq)
}
