package counter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/hashicorp/raft"
)

// sink is a raft.SnapshotSink that records what is written and how it ended.
type sink struct {
	bytes.Buffer
	failWrite, failClose error
	closed, cancelled    int
}

func (s *sink) ID() string    { return "sink" }
func (s *sink) Cancel() error { s.cancelled++; return nil }

func (s *sink) Close() error { s.closed++; return s.failClose }

func (s *sink) Write(p []byte) (int, error) {
	if s.failWrite != nil {
		return 0, s.failWrite
	}
	return s.Buffer.Write(p)
}

// source is the reader given to Restore. It counts the bytes read and the calls of
// Close.
type source struct {
	io.Reader
	read   int
	closed int
}

func (s *source) Close() error { s.closed++; return nil }

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	s.read += n
	return n, err
}

func snapshotBytes(tb testing.TB, f *FSM) []byte {
	tb.Helper()
	snap, err := f.Snapshot()
	if err != nil {
		tb.Fatal(err)
	}
	defer snap.Release()
	var out sink
	if err := snap.Persist(&out); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func restored(tb testing.TB, data []byte) *FSM {
	tb.Helper()
	f := New()
	if err := f.Restore(io.NopCloser(bytes.NewReader(data))); err != nil {
		tb.Fatal(err)
	}
	return f
}

// used returns an FSM with a value and three sessions, one of which holds an
// overflow.
func used(tb testing.TB) *FSM {
	tb.Helper()
	f := New()
	for _, c := range []Command{
		add("zoe", 1<<40, math.MaxInt64), add("client-2", 9, 1), read("a", math.MaxUint64), add("zoe", 1<<41, -77),
	} {
		f.Apply(entry(tb, c))
	}
	return f
}

// refused fails the test unless Restore rejects the data, leaves the FSM unchanged
// and closes the reader.
func refused(tb testing.TB, f *FSM, data []byte, what string) {
	tb.Helper()
	before := snapshotBytes(tb, f)
	in := &source{Reader: bytes.NewReader(data)}
	if err := f.Restore(in); !errors.Is(err, ErrBadSnapshot) {
		tb.Fatalf("%s: got %v, want ErrBadSnapshot", what, err)
	}
	if in.closed != 1 {
		tb.Fatalf("%s: the reader was closed %d times, want once", what, in.closed)
	}
	if after := snapshotBytes(tb, f); !bytes.Equal(before, after) {
		tb.Fatalf("%s: a failed restore changed the state", what)
	}
}

func TestRestoreReplacesTheWholeState(t *testing.T) {
	data := snapshotBytes(t, used(t))
	f := New()
	apply(t, f, add("gone", 1, 5), Result{Value: 5})
	in := &source{Reader: bytes.NewReader(data)}
	if err := f.Restore(in); err != nil || in.closed != 1 {
		t.Fatalf("restore returned %v and closed the reader %d times", err, in.closed)
	}
	if again := snapshotBytes(t, f); !bytes.Equal(again, data) {
		t.Fatalf("got  % x\nwant % x", again, data)
	}
	apply(t, f, add("client-2", 9, 1), Result{Value: math.MaxInt64, Duplicate: true, Err: ErrOverflow})
	apply(t, f, add("gone", 1, 5), Result{Value: math.MaxInt64 - 72})
}

func TestEmptySnapshotCanBeRestored(t *testing.T) {
	f := used(t)
	if err := f.Restore(io.NopCloser(bytes.NewReader(snapshotBytes(t, New())))); err != nil {
		t.Fatal(err)
	}
	if f.Value() != 0 || len(f.sessions) != 0 {
		t.Fatalf("value %d, %d sessions, want none", f.Value(), len(f.sessions))
	}
}

// Snapshots outlive the program that wrote them, so the format must not change.
func TestSnapshotFormatIsFixed(t *testing.T) {
	f := New()
	f.Apply(entry(t, add("b", 1, 5)))
	f.Apply(entry(t, add("a", 300, -8)))
	want := []byte{1, 5, 2, 1, 'a', 0xac, 2, 5, 0, 1, 'b', 1, 10, 0, 0x5d, 0x07, 0x97, 0xd6}
	if got := snapshotBytes(t, f); !bytes.Equal(got, want) {
		t.Fatalf("got  % x\nwant % x", got, want)
	}
}

func TestSnapshotDoesNotDependOnTheOrderOfClients(t *testing.T) {
	forward, backward := New(), New()
	for i := range 100 {
		forward.sessions[fmt.Sprint("c", i)] = session{seq: 1}
		backward.sessions[fmt.Sprint("c", 99-i)] = session{seq: 1}
	}
	if !bytes.Equal(snapshotBytes(t, forward), snapshotBytes(t, backward)) {
		t.Fatal("the same state has different snapshots")
	}
}

func TestLaterEntriesDoNotChangeASnapshot(t *testing.T) {
	f := used(t)
	want := snapshotBytes(t, f)
	snap, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	apply(t, f, add("zoe", 1<<42, -1), Result{Value: math.MaxInt64 - 78})
	apply(t, f, add("new", 1, -1), Result{Value: math.MaxInt64 - 79})
	var out sink
	if err := snap.Persist(&out); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Fatal("the snapshot changed after it was taken")
	}
}

