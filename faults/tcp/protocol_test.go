package tcp

import (
	"bufio"
	"bytes"
	"errors"
	"testing"

	"capsize/faults"

	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/raft"
)

// encode returns a message as raft writes it.
func encode(tb testing.TB, start []byte, values ...any) []byte {
	tb.Helper()
	b := bytes.NewBuffer(start)
	handle := &codec.MsgpackHandle{}
	handle.TimeNotBuiltin = true // as in raft
	e := codec.NewEncoder(b, handle)
	for _, v := range values {
		if err := e.Encode(v); err != nil {
			tb.Fatal(err)
		}
	}
	return b.Bytes()
}

// framed returns bytes in frames of so many bytes.
func framed(tb testing.TB, b []byte, size int) *frames {
	tb.Helper()
	var wire bytes.Buffer
	for mark := uint64(1); len(b) > 0; mark++ {
		n := min(size, len(b))
		if _, _, err := writeFrames(&wire, nil, mark, b[:n]); err != nil {
			tb.Fatal(err)
		}
		b = b[n:]
	}
	return &frames{r: bufio.NewReader(&wire)}
}

// requests are one of each kind.
func requests(tb testing.TB) [][]byte {
	tb.Helper()
	header := raft.RPCHeader{ProtocolVersion: 3, ID: []byte("n1"), Addr: []byte("n1")}
	entries := []*raft.Log{{Index: 3, Term: 2, Data: []byte("increment")}, {Index: 4, Term: 2, Type: raft.LogNoop}}
	return [][]byte{
		encode(tb, []byte{rpcAppendEntries}, &raft.AppendEntriesRequest{RPCHeader: header, Term: 2, Entries: entries}),
		encode(tb, []byte{rpcRequestVote}, &raft.RequestVoteRequest{RPCHeader: header, Term: 2}),
		append(encode(tb, []byte{rpcInstallSnapshot}, &raft.InstallSnapshotRequest{RPCHeader: header, Size: 4}), "data"...),
		encode(tb, []byte{rpcTimeoutNow}, &raft.TimeoutNowRequest{RPCHeader: header}),
		encode(tb, []byte{rpcRequestPreVote}, &raft.RequestPreVoteRequest{RPCHeader: header, Term: 2}),
	}
}

// Messages are told apart however they are cut into frames, and each has the mark of the frame in
// which it ends.
func TestMessagesAreToldApartInAnyFrames(t *testing.T) {
	all := requests(t)
	stream := bytes.Join(all, nil)
	for _, size := range []int{1, 2, 7, 64, len(stream)} {
		d, end := newDecoder(framed(t, stream, size)), 0
		for i, want := range all {
			m, err := d.request()
			if err != nil || !bytes.Equal(m.raw, want) {
				t.Fatalf("message %d in frames of %d bytes: %v, %q, want %q", i, size, err, m.raw, want)
			}
			end += len(want)
			if mark := uint64((end + size - 1) / size); m.mark != mark {
				t.Errorf("message %d in frames of %d bytes has mark %d, want %d", i, size, m.mark, mark)
			}
		}
	}
}

// What is forwarded is what came, byte for byte, and nothing that comes makes the proxy panic.
func FuzzRequests(f *testing.F) {
	for _, b := range requests(f) {
		f.Add(b, 7)
		f.Add(b[:len(b)/2], 1)
	}
	f.Add(encode(f, []byte{rpcAppendEntries}, &raft.AppendEntriesRequest{Entries: []*raft.Log{nil}}), 9)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		d := newDecoder(framed(t, stream, max(1, size)))
		var raw []byte
		for {
			m, err := d.request()
			if err != nil {
				break
			}
			raw = append(raw, m.raw...)
		}
		if !bytes.HasPrefix(stream, raw) {
			t.Errorf("%q became %q", stream, raw)
		}
	})
}

func FuzzReplies(f *testing.F) {
	for _, kind := range faults.Kinds() {
		f.Add(encode(f, nil, "", &raft.AppendEntriesResponse{Term: 2, Success: true}), uint8(kind))
		f.Add(encode(f, nil, "no", nil), uint8(kind))
	}
	f.Fuzz(func(t *testing.T, stream []byte, kind uint8) {
		d := newDecoder(framed(t, stream, 5))
		var raw []byte
		for {
			m, err := d.reply(faults.Kind(kind%6 + 1))
			if err != nil {
				break
			}
			raw = append(raw, m.raw...)
		}
		if !bytes.HasPrefix(stream, raw) {
			t.Errorf("%q became %q", stream, raw)
		}
	})
}

func FuzzHello(f *testing.F) {
	f.Add(helloOf("secret", "n1", "n2"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var token, from, to string
		err := readTexts(bufio.NewReader(bytes.NewReader(b)), &token, &from, &to)
		if err == nil && (!bytes.HasPrefix(b, []byte(magic)) || max(len(token), len(from), len(to)) > textMax) {
			t.Errorf("%q is a hello", b)
		}
	})
}

// A message has an end.
func TestAnEndlessMessageIsRefused(t *testing.T) {
	d := &decoder{raw: make([]byte, messageMax), r: bufio.NewReader(bytes.NewReader([]byte("abc")))}
	if _, err := d.ReadByte(); !errors.Is(err, errTooLong) {
		t.Errorf("ReadByte: %v", err)
	}
	if _, err := d.Read(make([]byte, 1)); !errors.Is(err, errTooLong) {
		t.Errorf("Read: %v", err)
	}
}
