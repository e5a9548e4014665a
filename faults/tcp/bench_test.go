package tcp_test

import (
	"bytes"
	"net"
	"testing"
	"time"

	"capsize/faults"
	"capsize/faults/tcp"

	"github.com/hashicorp/raft"
)

// BenchmarkAppend compares 64 entries over the proxy with 64 entries over the same frames and no
// proxy, and with raft's own TCP transport.
func BenchmarkAppend(b *testing.B) {
	b.Run("tcp", func(b *testing.B) { benchmarkAppend(b, plain(b), plain(b)) })
	b.Run("direct", func(b *testing.B) {
		var n2 *node
		where := func(raft.ServerAddress) string { return n2.listener.Addr().String() }
		n1 := newNode(b, "n1", patient, where)
		n2 = newNode(b, "n2", patient, where)
		benchmarkAppend(b, n1.NetworkTransport, n2.NetworkTransport)
	})
	b.Run("proxy", func(b *testing.B) { benchmarkProxy(b) })
	b.Run("proxy with a delay of nothing", func(b *testing.B) { benchmarkProxy(b, faults.Delay{}) })
}

func benchmarkProxy(b *testing.B, all ...faults.LinkFault) {
	b.Helper()
	nodes := map[raft.ServerAddress]*node{}
	proxy := tcp.NewProxy(tcp.ProxyConfig{
		Listener: listen(b), Token: token, Tap: func(_ faults.Packet, mark uint64) uint64 { return mark },
		Reach: func(to raft.ServerAddress) (net.Conn, error) {
			return net.Dial("tcp", nodes[to].listener.Addr().String())
		},
	})
	b.Cleanup(proxy.Close)
	for _, f := range all {
		proxy.SetFault("n1", "n2", f)
	}
	for _, name := range []raft.ServerAddress{"n1", "n2"} {
		nodes[name] = newNode(b, name, patient, func(raft.ServerAddress) string { return proxy.Addr().String() })
	}
	benchmarkAppend(b, nodes["n1"].NetworkTransport, nodes["n2"].NetworkTransport)
}

func plain(b *testing.B) *raft.NetworkTransport {
	b.Helper()
	t, err := raft.NewTCPTransportWithLogger("127.0.0.1:0", nil, 3, patient, quiet())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = t.Close() })
	return t
}

// benchmarkAppend appends 64 entries at a time over a pipeline.
func benchmarkAppend(b *testing.B, from, to *raft.NetworkTransport) {
	b.Helper()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case rpc := <-to.Consumer():
				yes(rpc)
			case <-stop:
				return
			}
		}
	}()
	p, err := from.AppendEntriesPipeline("n2", to.LocalAddr())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	request := &raft.AppendEntriesRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: 3, ID: []byte("n1"), Addr: []byte("n1")}, Term: 7, PrevLogEntry: 1}
	for i := range 64 {
		request.Entries = append(request.Entries, &raft.Log{Index: uint64(i + 2), Term: 7, Data: bytes.Repeat([]byte("x"), 24), AppendedAt: time.Unix(1, 0)})
	}
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		for range b.N {
			if _, err := p.AppendEntries(request, &raft.AppendEntriesResponse{}); err != nil {
				b.Error(err)
				return
			}
		}
	}()
	for range b.N {
		if err := (<-p.Consumer()).Error(); err != nil {
			b.Fatal(err)
		}
	}
}
