package faults_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"capsize/faults"

	"github.com/hashicorp/raft"
)

// A connection delivers in order, whatever the link does: TCP hides reordering.
func TestPipelineStaysInOrderOnALinkThatReordersAndDuplicates(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{Latency: 5 * time.Millisecond, Jitter: 5 * time.Millisecond}, func(rig *netRig) {
		t := rig.t
		rig.SetFault("n1", "n2", faults.Reorder{Percent: 50})
		rig.SetFault("n1", "n2", faults.Duplicate{Percent: 30})
		p, err := rig.nodes["n1"].AppendEntriesPipeline("n2", "n2")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.Close() }()
		for i := range uint64(15) {
			if _, err := p.AppendEntries(appendRequest(i+1), new(raft.AppendEntriesResponse)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range uint64(15) {
			if future := <-p.Consumer(); future.Error() != nil || future.Response().LastLog != i+1 {
				t.Errorf("reply %d: %+v, %v", i+1, future.Response(), future.Error())
			}
		}
		served := rig.nodes["n2"].requests()
		if !slices.IsSorted(served) || len(served) == 15 || len(slices.Compact(served)) != 15 {
			t.Errorf("served %v, want 1 to 15 in order, some twice", served)
		}
	})
}

// What a lost packet should have carried never comes, so nothing behind it can arrive.
func TestLostPacketStopsItsConnection(t *testing.T) {
	for _, lossy := range []faults.Link{
		{From: "n1", To: "n2"},
		{From: "n2", To: "n1"},
	} {
		inNetBubble(t, faults.NetworkConfig{RPCTimeout: time.Second}, func(rig *netRig) {
			t := rig.t
			p, err := rig.nodes["n1"].AppendEntriesPipeline("n2", "n2")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.Close() }()
			send := func(index uint64) {
				if _, err := p.AppendEntries(appendRequest(index), new(raft.AppendEntriesResponse)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
			}
			rig.SetFault(lossy.From, lossy.To, faults.Lose{Percent: 100})
			send(1)
			rig.HealAll()
			send(2)
			if err := rig.append("n1", "n2", 9); err != nil {
				t.Errorf("an RPC of its own: %v", err)
			}
			lost := rig.packets(func(p faults.Packet) bool { return p.Status == faults.Lost })
			if len(lost) != 2 || lost[0].Why != "dropped (100%)" || lost[1].Why != "its connection waits for a lost packet" {
				t.Errorf("lost %+v, want the packet and the one behind it", lost)
			}
			for _, p := range lost {
				if p.From != lossy.From {
					t.Errorf("lost %+v, want only what %s sent", p, lossy.From)
				}
			}
			for range 2 {
				if err := (<-p.Consumer()).Error(); !errors.Is(err, faults.ErrTimeout) {
					t.Errorf("request behind the loss: %v, want ErrTimeout", err)
				}
			}
		})
	}
}

// A copy that is lost carries nothing that TCP would wait for.
func TestLostCopyDoesNotStopItsConnection(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
		p := openPipeline(t, rig.nodes["n1"])
		defer func() { _ = p.Close() }()
		send := func(index uint64) {
			if _, err := p.AppendEntries(appendRequest(index), new(raft.AppendEntriesResponse)); err != nil {
				t.Fatal(err)
			}
			if err := (<-p.Consumer()).Error(); err != nil {
				t.Errorf("request %d: %v", index, err)
			}
		}
		rig.SetFault("n1", "n2", faults.Duplicate{Percent: 100, After: time.Second})
		send(1)
		send(2) // overtakes the copy
		rig.SetFault("n1", "n2", faults.Cut{})
		synctest.Wait()
		rig.HealAll()
		send(3)
		if lost := rig.packets(func(p faults.Packet) bool { return p.Status == faults.Lost }); len(lost) != 2 || !lost[0].Duplicate || !lost[1].Duplicate {
			t.Errorf("lost %+v, want two copies", lost)
		}
	})
}

