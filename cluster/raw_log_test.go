package cluster

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"capsize/cluster/trace"
	"capsize/faults"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// rawLog captures the library's own log of one process as text, before capsize sees the calls.
type rawLog struct {
	hclog.Logger // capsize's
	raw          hclog.Logger
	deps         raftDeps
	p            *process
	from         uint64 // the trace's last event before the process

	mu    sync.Mutex
	lines []string
}

func newRawLog(deps *raftDeps, from uint64) *rawLog {
	l := &rawLog{Logger: deps.logger, deps: *deps, p: deps.fsm.(*fsm).p, from: from}
	l.raw = hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, DisableTime: true, Output: rawWriter{l}})
	return l
}

type rawWriter struct{ l *rawLog }

var _ io.Writer = rawWriter{}

// Write keeps a line.
func (w rawWriter) Write(line []byte) (int, error) {
	w.l.mu.Lock()
	defer w.l.mu.Unlock()
	w.l.lines = append(w.l.lines, strings.TrimRight(string(line), "\n"))
	return len(line), nil
}

// own returns what the node's own disk and clock say at the moment of a line.
func (l *rawLog) own(msg string) []any {
	own := []any{"now", time.Now().UnixNano()}
	switch msg {
	case "duplicate requestVote for same term":
		vote, _ := l.deps.stable.Get([]byte(keyLastVoteCand))
		return append(own, "own-vote", string(vote))
	case "failed to contact quorum of nodes, stepping down":
		return append(own, "own-voters", l.storedVoters(), "raft-voters", votersOf(l.p.raft.Load()))
	}
	return own
}

// storedVoters returns the number of voters in the latest configuration that the node has stored.
func (l *rawLog) storedVoters() (voters int) {
	if l.p.isPaused() || l.p.node.currentDisk().Fault() == (faults.Stall{}) {
		return votersOf(l.p.raft.Load()) // reading from this disk would block
	}
	var conf raft.Configuration
	if meta := l.p.fsm.newest.Load(); meta != nil {
		conf = meta.Configuration
	}
	first, _ := l.deps.logs.FirstIndex()
	last, _ := l.deps.logs.LastIndex()
	for i := last; i >= first && i > 0; i-- {
		var entry raft.Log
		if l.deps.logs.GetLog(i, &entry) == nil && entry.Type == raft.LogConfiguration {
			conf = raft.DecodeConfiguration(entry.Data)
			break
		}
	}
	for _, s := range conf.Servers {
		if s.Suffrage == raft.Voter {
			voters++
		}
	}
	return voters
}

// tee writes a line to the raw log and then makes the call that capsize sees.
func (l *rawLog) tee(raw, capsize func(string, ...any), msg string, args []any) {
	if l.p.isAlive() {
		raw(msg, append(slices.Clip(args), l.own(msg)...)...)
	}
	capsize(msg, args...)
}

func (l *rawLog) Debug(msg string, args ...any) { l.tee(l.raw.Debug, l.Logger.Debug, msg, args) }
func (l *rawLog) Info(msg string, args ...any)  { l.tee(l.raw.Info, l.Logger.Info, msg, args) }
func (l *rawLog) Warn(msg string, args ...any)  { l.tee(l.raw.Warn, l.Logger.Warn, msg, args) }
func (l *rawLog) Error(msg string, args ...any) { l.tee(l.raw.Error, l.Logger.Error, msg, args) }

// rawValue matches a key with its value.
var rawValue = regexp.MustCompile(`([a-z-]+|votesNeeded)=("[^"]*"|\S*)`)

// rawLine is a parsed line.
type rawLine struct {
	msg    string
	values map[string]string
}

func parseRawLine(text string) rawLine {
	_, rest, _ := strings.Cut(text, "]")
	line := rawLine{msg: strings.TrimSpace(rest), values: map[string]string{}}
	if at := rawValue.FindStringIndex(rest); at != nil {
		line.msg = strings.TrimSuffix(strings.TrimSpace(rest[:at[0]]), ":")
	}
	for _, m := range rawValue.FindAllStringSubmatch(rest, -1) {
		line.values[m[1]] = strings.Trim(m[2], `"`)
	}
	return line
}

// server returns the ID in a server as it prints: {Voter n1 n1}.
func (l rawLine) server(key string) string {
	fields := strings.Fields(strings.Trim(l.values[key], "{}"))
	if len(fields) == 3 {
		return fields[1]
	}
	return l.values[key]
}

