package faults_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"pgregory.net/rapid"

	"capsize/faults"
)

// netCall is one RPC of a random plan.
type netCall struct {
	from, to raft.ServerAddress
	after    time.Duration // the time since the previous call
	beat     bool
}

// drawNetCalls draws a plan. Tests draw everything before a bubble starts, because rapid
// must not be used inside one.
func drawNetCalls(rt *rapid.T) []netCall {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) netCall {
		addrs := netAddrs(3)
		from := rapid.IntRange(0, 2).Draw(rt, "from")
		to := (from + rapid.IntRange(1, 2).Draw(rt, "step")) % 3
		return netCall{
			from:  addrs[from],
			to:    addrs[to],
			after: time.Duration(rapid.IntRange(0, 20).Draw(rt, "afterMS")) * time.Millisecond,
			beat:  rapid.Bool().Draw(rt, "beat"),
		}
	}), 1, 40).Draw(rt, "calls")
}

// netResult is the outcome of one call.
type netResult struct {
	netCall
	err  error
	took time.Duration
}

// run makes each call in its own goroutine at its own time, and waits for all of them.
func (r *netRig) run(calls []netCall) []netResult {
	results := make([]netResult, len(calls))
	var wg sync.WaitGroup
	for i, c := range calls {
		time.Sleep(c.after)
		wg.Go(func() {
			results[i].netCall = c
			results[i].took = netElapsed(func() {
				if c.beat {
					results[i].err = r.heartbeat(c.from, c.to)
				} else {
					results[i].err = r.append(c.from, c.to, uint64(i+1))
				}
			})
		})
	}
	wg.Wait()
	return results
}

// netLinks returns every directed link between the three nodes of a rig.
func netLinks() []faults.Link { return faults.Isolate(netAddrs(3), netAddrs(3)...) }

// deliveryProblem returns "" if every packet was sent once and arrived once, in the order
// of its link, and otherwise what went wrong.
func deliveryProblem(reported []faults.Packet) string {
	for _, at := range netLinks() {
		sent, delivered := netIDs(reported, at, faults.Sent), netIDs(reported, at, faults.Delivered)
		switch {
		case len(netIDs(reported, at, faults.Lost)) > 0:
			return "a packet was lost"
		case len(slices.Compact(slices.Sorted(slices.Values(sent)))) != len(sent):
			return "a packet was sent twice"
		case !slices.Equal(sent, delivered):
			return "packets did not arrive in the order sent"
		}
	}
	return ""
}

func drawNetConfig(rt *rapid.T) faults.NetworkConfig {
	return onPath(faults.NetworkConfig{
		Seed:    rapid.Int64().Draw(rt, "seed"),
		Latency: time.Duration(rapid.IntRange(0, 50).Draw(rt, "latencyMS")) * time.Millisecond,
		Jitter:  time.Duration(rapid.IntRange(0, 50).Draw(rt, "jitterMS")) * time.Millisecond,
	}, rapid.SampledFrom(netPaths).Draw(rt, "path"))
}

func TestHealthyNetworkDeliversEveryPacketOnceAndInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg, calls := drawNetConfig(rt), drawNetCalls(rt)
		var results []netResult
		var reported []faults.Packet
		inNetBubble(t, cfg, func(rig *netRig) {
			results = rig.run(calls)
			reported = rig.packets(netAll)
		})
		for _, r := range results {
			if r.err != nil {
				rt.Fatalf("%s -> %s: %v", r.from, r.to, r.err)
			}
		}
		if why := deliveryProblem(reported); why != "" {
			rt.Fatal(why)
		}
		if want := 4 * len(calls); len(reported) != want {
			rt.Fatalf("the tap received %d reports, want %d: request and reply, sent and delivered", len(reported), want)
		}
	})
}

