package pane

import (
	"fmt"
	"strings"

	"capsize/cluster/trace"
)

// EventText says what an event is, after which the state is s: the sentence of
// the story if it has one, and else in a few words.
func EventText(s *trace.State, e *trace.Event) string {
	for i := len(s.Story) - 1; i >= 0 && s.Story[i].Seq >= e.Seq; i-- {
		if s.Story[i].Seq == e.Seq {
			return s.Story[i].Text
		}
	}
	switch e.Kind {
	case trace.KindPacket:
		if e.Packet != nil {
			return packetText(e.Packet)
		}
	case trace.KindInvoked, trace.KindReturned:
		if e.Op != nil {
			return opText(e.Op)
		}
	case trace.KindVerdict:
		return fmt.Sprintf("%s: %s %s", e.Check, e.Verdict, e.Text)
	case trace.KindCommand:
		return "ordered: " + e.Text
	case trace.KindLinkFault:
		if len(e.Faults) == 0 {
			return fmt.Sprintf("the link from %s to %s is whole", e.Node, e.Peer)
		}
		return fmt.Sprintf("the link from %s to %s: %s", e.Node, e.Peer, strings.Join(e.Faults, ", "))
	case trace.KindSettings:
		return "the cluster begins"
	default:
		if e.Node != "" {
			return e.Node + " " + nodeEventText(e)
		}
	}
	return e.Text
}

// nodeEventText says what a node did in an event.
func nodeEventText(e *trace.Event) string {
	switch e.Kind {
	case trace.KindProcess:
		return "is " + string(e.Process)
	case trace.KindRole:
		return fmt.Sprintf("becomes %s in term %d", e.Role, e.Term)
	case trace.KindTerm:
		return fmt.Sprintf("stores that the term is %d", e.Term)
	case trace.KindVote:
		return fmt.Sprintf("stores its vote for %s in term %d", e.Peer, e.Term)
	case trace.KindLeader:
		if e.Peer == "" {
			return "knows of no leader now"
		}
		return "takes " + e.Peer + " for the leader"
	case trace.KindConfig:
		return fmt.Sprintf("knows of %d members", len(e.Servers))
	case trace.KindLoaded:
		return fmt.Sprintf("finds %d entries on its disk", len(e.Entries))
	case trace.KindAppended:
		return "appends " + EntryRange(e.Index, e.Index+uint64(max(len(e.Entries), 1))-1)
	case trace.KindTruncated:
		return "cuts off " + EntryRange(e.Index, e.Last)
	case trace.KindCompacted:
		return "drops " + EntryRange(e.Index, e.Last) + ", which its snapshot covers"
	case trace.KindCommitted:
		return fmt.Sprintf("knows that all up to entry %d is committed", e.Index)
	case trace.KindApplied:
		return fmt.Sprintf("applies entry %d: its value is %d", e.Index, e.Value)
	default:
		return strings.TrimSpace(string(e.Kind) + " " + e.Text)
	}
}

func EntryRange(first, last uint64) string {
	if first >= last {
		return fmt.Sprintf("entry %d", first)
	}
	return fmt.Sprintf("entries %d to %d", first, last)
}

// packetText says what became of a message.
func packetText(p *trace.Packet) string {
	what := p.Kind
	switch {
	case p.Kind == "append" && !p.Reply && p.Entries > 0:
		what = "append of " + EntryRange(p.First, p.First+uint64(p.Entries)-1)
	case p.Kind == "vote" && !p.Reply:
		what = fmt.Sprintf("request for a vote in term %d", p.Term)
	case p.Kind == "prevote" && !p.Reply:
		what = "question whether it would get a vote"
	case p.Kind == "timeout-now" && !p.Reply:
		what = "word to stand for election at once"
	}
	if p.Reply {
		what = "answer to " + what
		switch {
		case p.Error != "":
			what += " (" + p.Error + ")"
		case p.OK:
			what += " (yes)"
		default:
			what += " (no)"
		}
	}
	switch p.Status {
	case trace.Delivered:
		return fmt.Sprintf("%s gets the %s from %s", p.To, what, p.From)
	case trace.Lost:
		return fmt.Sprintf("the %s from %s to %s is lost: %s", what, p.From, p.To, p.Why)
	case trace.Sent:
	}
	return fmt.Sprintf("%s sends the %s to %s", p.From, what, p.To)
}

// opText says what a client asked for, or was told.
func opText(op *trace.Op) string {
	what := "read"
	if op.Kind == trace.EntryAdd {
		what = fmt.Sprintf("%+d", op.Delta)
	}
	if op.Outcome == trace.Pending {
		return fmt.Sprintf("%s asks for %s, via %s", op.Client, what, op.Route)
	}
	return fmt.Sprintf("%s is told by %s: %s is %s, the value %d", op.Client, op.Node, what, op.Outcome, op.Value)
}