// What is lost in flight takes along what follows it in flight.
func TestPacketLostInFlightStopsWhatIsBehindIt(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{Latency: time.Second, RPCTimeout: 10 * time.Second}, func(rig *netRig) {
		t := rig.t
		behind := 0
		for range 20 {
			p := openPipeline(t, rig.nodes["n1"])
			go func() {
				for i := range uint64(2) {
					_, _ = p.AppendEntries(appendRequest(i+1), new(raft.AppendEntriesResponse))
				}
			}()
			synctest.Wait()
			rig.SetFault("n1", "n2", faults.Lose{Percent: 50})
			synctest.Wait()
			rig.HealAll()
			time.Sleep(time.Second)
			_ = p.Close()
			requests := rig.packets(func(p faults.Packet) bool { return !p.Reply && p.Status != faults.Sent })
			requests = requests[len(requests)-2:]
			if slices.SortFunc(requests, func(a, b faults.Packet) int { return int(a.RPC) - int(b.RPC) }); requests[0].Status == faults.Lost {
				behind++
				if requests[1].Status != faults.Lost {
					t.Errorf("%+v arrives behind %+v", requests[1], requests[0])
				}
			}
		}
		if behind < 5 {
			t.Errorf("only %d packets are behind a lost one", behind)
		}
	})
}

// A request is delivered when it is due, even if nobody takes the reply before it.
func TestRequestArrivesBeforeTheReplyAheadIsTaken(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{Latency: 5 * time.Millisecond, MaxRPCsInFlight: 2}, func(rig *netRig) {
		p := openPipeline(rig.t, rig.nodes["n1"])
		for i := range uint64(2) {
			go func() { _, _ = p.AppendEntries(appendRequest(i+1), new(raft.AppendEntriesResponse)) }()
			time.Sleep(time.Second)
		}
		if got := rig.nodes["n2"].requests(); !slices.Equal(got, []uint64{1, 2}) {
			rig.t.Errorf("served %v, want 1 and 2", got)
		}
		_ = p.Close()
	})
}

// What was sent over a pipeline arrives and is answered, whenever the pipeline is closed.
func TestClosedPipelineKeepsItsPackets(t *testing.T) {
	for _, closedAfter := range []time.Duration{0, time.Millisecond, 10 * time.Millisecond} {
		inNetBubble(t, faults.NetworkConfig{Latency: 5 * time.Millisecond}, func(rig *netRig) {
			t := rig.t
			n2 := rig.nodes["n2"].mute()
			const times = 20 // if closed at once, its decoder may or may not have begun
			for range times {
				p := openPipeline(t, rig.nodes["n1"])
				if _, err := p.AppendEntries(appendRequest(1), new(raft.AppendEntriesResponse)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(closedAfter)
				_ = p.Close()
				time.Sleep(time.Second)
				select {
				case rpc := <-n2.Consumer():
					rpc.Respond(netAnswer(rpc.Command))
				default:
					t.Errorf("closed after %v: the request has not arrived", closedAfter)
				}
				time.Sleep(time.Second)
			}
			replies := rig.packets(func(p faults.Packet) bool { return p.Reply && p.Status == faults.Lost })
			if len(replies) != times || replies[0].Why != "no caller is waiting" {
				t.Errorf("closed after %v: lost replies %+v, want one each, without a caller", closedAfter, replies)
			}
		})
	}
}

func TestClosedPipelineSendsNothing(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(rig *netRig) {
		p := openPipeline(rig.t, rig.nodes["n1"])
		_ = p.Close()
		for range 20 {
			if _, err := p.AppendEntries(appendRequest(1), new(raft.AppendEntriesResponse)); !errors.Is(err, raft.ErrPipelineShutdown) {
				rig.t.Errorf("got %v, want ErrPipelineShutdown", err)
			}
		}
		if sent := rig.packets(netAll); len(sent) > 0 {
			rig.t.Errorf("sent %+v", sent)
		}
		_ = rig.nodes["n1"].Close()
		if p, err := rig.nodes["n1"].AppendEntriesPipeline("n2", "n2"); !errors.Is(err, faults.ErrClosed) {
			rig.t.Errorf("opened %v, %v on a closed endpoint, want ErrClosed", p, err)
		}
	})
}

// The server handles one request of a connection at a time, even when its callers have
// given up.
func TestServerTakesTheNextRequestAfterItsAnswer(t *testing.T) {
	for _, pause := range []time.Duration{0, 3 * time.Second} {
		inNetBubble(t, faults.NetworkConfig{}, func(rig *netRig) {
			n2 := rig.nodes["n2"].mute()
			for range 10 {
				p := openPipeline(rig.t, rig.nodes["n1"])
				for i := range uint64(3) {
					if _, err := p.AppendEntries(appendRequest(i+1), new(raft.AppendEntriesResponse)); err != nil {
						rig.t.Fatal(err)
					}
				}
				for range 3 {
					rpc := <-n2.Consumer()
					time.Sleep(pause)
					synctest.Wait()
					if n := len(n2.Consumer()); n != 0 {
						rig.t.Errorf("%d requests came before the one ahead was answered", n)
					}
					rpc.Respond(netAnswer(rpc.Command))
				}
				_ = p.Close()
			}
		})
	}
}

