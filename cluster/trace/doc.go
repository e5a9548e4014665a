// Package trace holds the events of a cluster, the state they add up to, and the story
// they tell.
//
// Everything worth seeing is an [Event]. [State.Apply] folds an event into the [State]; the
// panes of the screen, the expectations of a scenario and the checks read only that. The
// state depends on nothing but the events before it, so live, rewound and replayed runs
// share one code path.
//
// [Stream] numbers the events of a running cluster, keeps the present state and passes
// each event to its sinks, in order: package history keeps the past in memory, package
// recording writes it to a file. The story (story.go, story_raft.go) puts the significant
// events into sentences.
//
// A [Reason] says why a node's raft made a decision. The deciding node reports it; the story
// only puts it into words (reason.go) and never infers one from the state.
//
// The package is plain data. It imports neither raft nor the cluster, so a recording
// opens without either. Times are virtual and count from the start of the cluster.
//
// To add a kind of event: a constant in event.go with the fields it carries, its effect in
// apply.go, its sentence in story.go, and the kind in package tracetest. A new field of
// Event or State also needs a line in the codec of package history, whose tests ask for it.
package trace
