package tcp_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"capsize/faults"
	"capsize/faults/tcp"

	"github.com/hashicorp/raft"
)

// pair starts n1 and n2, joined by a proxy or directly.
func pair(t *testing.T, proxied bool) (r *rig, n1, n2 *node) {
	t.Helper()
	r = newRig(t, tcp.ProxyConfig{})
	if proxied {
		return r, r.start("n1", patient), r.start("n2", patient)
	}
	direct := map[raft.ServerAddress]string{}
	for _, n := range []**node{&n1, &n2} {
		name := raft.ServerAddress("n1")
		if n1 != nil {
			name = "n2"
		}
		*n = newNode(t, name, patient, func(to raft.ServerAddress) string { return direct[to] })
		direct[name] = (*n).listener.Addr().String()
		(*n).rig = r
	}
	n1.serve()
	n2.serve()
	return r, n1, n2
}

func onBothWires(t *testing.T, test func(t *testing.T, proxied bool)) {
	t.Helper()
	for name, proxied := range map[string]bool{"proxy": true, "direct": false} {
		t.Run(name, func(t *testing.T) { test(t, proxied) })
	}
}

func TestEveryRPCArrivesAndIsAnswered(t *testing.T) {
	onBothWires(t, func(t *testing.T, proxied bool) {
		t.Helper()
		r, n1, n2 := pair(t, proxied)
		exchangeAll(t, n1)
		var kinds []string
		for _, rpc := range n2.requests() {
			var p faults.Packet
			p.DescribeRequest(rpc.Command, nil)
			kinds = append(kinds, p.Kind.String())
		}
		if got := strings.Join(kinds, " "); got != "append heartbeat vote prevote snapshot timeout-now" {
			t.Errorf("n2 got %s", got)
		}
		if proxied {
			checkReportsOfAll(t, r.reports())
		}
	})
}

// exchangeAll sends one request of each kind to n2, and checks the replies.
func exchangeAll(t *testing.T, n1 *node) {
	t.Helper()
	var appended, beaten raft.AppendEntriesResponse
	var voted raft.RequestVoteResponse
	var prevoted raft.RequestPreVoteResponse
	var installed raft.InstallSnapshotResponse
	snapshot := bytes.Repeat([]byte("snapshot"), 1000)
	for i, err := range []error{
		n1.AppendEntries("n2", "n2", appendOf(n1, 5, []byte("a"), []byte("b")), &appended),
		n1.AppendEntries("n2", "n2", heartbeat(n1), &beaten),
		n1.RequestVote("n2", "n2", &raft.RequestVoteRequest{RPCHeader: header(n1), Term: 8, LastLogIndex: 3, LastLogTerm: 2, LeadershipTransfer: true}, &voted),
		n1.RequestPreVote("n2", "n2", &raft.RequestPreVoteRequest{RPCHeader: header(n1), Term: 9, LastLogIndex: 3, LastLogTerm: 2}, &prevoted),
		n1.InstallSnapshot("n2", "n2", &raft.InstallSnapshotRequest{
			RPCHeader: header(n1), Term: 10, LastLogIndex: 3, LastLogTerm: 2, Size: int64(len(snapshot)),
		}, &installed, bytes.NewReader(snapshot)),
		n1.TimeoutNow("n2", "n2", &raft.TimeoutNowRequest{RPCHeader: header(n1)}, &raft.TimeoutNowResponse{}),
	} {
		if err != nil {
			t.Errorf("RPC %d: %v", i, err)
		}
	}
	if appended.Term != 7 || appended.LastLog != 6 || !appended.Success || !beaten.Success || voted.Term != 8 || !voted.Granted ||
		prevoted.Term != 9 || !prevoted.Granted || installed.Term != 10 || !installed.Success {
		t.Errorf("replies: %+v %+v %+v %+v %+v", appended, beaten, voted, prevoted, installed)
	}
}

// checkReportsOfAll checks what the tap has got of exchangeAll.
func checkReportsOfAll(t *testing.T, all []report) {
	t.Helper()
	want := []faults.Packet{
		{Kind: faults.KindAppend, Content: faults.Content{Term: 7, PrevIndex: 4, PrevTerm: 6, FirstIndex: 5, Entries: 2, CommitIndex: 4}},
		{Kind: faults.KindAppend, Reply: true, Content: faults.Content{Term: 7, RequestTerm: 7, LastIndex: 6, OK: true}},
		{Kind: faults.KindHeartbeat, Content: faults.Content{Term: 7}},
		{Kind: faults.KindHeartbeat, Reply: true, Content: faults.Content{Term: 7, RequestTerm: 7, OK: true}},
		{Kind: faults.KindVote, Content: faults.Content{Term: 8, LastIndex: 3, LastTerm: 2, Transfer: true}},
		{Kind: faults.KindVote, Reply: true, Content: faults.Content{Term: 8, RequestTerm: 8, OK: true}},
		{Kind: faults.KindPreVote, Content: faults.Content{Term: 9, LastIndex: 3, LastTerm: 2}},
		{Kind: faults.KindPreVote, Reply: true, Content: faults.Content{Term: 9, RequestTerm: 9, OK: true}},
		{Kind: faults.KindSnapshot, Content: faults.Content{Term: 10, LastIndex: 3, LastTerm: 2}},
		{Kind: faults.KindSnapshot, Reply: true, Content: faults.Content{Term: 10, RequestTerm: 10, OK: true}},
		{Kind: faults.KindTimeoutNow},
		{Kind: faults.KindTimeoutNow, Reply: true, Content: faults.Content{OK: true}},
	}
	if len(all) != 2*len(want) {
		t.Fatalf("the tap got %d reports, want %d", len(all), 2*len(want))
	}
	for i, w := range want {
		w.ID, w.RPC, w.From, w.To = uint64(i+1), uint64(i/2+1), "n1", "n2"
		if w.Reply {
			w.From, w.To = "n2", "n1"
		}
		for j, status := range []faults.PacketStatus{faults.Sent, faults.Delivered} {
			got := all[2*i+j].Packet
			if got.SizeBytes < 10 || w.Kind == faults.KindSnapshot && !w.Reply && got.SizeBytes < 8000 {
				t.Errorf("%s of %d bytes", w.Kind, got.SizeBytes)
			}
			w.Status, w.SizeBytes = status, got.SizeBytes
			if got != w {
				t.Errorf("the tap got\n%+v, want\n%+v", got, w)
			}
		}
	}
}

