package cluster

import (
	"slices"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/raft"
)

// reasons is what a process's raft has logged about decisions that it has not acted on yet.
// Guarded by process.mu.
type reasons struct {
	started time.Time // of the process
	votingReasons
	electionReasons
	leaderReasons
	logReasons
}

// votingReasons concern the vote requests that the node receives.
type votingReasons struct {
	asks     []voteRequest // requests not answered yet, oldest first
	handling bool          // raft is handling the last of asks
	votedFor string        // the candidate of its last vote, as stored on disk
}

// electionReasons concern the node's own elections.
type electionReasons struct {
	campaign    *trace.Reason // why it starts an election
	handedBy    string        // the leader that last sent it TimeoutNow
	handedTerm  uint64        // the term of its last election because of a TimeoutNow
	campaigns   int           // elections started so far
	byHand      bool          // a user fires its election timer
	campaigning bool          // raft's main loop is that of a candidate
	transferred bool          // a TimeoutNow made it a candidate: its next election needs no pre-vote
	votes       []string      // the nodes that voted for it in this election
	won         *trace.Reason
}

// leaderReasons concern a leader that steps down.
type leaderReasons struct {
	stepDown    *trace.Reason
	deposed     bool      // it stepped down, and raft has not logged why yet
	ledTerm     uint64    // the term in which it led
	steppedDown time.Time // when it last stepped down
	laterTermAt string    // the follower that replied with a later term
	silent      int       // how many voters had no contact at the last check of the lease
	silentAt    time.Time // time of that check
}

// logReasons concern the node's log.
type logReasons struct {
	truncation *trace.Reason
	truncated  [2]uint64     // the first and last entry of the truncation
	mismatch   *trace.Reason // why it last rejected entries, since it installed a snapshot
	installed  raft.SnapshotMeta
}

// voteRequest is a request for a vote or pre-vote.
type voteRequest struct {
	candidate string
	preVote   bool
	transfer  bool // the candidate got leadership by a transfer
	term      uint64
	lastIndex uint64
	lastTerm  uint64
	behind    bool // its term is older than the node's
	explained bool // the story already has the reason for the answer
}

// isDenied reports whether raft denies the request. Raft logs every reason except an older term.
func (v *voteRequest) isDenied() bool { return v.explained || v.behind }

// current returns the vote request that raft is handling, nil if there is none.
func (w *reasons) current() *voteRequest {
	if !w.handling {
		return nil
	}
	return &w.asks[len(w.asks)-1]
}

// asksMax is how many unanswered requests are kept. Raft answers every request, so there are
// never more in practice.
const asksMax = 256

// ask adds a request that raft begins to handle.
func (w *reasons) ask(request voteRequest) {
	if len(w.asks) == asksMax {
		w.asks = w.asks[1:]
	}
	w.asks, w.handling = append(w.asks, request), true
}

// answered removes the oldest request of a candidate for a term that raft has answered like this. It
// returns the request if raft denied it without logging a reason, because of its older term; otherwise
// nil. Replies to several requests of one candidate may leave in a different order than raft gave
// them, and while raft handles the next request; some never leave, because their caller is gone.
func (w *reasons) answered(candidate string, preVote bool, term uint64, refused bool) *voteRequest {
	at := slices.IndexFunc(w.asks, func(r voteRequest) bool {
		return r.candidate == candidate && r.preVote == preVote && r.term == term && r.isDenied() == refused
	})
	if at < 0 {
		return nil
	}
	ask := w.asks[at]
	w.handling = w.handling && at < len(w.asks)-1
	w.asks = slices.Delete(w.asks, at, at+1)
	if ask.explained || !ask.behind {
		return nil
	}
	return &ask
}

// attach connects the process to its raft. Raft's main goroutine calls it before its first
// decision, unless newRaft has done so.
func (p *process) attach(r *raft.Raft) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.raft.Load() != nil {
		return
	}
	p.seen.role = trace.Follower
	p.raft.Store(r)
	// Raft calls the filter on its own goroutine for every change, in order, which a channel of
	// observations does not guarantee.
	r.RegisterObserver(raft.NewObserver(nil, false, func(o *raft.Observation) bool { p.seeObservation(r, o.Data); return false }))
}

// seeObservation takes an observation of raft.
func (p *process) seeObservation(r *raft.Raft, data any) {
	switch data := data.(type) {
	case raft.RequestVoteRequest:
		p.seeVoteRequest(voteRequest{
			candidate: string(data.Addr), transfer: data.LeadershipTransfer,
			term: data.Term, lastIndex: data.LastLogIndex, lastTerm: data.LastLogTerm, behind: data.Term < r.CurrentTerm(),
		})
	case raft.RequestPreVoteRequest:
		p.seeVoteRequest(voteRequest{
			candidate: string(data.Addr), preVote: true,
			term: data.Term, lastIndex: data.LastLogIndex, lastTerm: data.LastLogTerm, behind: data.Term < r.CurrentTerm(),
		})
	case raft.RaftState:
		p.seeRole(r, roleOf(data))
	case raft.LeaderObservation:
		p.seeLeader(r, string(data.LeaderID))
	}
	p.observe()
}

