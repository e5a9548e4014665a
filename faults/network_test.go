package faults_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"capsize/faults"

	"github.com/hashicorp/raft"
)

func TestClearedJamReleasesPacketsInOrderIncludingStaleOnes(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
		rig.SetFault("n1", "n2", faults.Jam{})
		early := rig.appendAsync("n1", "n2", 1, 2, 3)
		time.Sleep(2 * time.Second)
		for _, result := range early {
			if err := <-result; !errors.Is(err, faults.ErrTimeout) {
				t.Fatalf("jammed RPC ended with %v, want ErrTimeout", err)
			}
		}
		late := rig.appendAsync("n1", "n2", 4, 5)
		if got := rig.nodes["n2"].requests(); got != nil {
			t.Fatalf("requests %v arrived through the jam", got)
		}
		rig.ClearFault("n1", "n2", "jam")
		for _, result := range late {
			if err := <-result; err != nil {
				t.Fatal(err)
			}
		}
		if got := rig.nodes["n2"].requests(); !slices.Equal(got, []uint64{1, 2, 3, 4, 5}) {
			t.Fatalf("requests arrived in the order %v after the jam, want 1 to 5", got)
		}
		tooLate := rig.packets(func(p faults.Packet) bool {
			return p.Reply && p.Status == faults.Lost && p.Why == "after the deadline"
		})
		if len(tooLate) != 3 {
			t.Fatalf("%d replies came after the deadline, want 3", len(tooLate))
		}
	})
}

func TestPauseStopsBothDirectionsAndSurvivesHealAll(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
		rig.Pause("n2")
		to, from := rig.appendAsync("n1", "n2", 1, 2), rig.appendAsync("n2", "n3", 3)
		rig.HealAll()
		time.Sleep(500 * time.Millisecond)
		sent := rig.packets(netAll)
		for _, p := range sent {
			if p.Status != faults.Sent || !p.Held || p.Delay != 0 {
				t.Fatalf("with n2 paused: %+v, want a held packet", p)
			}
		}
		rig.Resume("n2")
		for _, result := range slices.Concat(to, from) {
			if err := <-result; err != nil {
				t.Fatal(err)
			}
		}
		if got := rig.nodes["n2"].requests(); !slices.Equal(got, []uint64{1, 2}) {
			t.Fatalf("requests %v arrived after the pause, want 1 and 2", got)
		}
	})
}

func TestDownAndRefusedTargetsFailAtOnce(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{Latency: 50 * time.Millisecond}, func(rig *netRig) {
		t := rig.t
		_ = rig.nodes["n2"].Close()
		rig.SetFault("n1", "n3", faults.Refuse{})
		for to, want := range map[raft.ServerAddress]error{"n2": faults.ErrDown, "n9": faults.ErrDown, "n3": faults.ErrRefused} {
			took := netElapsed(func() {
				if err := rig.append("n1", to, 1); !errors.Is(err, want) {
					t.Errorf("RPC to %s: %v, want %v", to, err, want)
				}
			})
			if took != 0 {
				t.Errorf("RPC to %s failed after %v, want at once", to, took)
			}
		}
		if err := rig.append("n2", "n1", 1); !errors.Is(err, faults.ErrClosed) {
			t.Errorf("RPC from a closed endpoint: %v, want ErrClosed", err)
		}
		// A refused reply fails at once too, but the request got through.
		took := netElapsed(func() {
			if err := rig.append("n3", "n1", 7); !errors.Is(err, faults.ErrRefused) {
				t.Errorf("RPC with a refused reply: %v, want ErrRefused", err)
			}
		})
		if took != 50*time.Millisecond || len(rig.nodes["n1"].requests()) != 1 {
			t.Errorf("reply refused after %v, served %v; want 50ms and one request", took, rig.nodes["n1"].requests())
		}
		// A cut hides whether the node behind it is down.
		rig.SetFault("n1", "n2", faults.Cut{})
		if err := rig.append("n1", "n2", 1); !errors.Is(err, faults.ErrTimeout) {
			t.Errorf("RPC to a down node behind a cut: %v, want ErrTimeout", err)
		}
	})
}

