package cluster

import (
	"fmt"
	"strings"
	"time"

	"capsize/cluster/trace"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// raftLogger is the logger of a process's raft. It emits raft's lines, and takes the reasons for
// raft's decisions from the same calls: raft logs on the goroutine that decides, right before it
// acts.
type raftLogger struct {
	hclog.Logger
	p *process
}

func newRaftLogger(p *process) raftLogger {
	lines := hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: logWriter{p}, DisableTime: true})
	return raftLogger{lines, p}
}

// Debug takes the reason from a line, but does not show the line: there are too many.
func (l raftLogger) Debug(msg string, args ...any) { l.p.takeReason(msg, args) }

// Info logs a line and takes the reason from it.
func (l raftLogger) Info(msg string, args ...any) {
	l.Logger.Info(msg, args...)
	l.p.takeReason(msg, args)
}

// Warn logs a line and takes the reason from it.
func (l raftLogger) Warn(msg string, args ...any) {
	l.Logger.Warn(msg, args...)
	l.p.takeReason(msg, args)
}

// Error logs a line and takes the reason from it.
func (l raftLogger) Error(msg string, args ...any) {
	l.Logger.Error(msg, args...)
	l.p.takeReason(msg, args)
}

// logWriter emits the lines of raft's own log.
type logWriter struct{ p *process }

func (w logWriter) Write(line []byte) (int, error) {
	w.p.emit(trace.Event{Kind: trace.KindLogLine, Text: strings.TrimRight(string(line), "\n")})
	return len(line), nil
}

// logArgs are the keys and values of a log call.
type logArgs []any

func (a logArgs) get(key string) any {
	for i := 0; i+1 < len(a); i += 2 {
		if a[i] == key {
			return a[i+1]
		}
	}
	return nil
}

// text returns a value as text: for a server its ID, for anything else what fmt prints.
func (a logArgs) text(key string) string {
	switch v := a.get(key).(type) {
	case nil:
		return ""
	case raft.Server:
		return string(v.ID)
	default:
		return fmt.Sprint(v)
	}
}

func (a logArgs) number(key string) uint64 {
	n, _ := a.get(key).(uint64)
	return n
}

