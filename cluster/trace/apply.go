package trace

import (
	"slices"
	"time"
)

// Apply folds the next event into the state. The result depends on nothing but the two. It
// accepts any event, even one that makes no sense. It does not keep the pointer, but may
// keep what the event points to.
func (s *State) Apply(e *Event) {
	s.Seq, s.At = e.Seq, e.At
	// First the story, which needs the state before the event.
	s.narrate(e)
	switch e.Kind {
	case KindSettings:
		if e.Settings != nil {
			s.Settings = *e.Settings
		}
	case KindPacket:
		if e.Packet != nil {
			s.applyPacket(e.Packet)
		}
	case KindLinkFault:
		s.applyLinkFault(e)
	case KindInvoked:
		s.applyInvoked(e.Op)
	case KindReturned:
		if e.Op != nil {
			s.applyReturned(*e.Op)
		}
	case KindCaption, KindChapter:
		s.applyCaption(e)
	case KindQuestion:
		s.applyQuestion(e)
	case KindVerdict:
		s.applyVerdict(e)
	case KindLogLine:
		s.applyLogLine(e)
	case KindShape, KindHealed, KindCommand, KindRefused:
		// These events only add lines to the story.
	default:
		if e.Node != "" {
			s.applyNode(e)
		}
	}
}

func (s *State) applyNode(e *Event) {
	n := s.Node(e.Node)
	if n == nil {
		if n = s.addNode(e.Node); n == nil {
			return
		}
	}
	s.applyLeaderTerm(n, e)
	switch e.Kind {
	case KindProcess:
		n.applyProcess(e)
	case KindRole:
		n.applyRole(e)
	case KindTerm:
		if e.Term != n.Term {
			n.Votes = nil // they were for the term before
		}
		n.Term = e.Term
	case KindVote:
		n.VoteTerm, n.Vote = e.Term, e.Peer
		if n.Vote == n.ID && !slices.Contains(n.Votes, n.ID) {
			n.Votes = append(n.Votes, n.ID)
		}
	case KindLeader:
		n.Leader = e.Peer
	case KindConfig:
		n.Servers = e.Servers
	case KindDiskFault:
		n.DiskFault, n.FaultSpent = e.Text, false
	case KindDamage:
		n.Damage, n.FaultSpent = e.Text, true
	case KindClockFault:
		n.ClockFactor = e.Factor
	case KindApplyFault:
		n.ApplyFault = e.Text
	case KindGap:
		n.Gap = e.Text
	case KindReason, KindRecovered:
		// These events only add lines to the story.
	case KindCommitted:
		s.recordCommit(n, e.Index)
		n.Commit = e.Index
		s.applyCommit(e.Index)
	case KindApplied, KindInstalled:
		n.applyValue(e)
	default:
		if e.Index <= IndexMax && e.Last <= IndexMax {
			n.applyLog(e)
		}
	}
	// The counter never sees a no-op entry, so no event reports it as applied.
	for n.Applied < n.Commit {
		if next, ok := n.Entry(n.Applied + 1); !ok || next.Kind != EntryNoop {
			break
		}
		n.Applied++
	}
}

// applyLeaderTerm records when a node starts and stops leading.
func (s *State) applyLeaderTerm(n *Node, e *Event) {
	leads := n.Role == Leader
	switch {
	case e.Kind == KindRole && e.Role == Leader && !leads:
		if len(s.LeaderTerms) == leaderTermsMax {
			s.LeaderTerms = slices.Delete(s.LeaderTerms, 0, leaderTermsMax/4)
		}
		s.LeaderTerms = append(s.LeaderTerms, LeaderTerm{Node: n.ID, Term: e.Term, From: e.At})
	case leads && (e.Kind == KindRole || e.Kind == KindProcess && !e.Process.Running()):
		for i := range s.LeaderTerms {
			if r := &s.LeaderTerms[i]; r.Node == n.ID && r.To == 0 {
				r.To = e.At
			}
		}
	}
}

func (n *Node) applyProcess(e *Event) {
	was := n.Process
	n.Process, n.Why, n.Since = e.Process, e.Text, e.At
	switch e.Process {
	case Wiped:
		*n = Node{ID: n.ID, Process: Wiped, Since: e.At, First: 1, LogLines: n.LogLines, DiskFault: n.DiskFault, ClockFactor: n.ClockFactor, ApplyFault: n.ApplyFault, Gap: n.Gap}
	case Removed: // a node added later under the same name starts from nothing
		*n = Node{ID: n.ID, Process: Removed, Why: e.Text, Since: e.At, First: 1, ClockFactor: 1}
	default:
	}
	if e.Process == Up && was == Paused || e.Process == Paused || e.Process == Unreachable {
		return
	}
	// What the process had only in memory is gone.
	n.Role, n.RoleAt, n.Leader, n.Votes, n.Peers = "", e.At, "", nil, nil
	n.Commit, n.Applied = 0, 0
	if e.Process == Up {
		n.Role, n.Value, n.LastHeard, n.LastHeardFrom = Follower, 0, e.At, ""
		n.Truncated = nil
	}
}

