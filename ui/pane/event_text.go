package pane

import (
	"fmt"
	"strings"

	"capsize/cluster/trace"
)

// EventText returns an event in words, given the state after it: its sentence of the story
// if it has one, otherwise a few words.
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
		return strings.TrimSuffix(fmt.Sprintf("%s %s: %s", e.Check, e.Verdict, e.Text), ": ")
	case trace.KindCommand:
		return "command: " + e.Text
	case trace.KindLinkFault:
		if len(e.Faults) == 0 {
			return fmt.Sprintf("%s -> %s: healthy", e.Node, e.Peer)
		}
		return fmt.Sprintf("%s -> %s: %s", e.Node, e.Peer, strings.Join(e.Faults, ", "))
	case trace.KindSettings:
		return "the cluster starts"
	default:
		if e.Node != "" {
			return e.Node + " " + nodeEventText(s, e)
		}
	}
	return e.Text
}

// nodeEventText returns what a node did, to follow its name.
func nodeEventText(s *trace.State, e *trace.Event) string {
	switch e.Kind {
	case trace.KindProcess:
		return "is " + string(e.Process)
	case trace.KindRole:
		return fmt.Sprintf("becomes %s in term %d", e.Role, e.Term)
	case trace.KindTerm:
		return fmt.Sprintf("persists term %d", e.Term)
	case trace.KindVote:
		return fmt.Sprintf("persists its vote for %s in term %d", e.Peer, e.Term)
	case trace.KindLeader:
		if e.Peer == "" {
			return "no longer knows a leader"
		}
		return "recognizes " + e.Peer + " as leader"
	case trace.KindConfig:
		return "loads its configuration: " + memberCounts(e.Servers)
	case trace.KindLoaded:
		return "loads " + counted(len(e.Entries), "log entry", "log entries") + " from disk"
	case trace.KindAppended:
		return "appends " + EntryRange(e.Index, e.Index+uint64(max(len(e.Entries), 1))-1)
	case trace.KindTruncated:
		return "truncates " + EntryRange(e.Index, e.Last)
	case trace.KindCompacted:
		return "compacts " + EntryRange(e.Index, e.Last) + " into its snapshot"
	case trace.KindCommitted:
		if n := s.Node(e.Node); n != nil && n.Role == trace.Leader {
			return fmt.Sprintf("commits entry %d", e.Index)
		}
		return fmt.Sprintf("learns that entry %d is committed", e.Index)
	case trace.KindReason:
		return reasonText(e.Reason)
	case trace.KindRecovered:
		return "is forced into a new configuration: " + memberCounts(e.Servers)
	case trace.KindApplied:
		return fmt.Sprintf("applies entry %d: value %d", e.Index, e.Value)
	default:
		return strings.TrimSpace(string(e.Kind) + " " + e.Text)
	}
}

// reasonText returns what a node decided. The story has the reason.
func reasonText(r *trace.Reason) string {
	if r == nil {
		return "decides"
	}
	switch r.Decision {
	case trace.DenyVote:
		return "denies " + r.Peer + " its vote"
	case trace.DenyPreVote:
		return "denies " + r.Peer + " a pre-vote"
	case trace.StartPreVote:
		return fmt.Sprintf("starts a pre-vote for term %d", r.Term)
	case trace.StartElection:
		return fmt.Sprintf("starts an election for term %d", r.Term)
	case trace.SendSnapshot:
		return "sends " + r.Peer + " a snapshot"
	case trace.StepDown:
		return "reports why it stepped down"
	case trace.WinElection, trace.Truncate, trace.InstallSnapshot:
	}
	return "decides: " + string(r.Decision)
}

// counted returns a number with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// memberCounts returns how many members vote, and how many do not.
func memberCounts(servers []trace.Server) string {
	voters := 0
	for _, s := range servers {
		if s.Voter {
			voters++
		}
	}
	text := counted(voters, "voter", "voters")
	if others := len(servers) - voters; others > 0 {
		text += ", " + counted(others, "nonvoter", "nonvoters")
	}
	return text
}

// EntryRange names entries by index: entry 5, entries 5-7.
func EntryRange(first, last uint64) string {
	if first >= last {
		return fmt.Sprintf("entry %d", first)
	}
	return fmt.Sprintf("entries %d-%d", first, last)
}

