package check

import "capsize/cluster/trace"

// moreStories holds the stories of the second way to break a check.
var moreStories = []story{
	{
		VoteOnce, "two votes in a term, with another term and a removal between",
		func(r *historyBuilder) {
			r.vote("n3", "n2", 2)
			r.vote("n1", "n1", 3)
			r.emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Removed})
			r.vote("n3", "n1", 2)
		},
		func(r *historyBuilder) {
			r.vote("n3", "n2", 2)
			r.vote("n1", "n1", 3)
			r.emit(trace.Event{Kind: trace.KindProcess, Node: "n1", Process: trace.Removed})
			r.vote("n3", "n2", 2)
		},
		"n3 votes for n1 in term 2 after voting for n2",
	},
	{
		LogMatching, "an older entry before the same one",
		func(r *historyBuilder) {
			r.append("n1", 4, plus(2, "c1", 3), noop(3))
			r.append("n2", 4, plus(1, "c1", 3), noop(3))
		},
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3), noop(3))
			r.append("n2", 4, plus(1, "c1", 3), noop(3))
		},
		"entry 5 (term 3) follows an entry of term 2 in n1's log but one of term 1 in n2's",
	},
	{
		LogMatching, "a log that does not show the entry before",
		func(r *historyBuilder) {
			r.emit(trace.Event{Kind: trace.KindLoaded, Node: "n3", Index: 5, Entries: []trace.Entry{noop(3)}, Last: 3, Term: 1})
			r.append("n1", 4, plus(1, "c1", 3), noop(3))
			r.append("n2", 4, plus(2, "c1", 3), noop(3))
		},
		func(r *historyBuilder) {
			r.emit(trace.Event{Kind: trace.KindLoaded, Node: "n3", Index: 5, Entries: []trace.Entry{noop(3)}, Last: 3, Term: 1})
			r.append("n1", 4, plus(1, "c1", 3), noop(3))
			r.append("n2", 4, plus(1, "c1", 3), noop(3))
		},
		"entry 5 (term 3) follows an entry of term 1 in",
	},
	{
		StateMachineSafety, "the same entry after two that only look alike",
		func(r *historyBuilder) { r.commitAfter(plus(1, "c1", 3), plus(1, "c2", 1)) },
		func(r *historyBuilder) { r.commitAfter(plus(1, "c1", 3), plus(1, "c1", 3)) },
		"n2 commits +1 by c2 (seq 1) at index 4, where n1 committed +1 by c1 (seq 3), both of term 1: a committed entry never changes",
	},
	{
		StateMachineSafety, "a lower value after one entry",
		func(r *historyBuilder) { r.readsThroughLog(2, 1) },
		func(r *historyBuilder) { r.readsThroughLog(2, 2) },
		"after entry 4 the counter is 1 on n2 but 2 on n1",
	},
	{
		StateMachineSafety, "another value in a snapshot",
		func(r *historyBuilder) {
			r.emit(trace.Event{Kind: trace.KindInstalled, Node: "n3", Index: 3, Term: 1, Value: 5})
		},
		func(r *historyBuilder) {
			r.emit(trace.Event{Kind: trace.KindInstalled, Node: "n3", Index: 3, Term: 1, Value: 2})
		},
		"after entry 3 the counter is 5 on n3 but 2 on n1",
	},
	{
		LeaderAppendOnly, "a leader compacts what its snapshot lacks",
		func(r *historyBuilder) {
			r.emit(trace.Event{Kind: trace.KindSnapshot, Node: "n1", Index: 2, Term: 1})
			r.emit(trace.Event{Kind: trace.KindCompacted, Node: "n1", Index: 1, Last: 3})
		},
		func(r *historyBuilder) {
			r.emit(trace.Event{Kind: trace.KindSnapshot, Node: "n1", Index: 3, Term: 1})
			r.emit(trace.Event{Kind: trace.KindCompacted, Node: "n1", Index: 1, Last: 3})
		},
		"leader n1 changes its own log from entry 3 on",
	},
	{
		LeaderAppendOnly, "a leader overwrites its log",
		func(r *historyBuilder) { r.append("n1", 3, noop(1)) },
		func(r *historyBuilder) { r.append("n2", 3, noop(1)) },
		"leader n1 changes its own log from entry 3 on",
	},
	{
		LeaderCompleteness, "a leader with a later entry",
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3))
			r.commit("n1", 4)
			r.append("n3", 4, noop(2))
			r.elect("n3", 3, "n2")
		},
		func(r *historyBuilder) {
			r.append("n1", 4, plus(1, "c1", 3))
			r.commit("n1", 4)
			r.append("n3", 4, plus(1, "c1", 3), noop(2))
			r.elect("n3", 3, "n2")
		},
		"n3 leads term 3 with an entry of term 2 at index 4: the one committed there, of term 1",
	},
	{
		LeaderCompleteness, "a leader with another entry in its snapshot",
		func(r *historyBuilder) { r.snapshotAt4("n3", noop(2)) },
		func(r *historyBuilder) { r.snapshotAt4("n3", plus(1, "c1", 3)) },
		"n3 leads term 3 with an entry of term 2 at index 4",
	},
	{
		LeaderCompleteness, "a leader that lacks what the other side committed",
		func(r *historyBuilder) {
			r.append("n3", 4, noop(2))
			r.commit("n3", 4)
			r.append("n1", 4, noop(1))
			r.commit("n1", 4)
			r.elect("n3", 3, "n2")
		},
		func(r *historyBuilder) {
			r.append("n3", 4, noop(2))
			r.commit("n3", 4)
			r.elect("n3", 3, "n2")
		},
		"n3 leads term 3 with an entry of term 2 at index 4: the one committed there, of term 1",
	},
	{
		ExactlyOnce, "an increment that adds too little",
		func(r *historyBuilder) { r.append("n1", 4, plus3("c1", 3)); r.apply("n1", 4, 4) },
		func(r *historyBuilder) { r.append("n1", 4, plus3("c1", 3)); r.apply("n1", 4, 5) },
		"entry 4 is +3 by c1, but it changes n1's counter from 2 to 4",
	},
	{
		ExactlyOnce, "a read that adds",
		func(r *historyBuilder) { r.readsThroughLog(3, 3) },
		func(r *historyBuilder) { r.readsThroughLog(2, 2) },
		"entry 4 is not an increment, but it changes n1's counter from 2 to 3",
	},
	{
		ExactlyOnce, "a read that subtracts",
		func(r *historyBuilder) { r.readsThroughLog(1, 1) },
		func(r *historyBuilder) { r.readsThroughLog(2, 2) },
		"entry 4 is not an increment, but it changes n1's counter from 2 to 1",
	},
}

func plus3(client string, number uint64) trace.Entry {
	return trace.Entry{Term: 1, Kind: trace.EntryAdd, Delta: 3, Client: client, Seq: number}
}

// commitAfter makes two nodes commit a no-op of term 1 after an entry each.
func (r *historyBuilder) commitAfter(one, other trace.Entry) {
	r.append("n1", 4, one, noop(1))
	r.append("n2", 4, other, noop(1))
	r.commit("n1", 5)
	r.commit("n2", 5)
}

// snapshotAt4 makes n1 commit entry 4, and a node that has some entry there take a
// snapshot of it and lead.
func (r *historyBuilder) snapshotAt4(node string, entry trace.Entry) {
	r.append("n1", 4, plus(1, "c1", 3))
	r.commit("n1", 4)
	r.append(node, 4, entry)
	r.emit(trace.Event{Kind: trace.KindSnapshot, Node: node, Index: 4, Term: entry.Term})
	r.elect(node, 3, "n2")
}