func (n *Node) applyRole(e *Event) {
	if n.Role == Leader {
		n.LastHeard, n.LastHeardFrom = e.At, n.ID // it was the leader until now
	}
	n.Role, n.RoleAt = e.Role, e.At
	n.Votes, n.Peers = nil, nil
	switch e.Role {
	case Leader:
		n.Peers = map[string]Progress{}
	case Candidate:
		// Its own vote has an event of its own, once it is on disk.
	case Follower:
	}
}

// applyCommit advances the commit index of the cluster, and records since when nodes lag
// behind it.
func (s *State) applyCommit(index uint64) {
	if index <= s.Commit {
		return
	}
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Applied >= s.Commit {
			n.BehindSince = s.At
		}
	}
	s.Commit = index
}

// commitTermsMax is how many runs of committed entries a state keeps.
const commitTermsMax = 1000

// recordCommit records the terms of the entries that a node reports as committed. It runs before
// the commit index of the cluster changes.
func (s *State) recordCommit(n *Node, commit uint64) {
	if commit <= s.Commit {
		// After an unsafe recovery, the two sides commit different entries.
		if e, ok := n.Entry(commit); ok {
			if committed, known := s.committed(commit, e.Term); known && !committed {
				s.CommitTerms = []TermRun{{First: 1}}
			}
		}
		return
	}
	first := max(s.Commit+1, n.First)
	if first > s.Commit+1 || len(n.Entries) == 0 { // compacted before this node told
		s.addCommitTerm(s.Commit+1, 0)
	}
	for i := first; i <= commit; i++ {
		e, ok := n.Entry(i)
		if !ok {
			s.addCommitTerm(i, 0)
			break
		}
		s.addCommitTerm(i, e.Term)
	}
}

// addCommitTerm records the term of the next committed entries, 0 for unknown.
func (s *State) addCommitTerm(first, term uint64) {
	last := len(s.CommitTerms) - 1
	if last >= 0 && s.CommitTerms[last].Term == term {
		return
	}
	if len(s.CommitTerms) == commitTermsMax {
		s.CommitTerms = slices.Clone(s.CommitTerms[commitTermsMax/4:]) // clones of the state share the array
	}
	s.CommitTerms = append(s.CommitTerms, TermRun{First: first, Term: term})
}

// committed reports whether the entry with that index and term was ever committed, and whether
// that is known.
func (s *State) committed(index, term uint64) (committed, known bool) {
	if index > s.Commit {
		return false, true
	}
	for i := len(s.CommitTerms) - 1; i >= 0; i-- {
		if run := s.CommitTerms[i]; run.First <= index {
			return run.Term == term && term != 0, run.Term != 0
		}
	}
	return false, false
}

// calmPeriod is how long a value must have stood still for its next change to be
// noticeable.
const calmPeriod = 500 * time.Millisecond

func (n *Node) applyValue(e *Event) {
	if n.Value != e.Value {
		if e.At-n.ValueAt > calmPeriod {
			n.ValueChangedAt = e.At
		}
		n.Value, n.ValueAt = e.Value, e.At
	}
	n.Applied = e.Index
	if e.Kind == KindInstalled {
		n.keepSnapshot(e.Index, e)
	}
}

// keepSnapshot records the newest snapshot on a node's disk, which ends at index. A node may
// finish a snapshot of its own after it has installed a later one from its leader; the
// later one stays. A loaded snapshot is always the newest.
func (n *Node) keepSnapshot(index uint64, e *Event) {
	if e.Kind != KindLoaded && (e.Term < n.SnapshotTerm || e.Term == n.SnapshotTerm && index < n.SnapshotIndex) {
		return
	}
	n.SnapshotIndex, n.SnapshotTerm, n.Snapshot, n.SnapshotServers = index, e.Term, e.Data, e.Servers
}

// IndexMax is the highest index and term that is accepted: sums of indexes from an
// untrusted recording must not overflow.
const IndexMax = 1 << 62

