package faults_test

import (
	"errors"
	"testing"
	"time"

	"capsize/faults"
)

func TestEveryRPCEndsAtItsOwnDeadline(t *testing.T) {
	inNetBubbles(t, faults.NetworkConfig{Latency: 5 * time.Millisecond}, func(rig *netRig) {
		t := rig.t
		rig.nodes["n2"].mute()
		start := time.Now()
		ends := make(chan time.Duration, 4)
		for i, timeout := range []time.Duration{time.Second, 200 * time.Millisecond, 5 * time.Second, 3 * time.Millisecond} {
			rig.SetRPCTimeout(timeout)
			go func() {
				if err := rig.append("n1", "n2", uint64(i)); !errors.Is(err, faults.ErrTimeout) {
					t.Errorf("unanswered RPC ended with %v, want ErrTimeout", err)
				}
				ends <- time.Since(start)
			}()
			time.Sleep(100 * time.Millisecond)
		}
		for _, want := range []time.Duration{300 * time.Millisecond, 303 * time.Millisecond, time.Second, 5200 * time.Millisecond} {
			if got := <-ends; got != want {
				t.Errorf("RPC ended at %v, want %v", got, want)
			}
		}
	})
}

// On a link with little latency, the caller sleeps while its packet is in flight.
func TestCallerNoticesAnEarlyEndWhenItsPacketArrivesAtTheLatest(t *testing.T) {
	for latency, noticed := range map[time.Duration]time.Duration{
		40 * time.Millisecond: 40 * time.Millisecond,
		60 * time.Millisecond: 10 * time.Millisecond,
	} {
		for want, end := range map[error]func(*netRig){
			faults.ErrClosed:  func(rig *netRig) { _ = rig.nodes["n1"].Close() },
			faults.ErrRefused: func(rig *netRig) { rig.SetFault("n1", "n2", faults.Refuse{}) },
		} {
			inNetBubble(t, faults.NetworkConfig{Latency: latency}, func(rig *netRig) {
				t := rig.t
				took := netElapsed(func() {
					result := rig.appendAsync("n1", "n2", 1)[0]
					time.Sleep(10 * time.Millisecond)
					end(rig)
					if err := <-result; !errors.Is(err, want) {
						t.Errorf("RPC ended with %v, want %v", err, want)
					}
				})
				if took != noticed {
					t.Errorf("latency %v, %v: noticed after %v, want %v", latency, want, took, noticed)
				}
			})
		}
	}
}

func TestRepliesToClosedCallersStillTravelBack(t *testing.T) {
	for range 50 {
		inNetBubbles(t, faults.NetworkConfig{Latency: 40 * time.Millisecond}, func(rig *netRig) {
			t := rig.t
			results := rig.appendAsync("n1", "n2", 1, 2, 3)
			_ = rig.nodes["n1"].Close()
			for _, result := range results {
				if err := <-result; !errors.Is(err, faults.ErrClosed) {
					t.Errorf("RPC of a closed endpoint ended with %v, want ErrClosed", err)
				}
			}
			time.Sleep(time.Second)
			lost := rig.packets(func(p faults.Packet) bool {
				return p.Reply && p.Status == faults.Lost && p.Why == "no caller is waiting"
			})
			if len(lost) != 3 {
				t.Fatalf("%d replies came back, want 3", len(lost))
			}
		})
	}
}