func (p *process) seeVoteRequest(request voteRequest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.why.ask(request)
}

// seeRole emits a change of role, with the reason that raft logged just before.
func (p *process) seeRole(r *raft.Raft, role trace.Role) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Raft logs every other cause (raft.go, timeoutNow), and ignores a TimeoutNow while it campaigns.
	if role == trace.Candidate && p.why.campaign == nil && !p.why.campaigning {
		p.why.transferred = true
	}
	if role != "" && role != p.seen.role {
		p.emitRoleLocked(role, r.CurrentTerm())
	}
}

// emitRoleLocked emits a role. The caller holds p.mu.
func (p *process) emitRoleLocked(role trace.Role, term uint64) {
	why, was := &p.why, p.seen.role
	p.seen.role = role
	e := trace.Event{Kind: trace.KindRole, Role: role, Term: term}
	why.deposed = false
	switch {
	case role == trace.Leader:
		e.Reason, why.won = why.won, nil
		why.ledTerm, why.laterTermAt = term, ""
	case role == trace.Follower && was == trace.Leader:
		e.Reason, why.steppedDown = why.stepDown, time.Now()
		if e.Reason != nil {
			e.Reason.OwnTerm = why.ledTerm
		}
		why.deposed = e.Reason == nil
	}
	why.stepDown = nil
	p.emitLocked(e)
}

// seeLeader records which leader the node follows. A leader that steps down because of another
// one stores the new term before raft reports the new leader.
func (p *process) seeLeader(r *raft.Raft, leader string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if leader != "" && leader != p.node.name {
		p.explainStepDown(leader, r.CurrentTerm())
	}
}

// explainStepDown emits that the node stepped down because peer is in a later term, 0 if unknown,
// unless the story already has the reason. The caller holds p.mu.
func (p *process) explainStepDown(peer string, term uint64) {
	if p.why.deposed {
		p.why.deposed = false
		p.emitReason(&trace.Reason{
			Decision: trace.StepDown, Cause: trace.LaterTerm, Peer: peer, Term: term, OwnTerm: p.why.ledTerm,
		})
	}
}

// emitReason emits a decision. The caller holds p.mu.
func (p *process) emitReason(reason *trace.Reason) {
	p.emitLocked(trace.Event{Kind: trace.KindReason, Reason: reason})
}

// emitDenial emits that the node denies a vote. The caller holds p.mu.
func (p *process) emitDenial(ask *voteRequest, reason trace.Reason) {
	reason.Decision, reason.Peer, reason.Term = trace.DenyVote, ask.candidate, ask.term
	if ask.preVote {
		reason.Decision = trace.DenyPreVote
	}
	if reason.Cause == trace.LogBehind {
		// Raft logs the terms or, if they are equal, the indexes.
		reason.PeerIndex, reason.PeerTerm = ask.lastIndex, ask.lastTerm
		if reason.LastTerm == 0 {
			reason.LastTerm = ask.lastTerm
		}
	}
	p.emitReason(&reason)
}

// seeVoteReply takes a reply that the node sends to a request for a vote or pre-vote. Raft denies
// a request of an older term without logging it, so that reason shows only in the reply.
func (p *process) seeVoteReply(reply *faults.Packet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	refused := !reply.OK && reply.Error == ""
	if ask := p.why.answered(string(reply.To), reply.Kind == faults.KindPreVote, reply.RequestTerm, refused); ask != nil {
		p.emitDenial(ask, trace.Reason{Cause: trace.TermBehind, OwnTerm: reply.Term})
	}
}

// setHandedBy records the leader that tells the node to start an election.
func (p *process) setHandedBy(leader string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.why.handedBy = leader
}

// handedTerm returns the term of the last election that the process started because a leader told it
// to, 0 if there is none.
func (p *process) handedTerm() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why.handedTerm
}

// setVotedFor records the candidate of the vote on the process's disk.
func (p *process) setVotedFor(candidate string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.why.votedFor = candidate
}

// truncationReason returns why raft truncates its log, nil if it deletes entries to compact it, which
// it does on another goroutine.
func (p *process) truncationReason(first, last uint64) *trace.Reason {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why.truncated != [2]uint64{first, last} {
		return nil
	}
	reason := p.why.truncation
	p.why.truncation = nil
	return reason
}

// installReason returns why the leader sent the same snapshot again, nil if it did not.
func (p *process) installReason(meta *raft.SnapshotMeta) *trace.Reason {
	p.mu.Lock()
	defer p.mu.Unlock()
	reason := p.why.mismatch
	p.why.mismatch = nil
	was := p.why.installed
	p.why.installed = *meta
	if was.Index != meta.Index || was.Term != meta.Term {
		return nil
	}
	if reason == nil {
		reason = &trace.Reason{Decision: trace.InstallSnapshot}
	}
	return reason
}

// votersOf returns the number of voters in raft's latest configuration, with which it counts votes.
func votersOf(r *raft.Raft) int {
	future := r.GetConfiguration() // answered at once
	if future.Error() != nil {
		return 0
	}
	_, voters := countVoters(future.Configuration().Servers, func(raft.ServerID) bool { return true })
	return voters
}