func (n *Node) applyLog(e *Event) {
	end := n.First + uint64(len(n.Entries)) // one past its last entry
	switch e.Kind {
	case KindLoaded:
		n.First, n.Entries, n.Truncated = max(e.Index, 1), slices.Clip(e.Entries), nil
		n.keepSnapshot(e.Last, e)
	case KindAppended:
		if e.Index == 0 || len(e.Entries) == 0 {
			return
		}
		if e.Index != end || len(n.Entries) == 0 {
			// After an installed snapshot a log continues behind a gap.
			n.cutFrom(e.Index)
			if len(n.Entries) == 0 {
				n.First = e.Index
			}
		}
		n.Entries = append(n.Entries, e.Entries...)
	case KindTruncated:
		if e.Index == 0 {
			return
		}
		if e.Index >= n.First && e.Index < end {
			n.Truncated, n.TruncatedFirst, n.TruncatedAt = slices.Clip(n.Entries[e.Index-n.First:]), e.Index, e.At
		}
		n.cutFrom(e.Index)
	case KindCompacted:
		if e.Last >= n.First {
			dropped := min(e.Last+1, end)
			// A copy, which frees the memory of the dropped entries.
			n.Entries = slices.Clone(n.Entries[dropped-n.First:])
			n.First = dropped
		}
	case KindSnapshot:
		n.keepSnapshot(e.Index, e)
	default:
	}
}

// cutFrom drops the entries from index on. It clips the rest so that the next append copies
// it: clones of the state may still read the array behind it.
func (n *Node) cutFrom(index uint64) {
	switch {
	case index <= n.First, index > n.First+uint64(len(n.Entries)):
		n.Entries, n.First = nil, index
	default:
		n.Entries = slices.Clip(n.Entries[:index-n.First])
	}
}

// applyPacket folds the event of a packet into the state. Seq and At of the state are
// already those of the event.
func (s *State) applyPacket(p *Packet) {
	if len(s.InFlight) == 0 {
		s.InFlight = make([]InFlight, inFlightMax)
	}
	slot := &s.InFlight[p.ID%uint64(len(s.InFlight))]
	switch p.Status {
	case Sent:
		s.Traffic.Sent++
		slot.Packet, slot.SentAt, slot.EndedAt = *p, s.At, 0
		return
	case Delivered:
		s.Traffic.Delivered++
	case Lost:
		s.Traffic.Lost++
	case Waiting, Expired:
		s.applyWait(p, slot)
		return
	}
	s.endWait(p)
	if slot.ID == p.ID {
		slot.Status, slot.Why, slot.EndedAt = p.Status, p.Why, s.At
	}
	if p.Status == Delivered {
		s.applyDelivered(p)
	}
}

// applyDelivered records what the receiver learns from a packet.
func (s *State) applyDelivered(p *Packet) {
	to := s.Node(p.To)
	if to == nil {
		return
	}
	switch {
	case !p.Reply && (p.Kind == "append" || p.Kind == "heartbeat" || p.Kind == "snapshot"):
		if p.Term >= to.Term {
			to.LastHeard, to.LastHeardFrom = s.At, p.From
		}
	case p.Reply && to.Role == Leader && p.Term == to.Term && to.Peers != nil:
		contact, known := to.Peers[p.From]
		if !known && len(to.Peers) >= NodesMax {
			return
		}
		contact.LastHeard = s.At
		if p.OK && p.Kind == "append" {
			contact.Match = max(contact.Match, p.LastIndex)
		}
		to.Peers[p.From] = contact
	case p.Reply && p.Kind == "vote" && p.OK && to.Role == Candidate && p.Term == to.Term:
		if !slices.Contains(to.Votes, p.From) && len(to.Votes) < NodesMax {
			to.Votes = append(to.Votes, p.From)
		}
	}
}

func (s *State) applyLinkFault(e *Event) {
	link := Link{From: e.Node, To: e.Peer}
	if s.Faults == nil {
		s.Faults = map[Link][]string{}
	}
	if !slices.ContainsFunc(e.Faults, isHold) {
		s.releaseWaiting(link)
	}
	if len(e.Faults) == 0 {
		delete(s.Faults, link)
		return
	}
	if _, known := s.Faults[link]; known || len(s.Faults) < linksMax {
		s.Faults[link] = e.Faults
	}
}

// applyVerdict records the verdict of a check.
func (s *State) applyVerdict(e *Event) {
	now := Check{Name: e.Check, Verdict: e.Verdict, Text: e.Text, Proof: e.Proof, Count: e.Count, At: e.At, Seq: e.Seq}
	if was := s.Check(e.Check); was != nil {
		*was = now
	} else if len(s.Checks) < checksMax {
		s.Checks = append(s.Checks, now)
	}
	for i, entry := range e.Entries[:min(len(e.Entries), lostMax-len(s.Lost))] {
		s.Lost = append(s.Lost, LostEntry{Index: e.Index + uint64(i), Entry: entry})
	}
}
