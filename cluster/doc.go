// Package cluster runs real hashicorp/raft nodes over a network and disks that fail on demand, and
// reports everything that happens as events. The nodes run in one process, in virtual time, or as
// processes of the operating system, in real time.
//
// # Who owns what
//
// A cluster owns a bubble of virtual time (package vtime), the network between its nodes
// (package faults), the stream of events (package trace), and the clients. It hands each
// event to the safety checks (package check) and to the history as it happens.
//
// A node consists of three parts with different lifetimes:
//
//   - node: its name, address, disk faults and clock factor. It lives until it is removed.
//   - storage: the data on its disk. It survives the process, until it is wiped.
//   - process: one run, from boot to stop. A restart makes a new process over the old storage.
//
// # Inside and outside of virtual time
//
// A [Cluster] is used from outside the bubble. What acts on its nodes, network and clients is a
// method of [Inside], which [Cluster.Do] and [Cluster.Go] hand to a function that they run on a
// goroutine of the bubble. A method of Inside may take virtual time, so it must not run on the
// bubble's pacer, that is, in a function given to [vtime.Clock.Do].
//
// # Outside of this process
//
// With machines in its configuration, a cluster runs in real time, and its nodes elsewhere. The rest
// is the same: clients, members, faults, checks. What they need of a node is a server: a process in
// the bubble, or a remote, which asks a process of the operating system. At the other end an [Agent]
// runs one node of this package over raft's own transport (netEndpoint). A key press, "kill n2", ends
// in stopRemote, which sends SIGKILL and waits for the last of the process's events. An event, such as
// a vote, comes from the store that has written it, through the agent's outbox, the control connection
// (package control) and remote.receive, and waits in the order until everything that its node had
// heard of has been told.
//
// # Stopping a process
//
// raft's Shutdown waits for all of raft's goroutines, and these may wait for the network, the
// disk or the state machine. A stop therefore goes in this order:
//
//  1. Mark the process dead: from here on it emits no event.
//  2. Close its transport and kill its disk session: calls return, and nothing more is
//     sent or written.
//  3. Open the gate of its state machine, in case it is paused.
//  4. Emit the node's new state.
//  5. Shut raft down, take back unsynced writes if the node loses power, close the storage.
//
// # Reasons
//
// The story says why a node denied a vote, started an election, stepped down, truncated its log
// or sent a snapshot. Each reason comes from raft itself: from its log calls (raftLogger), which
// the deciding goroutine makes right before it acts, and from its observations (seeObservation).
// Where raft logs nothing, the reason comes from the requests and replies of the same node. No
// reason is inferred from another node's state. A test compares the reasons in soaks with the
// text of the library's log.
//
// Raft's timers keep running inside a paused process. Their events are held until it resumes,
// because a stopped process does nothing.
//
// # Locks
//
// node.lifecycle serializes what starts, stops, pauses and resumes a process. It may be held
// while virtual time passes, so it is a channel. The mutexes (Inside.mu, node.mu, process.mu,
// clientPool.mu) are held only briefly, never while waiting. Lock order: lifecycle before any
// mutex; clientPool.mu before Inside.mu. Events may be emitted under process.mu.
package cluster
