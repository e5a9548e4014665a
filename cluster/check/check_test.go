package check

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"capsize/cluster/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// story is a history that violates a check, and its twin without the violation.
type story struct {
	check      string
	name       string
	red, green func(*historyBuilder)
	sentence   string
}

// stories holds at least one story for each check.
var stories = []story{
	{
		ElectionSafety, "two leaders",
		func(r *historyBuilder) {
			r.elect("n2", 2, "n3")
			r.packet(trace.Packet{Kind: "append", From: "n3", To: "n1", Term: 2})
		},
		func(r *historyBuilder) {
			r.elect("n2", 2, "n3")
			r.packet(trace.Packet{Kind: "append", From: "n1", To: "n3", Term: 1}) // an earlier leader
			r.elect("n3", 3, "n1")
		},
		"n2 and n3 both lead term 2: a term has at most one leader",
	},
	{
		LeaderAppendOnly, "a leader changes its log",
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3))
			r.emit(trace.Event{Kind: trace.KindTruncated, Node: "n1", Index: 4, Last: 4})
		},
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3))
			r.elect("n2", 2, "n3")
			r.emit(trace.Event{Kind: trace.KindRole, Node: "n1", Role: trace.Follower, Term: 2})
			r.emit(trace.Event{Kind: trace.KindTruncated, Node: "n1", Index: 4, Last: 4})
			r.emit(trace.Event{Kind: trace.KindSnapshot, Node: "n2", Index: 3, Term: 1})
			r.emit(trace.Event{Kind: trace.KindCompacted, Node: "n2", Index: 1, Last: 3})
		},
		"leader n1 changes its own log from entry 4 on: a leader only appends",
	},
	{
		LogMatching, "another entry of the same index and term",
		func(r *historyBuilder) { r.append("n1", 4, plus(1, "c1", 3)); r.append("n2", 4, plus(1, "c2", 1)) },
		func(r *historyBuilder) { r.append("n1", 4, plus(1, "c1", 3)); r.append("n2", 4, plus(1, "c1", 3)) },
		"entry 4 (term 1) is +1 by c1 (seq 3) in n1's log but +1 by c2 (seq 1) in n2's: the same index and term must mean the same entry",
	},
	{
		LogMatching, "another entry before the same one",
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3), noop(3))
			r.append("n2", 4, plus(2, "c1", 3), noop(3))
		},
		func(r *historyBuilder) {
			r.append("n1", 4, plus(2, "c1", 3), noop(3))
			r.append("n2", 4, plus(2, "c1", 3), noop(3))
		},
		"entry 5 (term 3) follows an entry of term 1 in n1's log but one of term 2 in n2's: logs that share an entry must agree on all before it",
	},
	{
		LeaderCompleteness, "a leader that lacks a committed entry",
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3))
			r.append("n2", 4, plus(1, "c1", 3))
			r.commit("n1", 4)
			r.elect("n3", 2, "n2")
		},
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3))
			r.append("n2", 4, plus(1, "c1", 3))
			r.commit("n1", 4)
			r.elect("n2", 2, "n3")
		},
		"n3 leads term 2 but its log ends at 3: entry 4, committed in term 1, must be in every later leader's log",
	},
	{
		LeaderCompleteness, "an entry committed in a later term does not count", // Raft paper, Figure 8
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3))
			r.append("n2", 4, plus(1, "c1", 3))
			r.commit("n1", 4)
			r.elect("n3", 3, "n2")
		},
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3))
			r.append("n2", 4, plus(1, "c1", 3))
			r.vote("n1", "n1", 3)
			r.commit("n1", 4) // in term 3, by its leader
			r.elect("n3", 2, "n2")
		},
		"entry 4, committed in term 1, must be in every later leader's log",
	},
	{
		StateMachineSafety, "two entries at one index",
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3))
			r.commit("n1", 4)
			r.append("n2", 4, plus(2, "c1", 3))
			r.commit("n2", 4)
		},
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3))
			r.append("n2", 4, plus(1, "c1", 3))
			r.commit("n1", 4)
			r.commit("n2", 4)
		},
		"n2 commits an entry of term 2 at index 4, where n1 committed a different one of term 1: a committed entry never changes",
	},
	{
		StateMachineSafety, "two values after one entry",
		func(r *historyBuilder) { r.readsThroughLog(2, 3) },
		func(r *historyBuilder) { r.readsThroughLog(2, 2) },
		"after entry 4 the counter is 3 on n2 but 2 on n1: the same entries must give the same value",
	},
	{
		VoteOnce, "two votes in a term, with a wipe between",
		func(r *historyBuilder) {
			r.vote("n3", "n2", 2)
			r.emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Wiped})
			r.vote("n3", "n1", 2)
		},
		func(r *historyBuilder) {
			r.vote("n3", "n2", 2)
			r.emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Wiped})
			r.vote("n3", "n2", 2)
			r.vote("n3", "n1", 3)
			r.emit(trace.Event{Kind: trace.KindProcess, Node: "n3", Process: trace.Removed})
			r.vote("n3", "n2", 3) // a new node of the same name
		},
		"n3 votes for n1 in term 2 after voting for n2: a node has one vote per term",
	},
	{
		VoteOnce, "a vote that is sent and not stored",
		func(r *historyBuilder) {
			r.packet(trace.Packet{Kind: "vote", Reply: true, OK: true, From: "n3", To: "n2", Term: 2})
		},
		func(r *historyBuilder) {
			r.packet(trace.Packet{Kind: "vote", Reply: true, From: "n3", To: "n2", Term: 2}) // refused
			r.packet(trace.Packet{Kind: "prevote", Reply: true, OK: true, From: "n3", To: "n2", Term: 2})
			r.vote("n3", "n2", 2)
		},
		"n3 grants n2 its vote in term 2 without storing it: a vote must be stored before it is sent",
	},
	{
		AckedDurable, "acknowledged entries that are replaced",
		func(r *historyBuilder) {
			r.append("n2", 2, noop(2))
			r.commit("n2", 2)
		},
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3)) // not acknowledged
			r.commit("n1", 4)
			r.append("n2", 4, noop(2))
			r.commit("n2", 4)
		},
		"2 acknowledged increments (entries 2 to 3) are lost: n2 commits a different entry at index 2",
	},
	{
		AckedDurable, "acknowledged but never committed",
		func(r *historyBuilder) { r.ackLate("c1", 9) },
		func(r *historyBuilder) { r.ackLate("c1", 3) },
		"c1's increment (seq 9) was acknowledged, but no node has committed it up to entry 5",
	},
	{
		ExactlyOnce, "a retry that counts",
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 2))
			r.apply("n1", 4, 3)
		},
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 2))
			r.apply("n1", 4, 2)
			r.emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Killed})
			r.emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Up})
			r.apply("n1", 2, 1) // the new process applies them again
			r.apply("n1", 3, 2)
			r.apply("n1", 4, 2)
		},
		"c1's +1 (seq 2) counts twice on n1, with entry 3 and again with entry 4: a retry must not count",
	},
	{
		ExactlyOnce, "an increment that adds too much",
		func(r *historyBuilder) { r.append("n1", 4, plus(1, "c1", 3)); r.apply("n1", 4, 4) },
		func(r *historyBuilder) { r.append("n1", 4, plus(1, "c1", 3)); r.apply("n1", 4, 3) },
		"entry 4 is +1 by c1, but it changes n1's counter from 2 to 4",
	},
	{
		ExactlyOnce, "an increment that does not count",
		func(r *historyBuilder) { r.append("n1", 4, plus(1, "c1", 3)); r.apply("n1", 4, 2) },
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3), plus(1, "c1", 2))
			r.apply("n1", 4, 3)
			r.apply("n1", 5, 3) // older than an increment that counted
		},
		"entry 4 is +1 by c1, but n1's counter stays at 2: an increment must count once",
	},
	{
		Linearizable, "a stale read",
		func(r *historyBuilder) { r.reply(r.call(read("c2")), 1) },
		func(r *historyBuilder) { r.reply(r.call(read("c2")), 2) },
		"c2 read 1 from n1 at 29ms, but 2 was already acknowledged to c1 at 27ms",
	},
	{
		Linearizable, "an increment that counts twice",
		func(r *historyBuilder) { r.reply(r.call(add("c2", 1)), 4) },
		func(r *historyBuilder) { r.reply(r.call(add("c2", 1)), 3) },
		"c2's +1 returned 4 from n1 at 29ms: no order of the operations explains that",
	},
}