// packetText returns what happened to a packet.
func packetText(p *trace.Packet) string {
	what := requestText(p)
	if p.Reply {
		what = replyText(p)
	}
	a := "a "
	if strings.ContainsAny(what[:min(1, len(what))], "aeiou") {
		a = "an "
	}
	switch p.Status {
	case trace.Delivered:
		return fmt.Sprintf("%s receives %s%s from %s", p.To, a, what, p.From)
	case trace.Lost:
		return fmt.Sprintf("the %s from %s to %s is lost: %s", what, p.From, p.To, p.Why)
	case trace.Waiting:
		return fmt.Sprintf("the %s from %s to %s is held", what, p.From, p.To)
	case trace.Expired:
		return fmt.Sprintf("the caller of the %s from %s to %s gives up: its deadline has passed", what, p.From, p.To)
	case trace.Sent:
	}
	return fmt.Sprintf("%s sends %s %s%s", p.From, p.To, a, what)
}

// KindWord returns the name of a kind of RPC in sentences.
func KindWord(kind string) string {
	if kind == "prevote" {
		return "pre-vote"
	}
	return kind
}

// PacketName returns what a packet is: vote request, append reply.
func PacketName(p *trace.Packet) string {
	if p.Reply {
		return KindWord(p.Kind) + " reply"
	}
	return KindWord(p.Kind) + " request"
}

// PacketContent returns what a packet carries, the most important first.
func PacketContent(p *trace.Packet) string {
	switch {
	case p.Error != "":
		return "error: " + p.Error
	case p.Reply:
		return replyContent(p)
	case p.Kind == "append" || p.Kind == "heartbeat":
		return appendContent(p)
	case p.Kind == "vote" || p.Kind == "prevote":
		return fmt.Sprintf("log ends at %d (term %d)", p.LastIndex, p.LastTerm)
	case p.Kind == "snapshot":
		return fmt.Sprintf("snapshot up to %d (term %d)", p.LastIndex, p.LastTerm)
	case p.Kind == "timeout-now":
		return "start an election"
	}
	return ""
}

// appendContent returns what an append request carries.
func appendContent(p *trace.Packet) string {
	text := "no entries"
	if p.Entries > 0 {
		text = EntryRange(p.First, p.First+uint64(p.Entries)-1)
	}
	if p.Commit > 0 {
		text += fmt.Sprintf(", commit %d", p.Commit)
	}
	if p.PrevIndex > 0 {
		text += fmt.Sprintf(", after %d (term %d)", p.PrevIndex, p.PrevTerm)
	}
	return text
}

// replyContent returns what a reply says.
func replyContent(p *trace.Packet) string {
	yes, no := "ok", "rejected"
	switch p.Kind {
	case "vote", "prevote":
		yes, no = "granted", "denied"
	case "append":
		yes, no = fmt.Sprintf("ok, log ends at %d", p.LastIndex), fmt.Sprintf("rejected, log ends at %d", p.LastIndex)
	}
	if p.OK {
		return yes
	}
	return no
}

// requestText returns what a request asks for.
func requestText(p *trace.Packet) string {
	switch {
	case p.Kind == "append" && p.Entries > 0:
		return "append of " + EntryRange(p.First, p.First+uint64(p.Entries)-1)
	case p.Kind == "append":
		return "append without entries"
	case p.Kind == "vote":
		return fmt.Sprintf("vote request for term %d", p.Term)
	case p.Kind == "prevote":
		return "pre-vote request"
	case p.Kind == "timeout-now":
		return "request to start an election at once"
	}
	return p.Kind
}

// replyText returns what a reply says.
func replyText(p *trace.Packet) string {
	kind, yes, no := p.Kind, "ok", "rejected"
	switch p.Kind {
	case "vote":
		yes, no = "granted", "denied"
	case "prevote":
		kind, yes, no = "pre-vote", "granted", "denied"
	}
	switch {
	case p.Error != "":
		return fmt.Sprintf("%s reply (error: %s)", kind, p.Error)
	case p.OK:
		return fmt.Sprintf("%s reply (%s)", kind, yes)
	}
	return fmt.Sprintf("%s reply (%s)", kind, no)
}

// opText returns what a client sent, or the outcome that it got.
func opText(op *trace.Op) string {
	what, sends := "read", "sends a read"
	if op.Kind == trace.EntryAdd {
		what = fmt.Sprintf("%+d", op.Delta)
		sends = "sends " + what
	}
	switch op.Outcome {
	case trace.Pending:
		return fmt.Sprintf("%s %s via %s", op.Client, sends, op.Route)
	case trace.OK:
		return fmt.Sprintf("%s's %s via %s: ok, value %d (%s)", op.Client, what, op.Route, op.Value, op.Node)
	case trace.Failed, trace.Unknown:
	}
	text := fmt.Sprintf("%s's %s via %s: %s", op.Client, what, op.Route, op.Outcome)
	if op.Outcome == trace.Unknown {
		text = fmt.Sprintf("%s's %s via %s: outcome unknown", op.Client, what, op.Route)
	}
	if op.Why != "" {
		text += " (" + op.Why + ")"
	}
	return text
}
