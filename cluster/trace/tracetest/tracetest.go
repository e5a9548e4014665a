package tracetest

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"capsize/cluster/trace"

	"pgregory.net/rapid"
)

// kinds are all kinds of events, and an unknown one.
var kinds = []trace.Kind{
	trace.KindSettings, trace.KindProcess, trace.KindRole, trace.KindTerm, trace.KindVote, trace.KindLeader, trace.KindConfig, trace.KindLoaded, trace.KindAppended, trace.KindTruncated,
	trace.KindCompacted, trace.KindCommitted, trace.KindApplied, trace.KindSnapshot, trace.KindInstalled, trace.KindReason, trace.KindRecovered, trace.KindPacket, trace.KindLinkFault, trace.KindDiskFault, trace.KindDamage,
	trace.KindClockFault, trace.KindApplyFault, trace.KindShape, trace.KindHealed, trace.KindInvoked, trace.KindReturned, trace.KindCommand, trace.KindRefused, trace.KindChapter, trace.KindCaption,
	trace.KindVerdict, trace.KindGap, trace.KindQuestion, trace.KindLogLine, "nonsense",
}

// anyNumber draws small numbers, which are likely to fit together, and extreme ones.
func anyNumber() *rapid.Generator[uint64] {
	return rapid.OneOf(
		rapid.Uint64Range(0, 12), rapid.Uint64Range(0, 12), rapid.Uint64(),
		rapid.SampledFrom([]uint64{math.MaxUint64, math.MaxUint64 - 1, 1 << 62, 1<<62 + 1, 1 << 63, math.MaxInt64}),
	)
}

func anyNode() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"n1", "n2", "n3", "n10", "", "\x1b[2J", "99999999999999999999"})
}

