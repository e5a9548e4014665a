package view

import (
	"fmt"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/message"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
)

// MessageHints is the footer while a message is looked into.
var MessageHints = []pane.HelpKey{
	{Key: "e", Text: "next message"},
	{Key: "s", Text: "when sent"},
	{Key: "a", Text: "when arrived"},
	{Key: "r", Text: "reply, request"},
	{Key: "w", Text: "why"},
	{Key: "esc", Text: "close"},
}

// entriesListed is how many of its entries a message lists at most.
const entriesListed = 6

// MessageSheet returns what is inside a message, by the ID of its packet, seen from a moment.
func MessageSheet(x *message.Exchange, id uint64, now time.Duration) *pane.Sheet {
	p := x.Packet(id)
	sheet := &pane.Sheet{
		Title:  fmt.Sprintf("#%d %s, %s to %s", p.ID, pane.PacketName(&p.Packet), p.From, p.To),
		Packet: p.ID, Note: "e: next message   esc: close",
	}
	if p.Duplicate {
		sheet.Title += " (a copy)"
	}
	add := func(label, text, key string, st style.Style) {
		sheet.Rows = append(sheet.Rows, pane.SheetRow{Label: label, Text: text, Key: key, Style: st})
	}
	add("term", canvas.Thousands(p.Term), "", style.Term(p.Term))
	addContent(add, x, p)
	add("size", fmt.Sprintf("about %s bytes", canvas.Thousands(p.SizeBytes)), "", style.Text)
	addPassage(add, x, p, now)
	add("", "", "", style.Text)
	other := x.Counterpart(p)
	switch {
	case p.Reply && other != nil:
		add("answers", messageText(other), "r", style.Text)
	case p.Reply:
		add("answers", "a request that the history no longer holds", "", style.Dim)
	case other != nil:
		add("answer", messageText(other)+endText(other), "r", style.Text)
	default:
		add("answer", unanswered(x, p), "", style.Dim)
	}
	if x.Why != "" {
		key := ""
		if x.WhyAt.Seq != 0 {
			key = "w"
		}
		add("why", x.Why, key, style.Text)
	}
	return sheet
}

// addContent adds what a message carries, beside its term.
func addContent(add func(label, text, key string, st style.Style), x *message.Exchange, p *message.Passage) {
	switch {
	case p.Reply:
		add("says", pane.PacketContent(&p.Packet), "", style.Text|style.Bold)
	case p.Kind == "vote" || p.Kind == "prevote":
		add("asks", fmt.Sprintf("for a %s in term %d: %s's log ends at %d (term %d)", pane.KindWord(p.Kind), p.Term, p.From, p.LastIndex, p.LastTerm), "", style.Text|style.Bold)
	case p.Kind == "heartbeat":
		add("says", fmt.Sprintf("%s leads term %d", p.From, p.Term), "", style.Text|style.Bold)
	case p.Kind != "append":
		add("carries", pane.PacketContent(&p.Packet), "", style.Text|style.Bold)
	default:
		previous := "none"
		if p.PrevIndex > 0 {
			previous = fmt.Sprintf("entry %d (term %d)", p.PrevIndex, p.PrevTerm)
		}
		add("previous", previous, "", style.Text)
		add("entries", entriesText(x, p), "", style.Text|style.Bold)
		commit := "not told"
		if p.Commit > 0 {
			commit = fmt.Sprintf("up to entry %d", p.Commit)
		}
		add("commit", commit, "", style.Text)
	}
}

// entriesText lists the entries that an append carries.
func entriesText(x *message.Exchange, p *message.Passage) string {
	if p.Entries == 0 {
		return "none"
	}
	if x.Entries == nil {
		return pane.EntryRange(p.First, p.First+uint64(p.Entries)-1) + "; the log no longer holds them"
	}
	var all []string
	for i := range x.Entries[:min(len(x.Entries), entriesListed)] {
		e := x.Entries[i]
		all = append(all, fmt.Sprintf("%d: %s, term %d", p.First+uint64(i), pane.DescribeEntry(e), e.Term))
	}
	text := strings.Join(all, "; ")
	if more := len(x.Entries) - len(all); more > 0 {
		text += fmt.Sprintf("; %d more up to %d", more, p.First+uint64(p.Entries)-1)
	}
	return text
}

// addPassage adds when a message was sent, held, and what became of it.
func addPassage(add func(label, text, key string, st style.Style), x *message.Exchange, p *message.Passage, now time.Duration) {
	add("sent", trace.ClockMillis(p.Sent.At), "s", style.Text)
	if p.Waited.Seq != 0 {
		text, soFar := "for "+trace.Age(p.Held(now)), " so far"
		if p.Held(now) < time.Millisecond {
			text, soFar = "just now", ""
		}
		switch {
		case x.Expired.Seq != 0:
			text += fmt.Sprintf("; its caller gave up at %s", trace.ClockMillis(x.Expired.At))
		case p.Ended.Seq != 0:
		case p.Deadline > now:
			text += fmt.Sprintf("%s; its caller gives up in %s", soFar, trace.Age(p.Deadline-now))
		default:
			text += soFar + "; no deadline runs for it"
		}
		add("held", text, "", style.Warn)
	}
	switch p.Status {
	case trace.Delivered:
		add("arrived", trace.ClockMillis(p.Ended.At)+afterText(p), "a", style.Good)
	case trace.Lost:
		add("lost", trace.ClockMillis(p.Ended.At)+": "+p.Why, "a", style.Bad)
	case trace.Sent:
		text := "in flight"
		if due := p.Sent.At + p.Delay; p.Delay > 0 && due > now {
			text += fmt.Sprintf(": arrives in %s if nothing stops it", trace.Seconds(due-now))
		}
		add("arrived", text, "", style.Dim)
	case trace.Waiting, trace.Expired:
		add("arrived", "not yet: its link is held", "", style.Dim)
	}
}

// afterText says how long a message was under way.
func afterText(p *message.Passage) string {
	if took := p.Ended.At - p.Sent.At; took > 0 {
		return ", after " + trace.Seconds(took)
	}
	return ""
}

// messageText names the other half of an RPC.
func messageText(p *message.Passage) string {
	return fmt.Sprintf("#%d %s: %s", p.ID, pane.PacketName(&p.Packet), pane.PacketContent(&p.Packet))
}

// endText says what became of a reply.
func endText(p *message.Passage) string {
	switch p.Status {
	case trace.Delivered:
		return ", arrived at " + trace.ClockMillis(p.Ended.At)
	case trace.Lost:
		return ", lost: " + p.Why
	case trace.Waiting:
		return ", held on its way back"
	case trace.Sent, trace.Expired:
	}
	return ", on its way back"
}

// unanswered says why a request has no reply.
func unanswered(x *message.Exchange, p *message.Passage) string {
	switch {
	case p.Status == trace.Lost:
		return fmt.Sprintf("none: the request did not reach %s", p.To)
	case p.Status == trace.Delivered && x.Expired.Seq != 0:
		return fmt.Sprintf("none: %s gave up waiting", p.From)
	case p.Status == trace.Delivered:
		return fmt.Sprintf("none yet from %s", p.To)
	}
	return fmt.Sprintf("none yet: the request has not reached %s", p.To)
}