// What ends a pipeline decides all that is in flight, and wakes who waits to send.
func TestEndOfAPipelineDecidesWhatIsInFlight(t *testing.T) {
	for want, end := range map[error]func(*netRig, raft.AppendPipeline){
		raft.ErrPipelineShutdown: func(_ *netRig, p raft.AppendPipeline) { _ = p.Close() },
		faults.ErrClosed:         func(rig *netRig, _ raft.AppendPipeline) { _ = rig.nodes["n1"].Close() },
	} {
		inNetBubble(t, faults.NetworkConfig{MaxRPCsInFlight: 5}, func(rig *netRig) {
			rig.nodes["n2"].mute()
			p := openPipeline(rig.t, rig.nodes["n1"])
			futures, waiting := make(chan raft.AppendFuture, 5), make(chan error, 1)
			go func() {
				for {
					future, err := p.AppendEntries(appendRequest(1), new(raft.AppendEntriesResponse))
					if err != nil {
						waiting <- err
						return
					}
					futures <- future
				}
			}()
			synctest.Wait()
			end(rig, p)
			if err := <-waiting; !errors.Is(err, want) {
				rig.t.Errorf("a waiting request: %v, want %v", err, want)
			}
			for range len(futures) {
				if err := (<-futures).Error(); err == nil {
					rig.t.Error("a request in flight succeeded")
				}
			}
		})
	}
}

func TestConnectionErrorBreaksAPipeline(t *testing.T) {
	for want, fail := range map[error]func(*netRig){
		faults.ErrRefused: func(rig *netRig) { rig.SetFault("n1", "n2", faults.Refuse{}) },
		faults.ErrDown:    func(rig *netRig) { _ = rig.nodes["n2"].Close() },
	} {
		inNetBubble(t, faults.NetworkConfig{}, func(rig *netRig) {
			p := openPipeline(rig.t, rig.nodes["n1"])
			defer func() { _ = p.Close() }()
			fail(rig)
			if _, err := p.AppendEntries(appendRequest(1), new(raft.AppendEntriesResponse)); err != nil {
				rig.t.Fatal(err)
			}
			if err := (<-p.Consumer()).Error(); !errors.Is(err, want) {
				rig.t.Errorf("got %v, want %v", err, want)
			}
			rig.HealAll()
			if _, err := p.AppendEntries(appendRequest(2), new(raft.AppendEntriesResponse)); !errors.Is(err, want) {
				rig.t.Errorf("after that: %v, want %v", err, want)
			}
		})
	}
}

// A new process does not inherit the connections of the one before it.
func TestPipelineDoesNotReachARestartedNode(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{}, func(rig *netRig) {
		t := rig.t
		p, err := rig.nodes["n1"].AppendEntriesPipeline("n2", "n2")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.Close() }()
		rig.start("n2")
		if _, err := p.AppendEntries(appendRequest(1), new(raft.AppendEntriesResponse)); err != nil {
			t.Fatal(err)
		}
		if err := (<-p.Consumer()).Error(); !errors.Is(err, faults.ErrDown) {
			t.Errorf("request over the old connection: %v, want ErrDown", err)
		}
		if got := rig.nodes["n2"].requests(); len(got) != 0 {
			t.Errorf("the new process served %v", got)
		}
	})
}

// A heartbeat handler that is still at work when its endpoint closes must not be called
// again: raft's stores are closed after that.
func TestClosedEndpointHandlesNoHeartbeat(t *testing.T) {
	inNetBubble(t, faults.NetworkConfig{Latency: 5 * time.Millisecond}, func(rig *netRig) {
		t := rig.t
		n2 := rig.nodes["n2"]
		var handled []bool
		n2.SetHeartbeatHandler(func(raft.RPC) { handled = append(handled, true) })
		result := make(chan error, 1)
		go func() { result <- rig.heartbeat("n1", "n2") }()
		synctest.Wait()
		_ = n2.Close()
		if err := <-result; !errors.Is(err, faults.ErrDown) || len(handled) > 0 {
			t.Errorf("heartbeat to a closed endpoint: %v, handled %d times", err, len(handled))
		}
	})
}