func TestDuplicateIsServedTwiceAndAnsweredOnce(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
		rig.SetFault("n1", "n2", faults.Duplicate{Percent: 100})
		rig.SetFault("n2", "n1", faults.Duplicate{Percent: 100})
		if err := rig.append("n1", "n2", 5); err != nil {
			t.Fatal(err)
		}
		replies := rig.packets(func(p faults.Packet) bool { return p.Reply && p.Status != faults.Sent })
		delivered := slices.DeleteFunc(slices.Clone(replies), func(p faults.Packet) bool { return p.Status != faults.Delivered })
		if got := rig.nodes["n2"].requests(); !slices.Equal(got, []uint64{5, 5}) || len(replies) != 4 || len(delivered) != 1 {
			t.Fatalf("served %v with replies %+v, want request 5 twice and one of 4 replies delivered", got, replies)
		}
		for _, p := range replies {
			if p.Status == faults.Lost && p.Why != "no caller is waiting" {
				t.Fatalf("reply lost for another reason: %+v", p)
			}
		}
	})
}

func TestReorderedPacketIsOvertakenByTheNext(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{QueueHeartbeats: true}, func(rig *netRig) {
		t := rig.t
		rig.SetFault("n1", "n2", faults.Only(faults.Reorder{Percent: 100}, faults.KindHeartbeat))
		alone := netElapsed(func() {
			if err := rig.heartbeat("n1", "n2"); err != nil {
				t.Error(err)
			}
		})
		if alone != 200*time.Millisecond {
			t.Errorf("with nothing to overtake it, the heartbeat took %v, want 200ms", alone)
		}
		overtaken := make(chan error, 1)
		took := netElapsed(func() {
			go func() { overtaken <- rig.heartbeat("n1", "n2") }()
			synctest.Wait()
			if err := errors.Join(rig.append("n1", "n2", 9), <-overtaken); err != nil {
				t.Error(err)
			}
		})
		if got := rig.nodes["n2"].requests(); took != 0 || !slices.Equal(got, []uint64{0, 9, 0}) {
			t.Errorf("requests %v arrived after %v, want 0, 9, 0 at once", got, took)
		}
	})
}

func TestDelayHoldsUpLaterPacketsUnlessLimitedToKinds(t *testing.T) {
	slow := faults.Delay{Mean: 300 * time.Millisecond}
	for _, c := range []struct {
		fault faults.LinkFault
		want  time.Duration
	}{{slow, 300 * time.Millisecond}, {faults.Only(slow, faults.KindAppend), 0}} {
		inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
			t := rig.t
			rig.SetFault("n1", "n2", c.fault)
			first := rig.appendAsync("n1", "n2", 1)[0]
			took := netElapsed(func() {
				if err := rig.heartbeat("n1", "n2"); err != nil {
					t.Error(err)
				}
			})
			if err := <-first; err != nil || took != c.want {
				t.Errorf("%s: the heartbeat took %v, want %v (append: %v)", c.fault, took, c.want, err)
			}
		})
	}
}

func TestFaultAffectsPacketsInFlightUntilCleared(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{Latency: 100 * time.Millisecond}, func(rig *netRig) {
		t := rig.t
		rig.SetFault("n1", "n2", faults.Delay{Mean: 10 * time.Hour})
		slow := rig.appendAsync("n1", "n2", 1)[0]
		rig.SetFault("n1", "n2", faults.Jam{})
		time.Sleep(200 * time.Millisecond)
		took := netElapsed(func() {
			rig.Heal("n1", "n2")
			if err := <-slow; err != nil {
				t.Error(err)
			}
		})
		if took != 100*time.Millisecond {
			t.Errorf("the RPC took %v after healing, want only the reply's 100ms", took)
		}
	})
}

func TestCutLosesPacketsInFlight(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{Latency: 100 * time.Millisecond}, func(rig *netRig) {
		t := rig.t
		result := rig.appendAsync("n1", "n2", 1)[0]
		rig.Cut([]faults.Link{{From: "n1", To: "n2"}})
		if err := <-result; !errors.Is(err, faults.ErrTimeout) {
			t.Fatalf("RPC in flight when its link was cut: %v, want ErrTimeout", err)
		}
	})
}

func TestBandwidthQueuesPackets(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
		rig.SetFault("n1", "n2", faults.Bandwidth{BytesPerSecond: 640}) // an empty append has 64 bytes
		results := rig.appendAsync("n1", "n2", 1, 2, 3)
		for i, result := range results {
			took := netElapsed(func() {
				if err := <-result; err != nil {
					t.Error(err)
				}
			})
			if took != 100*time.Millisecond {
				t.Errorf("packet %d arrived %v after the previous one, want 100ms", i+1, took)
			}
		}
		sent := rig.packets(func(p faults.Packet) bool { return p.Status == faults.Sent && !p.Reply })
		for i, p := range sent {
			if want := time.Duration(i+1) * 100 * time.Millisecond; p.Delay != want {
				t.Errorf("packet %d: reported a delay of %v, want %v", i+1, p.Delay, want)
			}
		}
	})
}

// countingFault is a fault from another package. It counts how often it is applied.
type countingFault struct {
	faults.Lose
	applied *int
}

