package tcp_test

import (
	"testing"
	"time"

	"capsize/faults"
	"capsize/faults/tcp"

	"github.com/hashicorp/raft"
)

// The messages of a connection arrive in order, but their delays overlap.
func TestDelaysOverlap(t *testing.T) {
	const least, most = (30 + 150) * time.Millisecond, (70 + 250) * time.Millisecond
	r := newRig(t, tcp.ProxyConfig{Latency: 50 * time.Millisecond, Jitter: 20 * time.Millisecond})
	n1 := r.start("n1", patient)
	r.start("n2", patient)
	r.SetFault("n1", "n2", faults.Delay{Mean: 200 * time.Millisecond, Jitter: 50 * time.Millisecond})
	p, start := newPipeline(t, n1), time.Now()
	var futures []raft.AppendFuture
	for range 6 { // the pipeline takes no more
		futures = append(futures, p.send())
	}
	for i, f := range futures {
		if err := get(t, later(f.Error)); err != nil {
			t.Errorf("message %d: %v", i, err)
		}
	}
	if took := time.Since(start); took < least+30*time.Millisecond {
		t.Errorf("all took %s", took)
	}
	for i, p := range r.reports() {
		if p.Status == faults.Sent && !p.Reply && (p.Delay < least || p.Delay > most) {
			t.Errorf("report %d is %+v", i, p)
		}
	}
}

// All connections of a link share its bandwidth.
func TestBandwidthIsShared(t *testing.T) {
	const rate = 100_000
	r := newRig(t, tcp.ProxyConfig{})
	n1 := r.start("n1", patient)
	r.start("n2", patient)
	r.SetFault("n1", "n2", faults.Bandwidth{BytesPerSecond: rate})
	start := time.Now()
	var sent []<-chan error
	for range 4 {
		sent = append(sent, later(func() error {
			return n1.AppendEntries("n2", "n2", appendOf(n1, 1, make([]byte, 4000)), &raft.AppendEntriesResponse{})
		}))
	}
	for _, s := range sent {
		if err := get(t, s); err != nil {
			t.Error(err)
		}
	}
	bytes := 0
	for _, p := range r.waitReports(faults.Sent, 8) {
		if !p.Reply {
			bytes += p.SizeBytes
		}
	}
	if took, least := time.Since(start), time.Second*time.Duration(bytes)/rate; bytes < 16000 || took < least {
		t.Errorf("%d bytes took %s, want at least %s", bytes, took, least)
	}
}

// What occupied a link under an earlier limit does not count under the next one.
func TestANewBandwidthBeginsAnew(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1 := r.start("n1", patient)
	r.start("n2", patient)
	for range 2 {
		r.SetFault("n1", "n2", faults.Bandwidth{BytesPerSecond: 1})
		before := len(r.reports())
		voted := later(func() error { return n1.vote("n2") })
		r.waitFor("vote", func() bool { return len(r.reported) > before })
		sent := r.reports()[before]
		if most := time.Duration(sent.SizeBytes+1) * time.Second; sent.Delay > most {
			t.Errorf("%d bytes take %s", sent.SizeBytes, sent.Delay)
		}
		r.SetFault("n1", "n2", faults.Bandwidth{BytesPerSecond: 1e9})
		if err := get(t, voted); err != nil {
			t.Error(err)
		}
		r.ClearFault("n1", "n2", "bandwidth")
	}
}

// A message behind others on its connection is reported with the delay of those before it.
func TestTheReportedDelayCountsThoseBefore(t *testing.T) {
	for _, f := range []faults.LinkFault{faults.Delay{Mean: time.Hour}, faults.Jam{}} {
		t.Run(f.Name(), func(t *testing.T) {
			r := newRig(t, tcp.ProxyConfig{})
			n1 := r.start("n1", patient)
			r.start("n2", patient)
			r.SetFault("n1", "n2", faults.Only(f, faults.KindAppend))
			p := newPipeline(t, n1)
			p.send()
			p.sendThis(heartbeat(n1))
			behind := r.waitReports(faults.Sent, 2)[1]
			if held := f.Name() == "jam"; behind.Kind != faults.KindHeartbeat || behind.Held != held || !held && behind.Delay < 59*time.Minute {
				t.Errorf("behind a %s: %+v", f, behind)
			}
		})
	}
}