// readsThroughLog applies a read entry on two nodes, whose counters are then as given.
func (r *historyBuilder) readsThroughLog(one, two int64) {
	entry := trace.Entry{Term: 1, Kind: trace.EntryRead, Client: "c1", Seq: 3}
	r.append("n1", 4, entry)
	r.append("n2", 4, entry)
	r.apply("n1", 4, one)
	r.apply("n2", 4, two)
}

// ackLate acknowledges an increment before any node is seen to commit it.
func (r *historyBuilder) ackLate(client string, number uint64) {
	r.append("n1", 4, plus(1, "c1", 3))
	r.reply(r.call(add(client, number)), 3)
	r.append("n1", 5, noop(1))
	r.commit("n1", 5)
}

func TestEachCheckTurnsRedOnItsStoryOnly(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range slices.Concat(stories, moreStories) {
		seen[s.check] = true
		t.Run(s.check+"/"+s.name, func(t *testing.T) {
			green := twoIncrements(t)
			s.green(green)
			green.settle()
			if v := green.latest[s.check]; v.Verdict != trace.VerdictOK {
				t.Errorf("the honest twin is %s: %s", v.Verdict, v.Text)
			}
			red := twoIncrements(t)
			before := red.latest[s.check]
			s.red(red)
			red.settle()
			v := red.latest[s.check]
			if before.Verdict != trace.VerdictOK || v.Verdict != trace.VerdictViolated || !strings.Contains(v.Text, s.sentence) {
				t.Errorf("verdict %s, then %s: %s", before.Verdict, v.Verdict, v.Text)
			}
			if len(v.Proof) == 0 || !slices.IsSorted(v.Proof) || v.Proof[len(v.Proof)-1] > red.seq {
				t.Errorf("proof: %v", v.Proof)
			}
			// Later events do not change a violated verdict.
			s.green(red)
			red.settle()
			if after := red.latest[s.check]; after.Verdict != trace.VerdictViolated || after.Text != v.Text {
				t.Errorf("later verdict %s: %s", after.Verdict, after.Text)
			}
		})
	}
	for _, name := range Names() {
		if !seen[name] {
			t.Errorf("%s has no story", name)
		}
	}
}