// takeReason takes from a log call of raft what it decides, and why. The messages are those of
// hashicorp/raft v1.7.3, raft.go and replication.go.
func (p *process) takeReason(msg string, args logArgs) {
	r := p.raft.Load()
	if r == nil {
		// The first call of raft's main loop, before any decision.
		if r, _ = args.get("follower").(*raft.Raft); r == nil {
			return
		}
		p.attach(r)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takeVoteReason(r, msg, args)
	p.takeElectionReason(r, msg, args)
	p.takeStepDownReason(r, msg, args)
	p.takeLogReason(r, msg, args)
}

// takeVoteReason takes why the node denies a vote or pre-vote.
func (p *process) takeVoteReason(r *raft.Raft, msg string, args logArgs) {
	why := &p.why
	deny := func(reason trace.Reason) {
		if ask := why.current(); ask != nil && !ask.explained {
			ask.explained = true
			p.emitDenial(ask, reason)
		}
	}
	switch msg {
	case "rejecting vote request since node is not in configuration", "rejecting pre-vote request since node is not in configuration":
		deny(trace.Reason{Cause: trace.NotMember})
	case "rejecting vote request since node is not a voter", "rejecting pre-vote request since node is not a voter":
		deny(trace.Reason{Cause: trace.NotVoter})
	case "rejecting vote request since we have a leader", "rejecting pre-vote request since we have a leader":
		deny(trace.Reason{Cause: trace.HasLeader, Other: args.text("leader-id")})
	case "rejecting vote request since our last term is greater", "rejecting pre-vote request since our last term is greater":
		deny(trace.Reason{
			Cause: trace.LogBehind, LastIndex: r.LastIndex(), LastTerm: args.number("last-term"),
			PeerTerm: args.number("last-candidate-term"),
		})
	case "rejecting vote request since our last index is greater", "rejecting pre-vote request since our last index is greater":
		deny(trace.Reason{Cause: trace.LogBehind, LastIndex: args.number("last-index"), PeerIndex: args.number("last-candidate-index")})
	case "duplicate requestVote for same term":
		// Raft grants it again if this candidate already has the vote.
		if ask := why.current(); ask != nil {
			if why.votedFor != ask.candidate {
				deny(trace.Reason{Cause: trace.VoteGiven, Other: why.votedFor})
			}
			ask.explained = true
		}
	case "failed to persist vote", "failed to get last vote term", "failed to get last vote candidate":
		deny(trace.Reason{Cause: trace.DiskFailed, Error: args.text("error")})
	}
}

// takeElectionReason takes why the node starts an election, and how it wins.
func (p *process) takeElectionReason(r *raft.Raft, msg string, args logArgs) {
	why := &p.why
	switch msg {
	case "heartbeat timeout reached, starting election":
		why.campaign = p.silence(r, args.text("last-leader-id"))
	case "Election timeout reached, restarting election":
		why.campaign = &trace.Reason{Cause: trace.ElectionTimeout}
		if why.byHand {
			why.campaign.Other = trace.FiredByHand
		}
	case "entering candidate state":
		why.handling, why.campaigning, why.votes, why.won = false, true, nil, nil
		why.campaigns++
		reason := why.campaign
		if reason == nil { // the only other way here (raft.go, timeoutNow)
			reason = &trace.Reason{Cause: trace.Transferred, Peer: why.handedBy}
			why.handedBy, why.handedTerm = "", args.number("term")
		}
		reason.Decision, reason.Term = trace.StartElection, args.number("term")
		if reason.Cause != trace.Transferred && !why.transferred && p.c.settings.PreVote {
			reason.Decision = trace.StartPreVote
		}
		why.campaign, why.transferred = nil, false
		p.emitReason(reason)
	case "entering follower state", "entering leader state":
		// A heartbeat may have made it a follower before the election that it has a cause for.
		why.campaign, why.campaigning, why.won = nil, false, nil
	case "pre-vote successful, starting election":
		why.handling = false
		tally, _ := args.get("tally").(int)
		p.emitReason(&trace.Reason{
			Decision: trace.StartElection, Cause: trace.PreVoteWon, Term: r.CurrentTerm() + 1,
			Count: tally, Total: votersOf(r),
		})
	case "vote granted":
		why.votes = append(why.votes, args.text("from"))
	case "election won":
		tally, _ := args.get("tally").(int)
		why.won = &trace.Reason{
			Decision: trace.WinElection, Cause: trace.VotesWon, Term: args.number("term"),
			Count: tally, Total: votersOf(r), Voters: why.votes,
		}
	}
}

// silence returns the reason for an election after a heartbeat timeout.
func (p *process) silence(r *raft.Raft, leader string) *trace.Reason {
	reason := &trace.Reason{Cause: trace.HeartbeatTimeout, Peer: leader}
	contact := r.LastContact()
	switch {
	case contact.IsZero():
		contact, reason.Other = p.why.started, trace.SinceStart
	case leader == "" && isSameMoment(contact, p.why.steppedDown):
		reason.Other = trace.SinceStepDown
	}
	if p.why.byHand {
		reason.Other = trace.FiredByHand
	}
	reason.Silence = time.Since(contact)
	return reason
}

// takeStepDownReason takes why the node is about to become a follower.
func (p *process) takeStepDownReason(r *raft.Raft, msg string, args logArgs) {
	why := &p.why
	stepDown := func(reason trace.Reason) {
		if p.seen.role != trace.Leader { // raft logs some of these lines in every role
			return
		}
		reason.Decision = trace.StepDown
		why.stepDown = &reason
	}
	switch msg {
	case "failed to contact":
		if now := time.Now(); !isSameMoment(now, why.silentAt) { // an earlier check of the lease
			why.silent, why.silentAt = 0, now
		}
		why.silent++
	case "failed to contact quorum of nodes, stepping down":
		total := votersOf(r)
		stepDown(trace.Reason{Cause: trace.LostQuorum, Count: total - why.silent, Total: total, Silence: p.timeouts().lease})
	case "failed to commit logs":
		stepDown(trace.Reason{Cause: trace.DiskFailed, Error: args.text("error")})
	case "removed ourself, transitioning to follower":
		stepDown(trace.Reason{Cause: trace.NoVoter})
	case "new leader elected, stepping down":
		stepDown(trace.Reason{Cause: trace.NotConfirmed})
	case "lost leadership because received a requestVote with a newer term":
		if ask := why.current(); ask != nil {
			cause := trace.AskedForVote
			if ask.transfer {
				cause = trace.HandedOver
			}
			stepDown(trace.Reason{Cause: cause, Peer: ask.candidate, Term: ask.term})
		}
	case "peer has newer term, stopping replication":
		why.laterTermAt = args.text("peer")
	case "entering follower state":
		if leader := args.text("leader-id"); leader != "" {
			p.explainStepDown(leader, r.CurrentTerm())
		} else {
			p.explainStepDown(why.laterTermAt, 0)
		}
	}
}

// takeLogReason takes why the node changes its log, or sends or installs a snapshot.
func (p *process) takeLogReason(r *raft.Raft, msg string, args logArgs) {
	why := &p.why
	switch msg {
	case "clearing log suffix":
		_, leader := r.LeaderWithID()
		why.truncated = [2]uint64{args.number("from"), args.number("to")}
		why.truncation = &trace.Reason{Decision: trace.Truncate, Cause: trace.LogConflict, Peer: string(leader)}
	case "installing snapshot on":
		p.emitReason(&trace.Reason{Decision: trace.SendSnapshot, Cause: trace.LogCompacted, Peer: args.text("peer")})
	case "failed to get previous log":
		why.mismatch = &trace.Reason{
			Decision: trace.InstallSnapshot, Cause: trace.EntryMissing,
			PeerIndex: args.number("previous-index"), LastIndex: args.number("last-index"),
		}
	case "previous log term mis-match":
		why.mismatch = &trace.Reason{
			Decision: trace.InstallSnapshot, Cause: trace.LogConflict,
			OwnTerm: args.number("ours"), PeerTerm: args.number("remote"),
		}
	}
}
