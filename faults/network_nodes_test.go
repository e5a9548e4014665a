package faults_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"capsize/faults"

	"github.com/hashicorp/raft"
)

func TestClosedEndpointFailsItsRPCsAtOnce(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
		n2 := rig.nodes["n2"].mute()
		rig.nodes["n3"].mute()
		served, waited := rig.appendAsync("n1", "n2", 1)[0], rig.appendAsync("n2", "n3", 2)[0]
		rpc := <-n2.Consumer()
		took := netElapsed(func() {
			_ = n2.Close()
			rpc.Respond(netAnswer(rpc.Command)) // a dead node's goroutines have no effect
			if err := <-served; !errors.Is(err, faults.ErrDown) {
				t.Errorf("RPC to the closed endpoint: %v, want ErrDown", err)
			}
			if err := <-waited; !errors.Is(err, faults.ErrClosed) {
				t.Errorf("RPC from the closed endpoint: %v, want ErrClosed", err)
			}
		})
		if took != 0 {
			t.Errorf("the RPCs failed after %v, want at once", took)
		}
		if replies := rig.packets(func(p faults.Packet) bool { return p.Reply }); len(replies) > 0 {
			t.Errorf("a dead node replied: %+v", replies)
		}
		rig.start("n2")
		if err := rig.append("n1", "n2", 3); err != nil {
			t.Errorf("RPC to the restarted node: %v", err)
		}
	})
}

func TestNodesShareNoMemory(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
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

func TestDuplicatedSnapshotArrivesCompleteBothTimes(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
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
		sent := rig.packets(func(p faults.Packet) bool { return p.Status == faults.Sent && !p.Reply })
		if len(sent) != 2 || sent[0].Kind != faults.KindSnapshot || sent[0].LastIndex != 4 || sent[0].SizeBytes < len(content) {
			t.Errorf("the tap received %+v, want a snapshot request and its duplicate", sent)
		}
	})
}

func TestErrorInReplyReachesTheCaller(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
		n2, broken := rig.nodes["n2"].mute(), errors.New("disk on fire")
		resp := raft.AppendEntriesResponse{Term: 77}
		result := make(chan error, 1)
		go func() { result <- rig.nodes["n1"].AppendEntries("", "n2", new(raft.AppendEntriesRequest), &resp) }()
		rpc := <-n2.Consumer()
		rpc.Respond(&raft.AppendEntriesResponse{Term: 5}, broken)
		if err := <-result; !errors.Is(err, broken) || resp.Term != 77 {
			t.Fatalf("got %v and %+v, want the node's error and an untouched response", err, resp)
		}
		if got := rig.packets(func(p faults.Packet) bool { return p.Error == broken.Error() }); len(got) != 2 {
			t.Fatalf("the tap received %+v, want the reply sent and delivered", got)
		}
	})
}

func TestNodeThatDoesNotReadNeverBlocksALink(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
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
			t.Fatalf("sending took %v and the node read %v; want no time and the order sent", took, got)
		}
	})
}

func TestInboxOverflowKeepsRequestsInOrder(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
		n2 := rig.nodes["n2"].mute()
		var calls sync.WaitGroup
		for i := range uint64(1000) {
			calls.Go(func() {
				if err := rig.append("n1", "n2", i+1); err != nil {
					t.Error(err)
				}
			})
		}
		var read []uint64
		for range 1000 {
			rpc := <-n2.Consumer()
			read = append(read, rpc.Command.(*raft.AppendEntriesRequest).PrevLogEntry)
			rpc.Respond(netAnswer(rpc.Command))
		}
		calls.Wait()
		for i, p := range rig.packets(func(p faults.Packet) bool { return !p.Reply && p.Status == faults.Delivered }) {
			if p.PrevIndex != read[i] {
				t.Fatalf("read request %d, want %d", read[i], p.PrevIndex)
			}
		}
	})
}

func TestDeadNodeSendsNoReply(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
		for range 200 {
			rig.start("n2")
			n2 := rig.nodes["n2"].mute()
			before := len(rig.packets(netAll))
			result := rig.appendAsync("n1", "n2", 1)[0]
			rpc := <-n2.Consumer()
			rpc.Respond(netAnswer(rpc.Command))
			_ = n2.Close()
			err := <-result
			replies := slices.DeleteFunc(rig.packets(netAll)[before:], func(p faults.Packet) bool { return !p.Reply })
			if (err == nil) != (len(replies) == 2) || err != nil && (len(replies) > 0 || !errors.Is(err, faults.ErrDown)) {
				t.Fatalf("the RPC ended with %v, but the tap received %+v", err, replies)
			}
		}
	})
}