func TestPersistClosesOrCancelsTheSink(t *testing.T) {
	broken := errors.New("broken")
	tests := map[string]struct {
		sink      sink
		cancelled int
		closed    int
		err       error
	}{
		"success":     {sink{}, 0, 1, nil},
		"write fails": {sink{failWrite: broken}, 1, 0, broken},
		"close fails": {sink{failClose: broken}, 1, 1, broken},
	}
	for name, test := range tests {
		snap, err := used(t).Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		err = snap.Persist(&test.sink)
		if !errors.Is(err, test.err) || test.sink.closed != test.closed || test.sink.cancelled != test.cancelled {
			t.Errorf("%s: err %v, closed %d, cancelled %d", name, err, test.sink.closed, test.sink.cancelled)
		}
	}
}

func TestRestoreDetectsEveryFlippedBit(t *testing.T) {
	f := used(t)
	data := snapshotBytes(t, f)
	for bit := range 8 * len(data) {
		damaged := slices.Clone(data)
		damaged[bit/8] ^= 1 << (bit % 8)
		refused(t, f, damaged, fmt.Sprintf("bit %d of byte %d", bit%8, bit/8))
	}
}

func TestRestoreRejectsMissingAndExtraBytes(t *testing.T) {
	f := used(t)
	data := snapshotBytes(t, f)
	for size := range data {
		refused(t, f, data[:size], fmt.Sprintf("the first %d bytes", size))
	}
	refused(t, f, append(slices.Clone(data), 0), "an extra zero byte")
	refused(t, f, append(slices.Clone(data), data...), "two snapshots in a row")
}

// A valid checksum proves that nothing was damaged, not that an FSM wrote it.
func TestRestoreRejectsInvalidContentWithAValidChecksum(t *testing.T) {
	one := []byte{1, 'b', 1, 2, 0}
	tests := map[string][]byte{
		"empty":              {},
		"unknown version":    {2, 0, 0},
		"fewer sessions":     append([]byte{1, 0, 2}, one...),
		"more sessions":      append([]byte{1, 0, 0}, one...),
		"client twice":       append(append([]byte{1, 0, 2}, one...), one...),
		"descending":         append(append([]byte{1, 0, 2}, one...), 1, 'a', 1, 2, 0),
		"empty name":         {1, 0, 1, 0, 1, 2, 0},
		"bad name":           {1, 0, 1, 1, ' ', 1, 2, 0},
		"overflow is 2":      {1, 0, 1, 1, 'b', 1, 2, 2},
		"value not shortest": {1, 0x80, 0, 0},
	}
	for name, body := range tests {
		refused(t, used(t), appendChecksum(body), name)
	}
}

func TestClaimedSessionCountAllocatesNoMemory(t *testing.T) {
	for _, count := range []uint64{MaxSessions, MaxSessions + 1, math.MaxUint64} {
		data := appendChecksum(binary.AppendUvarint([]byte{1, 0}, count))
		f := New()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := f.Restore(io.NopCloser(bytes.NewReader(data)))
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrBadSnapshot) {
			t.Errorf("%d sessions claimed: got %v, want ErrBadSnapshot", count, err)
		}
		if size := after.TotalAlloc - before.TotalAlloc; size > 64<<10 {
			t.Errorf("%d sessions claimed: %d bytes allocated", count, size)
		}
	}
}

