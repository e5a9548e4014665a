package faults_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"capsize/faults"
)

func TestNetworkJamReleasesInOrderAndDeliversStalePackets(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(t *testing.T, rig *netRig) {
		rig.SetFault("n1", "n2", faults.Jam{})
		early := rig.appendAsync("n1", "n2", 1, 2, 3)
		time.Sleep(2 * time.Second)
		for _, result := range early {
			if err := <-result; !errors.Is(err, faults.ErrTimeout) {
				t.Fatalf("a jammed RPC ended with %v", err)
			}
		}
		late := rig.appendAsync("n1", "n2", 4, 5)
		if got := rig.nodes["n2"].requests(); got != nil {
			t.Fatalf("arrived through a jam: %v", got)
		}
		rig.ClearFault("n1", "n2", "jam")
		for _, result := range late {
			if err := <-result; err != nil {
				t.Fatal(err)
			}
		}
		if got := rig.nodes["n2"].requests(); !slices.Equal(got, []uint64{1, 2, 3, 4, 5}) {
			t.Fatalf("arrived after the jam: %v", got)
		}
		tooLate := rig.packets(func(p faults.Packet) bool { return p.Reply && p.Fate == faults.Lost && p.Why == "too late" })
		if len(tooLate) != 3 {
			t.Fatalf("%d replies were too late, want 3", len(tooLate))
		}
	})
}

func TestNetworkHoldStopsBothDirectionsAndHealAllDoesNotTouchIt(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(t *testing.T, rig *netRig) {
		rig.Hold("n2")
		to, from := rig.appendAsync("n1", "n2", 1, 2), rig.appendAsync("n2", "n3", 3)
		rig.HealAll()
		time.Sleep(500 * time.Millisecond)
		sent := rig.packets(netAll)
		for _, p := range sent {
			if p.Fate != faults.Sent || !p.Held || p.Delay != 0 {
				t.Fatalf("with n2 held: %+v", p)
			}
		}
		rig.Release("n2")
		for _, result := range slices.Concat(to, from) {
			if err := <-result; err != nil {
				t.Fatal(err)
			}
		}
		if got := rig.nodes["n2"].requests(); !slices.Equal(got, []uint64{1, 2}) {
			t.Fatalf("released: %v", got)
		}
	})
}

func TestNetworkRefusesAtOnceWhatIsDownOrRefused(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{Latency: 50 * time.Millisecond}, func(t *testing.T, rig *netRig) {
		_ = rig.nodes["n2"].Close()
		rig.SetFault("n1", "n3", faults.Refuse{})
		for to, want := range map[raft.ServerAddress]error{"n2": faults.ErrDown, "n9": faults.ErrDown, "n3": faults.ErrRefused} {
			took := netElapsed(func() {
				if err := rig.append("n1", to, 1); !errors.Is(err, want) {
					t.Errorf("to %s: %v, want %v", to, err, want)
				}
			})
			if took != 0 {
				t.Errorf("to %s: refused after %v", to, took)
			}
		}
		if err := rig.append("n2", "n1", 1); !errors.Is(err, faults.ErrClosed) {
			t.Errorf("from a closed endpoint: %v", err)
		}
		// A refused reply is an error at once too, but the request went through.
		took := netElapsed(func() {
			if err := rig.append("n3", "n1", 7); !errors.Is(err, faults.ErrRefused) {
				t.Errorf("with the reply refused: %v", err)
			}
		})
		if took != 50*time.Millisecond || len(rig.nodes["n1"].requests()) != 1 {
			t.Errorf("reply refused after %v, served %v", took, rig.nodes["n1"].requests())
		}
		// A cut comes before the node behind it: nobody can tell that it is down.
		rig.SetFault("n1", "n2", faults.Cut{})
		if err := rig.append("n1", "n2", 1); !errors.Is(err, faults.ErrTimeout) {
			t.Errorf("to a node that is down behind a cut: %v", err)
		}
	})
}

func TestNetworkKilledEndpointFailsItsRPCsAtOnce(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(t *testing.T, rig *netRig) {
		n2 := rig.nodes["n2"].mute()
		rig.nodes["n3"].mute()
		served, waited := rig.appendAsync("n1", "n2", 1)[0], rig.appendAsync("n2", "n3", 2)[0]
		rpc := <-n2.Consumer()
		took := netElapsed(func() {
			_ = n2.Close()
			rpc.Respond(netAnswer(rpc.Command)) // What a dead node's goroutines still do has no effect.
			if err := <-served; !errors.Is(err, faults.ErrDown) {
				t.Errorf("RPC to the killed node: %v", err)
			}
			if err := <-waited; !errors.Is(err, faults.ErrClosed) {
				t.Errorf("RPC of the killed node: %v", err)
			}
		})
		if took != 0 {
			t.Errorf("they failed after %v", took)
		}
		if replies := rig.packets(func(p faults.Packet) bool { return p.Reply }); len(replies) > 0 {
			t.Errorf("a dead node replied: %+v", replies)
		}
		rig.start("n2")
		if err := rig.append("n1", "n2", 3); err != nil {
			t.Errorf("to the node that came back: %v", err)
		}
	})
}

