package message

import (
	"fmt"
	"slices"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// explain fills in what the request carries and why the receiver answered so, from the logs of
// both at that moment.
func (x *Exchange) explain(h *history.History) {
	request, reply := x.Request(), x.Reply()
	if request == nil || request.Sent.Seq == 0 {
		return
	}
	if x.Entries == nil && request.Entries > 0 {
		x.Entries = carried(h, request)
	}
	if x.Why != "" || reply == nil || x.arrived == 0 {
		return
	}
	var s trace.State
	if !h.StateAt(x.arrived, &s) {
		return
	}
	if to := s.Node(request.To); to != nil {
		x.Why = x.answer(to, request, reply)
	}
}

// carried returns the entries of an append request, as its sender's log held them.
func carried(h *history.History, p *Passage) []trace.Entry {
	var s trace.State
	if !h.StateAt(p.Sent.Seq, &s) {
		return nil
	}
	from := s.Node(p.From)
	if from == nil || p.First < from.First || p.First+uint64(p.Entries) > from.First+uint64(len(from.Entries)) {
		return nil
	}
	return slices.Clone(from.Entries[p.First-from.First:][:p.Entries])
}

// answer returns why a node answered so. The node is in the state in which the request reached it.
func (x *Exchange) answer(to *trace.Node, request, reply *Passage) string {
	switch {
	case reply.Error != "":
		return to.ID + " failed to handle it: " + reply.Error
	case x.reason != nil:
		return x.reason.Denial(to.ID)
	case !reply.OK && reply.Term > request.Term:
		return fmt.Sprintf("%s is already in term %d, the request is of term %d", to.ID, reply.Term, request.Term)
	}
	switch request.Kind {
	case "vote":
		return voted(to, request, reply)
	case "prevote":
		if reply.OK {
			return fmt.Sprintf("%s would vote for %s in term %d: it follows no leader, and %s's log is at least as up to date",
				to.ID, request.From, request.Term, request.From)
		}
	case "append":
		return appended(to, request, reply)
	case "heartbeat":
		if reply.OK {
			return fmt.Sprintf("%s follows %s, leader of term %d", to.ID, request.From, request.Term)
		}
	case "snapshot":
		if reply.OK {
			return fmt.Sprintf("%s has installed the snapshot up to entry %d", to.ID, request.LastIndex)
		}
	}
	return ""
}

// voted returns why a node granted its vote.
func voted(to *trace.Node, request, reply *Passage) string {
	switch {
	case !reply.OK:
		return ""
	case to.VoteTerm == request.Term && to.Vote == request.From:
		return fmt.Sprintf("%s had already voted for %s in term %d", to.ID, request.From, request.Term)
	}
	return fmt.Sprintf("%s had not voted in term %d, and %s's log is at least as up to date", to.ID, request.Term, request.From)
}

// appended returns why a node accepted or rejected an append (Raft paper, section 5.3).
func appended(to *trace.Node, request, reply *Passage) string {
	last := request.PrevIndex + uint64(request.Entries)
	entry, has := to.Entry(request.PrevIndex)
	switch {
	case reply.OK && request.Entries == 0:
		return fmt.Sprintf("%s's log matches %s's up to entry %d", to.ID, request.From, request.PrevIndex)
	case reply.OK && request.PrevIndex == 0:
		return fmt.Sprintf("%s stores the log from its first entry up to %d", to.ID, last)
	case reply.OK:
		return fmt.Sprintf("%s has entry %d of term %d too, so it stores up to entry %d", to.ID, request.PrevIndex, request.PrevTerm, last)
	case request.PrevIndex > to.LastIndex():
		return fmt.Sprintf("%s's log has no entry %d: it ends at %d", to.ID, request.PrevIndex, to.LastIndex())
	case has && entry.Term != request.PrevTerm:
		return fmt.Sprintf("%s's entry %d is of term %d, not of term %d", to.ID, request.PrevIndex, entry.Term, request.PrevTerm)
	case request.PrevIndex == to.SnapshotIndex && request.PrevTerm != to.SnapshotTerm:
		return fmt.Sprintf("%s's snapshot ends at entry %d of term %d, not of term %d", to.ID, request.PrevIndex, to.SnapshotTerm, request.PrevTerm)
	case !has:
		return fmt.Sprintf("%s no longer has entry %d: its snapshot covers it", to.ID, request.PrevIndex)
	}
	return ""
}
