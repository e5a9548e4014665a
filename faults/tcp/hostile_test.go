package tcp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"capsize/faults"
	"capsize/faults/tcp"

	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/raft"
)

// hello is a hello of the wire, written out.
func hello(texts ...string) []byte {
	b := []byte("capsize1")
	for _, t := range texts {
		b = binary.AppendUvarint(b, uint64(len(t)))
		b = append(b, t...)
	}
	return b
}

// frame is a frame with mark 1.
func frame(b []byte) []byte {
	return append(binary.AppendUvarint([]byte{1}, uint64(len(b))), b...)
}

// request is a request of raft, as it is on the wire.
func request(t *testing.T, kind byte, command any) []byte {
	t.Helper()
	b := bytes.NewBuffer([]byte{kind})
	if err := codec.NewEncoder(b, &codec.MsgpackHandle{}).Encode(command); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// dial connects to an address, and writes.
func dial(t *testing.T, to net.Addr, b []byte) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(hung))
	_, _ = c.Write(b) // the other end may have hung up
	return c
}

// hungUp checks that the other end says nothing, and hangs up.
func hungUp(t *testing.T, c net.Conn) {
	t.Helper()
	got, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("it does not hang up")
	}
	if len(got) > 0 {
		t.Errorf("it says %q", got)
	}
}

// strange are hellos that are none.
var strange = map[string][]byte{
	"garbage":       []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
	"other version": append([]byte("capsize0"), hello(token, "n1", "n2")[8:]...),
	"wrong token":   hello("guess", "n1", "n2"),
	"no token":      hello("", "n1", "n2"),
	"too long":      hello(token, string(make([]byte, 257)), "n2"),
	"endless":       append([]byte("capsize1"), bytes.Repeat([]byte{0xff}, 100)...),
}

func TestStrangersAreHungUpOn(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n2 := r.start("n2", patient)
	for name, b := range strange {
		t.Run(name, func(t *testing.T) {
			hungUp(t, dial(t, r.Addr(), b))
			hungUp(t, dial(t, n2.listener.Addr(), b))
		})
	}
	hungUp(t, dial(t, n2.listener.Addr(), hello(token, "n1", "n3"))) // who wants another node
	n1 := r.start("n1", patient)
	if err := n1.vote("n2"); err != nil {
		t.Error(err)
	}
}

// A connection that says nothing, or only a part of its hello, does not outlive its acceptor.
func TestCloseEndsConnectionsThatSayNothing(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n2 := r.start("n2", patient)
	var all []net.Conn
	for _, to := range []net.Addr{r.Addr(), n2.listener.Addr()} {
		all = append(all, dial(t, to, nil), dial(t, to, hello(token)))
	}
	n1 := r.start("n1", patient)
	if err := n1.vote("n2"); err != nil { // so the others are accepted
		t.Fatal(err)
	}
	n2.kill()
	r.Close()
	for _, c := range all {
		hungUp(t, c)
	}
}

// Nonsense from a dialer with the token ends its connection and nothing else.
func TestNonsenseEndsItsConnection(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1 := r.start("n1", patient)
	r.start("n2", patient)
	missing := request(t, 0, &raft.AppendEntriesRequest{Term: 1, Entries: []*raft.Log{nil}})
	for name, b := range map[string][]byte{
		"frame too long":    binary.AppendUvarint([]byte{1}, 1<<40),
		"mark too long":     bytes.Repeat([]byte{0xff}, 20),
		"unknown request":   frame([]byte{9}),
		"not a request":     frame([]byte{1, 0xc1, 0xc1}),
		"missing entry":     frame(missing),
		"endless snapshot":  frame(request(t, 2, &raft.InstallSnapshotRequest{Size: 1 << 50})),
		"nested":            frame(append([]byte{1, 0x81, 0xa1, 'x'}, bytes.Repeat([]byte{0x91}, 10_000)...)),
		"negative snapshot": frame(request(t, 2, &raft.InstallSnapshotRequest{Size: -1})),
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, r.Addr(), hello(token, "n1", "n2"))
			greeting := make([]byte, len(hello("n2")))
			if _, err := io.ReadFull(c, greeting); err != nil {
				t.Fatal(err)
			}
			_, _ = c.Write(b)
			hungUp(t, c)
		})
	}
	if err := n1.vote("n2"); err != nil {
		t.Error(err)
	}
}

// A node that answers nonsense, or more than it is asked, does not bring the proxy down.
func TestANonsensicalNodeEndsItsConnection(t *testing.T) {
	for name, says := range map[string][]byte{
		"no greeting": []byte("220 smtp.example.com\r\n"),
		"nonsense":    append(hello("n2"), frame([]byte{0xc1, 0xc1, 0xc1})...),
		"no frame":    append(hello("n2"), bytes.Repeat([]byte{0xff}, 20)...),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, tcp.ProxyConfig{})
			n1 := r.start("n1", patient)
			fake := listen(t)
			r.change(func() { r.nodes["n2"] = &node{listener: fake} })
			done := make(chan struct{})
			go func() {
				defer close(done)
				if c, err := fake.Accept(); err == nil {
					_, _ = c.Write(says)
					_, _ = io.Copy(io.Discard, c)
					_ = c.Close()
				}
			}()
			if get(t, later(func() error { return n1.vote("n2") })) == nil {
				t.Error("a vote came out of nonsense")
			}
			<-done
		})
	}
}

// A node that does not read, as one that is stopped, blocks no other node.
func TestANodeThatDoesNotReadBlocksNoOther(t *testing.T) {
	r := newRig(t, tcp.ProxyConfig{})
	n1 := r.start("n1", patient)
	r.start("n2", patient)
	stopped := listen(t)
	r.change(func() { r.nodes["n3"] = &node{listener: stopped} })
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := stopped.Accept()
		_, _ = c.Write(hello("n3"))
		accepted <- c
	}()
	sent := later(func() error {
		return n1.AppendEntries("n3", "n3", appendOf(n1, 1, make([]byte, 32<<20)), &raft.AppendEntriesResponse{})
	})
	c := <-accepted
	r.waitReports(faults.Delivered, 1) // it is on its way to n3, and fills the buffers of the system
	for range 10 {
		if err := get(t, later(func() error { return n1.vote("n2") })); err != nil {
			t.Error(err)
		}
	}
	_ = c.Close() // SIGKILL
	if get(t, sent) == nil {
		t.Error("an answer came from a node that does not read")
	}
}
