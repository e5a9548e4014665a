package spacetime

import (
	"fmt"
	"time"

	"capsize/cluster/trace"
)

// Mark is something that happened at one moment.
type Mark struct {
	At     time.Duration
	Topic  trace.StoryTopic
	Text   string // one to three words
	Weight int    // of several marks in one place the heaviest is drawn
}

// markOf returns the mark of an event of the lane's node, and whether the event has one.
// The lane is as it was before the event.
func (l *Lane) markOf(e *trace.Event) (Mark, bool) {
	was := l.current()
	switch e.Kind {
	case trace.KindProcess:
		return processMark(e, was), true
	case trace.KindRole:
		switch {
		case e.Role == trace.Leader:
			return Mark{e.At, trace.TopicLeader, "leads", 5}, true
		case e.Role == trace.Candidate:
			return Mark{e.At, trace.TopicElection, "asks for votes", 3}, true
		case was.Role == trace.Leader:
			return Mark{e.At, trace.TopicStepDown, "steps down", 4}, true
		}
	case trace.KindVote:
		return Mark{e.At, trace.TopicMembers, "votes " + e.Peer, 1}, e.Peer != e.Node
	case trace.KindTruncated:
		return Mark{e.At, trace.TopicLog, "truncates " + indexRange(e.Index, e.Last), 4}, true
	case trace.KindInstalled:
		return Mark{e.At, trace.TopicLog, "installs a snapshot", 3}, true
	case trace.KindSnapshot:
		return Mark{e.At, trace.TopicLog, "snapshot", 2}, true
	case trace.KindDiskFault:
		if e.Text == "" {
			return Mark{e.At, trace.TopicHealing, "disk ok", 2}, l.disk != ""
		}
		return Mark{e.At, trace.TopicDisk, "disk " + e.Text, 3}, true
	case trace.KindClockFault:
		return Mark{e.At, trace.TopicClock, fmt.Sprintf("clock x%g", e.Factor), 3}, l.clock != e.Factor
	case trace.KindApplyFault:
		if e.Text == "" {
			return Mark{e.At, trace.TopicHealing, "apply ok", 2}, l.apply != ""
		}
		return Mark{e.At, trace.TopicClock, "apply " + e.Text, 3}, true
	default:
	}
	return Mark{}, false
}

// processMark returns the mark of a process event, with the span before it.
func processMark(e *trace.Event, was RoleSpan) Mark {
	switch {
	case e.Process == trace.Up && was.Process == trace.Paused:
		return Mark{e.At, trace.TopicStart, "resumes", 4}
	case e.Process == trace.Up && was.Process == trace.Unreachable:
		return Mark{e.At, trace.TopicStart, "answers", 4}
	case e.Process == trace.Up:
		return Mark{e.At, trace.TopicStart, "starts", 4}
	case e.Process == trace.Paused:
		return Mark{e.At, trace.TopicPause, "paused", 4}
	case e.Process == trace.Unreachable:
		return Mark{e.At, trace.TopicUnreachable, "unreachable", 6}
	}
	return Mark{e.At, trace.TopicDeath, string(e.Process), 6}
}

// indexRange names the entries from first to last: "3", "3-5".
func indexRange(first, last uint64) string {
	if first >= last {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d-%d", first, last)
}
