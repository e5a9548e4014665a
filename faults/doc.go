// Package faults is what can go wrong around hashicorp/raft: a network and disks that break on demand, and heal. It knows
// nothing but hashicorp/raft, so any program or test that uses that library can use it.
//
// # Network
//
// A Network joins the Raft nodes of one process by directed links. Each node gets its raft.Transport from
// Network.Transport. An RPC is two packets, a request and a reply, and each is judged by the faults of its own directed
// link: one that is cut in one direction loses the requests of one side and the replies of the other. A caller whose packet
// is lost waits until its RPC timeout; a node that is dead or was never there refuses at once. Every packet is reported to
// NetworkConfig.Tap.
//
// Faults are set with Network.SetFault and taken back with ClearFault, Heal and HealAll: Cut, Refuse, Delay, Lose,
// Duplicate, Reorder, Jam and Bandwidth, each of which Only can limit to some kinds of message. Taking a fault back also
// takes back what it still does to packets under way. Isolate, Split, Halves, OneWay, Bridge, MajoritiesRing and
// MinorityThird name the links to cut for the well-known shapes of a broken network. To add a fault, see LinkFault.
//
// With no fault set and no latency a packet is handed over on the goroutine that sends it, at once.
//
// # Time
//
// All of it works under the real clock and in a testing/synctest bubble alike: nothing blocks while it holds a mutex, and
// every goroutine ends when what it serves is closed.
//
// # Chance
//
// All chance comes from one seed. Each directed link has a generator of its own, derived from the seed and its two
// addresses, so what happens on one link never changes the decisions on another. Raft's own election timeouts come from a
// generator that cannot be seeded, so a whole run still differs from the next.
package faults