// zeros is an endless reader.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestRestoreRejectsAnEndlessSnapshot(t *testing.T) {
	in := &source{Reader: zeros{}}
	if err := New().Restore(in); !errors.Is(err, ErrBadSnapshot) {
		t.Fatalf("got %v, want ErrBadSnapshot", err)
	}
	if in.read > snapshotBytesMax+1 || in.closed != 1 {
		t.Fatalf("%d bytes read, closed %d times; want at most %d and once", in.read, in.closed, snapshotBytesMax+1)
	}
}

func TestRestoreReportsAReadError(t *testing.T) {
	f := used(t)
	data := snapshotBytes(t, f)
	broken := errors.New("broken")
	in := &source{Reader: io.MultiReader(bytes.NewReader(data), errReader{broken})}
	if err := f.Restore(in); !errors.Is(err, ErrBadSnapshot) || !errors.Is(err, broken) || in.closed != 1 {
		t.Fatalf("got %v, closed %d times", err, in.closed)
	}
	if !bytes.Equal(snapshotBytes(t, f), data) {
		t.Fatal("a failed restore changed the state")
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// The limit on reading must admit the largest state that Apply can reach.
func TestLargestSnapshotCanBeRestored(t *testing.T) {
	f := New()
	f.value.Store(math.MinInt64)
	for i := range MaxSessions {
		f.sessions[fmt.Sprintf("%032d", i)] = session{seq: math.MaxUint64, value: math.MinInt64, overflowed: true}
	}
	again := restored(t, snapshotBytes(t, f))
	if again.Value() != f.Value() || !maps.Equal(again.sessions, f.sessions) {
		t.Fatal("restored a different state")
	}
}

// FuzzRestore tries the data as it is and with a valid checksum, which a fuzzer
// would not find by chance.
func FuzzRestore(f *testing.F) {
	whole := snapshotBytes(f, used(f))
	f.Add(whole)
	f.Add(whole[:len(whole)-checksumBytes])
	f.Add([]byte{})
	f.Add([]byte{1, 0, 0})
	f.Add([]byte{1, 0, 2, 1, 'b', 1, 2, 0, 1, 'a', 1, 2, 0})
	f.Add(binary.AppendUvarint([]byte{1, 0}, math.MaxUint64))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, data := range [][]byte{body, appendChecksum(slices.Clone(body))} {
			fsm := used(t)
			before := snapshotBytes(t, fsm)
			err := fsm.Restore(io.NopCloser(bytes.NewReader(data)))
			want := data
			if err != nil {
				if !errors.Is(err, ErrBadSnapshot) {
					t.Fatalf("%v does not wrap ErrBadSnapshot", err)
				}
				want = before
			}
			if got := snapshotBytes(t, fsm); !bytes.Equal(got, want) {
				t.Fatalf("% x: restore returned %v and left the state\n% x, want\n% x", data, err, got, want)
			}
		}
	})
}

func TestLastSeqIsTheHighestOfAnyClient(t *testing.T) {
	f := New()
	for i, c := range []Command{
		{Op: OpAdd, Client: "a", Seq: 7, Session: true, Delta: 1},
		{Op: OpAdd, Client: "b", Seq: 3, Session: true, Delta: 1},
		{Op: OpAdd, Client: "c", Seq: 9, Delta: 1}, // no session, so nothing is remembered
	} {
		f.Apply(&raft.Log{Index: uint64(i + 1), Type: raft.LogCommand, Data: mustEncode(t, c)})
	}
	s, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if last, err := LastSeq(s.(*snapshot).encode()); err != nil || last != 7 {
		t.Errorf("got %d (%v), want 7", last, err)
	}
	if _, err := LastSeq([]byte("no snapshot")); !errors.Is(err, ErrBadSnapshot) {
		t.Errorf("invalid snapshot: got %v, want ErrBadSnapshot", err)
	}
}