func TestNetworkNodesShareNoMemory(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(t *testing.T, rig *netRig) {
		entry := &raft.Log{Index: 8, Term: 3, Data: []byte("data"), Extensions: []byte("more")}
		req := &raft.AppendEntriesRequest{
			RPCHeader: raft.RPCHeader{ID: []byte("n1"), Addr: []byte("n1")},
			Term:      3, PrevLogEntry: 7, Entries: []*raft.Log{entry},
		}
		rig.SetFault("n1", "n2", faults.Duplicate{Percent: 100})
		if err := rig.nodes["n1"].AppendEntries("", "n2", req, new(raft.AppendEntriesResponse)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		seen := rig.nodes["n2"].seen
		if len(seen) != 2 {
			t.Fatalf("served %d times, want the request and its duplicate", len(seen))
		}
		first, second := seen[0].Command.(*raft.AppendEntriesRequest), seen[1].Command.(*raft.AppendEntriesRequest)
		for _, b := range [][]byte{entry.Data, entry.Extensions, req.ID, req.Addr, first.Entries[0].Data} {
			clear(b)
		}
		entry.Index, first.Entries[0].Index, first.Term = 0, 0, 0
		got := second.Entries[0]
		if got.Index != 8 || string(got.Data) != "data" || string(got.Extensions) != "more" ||
			string(second.ID) != "n1" || string(second.Addr) != "n1" || second.Term != 3 {
			t.Fatalf("the duplicate changed with the original: %+v, %+v", second, got)
		}
	})
}

func TestNetworkDuplicateIsServedTwiceAndAnsweredOnce(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(t *testing.T, rig *netRig) {
		rig.SetFault("n1", "n2", faults.Duplicate{Percent: 100})
		rig.SetFault("n2", "n1", faults.Duplicate{Percent: 100})
		if err := rig.append("n1", "n2", 5); err != nil {
			t.Fatal(err)
		}
		replies := rig.packets(func(p faults.Packet) bool { return p.Reply && p.Fate != faults.Sent })
		delivered := slices.DeleteFunc(slices.Clone(replies), func(p faults.Packet) bool { return p.Fate != faults.Delivered })
		if got := rig.nodes["n2"].requests(); !slices.Equal(got, []uint64{5, 5}) || len(replies) != 4 || len(delivered) != 1 {
			t.Fatalf("served %v, replies %+v", got, replies)
		}
		for _, p := range replies {
			if p.Fate == faults.Lost && p.Why != "nobody waits for it" {
				t.Fatalf("%+v", p)
			}
		}
	})
}

func TestNetworkReorderedPacketIsOvertakenByTheNext(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(t *testing.T, rig *netRig) {
		rig.SetFault("n1", "n2", faults.Only(faults.Reorder{Percent: 100}, faults.KindHeartbeat))
		alone := netElapsed(func() {
			if err := rig.heartbeat("n1", "n2"); err != nil {
				t.Error(err)
			}
		})
		if alone != 200*time.Millisecond {
			t.Errorf("with nothing to overtake it, it took %v", alone)
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
			t.Errorf("after %v the requests were %v", took, got)
		}
	})
}

func TestNetworkDelayHoldsUpWhatIsBehindItUnlessLimitedToKinds(t *testing.T) {
	slow := faults.Delay{Mean: 300 * time.Millisecond}
	for _, c := range []struct {
		fault faults.LinkFault
		want  time.Duration
	}{{slow, 300 * time.Millisecond}, {faults.Only(slow, faults.KindAppend), 0}} {
		inNetBubble(t, faults.NetworkConfig{}, func(t *testing.T, rig *netRig) {
			rig.SetFault("n1", "n2", c.fault)
			first := rig.appendAsync("n1", "n2", 1)[0]
			took := netElapsed(func() {
				if err := rig.heartbeat("n1", "n2"); err != nil {
					t.Error(err)
				}
			})
			if err := <-first; err != nil || took != c.want {
				t.Errorf("%s: the heartbeat took %v, want %v (%v)", c.fault, took, c.want, err)
			}
		})
	}
}

func TestNetworkFaultAppliesToPacketsUnderWayAndIsTakenBack(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{Latency: 100 * time.Millisecond}, func(t *testing.T, rig *netRig) {
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
			t.Errorf("after the heal it took %v, want only the reply's 100ms", took)
		}
	})
}