func TestOneWayCutLosesExactlyThatDirection(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg, calls := drawNetConfig(rt), drawNetCalls(rt)
		cut := rapid.SampledFrom(netLinks()).Draw(rt, "cut")
		var results []netResult
		var reported []faults.Packet
		inNetBubble(t, cfg, func(rig *netRig) {
			rig.SetFault(cut.From, cut.To, faults.Cut{})
			results = rig.run(calls)
			reported = rig.packets(netAll)
		})
		for _, r := range results {
			touched := r.from == cut.From && r.to == cut.To || r.from == cut.To && r.to == cut.From
			if touched != errors.Is(r.err, faults.ErrTimeout) || !touched && r.err != nil {
				rt.Fatalf("RPC %s -> %s with %v cut: %v", r.from, r.to, cut, r.err)
			}
		}
		for _, p := range reported {
			onCut := p.From == cut.From && p.To == cut.To
			if onCut && p.Status == faults.Delivered || !onCut && p.Status == faults.Lost || p.Status == faults.Lost && p.Why != "cut" {
				rt.Fatalf("with %v cut: %+v", cut, p)
			}
		}
	})
}

// drawNetFault draws any link fault, with or without a limit to kinds.
func drawNetFault(rt *rapid.T) faults.LinkFault {
	percent := rapid.Float64Range(0, 100)
	f := rapid.OneOf(
		rapid.Just[faults.LinkFault](faults.Cut{}),
		rapid.Just[faults.LinkFault](faults.Refuse{}),
		rapid.Just[faults.LinkFault](faults.Jam{}),
		rapid.Just[faults.LinkFault](faults.Hold{}),
		rapid.Map(rapid.Int64Range(0, 3e9), func(ns int64) faults.LinkFault {
			return faults.Delay{Mean: time.Duration(ns), Jitter: time.Duration(ns) / 2}
		}),
		rapid.Map(percent, func(p float64) faults.LinkFault { return faults.Lose{Percent: p} }),
		rapid.Map(percent, func(p float64) faults.LinkFault { return faults.Duplicate{Percent: p} }),
		rapid.Map(percent, func(p float64) faults.LinkFault {
			return faults.Duplicate{Percent: p, After: time.Duration(p) * time.Millisecond}
		}),
		rapid.Map(percent, func(p float64) faults.LinkFault { return faults.Reorder{Percent: p} }),
		rapid.Map(rapid.Int64Range(1, 1e6), func(r int64) faults.LinkFault { return faults.Bandwidth{BytesPerSecond: r} }),
	).Draw(rt, "fault")
	return faults.Only(f, rapid.SliceOfDistinct(rapid.SampledFrom(faults.Kinds()), rapid.ID).Draw(rt, "only")...)
}

type netFaultAt struct {
	faults.Link
	fault faults.LinkFault
}

func drawNetFaults(rt *rapid.T) []netFaultAt {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) netFaultAt {
		return netFaultAt{rapid.SampledFrom(netLinks()).Draw(rt, "link"), drawNetFault(rt)}
	}), 1, 12).Draw(rt, "faults")
}

func TestEveryRPCReturnsWithinItsTimeoutUnderAnyFaults(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg, calls, bad := drawNetConfig(rt), drawNetCalls(rt), drawNetFaults(rt)
		held := rapid.Bool().Draw(rt, "held")
		cfg.RPCTimeout = 300 * time.Millisecond
		var results []netResult
		var reported []faults.Packet
		inNetBubble(t, cfg, func(rig *netRig) {
			for _, f := range bad {
				rig.SetFault(f.From, f.To, f.fault)
			}
			if held {
				rig.Pause("n2")
			}
			results = rig.run(calls)
			rig.HealAll()
			rig.Resume("n2")
			time.Sleep(time.Minute)
			reported = rig.packets(netAll)
		})
		for _, r := range results {
			if r.took > cfg.RPCTimeout {
				rt.Fatalf("%s -> %s took %v", r.from, r.to, r.took)
			}
		}
		if why := accountingProblem(reported); why != "" {
			rt.Fatal(why)
		}
	})
}