func TestAReplyWithAnErrorArrives(t *testing.T) {
	onBothWires(t, func(t *testing.T, proxied bool) {
		t.Helper()
		r, n1, n2 := pair(t, proxied)
		n2.answer = func(rpc raft.RPC) { rpc.Respond(nil, errors.New("the log is torn")) }
		for range 2 { // the connection is used again
			if err := n1.vote("n2"); err == nil || err.Error() != "the log is torn" {
				t.Errorf("got %v", err)
			}
		}
		if all := r.reports(); proxied && all[3].Error != "the log is torn" {
			t.Errorf("the tap got %+v", all[3])
		}
	})
}

func TestAPipelineKeepsItsOrder(t *testing.T) {
	onBothWires(t, func(t *testing.T, proxied bool) {
		t.Helper()
		_, n1, n2 := pair(t, proxied)
		const count = 200
		p, err := n1.AppendEntriesPipeline("n2", "n2")
		if err != nil {
			t.Fatal(err)
		}
		sent := later(func() error {
			for i := range count {
				if _, err := p.AppendEntries(appendOf(n1, uint64(i+1), []byte("x")), &raft.AppendEntriesResponse{}); err != nil {
					return err
				}
			}
			return nil
		})
		for i := range count {
			f := <-p.Consumer()
			if err := f.Error(); err != nil || f.Response().LastLog != uint64(i+1) {
				t.Fatalf("reply %d: %+v, %v", i, f.Response(), err)
			}
		}
		if err := errors.Join(get(t, sent), p.Close()); err != nil {
			t.Error(err)
		}
		for i, rpc := range n2.requests() {
			if got := rpc.Command.(*raft.AppendEntriesRequest).PrevLogEntry; got != uint64(i) {
				t.Fatalf("request %d came as number %d", got, i)
			}
		}
	})
}

func TestWhatIsBigArrivesWhole(t *testing.T) {
	onBothWires(t, func(t *testing.T, proxied bool) {
		t.Helper()
		_, n1, n2 := pair(t, proxied)
		big := make([]byte, 5<<20)
		for i := range big {
			big[i] = byte(i * i >> 8)
		}
		var got []byte
		n2.answer = func(rpc raft.RPC) {
			if rpc.Reader == nil {
				yes(rpc)
				return
			}
			var err error
			got, err = io.ReadAll(rpc.Reader)
			rpc.Respond(&raft.InstallSnapshotResponse{Success: true}, err)
		}
		var appended raft.AppendEntriesResponse
		if err := n1.AppendEntries("n2", "n2", appendOf(n1, 1, big, nil, big[:1000]), &appended); err != nil || !appended.Success {
			t.Fatal(err)
		}
		if entries := n2.requests()[0].Command.(*raft.AppendEntriesRequest).Entries; !bytes.Equal(entries[0].Data, big) || !bytes.Equal(entries[2].Data, big[:1000]) {
			t.Error("an entry has changed on its way")
		}
		var installed raft.InstallSnapshotResponse
		err := n1.InstallSnapshot("n2", "n2", &raft.InstallSnapshotRequest{RPCHeader: header(n1), Size: int64(len(big))}, &installed, bytes.NewReader(big))
		if err != nil || !installed.Success || !bytes.Equal(got, big) {
			t.Errorf("%v; the snapshot of %d bytes arrived with %d", err, len(big), len(got))
		}
	})
}

// A node sees the mark of a sender before raft gets what came with it; behind a proxy, the mark that
// the tap gives for that of the sender.
func TestMarksComeBeforeWhatTheyMark(t *testing.T) {
	onBothWires(t, func(t *testing.T, proxied bool) {
		t.Helper()
		r, n1, n2 := pair(t, proxied)
		n1.events, n2.events = 100, 200
		added := uint64(0)
		if proxied {
			added = tapped
		}
		for range 3 {
			if err := n1.vote("n2"); err != nil {
				t.Fatal(err)
			}
		}
		n2.mu.Lock()
		defer n2.mu.Unlock()
		for i, h := range n2.heard {
			s, isMark := h.(seen)
			if isMark != (i%2 == 0) || isMark && s != (seen{"n1", added + uint64(101+i/2)}) {
				t.Fatalf("n2 heard %+v", n2.heard)
			}
		}
		n1.mu.Lock()
		defer n1.mu.Unlock()
		for i, h := range n1.heard {
			if h != (seen{"n2", added + uint64(201+i)}) {
				t.Fatalf("n1 heard %+v", n1.heard)
			}
		}
		for i, p := range r.reports() {
			if want := map[raft.ServerAddress]uint64{"n1": 101, "n2": 201}[p.From] + uint64(i/4); p.mark != want {
				t.Errorf("report %d, from %s, has mark %d, want %d", i, p.From, p.mark, want)
			}
		}
		if len(n2.heard) != 6 || len(n1.heard) != 3 {
			t.Errorf("n2 heard %+v, n1 %+v", n2.heard, n1.heard)
		}
	})
}
