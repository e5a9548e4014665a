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

// ErrBadSnapshot says that a snapshot could not be read, or is not one. The FSM is
// as it was before.
var ErrBadSnapshot = errors.New("counter: bad snapshot")

const (
	snapshotVersion = 1
	checksumBytes   = crc32.Size
	// sessionBytesMax holds a name with its length, two varints and the overflow byte.
	sessionBytesMax = 1 + clientBytesMax + 2*binary.MaxVarintLen64 + 1
	// snapshotBytesMax holds version, value, count, all sessions and the checksum.
	snapshotBytesMax = 1 + 2*binary.MaxVarintLen64 + MaxSessions*sessionBytesMax + checksumBytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// snapshot is a copy of an FSM's state. Nothing changes it.
type snapshot struct {
	value    int64
	sessions map[string]session
}

var _ raft.FSMSnapshot = (*snapshot)(nil)

// Snapshot returns a copy of the state. It never fails. The copy stays as it is
// while later entries are applied, so it may be persisted from any goroutine.
func (f *FSM) Snapshot() (raft.FSMSnapshot, error) {
	return &snapshot{value: f.Value(), sessions: maps.Clone(f.sessions)}, nil
}

// Persist writes the snapshot to the sink and closes it. On an error it cancels
// the sink, so that no half of a snapshot is ever kept.
func (s *snapshot) Persist(sink raft.SnapshotSink) error {
	_, err := sink.Write(s.encode())
	if err == nil {
		err = sink.Close()
	}
	if err != nil {
		return fmt.Errorf("counter: persist snapshot: %w", errors.Join(err, sink.Cancel()))
	}
	return nil
}

// Release does nothing: the copy is ordinary memory.
func (s *snapshot) Release() {}

// Restore replaces the whole state by that of a snapshot, and closes the reader in
// any case. On an error, which wraps ErrBadSnapshot, the state stays as it was.
// What it reads, and so what it allocates, is bounded by the largest snapshot that
// an FSM can write, whatever the snapshot claims of itself.
func (f *FSM) Restore(r io.ReadCloser) error {
	// All that was read is proved by its checksum, so a failing Close has nothing to add.
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(io.LimitReader(r, snapshotBytesMax+1))
	if err != nil {
		return fmt.Errorf("%w: read: %w", ErrBadSnapshot, err)
	}
	s, err := decodeSnapshot(data)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadSnapshot, err)
	}
	f.sessions = s.sessions
	f.value.Store(s.value)
	return nil
}

// encode returns the one encoding of the state:
//
//	version   1 byte, 1
//	value     zigzag varint
//	count     uvarint, the number of sessions that follow, in ascending order of client
//	  client    uvarint of its length in bytes, then the name
//	  seq       uvarint
//	  value     zigzag varint
//	  overflow  1 byte, 0 or 1
//	checksum  4 bytes, CRC32C of all before it, big endian
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

// decodeSnapshot is the inverse of encode and accepts nothing else. The checksum
// comes first, so that damage is called damage whatever it hit.
func decodeSnapshot(data []byte) (*snapshot, error) {
	if len(data) > snapshotBytesMax {
		return nil, fmt.Errorf("more than %d bytes", snapshotBytesMax)
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

// sessions reads the count and the sessions. The count only ever ends the loop:
// memory grows with the bytes that are really there.
func (r *reader) sessions() map[string]session {
	count := r.uvarint()
	if count > MaxSessions {
		r.fail(fmt.Errorf("%d sessions, at most %d are allowed", count, MaxSessions))
	}
	sessions := make(map[string]session)
	previous := ""
	for i := uint64(0); i < count && r.err == nil; i++ {
		client := r.client()
		if err := validateClient(client); err != nil {
			r.fail(err)
		}
		// Ascending from the empty name also means that none is empty and none comes twice.
		if client <= previous {
			r.fail(fmt.Errorf("client %q after %q", client, previous))
		}
		previous = client
		sessions[client] = session{seq: r.uvarint(), value: r.varint(), overflowed: r.bool()}
	}
	return sessions
}

// LastSeq returns the highest sequence number that a snapshot remembers of any
// client, 0 if it remembers none. The error wraps ErrBadSnapshot.
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