// accountingProblem returns "" if each packet was sent once and then either delivered or
// lost once, and otherwise what went wrong.
func accountingProblem(reported []faults.Packet) string {
	sent, ended := map[uint64]bool{}, map[uint64]bool{}
	for _, p := range reported {
		switch {
		case p.Status == faults.Sent && sent[p.ID]:
			return "a packet was sent twice"
		case p.Status == faults.Sent:
			sent[p.ID] = true
		case p.Status == faults.Expired: // it is about an RPC
		case p.Status == faults.Waiting && (!sent[p.ID] || ended[p.ID]):
			return "a packet waits that was not sent, or that was delivered or lost"
		case p.Status == faults.Waiting:
		case !sent[p.ID]:
			return "a packet was delivered or lost before it was sent"
		case ended[p.ID]:
			return "a packet was delivered or lost twice"
		default:
			ended[p.ID] = true
		}
	}
	if len(sent) != len(ended) {
		return "a packet was neither delivered nor lost after all links healed"
	}
	return ""
}

func TestHealAllRestoresEveryLink(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg, before, after, bad := drawNetConfig(rt), drawNetCalls(rt), drawNetCalls(rt), drawNetFaults(rt)
		var results []netResult
		var reported []faults.Packet
		var left int
		inNetBubble(t, cfg, func(rig *netRig) {
			for _, f := range bad {
				rig.SetFault(f.From, f.To, f.fault)
			}
			rig.run(before)
			rig.HealAll()
			time.Sleep(time.Second)
			seen := len(rig.packets(netAll))
			results = rig.run(after)
			reported = rig.packets(netAll)[seen:]
			for _, at := range netLinks() {
				left += len(rig.Faults(at.From, at.To))
			}
		})
		for _, r := range results {
			if r.err != nil {
				rt.Fatalf("%s -> %s after HealAll: %v", r.from, r.to, r.err)
			}
		}
		if why := deliveryProblem(reported); why != "" || left > 0 {
			rt.Fatalf("after HealAll: %d faults left, %s", left, why)
		}
	})
}

// netOutcomes returns the packets of one link with their final status, in the order sent.
func netOutcomes(reported []faults.Packet, at faults.Link) []faults.Packet {
	var outcomes []faults.Packet
	position := map[uint64]int{}
	for _, p := range reported {
		if p.From != at.From || p.To != at.To {
			continue
		}
		id := p.ID
		p.ID, p.RPC = 0, 0 // they count the packets of all links
		if p.Status == faults.Sent {
			position[id] = len(outcomes)
			outcomes = append(outcomes, p)
		} else {
			outcomes[position[id]].Status, outcomes[position[id]].Why = p.Status, p.Why
		}
	}
	return outcomes
}

func TestTrafficElsewhereDoesNotChangeALinksDecisions(t *testing.T) {
	at := faults.Link{From: "n1", To: "n2"}
	rapid.Check(t, func(rt *rapid.T) {
		cfg, calls := drawNetConfig(rt), drawNetCalls(rt)
		elsewhere := slices.DeleteFunc(drawNetCalls(rt), func(c netCall) bool { return c.to != "n3" })
		play := func(others []netCall) (reported []faults.Packet) {
			inNetBubble(t, cfg, func(rig *netRig) {
				rig.nodes["n2"].mute() // keeps replies, and their timing, out of it
				rig.SetFault(at.From, at.To, faults.Lose{Percent: 40})
				rig.SetFault(at.From, at.To, faults.Duplicate{Percent: 40})
				rig.SetFault(at.From, at.To, faults.Delay{Mean: 50 * time.Millisecond, Jitter: 50 * time.Millisecond})
				rig.SetFault("n1", "n3", faults.Lose{Percent: 50})
				var wg sync.WaitGroup
				wg.Go(func() { rig.run(others) })
				for i := range calls {
					rig.appendAsync(at.From, at.To, uint64(i+1))
					time.Sleep(time.Millisecond)
				}
				wg.Wait()
				time.Sleep(2 * time.Second)
				reported = rig.packets(netAll)
			})
			return netOutcomes(reported, at)
		}
		quiet, busy := play(nil), play(elsewhere)
		if !slices.Equal(quiet, busy) {
			rt.Fatalf("without other traffic:\n%+v\nwith other traffic:\n%+v", quiet, busy)
		}
	})
}
