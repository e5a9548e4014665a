package tcp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"capsize/faults"

	"github.com/hashicorp/go-msgpack/v2/codec"
	"github.com/hashicorp/raft"
)

// The types of requests on the wire (hashicorp/raft net_transport.go).
const (
	rpcAppendEntries uint8 = iota
	rpcRequestVote
	rpcInstallSnapshot
	rpcTimeoutNow
	rpcRequestPreVote
)

// messageMax is how many bytes a message may have, a snapshot included.
const messageMax = 64 << 20

// errTooLong is why a connection is closed whose message has no end.
var errTooLong = errors.New("a message is too long")

// message is a request or a reply, as it was on the wire.
type message struct {
	packet faults.Packet
	raw    []byte
	mark   uint64
}

// decoder reads raft's messages from one direction of a connection, and keeps their bytes.
type decoder struct {
	frames *frames
	r      *bufio.Reader
	codec  *codec.Decoder
	raw    []byte // of the present message
}

func newDecoder(f *frames) *decoder {
	d := &decoder{frames: f, r: bufio.NewReader(f)}
	d.codec = codec.NewDecoder(d, &codec.MsgpackHandle{})
	return d
}

// Read implements io.Reader. Together with ReadByte and UnreadByte it keeps the codec from reading
// ahead.
func (d *decoder) Read(b []byte) (int, error) {
	n, err := d.r.Read(b)
	d.raw = append(d.raw, b[:n]...)
	if len(d.raw) > messageMax {
		return n, errTooLong
	}
	return n, err
}

// ReadByte implements io.ByteReader.
func (d *decoder) ReadByte() (byte, error) {
	if len(d.raw) >= messageMax {
		return 0, errTooLong
	}
	b, err := d.r.ReadByte()
	if err == nil {
		d.raw = append(d.raw, b)
	}
	return b, err
}

// UnreadByte implements io.ByteScanner.
func (d *decoder) UnreadByte() error {
	err := d.r.UnreadByte()
	if err == nil {
		d.raw = d.raw[:len(d.raw)-1]
	}
	return err
}

// take returns the present message and begins the next one.
func (d *decoder) take(p faults.Packet) *message {
	m := &message{packet: p, raw: d.raw, mark: d.frames.mark}
	m.packet.SizeBytes = len(d.raw)
	d.raw = nil
	return m
}

// request reads a request.
func (d *decoder) request() (*message, error) {
	kind, err := d.ReadByte()
	if err != nil {
		return nil, err
	}
	var command any
	switch kind {
	case rpcAppendEntries:
		command = &raft.AppendEntriesRequest{}
	case rpcRequestVote:
		command = &raft.RequestVoteRequest{}
	case rpcInstallSnapshot:
		command = &raft.InstallSnapshotRequest{}
	case rpcTimeoutNow:
		command = &raft.TimeoutNowRequest{}
	case rpcRequestPreVote:
		command = &raft.RequestPreVoteRequest{}
	default:
		return nil, fmt.Errorf("%w: request type %d", errForeign, kind)
	}
	if err := d.codec.Decode(command); err != nil {
		return nil, err
	}
	switch request := command.(type) {
	case *raft.AppendEntriesRequest:
		if slices.Contains(request.Entries, nil) {
			return nil, fmt.Errorf("%w: an entry is missing", errForeign)
		}
	case *raft.InstallSnapshotRequest:
		if request.Size < 0 || request.Size > messageMax {
			return nil, errTooLong
		}
		if _, err := io.CopyN(io.Discard, d, request.Size); err != nil {
			return nil, err
		}
	}
	var p faults.Packet
	p.DescribeRequest(command, nil)
	return d.take(p), nil
}

// reply reads the reply to a request.
func (d *decoder) reply(kind faults.Kind) (*message, error) {
	var answer raft.RPCResponse
	var text string
	if err := d.codec.Decode(&text); err != nil {
		return nil, err
	}
	if text != "" {
		answer.Error = errors.New(text)
	}
	switch kind {
	case faults.KindAppend, faults.KindHeartbeat:
		answer.Response = &raft.AppendEntriesResponse{}
	case faults.KindVote:
		answer.Response = &raft.RequestVoteResponse{}
	case faults.KindPreVote:
		answer.Response = &raft.RequestPreVoteResponse{}
	case faults.KindSnapshot:
		answer.Response = &raft.InstallSnapshotResponse{}
	case faults.KindTimeoutNow:
		answer.Response = &raft.TimeoutNowResponse{}
	}
	if err := d.codec.Decode(answer.Response); err != nil {
		return nil, err
	}
	p := faults.Packet{Kind: kind, Reply: true}
	p.DescribeReply(answer)
	return d.take(p), nil
}
