package counter

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"

	"github.com/hashicorp/raft"
)

// ErrBadSnapshot is returned when a snapshot cannot be read or is not valid. The
// FSM is unchanged then.
var ErrBadSnapshot = errors.New("counter: bad snapshot")

const (
	snapshotVersion = 1
	checksumBytes   = crc32.Size
	// sessionBytesMax is the size of the longest name with its length, two varints
	// and the overflow byte.
	sessionBytesMax = 1 + clientBytesMax + 2*binary.MaxVarintLen64 + 1
	// snapshotBytesMax is the size of version, value, count, MaxSessions sessions and
	// the checksum.
	snapshotBytesMax = 1 + 2*binary.MaxVarintLen64 + MaxSessions*sessionBytesMax + checksumBytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// snapshot is an immutable copy of an FSM's state.
type snapshot struct {
	value    int64
	sessions map[string]session
}

var _ raft.FSMSnapshot = (*snapshot)(nil)

// Snapshot returns a copy of the state. It never fails. Later entries do not
// change the copy, so any goroutine may persist it.
func (f *FSM) Snapshot() (raft.FSMSnapshot, error) {
	return &snapshot{value: f.Value(), sessions: maps.Clone(f.sessions)}, nil
}

// Persist writes the snapshot to the sink and closes it. On an error, it cancels
// the sink, so the store keeps no partial snapshot.
func (s *snapshot) Persist(sink raft.SnapshotSink) error {
	_, err := sink.Write(s.encode())
	if err == nil {
		err = sink.Close()
	}
	if err != nil {
		return fmt.Errorf("counter: persisting a snapshot: %w", errors.Join(err, sink.Cancel()))
	}
	return nil
}

// Release does nothing: the copy is ordinary memory.
func (s *snapshot) Release() {}

// Restore replaces the whole state with that of a snapshot. It always closes the
// reader. On an error, which wraps ErrBadSnapshot, the state is unchanged. Restore
// reads, and so allocates, no more than the largest snapshot an FSM can write,
// whatever sizes the data claims.
func (f *FSM) Restore(r io.ReadCloser) error {
	// The checksum verifies everything read, so an error from Close does not matter.
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(io.LimitReader(r, snapshotBytesMax+1))
	if err != nil {
		return fmt.Errorf("%w: reading it: %w", ErrBadSnapshot, err)
	}
	s, err := decodeSnapshot(data)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadSnapshot, err)
	}
	f.sessions = s.sessions
	f.value.Store(s.value)
	return nil
}

// encode returns the encoding of the state, which is unique:
//
//	version   1 byte, 1
//	value     zigzag varint
//	count     uvarint, the number of sessions that follow, in ascending order of client
//	  client    uvarint of its length in bytes, then the name
//	  seq       uvarint
//	  value     zigzag varint
//	  overflow  1 byte, 0 or 1
//	checksum  4 bytes, CRC32C of everything before it, big endian
func (s *snapshot) encode() []byte {
	data := []byte{snapshotVersion}
	data = binary.AppendVarint(data, s.value)
	data = binary.AppendUvarint(data, uint64(len(s.sessions)))
	for _, client := range slices.Sorted(maps.Keys(s.sessions)) {
		last := s.sessions[client]
		data = appendClient(data, client)
		data = binary.AppendUvarint(data, last.seq)
		data = binary.AppendVarint(data, last.value)
		data = appendBool(data, last.overflowed)
	}
	return appendChecksum(data)
}

func appendChecksum(data []byte) []byte {
	return binary.BigEndian.AppendUint32(data, crc32.Checksum(data, castagnoli))
}

// decodeSnapshot is the inverse of encode and accepts nothing else. It verifies
// the checksum first, so damage is reported as such wherever it is.
func decodeSnapshot(data []byte) (*snapshot, error) {
	if len(data) > snapshotBytesMax {
		return nil, fmt.Errorf("larger than %d bytes", snapshotBytesMax)
	}
	if len(data) < checksumBytes {
		return nil, errTruncated
	}
	body, sum := data[:len(data)-checksumBytes], data[len(data)-checksumBytes:]
	if binary.BigEndian.Uint32(sum) != crc32.Checksum(body, castagnoli) {
		return nil, errors.New("checksum does not match")
	}
	r := reader{rest: body}
	r.version(snapshotVersion)
	s := &snapshot{value: r.varint()}
	s.sessions = r.sessions()
	return s, r.end()
}

// sessions reads the count and the sessions. It does not allocate by the count:
// memory grows only with the bytes that are really there.
func (r *reader) sessions() map[string]session {
	count := r.uvarint()
	if count > MaxSessions {
		r.fail(fmt.Errorf("%d sessions exceed the limit of %d", count, MaxSessions))
	}
	sessions := make(map[string]session)
	previous := ""
	for i := uint64(0); i < count && r.err == nil; i++ {
		client := r.client()
		if err := validateClient(client); err != nil {
			r.fail(err)
		}
		// Strictly ascending names, starting above "", are neither empty nor repeated.
		if client <= previous {
			r.fail(fmt.Errorf("client %q follows %q: names must ascend", client, previous))
		}
		previous = client
		sessions[client] = session{seq: r.uvarint(), value: r.varint(), overflowed: r.bool()}
	}
	return sessions
}

// LastSeq returns the highest sequence number of any client in an encoded
// snapshot, or 0 if it holds no sessions. The error wraps ErrBadSnapshot.
func LastSeq(data []byte) (uint64, error) {
	s, err := decodeSnapshot(data)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrBadSnapshot, err)
	}
	var last uint64
	for _, session := range s.sessions {
		last = max(last, session.seq)
	}
	return last, nil
}
