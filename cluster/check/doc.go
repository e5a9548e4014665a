// Package check verifies, while a cluster runs, that it keeps its safety properties:
// the five of the Raft paper's Figure 3, one vote per term, no acknowledged increment
// lost or counted twice, and linearizable results for every client.
//
// A [Checker] reads events and nothing else, so it checks a recording exactly as it
// checks a live run. It folds one event after another into a state (state.go: the
// nodes' logs; committed.go: the commits) and then shows the event to every check that
// subscribed to its kind. When committed entries are replaced, as after an unsafe
// recovery, the state records the commits of each side separately (lineage.go). A check
// reads the state, never changes it, and answers at once. Only linearizability is
// different: it can take long, so porcupine judges it in batches (linearizable_worker.go).
// The time of the events says when a batch is due, and steps, not time, limit a run of
// porcupine: no clock decides anything. The judge works on a separate goroutine, outside
// virtual time ([New]), or inside Observe, so that the events alone determine the place of
// each verdict among them ([NewInline]).
//
// A verdict is ok, violated (with the events that prove it) or undecided (with the
// reason). A violated verdict never changes again. A trace that contradicts itself,
// or that lacks events, makes every check undecided: so does a node of another host that
// becomes unreachable, or whose events may be missing (trace.KindGap).
//
// A recording's own verdicts are no evidence: [OpenRecording] checks the events again.
//
// To add a check:
//   - write its type, with an embedded report and an observe method, in a file named
//     after it (election_safety.go is a short one);
//   - add its name and its promise to info.go, and its event kinds to addChecks in
//     checker.go;
//   - keep what it must remember of the logs in the state, and forget it in prune.go once
//     every node's snapshot covers it;
//   - add a story to check_test.go: events that turn it red, and the honest twin that
//     leaves it green. A check that cannot fail proves nothing.
package check
