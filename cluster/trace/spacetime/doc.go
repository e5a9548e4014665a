// Package spacetime folds events into what a space-time diagram shows: a lane for each
// node with its roles over time, link outages, marks for single moments, and messages
// between the lanes.
//
// A [Diagram] covers the past from one moment on. [New] builds it from a history and
// [Diagram.Extend] adds the events that follow, so a screen that follows a run reads
// each event once. A diagram knows no columns, pixels or colours, and starts no
// goroutine; its owner guards it.
//
// [RoleSpan.Next] and [Classifier] are the parts of the fold that a diagram on paper
// shares: which events change a node's role span, and which class a message is in.
// Package export uses them with its own fold, because it keeps what a screen does not
// need (log ends, operations, captions) and bounds its memory by class of message.
//
// To mark another kind of event, add a case to markOf in mark.go and to
// TestMarksSayWhatHappenedToANode.
package spacetime