// AnyEvent generates events of all kinds, with fields that need not make sense.
func AnyEvent() *rapid.Generator[trace.Event] {
	return rapid.Custom(func(t *rapid.T) trace.Event {
		e := trace.Event{
			Seq: anyNumber().Draw(t, "seq"), At: time.Duration(rapid.Int64().Draw(t, "at")),
			Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
			Node: anyNode().Draw(t, "node"), Peer: anyNode().Draw(t, "peer"),
			Process: rapid.SampledFrom([]trace.ProcessState{trace.Up, trace.Up, trace.Paused, trace.Killed, trace.Off, trace.Crashed, trace.Removed, trace.Wiped, trace.Unreachable, "?", ""}).Draw(t, "life"),
			Role:    rapid.SampledFrom([]trace.Role{trace.Follower, trace.Candidate, trace.Leader, "?"}).Draw(t, "role"),
			Term:    anyNumber().Draw(t, "term"), Index: anyNumber().Draw(t, "index"), Last: anyNumber().Draw(t, "last"),
			Value: rapid.Int64().Draw(t, "value"), Factor: rapid.Float64().Draw(t, "factor"), Text: rapid.SampledFrom([]string{"", "stall", "?%s"}).Draw(t, "text"),
		}
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			e.Entries = append(e.Entries, trace.Entry{Term: anyNumber().Draw(t, "entry"), Kind: rapid.SampledFrom([]trace.EntryKind{trace.EntryAdd, trace.EntryNoop, "?"}).Draw(t, "entry kind")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "servers") {
			e.Servers = append(e.Servers, trace.Server{ID: anyNode().Draw(t, "server"), Voter: rapid.Bool().Draw(t, "voter")})
		}
		e.Faults = rapid.SampledFrom([][]string{nil, {"cut"}, {"lose 100%", "?"}, {"hold"}}).Draw(t, "faults")
		if rapid.Bool().Draw(t, "packet") {
			e.Packet = &trace.Packet{
				ID: anyNumber().Draw(t, "id"), Status: rapid.SampledFrom([]trace.PacketStatus{trace.Sent, trace.Delivered, trace.Lost, trace.Waiting, trace.Expired, "?"}).Draw(t, "fate"),
				From: anyNode().Draw(t, "from"), To: anyNode().Draw(t, "to"),
				Kind:     rapid.SampledFrom([]string{"append", "heartbeat", "vote", "prevote", "snapshot", "timeout-now", "?"}).Draw(t, "packet kind"),
				Deadline: time.Duration(rapid.Int64().Draw(t, "deadline")), RPC: rapid.Uint64Range(0, 3).Draw(t, "rpc"),
				Reply: rapid.Bool().Draw(t, "reply"), OK: rapid.Bool().Draw(t, "ok"), Term: anyNumber().Draw(t, "packet term"), LastIndex: anyNumber().Draw(t, "last index"),
			}
		}
		if rapid.Bool().Draw(t, "reason") {
			e.Reason = anyReason().Draw(t, "why")
		}
		if rapid.Bool().Draw(t, "op") {
			e.Op = &trace.Op{ID: 1, Kind: trace.EntryAdd, Outcome: rapid.SampledFrom([]trace.Outcome{trace.OK, trace.Failed, trace.Unknown, trace.Pending, "?"}).Draw(t, "outcome")}
		}
		if rapid.Bool().Draw(t, "question") {
			e.Question = anyQuestion().Draw(t, "asked")
		}
		if rapid.Bool().Draw(t, "settings") {
			e.Settings = &trace.Settings{Library: trace.Library{PreVote: rapid.Bool().Draw(t, "prevote")}, Lease: time.Second}
		}
		return e
	})
}

// anyQuestion generates questions that need not make sense.
func anyQuestion() *rapid.Generator[*trace.Question] {
	return rapid.Custom(func(t *rapid.T) *trace.Question {
		q := &trace.Question{
			Number: rapid.IntRange(0, 3).Draw(t, "number"), Text: "who?", Judged: rapid.Bool().Draw(t, "judged"),
			Picked: rapid.SampledFrom([][]int{nil, {0}, {1}}).Draw(t, "picked"),
		}
		for range rapid.IntRange(1, trace.ChoicesMax).Draw(t, "choices") {
			q.Choices = append(q.Choices, trace.Choice{Text: "x", True: rapid.Bool().Draw(t, "true"), In: rapid.SampledFrom([]trace.Localized{nil, {"zh": "y"}}).Draw(t, "in")})
		}
		return q
	})
}

// anyReason generates reasons that need not make sense.
func anyReason() *rapid.Generator[*trace.Reason] {
	return rapid.Custom(func(t *rapid.T) *trace.Reason {
		return &trace.Reason{
			Decision: rapid.SampledFrom([]trace.Decision{
				trace.DenyVote, trace.DenyPreVote, trace.StepDown, trace.StartPreVote, trace.StartElection, trace.WinElection,
				trace.Truncate, trace.SendSnapshot, trace.InstallSnapshot, "unknown", "",
			}).Draw(t, "decision"),
			Cause: rapid.SampledFrom([]trace.Cause{
				trace.NotMember, trace.NotVoter, trace.HasLeader, trace.TermBehind, trace.VoteGiven, trace.LogBehind, trace.DiskFailed,
				trace.LostQuorum, trace.LaterTerm, trace.NotConfirmed, trace.HeartbeatTimeout, trace.ElectionTimeout, trace.Transferred,
				trace.PreVoteWon, trace.VotesWon, trace.LogCompacted, trace.LogConflict, trace.EntryMissing, "unknown", "",
			}).Draw(t, "cause"),
			Peer: anyNode().Draw(t, "reason peer"), Other: anyNode().Draw(t, "other"),
			Term: rapid.Uint64Range(0, 12).Draw(t, "reason term"), Count: rapid.IntRange(0, 5).Draw(t, "count"),
			Total: rapid.IntRange(0, 5).Draw(t, "total"), Voters: rapid.SampledFrom([][]string{nil, {"n1"}, {"n1", "n2"}}).Draw(t, "voters"),
		}
	})
}

// Text formats a state with everything in it, to compare it later.
func Text(s *trace.State) string {
	return fmt.Sprintf("%+v", *s)
}

// Read calls every method that reads a state; none may panic.
func Read(s *trace.State) {
	_ = s.LeaderProblem()
	_, _ = s.PacketsInFlight(), s.Upcoming()
	for i := range s.Nodes {
		n := &s.Nodes[i]
		_, _ = n.Entry(n.LastIndex())
		_, _ = n.LastTerm(), s.Isolated(n.ID)
		_ = s.CanSend(n.ID, "n1")
	}
}

// Fill sets every exported field of a value, at any depth, to something other than zero. n
// counts up to make the values differ.
func Fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				Fill(v.Field(i), n)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		Fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		Fill(v.Index(0), n)
		Fill(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		Fill(key, n)
		Fill(value, n)
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	case reflect.Float64:
		v.SetFloat(float64(*n))
	default:
		panic("Fill does not support kind " + v.Kind().String())
	}
}