// rawDecisions returns the decisions in the log lines of a process, as texts, by kind. It shares
// no code with the way capsize takes them.
func rawDecisions(texts []string) map[string][]string {
	d := rawParser{decisions: map[string][]string{}}
	for _, text := range texts {
		line := parseRawLine(text)
		d.vote(line)
		d.election(line)
		d.leadership(line)
		d.log(line)
	}
	return d.decisions
}

type rawParser struct {
	decisions map[string][]string
	campaign  string
	granted   []string
	needed    string
	leading   bool
	because   string
	laterAt   string
	silent    []string // the times of the checks of the lease that missed a voter
	mismatch  string
}

func (d *rawParser) add(kind, format string, args ...any) {
	d.decisions[kind] = append(d.decisions[kind], fmt.Sprintf(format, args...))
}

func (d *rawParser) vote(l rawLine) {
	v := l.values
	const pre = "rejecting pre-vote request since "
	kind, why := "deny-vote", strings.TrimPrefix(l.msg, "rejecting vote request since ")
	if strings.HasPrefix(l.msg, pre) {
		kind, why = "deny-prevote", strings.TrimPrefix(l.msg, pre)
	}
	switch why {
	case "node is not in configuration":
		d.add(kind, "not-member %s", v["from"])
	case "node is not a voter":
		d.add(kind, "not-voter %s", v["from"])
	case "we have a leader":
		d.add(kind, "has-leader %s %s", v["from"], v["leader-id"])
	case "our last term is greater":
		d.add(kind, "log-behind %s term %s %s", v["candidate"], v["last-term"], v["last-candidate-term"])
	case "our last index is greater":
		d.add(kind, "log-behind %s index %s %s", v["candidate"], v["last-index"], v["last-candidate-index"])
	case "duplicate requestVote for same term":
		d.add("deny-vote", "vote-given %s %s", v["own-vote"], v["term"])
	case "duplicate requestVote from": // it has the vote already, and gets it again
		all := d.decisions["deny-vote"]
		d.decisions["deny-vote"] = all[:len(all)-1]
	}
}

func (d *rawParser) election(l rawLine) {
	v := l.values
	switch l.msg {
	case "heartbeat timeout reached, starting election":
		d.campaign = "heartbeat-timeout " + v["last-leader-id"]
	case "Election timeout reached, restarting election":
		d.campaign = "election-timeout "
	case "entering follower state", "entering leader state":
		d.campaign = ""
	case "entering candidate state":
		if d.campaign == "" {
			d.campaign = "transferred "
		}
		d.add("campaign", "%s%s", d.campaign+" ", v["term"])
		d.campaign, d.granted = "", nil
	case "calculated votes needed":
		d.needed = v["needed"]
	case "pre-vote successful, starting election":
		d.add("campaign", "prevote-won %s of quorum %s in %s", v["tally"], v["votesNeeded"], v["term"])
		d.granted = nil
	case "vote granted":
		d.granted = append(d.granted, v["from"])
	case "election won":
		d.add("win-election", "%s by %s of quorum %s: %v", v["term"], v["tally"], d.needed, d.granted)
	}
}

func (d *rawParser) leadership(l rawLine) {
	v := l.values
	switch l.msg {
	case "entering leader state":
		d.leading, d.because, d.laterAt = true, "", ""
	case "failed to contact":
		d.silent = append(d.silent, v["now"])
	case "failed to contact quorum of nodes, stepping down":
		missed := 0
		for _, at := range d.silent {
			if at == v["now"] {
				missed++
			}
		}
		voters, _ := strconv.Atoi(v["own-voters"])
		if voters-missed >= trace.Quorum(voters) {
			// Raft keeps a configuration in memory that its disk failed to store
			// (hashicorp/raft raft.go, appendConfigurationEntry).
			voters, _ = strconv.Atoi(v["raft-voters"])
		}
		d.because = fmt.Sprintf("lost-quorum %d of %d", voters-missed, voters)
	case "failed to commit logs":
		d.because = "disk-failed " + v["error"]
	case "removed ourself, transitioning to follower":
		d.because = "no-voter"
	case "new leader elected, stepping down":
		d.because = "not-confirmed"
	case "lost leadership because received a requestVote with a newer term":
		d.because = "vote request"
	case "peer has newer term, stopping replication":
		d.laterAt = l.server("peer")
	case "entering follower state":
		switch leader := v["leader-id"]; {
		case !d.leading:
		case d.because != "":
			d.add("step-down", "%s", d.because)
		case leader != "":
			d.add("step-down", "later-term %s", leader)
		default:
			d.add("step-down", "later-term %s", d.laterAt)
		}
		d.leading = false
	}
}

