package check

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"capsize/cluster/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stories holds, for each check, a history that violates it and its twin without the
// violation.
var stories = []struct {
	check      string
	name       string
	red, green func(*historyBuilder)
	sentence   string
}{
	{
		ElectionSafety, "two leaders",
		func(r *historyBuilder) {
			r.elect("n2", 2, "n3")
			r.packet(trace.Packet{Kind: "append", From: "n3", To: "n1", Term: 2})
		},
		func(r *historyBuilder) {
			r.elect("n2", 2, "n3")
			r.packet(trace.Packet{Kind: "append", From: "n1", To: "n3", Term: 1}) // a leader of before
			r.elect("n3", 3, "n1")
		},
		"n2 and n3 both lead term 2: a term has one leader at most",
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
		"n1 leads and yet changes its own log from entry 4 on: a leader only ever appends",
	},
	{
		LogMatching, "another entry of the same index and term",
		func(r *historyBuilder) { r.append("n1", 4, plus(1, "c1", 3)); r.append("n2", 4, plus(1, "c2", 1)) },
		func(r *historyBuilder) { r.append("n1", 4, plus(1, "c1", 3)); r.append("n2", 4, plus(1, "c1", 3)) },
		"entry 4 of term 1 is +1 of c1 (sequence number 3) after one of term 1 in the log of n1 and +1 of c2 (sequence number 1) after one of term 1 in the log of n2: one index and term must hold one entry",
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
		"entry 5 of term 3 is noop after one of term 1 in the log of n1 and noop after one of term 2 in the log of n2",
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
		"n3 leads term 2, and its log ends at 3: entry 4 was committed in term 1, so every later leader must hold it",
	},
	{
		LeaderCompleteness, "what is committed later is of no concern", // Raft paper, Figure 8
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
			r.commit("n1", 4) // in term 3, by a leader of that
			r.elect("n3", 2, "n2")
		},
		"entry 4 was committed in term 1",
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
		"n2 commits an entry of term 2 at index 4, where n1 had committed another one, of term 1: what is committed stays",
	},
	{
		StateMachineSafety, "two values after one entry",
		func(r *historyBuilder) { r.readsThroughLog(2, 3) },
		func(r *historyBuilder) { r.readsThroughLog(2, 2) },
		"after entry 4 the counter of n2 is 3, but that of n1 was 2: the same entries must give the same value",
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
			r.vote("n3", "n2", 3) // another machine of that name
		},
		"n3 votes for n1 in term 2, and had voted for n2: a node has one vote in a term",
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
		"n3 grants its vote in term 2 to n2 and has not stored it: a vote is stored before it is sent",
	},
	{
		AckedDurable, "acknowledged entries that others replace",
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
		"2 increments (entries 2 to 3) were acknowledged and are lost: n2 has committed another entry at 2",
	},
	{
		AckedDurable, "acknowledged after it is gone",
		func(r *historyBuilder) { r.ackLate("c1", 9) },
		func(r *historyBuilder) { r.ackLate("c1", 3) },
		"no node has it committed up to entry 5",
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
			r.apply("n1", 2, 1) // again, by the new process
			r.apply("n1", 3, 2)
			r.apply("n1", 4, 2)
		},
		"the +1 of c1 (sequence number 2) counts twice on entries 3 and 4 of n1: a retry must not count",
	},
	{
		ExactlyOnce, "an increment that counts for more",
		func(r *historyBuilder) { r.append("n1", 4, plus(1, "c1", 3)); r.apply("n1", 4, 4) },
		func(r *historyBuilder) { r.append("n1", 4, plus(1, "c1", 3)); r.apply("n1", 4, 3) },
		"entry 4 is +1 of c1, but it took n1's counter from 2 to 4",
	},
	{
		ExactlyOnce, "an increment that does not count",
		func(r *historyBuilder) { r.append("n1", 4, plus(1, "c1", 3)); r.apply("n1", 4, 2) },
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3), plus(1, "c1", 2))
			r.apply("n1", 4, 3)
			r.apply("n1", 5, 3) // older than one that counted
		},
		"entry 4 is +1 of c1, but n1's counter stayed at 2: an increment counts once",
	},
	{
		Linearizable, "a stale read",
		func(r *historyBuilder) { r.end(r.call(read("c2")), 1) },
		func(r *historyBuilder) { r.end(r.call(read("c2")), 2) },
		"c2 read 1 from n1 at 29ms, although 2 had been acknowledged to c1 at 27ms",
	},
	{
		Linearizable, "an increment that counts twice",
		func(r *historyBuilder) { r.end(r.call(add("c2", 1)), 4) },
		func(r *historyBuilder) { r.end(r.call(add("c2", 1)), 3) },
		"c2 was told by n1 at 29ms that its +1 makes 4, and no order of the operations explains that",
	},
}

// readsThroughLog applies an entry that changes nothing, after which two nodes report
// these values.
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
	r.end(r.call(add(client, number)), 3)
	r.append("n1", 5, noop(1))
	r.commit("n1", 5)
}

func TestEachCheckTurnsRedOnItsStoryOnly(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range stories {
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
				t.Errorf("it was %s and is %s: %s", before.Verdict, v.Verdict, v.Text)
			}
			if len(v.Proof) == 0 || !slices.IsSorted(v.Proof) || v.Proof[len(v.Proof)-1] > red.seq {
				t.Errorf("proved by %v", v.Proof)
			}
			// What comes after changes nothing: a verdict stays.
			s.green(red)
			red.settle()
			if after := red.latest[s.check]; after.Verdict != trace.VerdictViolated || after.Text != v.Text {
				t.Errorf("later it is %s: %s", after.Verdict, after.Text)
			}
		})
	}
	for _, name := range Names() {
		if !seen[name] {
			t.Errorf("%s has no story", name)
		}
	}
}
