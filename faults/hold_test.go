package faults_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"capsize/faults"

	"github.com/hashicorp/raft"
)

var netHeldLink = faults.Link{From: "n1", To: "n2"}

// waitingIDs returns the packets of a link that have come to wait, in the order reported.
func (r *netRig) waitingIDs(at faults.Link) []uint64 {
	return slices.Compact(netIDs(r.packets(netAll), at, faults.Waiting))
}

func TestHeldPacketsMoveOneByOne(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{Latency: 5 * time.Millisecond}, func(rig *netRig) {
		t := rig.t
		rig.SetFault("n1", "n2", faults.Hold{})
		results := rig.appendAsync("n1", "n2", 1, 2, 3)
		ids := rig.waitingIDs(netHeldLink)
		if len(ids) != 3 {
			t.Fatalf("%d packets wait, want 3", len(ids))
		}
		for _, i := range []int{2, 0} {
			if err := rig.Deliver(netHeldLink, ids[i], false); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := rig.nodes["n2"].requests(); !slices.Equal(got, []uint64{3, 1}) {
			t.Fatalf("requests %v arrived at once, want 3 and 1", got)
		}
		if err := rig.Drop(netHeldLink, ids[1]); err != nil {
			t.Fatal(err)
		}
		if err := <-results[1]; !errors.Is(err, faults.ErrTimeout) {
			t.Errorf("the dropped request ended with %v, want ErrTimeout", err)
		}
		for _, i := range []int{0, 2} {
			if err := <-results[i]; err != nil {
				t.Errorf("the delivered request %d ended with %v", i+1, err)
			}
		}
		for _, id := range append(ids, 99) {
			if err := rig.Deliver(netHeldLink, id, false); !errors.Is(err, faults.ErrNotWaiting) {
				t.Errorf("delivering #%d again: %v, want ErrNotWaiting", id, err)
			}
		}
	})
}

func TestHoldStopsPacketsInFlightAndItsEndReleasesThem(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{Latency: 200 * time.Millisecond}, func(rig *netRig) {
		t := rig.t
		results := rig.appendAsync("n1", "n2", 1, 2)
		rig.SetFault("n1", "n2", faults.Hold{})
		time.Sleep(500 * time.Millisecond)
		if got := rig.nodes["n2"].requests(); got != nil || len(rig.waitingIDs(netHeldLink)) != 2 {
			t.Fatalf("requests %v passed the hold, %d wait", got, len(rig.waitingIDs(netHeldLink)))
		}
		rig.ClearFault("n1", "n2", "hold")
		for _, result := range results {
			if err := <-result; err != nil {
				t.Fatal(err)
			}
		}
		if got := rig.nodes["n2"].requests(); !slices.Equal(got, []uint64{1, 2}) {
			t.Fatalf("requests arrived in the order %v after the hold, want 1 and 2", got)
		}
	})
}

func TestDeliverTwice(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
		rig.SetFault("n1", "n2", faults.Hold{})
		result := rig.appendAsync("n1", "n2", 1)[0]
		if err := rig.Deliver(netHeldLink, rig.waitingIDs(netHeldLink)[0], true); err != nil {
			t.Fatal(err)
		}
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := rig.nodes["n2"].requests(); !slices.Equal(got, []uint64{1, 1}) {
			t.Fatalf("requests %v arrived, want 1 twice", got)
		}
		if why := accountingProblem(rig.packets(netAll)); why != "" {
			t.Error(why)
		}
	})
}

func TestHandRespectsConnectionsAndPauses(t *testing.T) {
	cfg := faults.NetworkConfig{MaxRPCsInFlight: 4}
	inNetBubble(t, cfg, func(rig *netRig) {
		t := rig.t
		rig.SetFault("n1", "n2", faults.Hold{})
		p, err := rig.nodes["n1"].AppendEntriesPipeline("", "n2")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.Close() }()
		for i := range 3 {
			if _, err := p.AppendEntries(&raft.AppendEntriesRequest{Term: 1, PrevLogEntry: uint64(i + 1)}, new(raft.AppendEntriesResponse)); err != nil {
				t.Fatal(err)
			}
		}
		ids := rig.waitingIDs(netHeldLink)
		if err := rig.Deliver(netHeldLink, ids[1], false); err == nil || !strings.Contains(err.Error(), "behind #") {
			t.Fatalf("delivering the second request of a connection first: %v", err)
		}
		rig.Pause("n2")
		if err := rig.Deliver(netHeldLink, ids[0], false); err == nil || !strings.Contains(err.Error(), "n2 is paused") {
			t.Fatalf("delivering to a paused node: %v", err)
		}
		if err := rig.Drop(netHeldLink, ids[0]); err != nil {
			t.Fatalf("dropping what is for a paused node: %v", err)
		}
		rig.Resume("n2")
		lost := rig.packets(func(p faults.Packet) bool { return p.Status == faults.Lost })
		if len(lost) != 3 || lost[0].Why != faults.DroppedByHand {
			t.Fatalf("after the first of three requests was dropped, %d are lost: %+v", len(lost), lost)
		}
	})
}

func TestExpireEndsOneWaitAtOnce(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{RPCTimeout: time.Hour}, func(rig *netRig) {
		t := rig.t
		rig.SetFault("n1", "n2", faults.Hold{})
		rig.SetFault("n1", "n3", faults.Hold{})
		to2, to3 := rig.appendAsync("n1", "n2", 1)[0], rig.appendAsync("n1", "n3", 2)[0]
		waiting := rig.packets(func(p faults.Packet) bool { return p.Status == faults.Waiting && !p.Deadline.IsZero() })
		if len(waiting) != 2 || time.Until(waiting[0].Deadline) != time.Hour {
			t.Fatalf("waiting with a deadline: %+v", waiting)
		}
		if err := rig.Expire("n1", "n2", faults.KindVote); !errors.Is(err, faults.ErrNotWaiting) {
			t.Errorf("expiring a vote request that nobody has sent: %v", err)
		}
		took := netElapsed(func() {
			if err := rig.Expire("n1", "n2", faults.KindAppend); err != nil {
				t.Fatal(err)
			}
			if err := <-to2; !errors.Is(err, faults.ErrTimeout) {
				t.Errorf("the expired request ended with %v, want ErrTimeout", err)
			}
		})
		if took != 0 {
			t.Errorf("it took %s of virtual time", took)
		}
		if expired := rig.packets(func(p faults.Packet) bool { return p.Status == faults.Expired }); len(expired) != 1 || expired[0].To != "n2" {
			t.Errorf("reported as expired: %+v, want the request to n2", expired)
		}
		rig.HealAll()
		if err := <-to3; err != nil {
			t.Errorf("the other request ended with %v", err)
		}
	})
}