func TestNetworkCutLosesPacketsUnderWay(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{Latency: 100 * time.Millisecond}, func(t *testing.T, rig *netRig) {
		result := rig.appendAsync("n1", "n2", 1)[0]
		rig.Cut([]faults.Link{{From: "n1", To: "n2"}})
		if err := <-result; !errors.Is(err, faults.ErrTimeout) {
			t.Fatalf("under way when its link was cut: %v", err)
		}
	})
}

func TestNetworkBandwidthQueuesPackets(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(t *testing.T, rig *netRig) {
		rig.SetFault("n1", "n2", faults.Bandwidth{BytesPerSecond: 640}) // An empty append has 64 bytes.
		results := rig.appendAsync("n1", "n2", 1, 2, 3)
		for i, result := range results {
			took := netElapsed(func() {
				if err := <-result; err != nil {
					t.Error(err)
				}
			})
			if took != 100*time.Millisecond {
				t.Errorf("packet %d came %v after the one before", i+1, took)
			}
		}
		sent := rig.packets(func(p faults.Packet) bool { return p.Fate == faults.Sent && !p.Reply })
		for i, p := range sent {
			if want := time.Duration(i+1) * 100 * time.Millisecond; p.Delay != want {
				t.Errorf("packet %d: told a delay of %v, want %v", i+1, p.Delay, want)
			}
		}
	})
}

func TestNetworkSnapshotArrivesWholeAndTwice(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(t *testing.T, rig *netRig) {
		content := bytes.Repeat([]byte("snapshot"), 1000)
		rig.SetFault("n1", "n2", faults.Duplicate{Percent: 100})
		req := &raft.InstallSnapshotRequest{Term: 1, Size: int64(len(content)), LastLogIndex: 4, LastLogTerm: 2}
		source := io.MultiReader(bytes.NewReader(content), bytes.NewReader([]byte("of something else")))
		if err := rig.nodes["n1"].InstallSnapshot("", "n2", req, new(raft.InstallSnapshotResponse), source); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, rpc := range rig.nodes["n2"].seen {
			if got, err := io.ReadAll(rpc.Reader); err != nil || !bytes.Equal(got, content) {
				t.Errorf("received %d bytes, want %d (%v)", len(got), len(content), err)
			}
		}
		sent := rig.packets(func(p faults.Packet) bool { return p.Fate == faults.Sent && !p.Reply })
		if len(sent) != 2 || sent[0].Kind != faults.KindSnapshot || sent[0].LastIndex != 4 || sent[0].SizeBytes < len(content) {
			t.Errorf("told %+v", sent)
		}
	})
}

func TestNetworkReplyWithAnErrorIsTheCallersError(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(t *testing.T, rig *netRig) {
		n2, broken := rig.nodes["n2"].mute(), errors.New("disk on fire")
		resp := raft.AppendEntriesResponse{Term: 77}
		result := make(chan error, 1)
		go func() { result <- rig.nodes["n1"].AppendEntries("", "n2", new(raft.AppendEntriesRequest), &resp) }()
		rpc := <-n2.Consumer()
		rpc.Respond(&raft.AppendEntriesResponse{Term: 5}, broken)
		if err := <-result; !errors.Is(err, broken) || resp.Term != 77 {
			t.Fatalf("got %v and %+v", err, resp)
		}
		if got := rig.packets(func(p faults.Packet) bool { return p.Error == broken.Error() }); len(got) != 2 {
			t.Fatalf("told %+v", got)
		}
	})
}

func TestNetworkNodeThatDoesNotReadNeverBlocksALink(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(t *testing.T, rig *netRig) {
		n2 := rig.nodes["n2"].mute()
		var want []uint64
		for i := range uint64(500) {
			want = append(want, i+1)
		}
		took := netElapsed(func() { rig.appendAsync("n1", "n2", want...) })
		var got []uint64
		for range want {
			rpc := <-n2.Consumer()
			got = append(got, rpc.Command.(*raft.AppendEntriesRequest).PrevLogEntry)
			rpc.Respond(netAnswer(rpc.Command))
		}
		if took != 0 || !slices.Equal(got, want) {
			t.Fatalf("sent in %v, read in the order %v", took, got)
		}
	})
}

func TestNetworkTapMayControlTheNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n *faults.Network
		n = faults.NewNetwork(faults.NetworkConfig{Latency: time.Millisecond, Tap: func(p faults.Packet) {
			n.SetFault(p.From, p.To, faults.Lose{})
			n.SetFault(p.From, p.To, faults.Delay{Mean: time.Duration(p.ID)})
			n.Hold("n3")
			n.Release("n3")
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