func (f countingFault) Apply(faults.Packet, *rand.Rand) faults.Effect {
	*f.applied++
	return faults.Effect{}
}

func TestFaultIsAppliedToEachPacketOnce(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{Latency: 100 * time.Millisecond}, func(rig *netRig) {
		t, applied := rig.t, 0
		inFlight := rig.appendAsync("n1", "n2", 1)[0]
		for range 5 {
			rig.SetFault("n1", "n2", countingFault{applied: &applied})
			synctest.Wait()
			rig.SetFault("n1", "n2", faults.Delay{Mean: time.Duration(applied)})
			synctest.Wait()
		}
		if err := errors.Join(rig.append("n1", "n2", 2), <-inFlight); err != nil || applied != 2 {
			t.Fatalf("the fault was applied %d times to two packets (%v)", applied, err)
		}
	})
}

func TestEachLinkAndSeedDrawsItsOwnRandomness(t *testing.T) {
	play := func(seed int64, to raft.ServerAddress) (lost string) {
		inNetBubbles(t, faults.NetworkConfig{Seed: seed}, func(rig *netRig) {
			rig.SetFault("n1", to, faults.Lose{Percent: 50})
			rig.appendAsync("n1", to, make([]uint64, 64)...)
			for _, p := range netOutcomes(rig.packets(netAll), faults.Link{From: "n1", To: to}) {
				lost += p.Status.String()[:1]
			}
			time.Sleep(2 * time.Second)
		})
		return lost
	}
	if again := play(1, "n2"); again != play(1, "n2") || again == play(1, "n3") || again == play(2, "n2") {
		t.Errorf("decisions %s: want them to depend on the seed and the link, and on nothing else", again)
	}
}

func TestTapMayControlTheNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n *faults.Network
		n = faults.NewNetwork(faults.NetworkConfig{Latency: time.Millisecond, Tap: func(p faults.Packet) {
			n.SetFault(p.From, p.To, faults.Lose{})
			n.SetFault(p.From, p.To, faults.Delay{Mean: time.Duration(p.ID)})
			n.Pause("n3")
			n.Resume("n3")
			n.HealAll()
			_ = n.Faults(p.From, p.To)
			_ = n.Transport("n3").Close()
		}})
		n1, n2 := n.Transport("n1"), &netNode{Transport: n.Transport("n2"), stop: make(chan struct{})}
		go n2.serve()
		if err := n1.AppendEntries("", "n2", new(raft.AppendEntriesRequest), new(raft.AppendEntriesResponse)); err != nil {
			t.Error(err)
		}
		n.Close()
		n2.halt()
	})
}

func TestSecondCopyCanComeLater(t *testing.T) {
	cfg := faults.NetworkConfig{Latency: 5 * time.Millisecond, RPCTimeout: time.Second}
	inNetBubble(t, cfg, func(rig *netRig) {
		t := rig.t
		rig.SetFault("n1", "n2", faults.Duplicate{Percent: 100, After: 300 * time.Millisecond})
		for index := range uint64(3) {
			if took := netElapsed(func() { netMustAppend(rig, index+1) }); took != 10*time.Millisecond {
				t.Errorf("request %d took %v, want 10ms: the copy of another one holds it up", index+1, took)
			}
		}
		time.Sleep(290 * time.Millisecond) // the first copy was due at 305 ms, the second at 315 ms
		if got := rig.nodes["n2"].requests(); !slices.Equal(got, []uint64{1, 2, 3, 1, 2}) {
			t.Errorf("requests %v have arrived after 320 ms, want 1, 2, 3, 1, 2", got)
		}
		// A fault that is cleared has no effect on what is on its way.
		rig.ClearFault("n1", "n2", faults.Duplicate{}.Name())
		synctest.Wait()
		if got := rig.nodes["n2"].requests(); !slices.Equal(got, []uint64{1, 2, 3, 1, 2, 3}) {
			t.Errorf("requests %v have arrived once the fault is cleared, want the last copy too", got)
		}
	})
}

func TestDelaySetInFlightHoldsThePacketBack(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{Latency: 10 * time.Millisecond, RPCTimeout: 10 * time.Second}, func(rig *netRig) {
		start := time.Now()
		result := rig.appendAsync("n1", "n2", 1)[0]
		time.Sleep(5 * time.Millisecond)
		rig.SetFault("n1", "n2", faults.Delay{Mean: time.Second})
		if err, took := <-result, time.Since(start); err != nil || took != 1020*time.Millisecond {
			rig.t.Errorf("%v after %v, want no error after 1.02s", err, took)
		}
	})
}
