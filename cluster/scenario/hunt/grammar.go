package hunt

import (
	"fmt"
	"math/rand/v2"
)

// grammar makes random lines of the command language. Their faults stay within Raft's fault model:
// no disk lies, and none is wiped. Every line may be refused.
type grammar struct {
	nodes int
}

// kindsOfLines are what a line can do, each as often as it stands here.
var kindsOfLines = [...]func(grammar, *rand.Rand) string{
	grammar.link, grammar.link, grammar.link, grammar.link, grammar.link, grammar.link, grammar.link,
	grammar.heal, grammar.heal, grammar.heal,
	grammar.shape,
	grammar.process, grammar.process, grammar.process,
	grammar.revive, grammar.revive,
	grammar.disk, grammar.disk,
	grammar.transfer, grammar.transfer, grammar.transfer,
	grammar.client, grammar.client, grammar.client,
	grammar.load,
	grammar.clock,
	grammar.snapshot,
	grammar.member,
}

// line returns a random command.
func (g grammar) line(rng *rand.Rand) string { return pick(rng, kindsOfLines[:]...)(g, rng) }

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// node returns a selector of one node: by its role more often than by its name.
func (g grammar) node(rng *rand.Rand) string {
	switch rng.IntN(5) {
	case 0, 1:
		return "leader"
	case 2:
		return "random"
	}
	return g.named(rng)
}

func (g grammar) named(rng *rand.Rand) string { return fmt.Sprintf("n%d", 1+rng.IntN(g.nodes)) }

// side returns a selector of one node or more.
func (g grammar) side(rng *rand.Rand) string {
	if rng.IntN(3) == 0 {
		return pick(rng, "followers", "minority", "majority", "all")
	}
	return g.node(rng)
}

// ends returns both ends of a link or of several ones: most often those between a leader and its
// followers.
func (g grammar) ends(rng *rand.Rand) string {
	arrow := pick(rng, "->", "->", "<->")
	switch rng.IntN(10) {
	case 0, 1, 2:
		return "leader " + arrow + " followers"
	case 3, 4:
		return "followers " + arrow + " leader"
	case 5, 6, 7:
		if a, b := g.named(rng), g.named(rng); a != b {
			return a + " " + arrow + " " + b
		}
	}
	return g.side(rng) + " " + arrow + " others"
}

// messages are kinds of messages that a fault can single out.
var messages = []string{
	"append", "append", "heartbeat", "heartbeat", "append,snapshot", "append,heartbeat", "vote", "vote,prevote", "append,vote", "append,vote,prevote",
	"append,vote,heartbeat", "heartbeat,vote,prevote", "snapshot", "timeout-now",
}

// only returns the end of a command that breaks some kinds of messages, or all of them.
func (grammar) only(rng *rand.Rand) string {
	if rng.IntN(4) == 0 {
		return ""
	}
	return " only " + pick(rng, messages...)
}

// link breaks links.
func (g grammar) link(rng *rand.Rand) string {
	ends := g.ends(rng)
	var fault string
	switch rng.IntN(10) {
	case 0, 1, 2:
		fault = "cut " + ends
	case 3, 4:
		fault = "jam " + ends
	case 5:
		fault = fmt.Sprintf("delay %s %s", ends, pick(rng, "20ms jitter 15ms", "100ms", "400ms", "1s"))
	case 6:
		fault = fmt.Sprintf("lose %s %d%%", ends, pick(rng, 20, 50, 80))
	case 7:
		fault = fmt.Sprintf("duplicate %s %s", ends, pick(rng, "50%", "50% after 300ms", "100% after 1s"))
	case 8:
		fault = fmt.Sprintf("reorder %s 50%%", ends)
	default:
		fault = "refuse " + ends
	}
	return "try " + fault + g.only(rng)
}

// heal clears the faults of some links, or of all.
func (g grammar) heal(rng *rand.Rand) string {
	if rng.IntN(3) == 0 {
		return "try heal"
	}
	return "try heal " + g.ends(rng)
}

// shape breaks the network in one of the ways that have a name.
func (g grammar) shape(rng *rand.Rand) string {
	return "try " + pick(rng, "isolate "+g.node(rng), "partition minority | others", "bridge "+g.node(rng), "ring")
}

// process stops a node.
func (g grammar) process(rng *rand.Rand) string {
	return fmt.Sprintf("try %s %s", pick(rng, "kill", "kill", "poweroff", "pause", "pause"), g.node(rng))
}

// revive makes nodes run again.
func (g grammar) revive(rng *rand.Rand) string {
	return "try " + pick(rng, "async restart down", "async restart "+g.named(rng), "resume all", "resume "+g.named(rng))
}

// disk breaks a disk, or repairs all.
func (g grammar) disk(rng *rand.Rand) string {
	if rng.IntN(4) == 0 {
		return "disk all ok"
	}
	return fmt.Sprintf("try disk %s %s", g.node(rng), pick(rng, "slow 20ms", "slow 200ms", "slow 1s", "stall", "fail", "full"))
}

func (g grammar) transfer(rng *rand.Rand) string {
	target := pick(rng, "", " "+g.named(rng), " "+g.named(rng), " random")
	return pick(rng, "try transfer", "try async transfer") + target
}

// client adds to the counter, or reads it.
func (g grammar) client(rng *rand.Rand) string {
	op := pick(rng, "increment", "increment 5", "add 10", "read linearizable", "read strong")
	if route := pick(rng, "", "leader", "random", g.named(rng), g.named(rng)); route != "" {
		op += " via " + route
	}
	return "try async " + op
}

func (g grammar) load(rng *rand.Rand) string {
	return fmt.Sprintf("load %d/s clients %d via %s", pick(rng, 5, 10, 20, 40), pick(rng, 1, 3), pick(rng, "leader", "random", "round-robin", g.named(rng)))
}

// clock stretches the timeouts of a node.
func (g grammar) clock(rng *rand.Rand) string {
	return fmt.Sprintf("try clock %s %s", g.node(rng), pick(rng, "0.5", "1", "2", "4"))
}

func (g grammar) snapshot(rng *rand.Rand) string { return "try async snapshot " + g.node(rng) }

// member changes the members, one at a time.
func (g grammar) member(rng *rand.Rand) string {
	return "try async " + pick(rng, "add-node", "add-node nonvoter", "remove-node "+g.node(rng), "demote "+g.node(rng), "promote "+g.named(rng))
}