func (d *rawParser) log(l rawLine) {
	v := l.values
	switch l.msg {
	case "clearing log suffix":
		d.add("truncate", "%s-%s", v["from"], v["to"])
	case "failed to clear log suffix":
		all := d.decisions["truncate"]
		d.decisions["truncate"] = all[:len(all)-1]
	case "installing snapshot on":
		d.add("send-snapshot", "%s", l.server("peer"))
	case "failed to get previous log":
		d.mismatch = fmt.Sprintf("entry-missing %s of %s", v["previous-index"], v["last-index"])
	case "previous log term mis-match":
		d.mismatch = fmt.Sprintf("log-conflict %s %s", v["ours"], v["remote"])
	case "copied to local snapshot":
		d.add("install-snapshot", "%s", d.mismatch)
		d.mismatch = ""
	}
}

// toldDecisions returns the decisions in the events of a process, in the words of rawDecisions.
func toldDecisions(events []trace.Event) map[string][]string {
	told := map[string][]string{}
	for i := range events {
		e := &events[i]
		r := e.Reason
		switch {
		case e.Kind == trace.KindInstalled && r == nil:
			told["install-snapshot"] = append(told["install-snapshot"], "?") // a first time
		case e.Kind == trace.KindTruncated && r == nil, e.Kind == trace.KindRole && e.Role == trace.Leader && r == nil:
			told["no reason"] = append(told["no reason"], fmt.Sprintf("%+v", *e))
		case r != nil && r.Cause != trace.TermBehind: // raft does not log that
			kind, text := decisionText(e)
			told[kind] = append(told[kind], text)
		}
	}
	return told
}

func decisionText(e *trace.Event) (kind, text string) {
	r := e.Reason
	kind, text = string(r.Decision), string(r.Cause)
	switch r.Cause {
	case trace.NotMember, trace.NotVoter:
		text += " " + r.Peer
	case trace.HasLeader:
		text += " " + r.Peer + " " + r.Other
	case trace.LogBehind:
		if r.LastTerm != r.PeerTerm {
			text = fmt.Sprintf("%s %s term %d %d", text, r.Peer, r.LastTerm, r.PeerTerm)
		} else {
			text = fmt.Sprintf("%s %s index %d %d", text, r.Peer, r.LastIndex, r.PeerIndex)
		}
	case trace.VoteGiven:
		text = fmt.Sprintf("%s %s %d", text, r.Other, r.Term)
	case trace.DiskFailed:
		text += " " + r.Error
	case trace.LostQuorum:
		text = fmt.Sprintf("%s %d of %d", text, r.Count, r.Total)
	case trace.AskedForVote, trace.HandedOver:
		text = "vote request"
	case trace.NotConfirmed, trace.NoVoter, trace.TermBehind: // only the cause
	case trace.LaterTerm:
		text += " " + r.Peer
	case trace.HeartbeatTimeout:
		kind, text = "campaign", fmt.Sprintf("%s %s %d", text, r.Peer, r.Term)
	case trace.ElectionTimeout, trace.Transferred:
		kind, text = "campaign", fmt.Sprintf("%s  %d", text, r.Term)
	case trace.PreVoteWon:
		kind, text = "campaign", fmt.Sprintf("%s %d of quorum %d in %d", text, r.Count, trace.Quorum(r.Total), r.Term)
	case trace.VotesWon:
		text = fmt.Sprintf("%d by %d of quorum %d: %v", r.Term, r.Count, trace.Quorum(r.Total), r.Voters)
	case trace.LogCompacted:
		text = r.Peer
	case trace.EntryMissing:
		text = fmt.Sprintf("%s %d of %d", text, r.PeerIndex, r.LastIndex)
	case trace.LogConflict:
		if r.Decision == trace.Truncate {
			text = fmt.Sprintf("%d-%d", e.Index, e.Last)
		} else {
			text = fmt.Sprintf("%s %d %d", text, r.OwnTerm, r.PeerTerm)
		}
	}
	return kind, text
}

// differences compares the decisions of one kind that a process told with those in its raw log.
// What a process does while it dies may be in only one of them.
func differences(told, raw []string, died bool) string {
	if slices.Equal(told, raw) {
		return ""
	}
	for i := range min(len(told), len(raw)) {
		if told[i] != raw[i] && told[i] != "?" {
			return fmt.Sprintf("number %d: told %q, raft logged %q", i+1, told[i], raw[i])
		}
	}
	if extra := max(len(told), len(raw)) - min(len(told), len(raw)); extra > 0 && !died {
		return fmt.Sprintf("told %d, raft logged %d:\n%q\n%q", len(told), len(raw), told, raw)
	}
	return ""
}
