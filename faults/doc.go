// Package faults breaks the network and the disks under hashicorp/raft on demand, and
// heals them again. It depends on nothing but hashicorp/raft, so any program or test
// that uses that library can import it.
//
// # Network
//
// A [Network] joins the Raft nodes of one process by directed links. Each node gets its
// [raft.Transport] from [Network.Transport]. An RPC is two packets, a request and a
// reply, and each is subject to the faults of its own link: a link cut one way loses the
// requests of one side and the replies of the other. The caller of a lost packet waits
// until its RPC timeout. A node that is down, or never existed, refuses at once. Every
// packet is reported to [NetworkConfig.Tap].
//
// [Network.SetFault] sets a fault on a link: [Cut], [Refuse], [Delay], [Lose],
// [Duplicate], [Reorder], [Jam], [Bandwidth] or [Hold]. [Only] limits a fault to some kinds of
// message. What a Hold stops, [Network.Deliver] and [Network.Drop] move one by one. [Network.ClearFault], [Network.Heal] and [Network.HealAll] clear faults,
// together with what those faults still do to packets in flight. [Isolate], [Split],
// [Halves], [OneWay], [Bridge], [MajoritiesRing] and [MinorityThird] return the links to
// cut for the well-known partitions; [Network.Cut] cuts them.
//
// The two fast paths that raft uses in production work as in its NetworkTransport. Heartbeats
// bypass the queue of the node's main loop ([Transport.SetHeartbeatHandler]). A pipeline is
// one connection: its packets stay in order whatever the link does, nothing arrives after a
// lost packet, and everything in flight fails with it ([Transport.AppendEntriesPipeline]).
//
// With no fault set and no latency, the sending goroutine delivers the packet itself, at
// once.
//
// # Disks
//
// A [Disk] wraps the log store, stable store and snapshot store of one node
// ([DiskBackend]). [Disk.Open] gives each process of the node a [DiskSession], whose
// stores go to raft. [Disk.SetFault] makes the disk [Slow], [Stall], [Fail], [Full] or
// [Lie], or lets it [Corrupt] a record or a snapshot ([CorruptSnapshot]).
// [DiskSession.Kill] ends a process, and [Disk.PowerLoss] loses what a lying disk has not
// flushed.
//
// # Time and locks
//
// Everything works under the real clock and in a testing/synctest bubble: nothing waits
// or sleeps while it holds a mutex, and every goroutine ends once what it serves is
// closed.
//
// # Randomness
//
// All randomness comes from the seeds in [NetworkConfig] and [DiskConfig]. Each directed
// link draws from a generator of its own, derived from the seed and the link's two
// addresses, so traffic on one link never changes the decisions on another. Raft draws
// its election timeouts from a generator that cannot be seeded, so two runs with the
// same seed still differ.
//
// # To add a link fault
//
// Any package can: implement [LinkFault] and pass the value to [Network.SetFault]. To add
// one here, write it in NAME.go (cut.go is the smallest), list it in [LinkFaults], and
// read its text in [ParseLinkFault] (parse.go). Add it to the tables in
// link_fault_test.go and parse_test.go and to drawNetFault in network_property_test.go.
//
// # To add a disk fault
//
// Disk faults are a closed set, because some need the disk's help: [DiskFault] has
// unexported methods. Write the fault in disk_NAME.go (disk_stall.go is the smallest) as
// a type that embeds noFault and overrides what differs, list it in [DiskFaultKinds]
// (disk_fault.go), and read its text in [ParseDiskFault] (parse.go). Add it to the tables
// in disk_fault_test.go and parse_test.go.
package faults
