package recording

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/tracetest"
)

// recorded reads a recording line by line, with encoding/json.
func recorded(t *testing.T, name string) (Header, []trace.Event) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var from io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if from, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	var header Header
	var events []trace.Event
	lines := bufio.NewScanner(from)
	for n := 0; lines.Scan(); n++ {
		if n == 0 {
			err = json.Unmarshal(lines.Bytes(), &header)
		} else {
			var e trace.Event
			err = json.Unmarshal(lines.Bytes(), &e)
			events = append(events, e)
		}
		if err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // while it is being written
		t.Fatal(err)
	}
	return header, events
}

// lived returns a stream with some events in it.
func lived() *trace.Stream {
	l := &trace.Stream{}
	l.Emit(trace.Event{Kind: trace.KindSettings, Settings: &trace.Settings{Seed: 7, Storage: "memory"}})
	l.Emit(trace.Event{At: 1, Kind: trace.KindProcess, Node: "n1", Process: trace.Up})
	l.Emit(trace.Event{At: 2, Kind: trace.KindTerm, Node: "n1", Term: 3})
	l.Emit(trace.Event{At: 2, Kind: trace.KindVote, Node: "n1", Term: 3, Peer: "n1"})
	l.Emit(trace.Event{At: 3, Kind: trace.KindRole, Node: "n1", Role: trace.Leader, Term: 3})
	l.Emit(trace.Event{At: 3, Kind: trace.KindLeader, Node: "n1", Peer: "n1"})
	l.Emit(trace.Event{At: 3, Kind: trace.KindConfig, Node: "n1", Servers: []trace.Server{{ID: "n1", Voter: true}, {ID: "n2", Voter: true}}})
	l.Emit(trace.Event{At: 4, Kind: trace.KindAppended, Node: "n1", Index: 1, Entries: []trace.Entry{{Term: 3, Kind: trace.EntryAdd, Delta: 5}}})
	l.Emit(trace.Event{At: 5, Kind: trace.KindApplied, Node: "n1", Index: 1, Term: 3, Value: 5})
	l.Emit(trace.Event{At: 5, Kind: trace.KindCommitted, Node: "n1", Index: 1})
	l.Emit(trace.Event{At: 6, Kind: trace.KindProcess, Node: "n2", Process: trace.Crashed, Text: "its disk is full"})
	l.Emit(trace.Event{At: 6, Kind: trace.KindDiskFault, Node: "n2", Text: "full"})
	l.Emit(trace.Event{At: 6, Kind: trace.KindClockFault, Node: "n2", Factor: 2})
	l.Emit(trace.Event{At: 7, Kind: trace.KindLinkFault, Node: "n1", Peer: "n2", Faults: []string{"cut"}})
	return l
}

func TestRecordingAddsUpToTheSameState(t *testing.T) {
	for _, name := range []string{"a.trace", "a.trace.gz"} {
		name = filepath.Join(t.TempDir(), name)
		l := lived()
		lost := trace.Event{Kind: trace.KindVerdict, Check: "acked-durable", Verdict: trace.VerdictViolated, Text: "gone", Proof: []uint64{1, 2}, Index: 3, Entries: []trace.Entry{{Term: 1}, {Term: 2}}}
		l.Emit(lost)
		l.Emit(trace.Event{At: 7, Kind: trace.KindVote, Node: "n2", Term: 1, Peer: "n1"})
		l.Emit(trace.Event{At: 7, Kind: trace.KindTerm, Node: "n2", Term: 2}) // later than its vote
		l.Emit(trace.Event{At: 7, Kind: trace.KindDiskFault, Node: "n1", Text: "corrupt snapshot"})
		l.Emit(trace.Event{At: 7, Kind: trace.KindDamage, Node: "n1"}) // it fell back to an older one
		l.Emit(trace.Event{At: 7, Kind: trace.KindDamage, Node: "n2", Text: "corrupt"})
		l.Emit(trace.Event{At: 7, Kind: trace.KindDiskFault, Node: "n2", Text: "slow 5ms"})
		before := time.Now()
		w, err := Create(name, Header{Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		l.AddSink(w)
		l.Emit(trace.Event{At: 8, Kind: trace.KindCaption, Text: "<hello> & \"goodbye\"\n\u2028"})
		l.EmitPacket(9, &trace.Packet{ID: 1, Status: trace.Sent, From: "n1", To: "n2", Kind: "append"})
		l.Emit(trace.Event{At: 10, Kind: trace.KindTerm, Node: "n2", Term: 3})
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		l.Emit(trace.Event{At: 11, Kind: trace.KindCaption, Text: "too late"})
		if err := w.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}

		header, events := recorded(t, name)
		if header.Capsize != 1 || header.Seed != 7 || header.Started.Before(before.Add(-time.Second)) || header.Started.After(time.Now()) {
			t.Errorf("the header is %+v", header)
		}
		var got trace.State
		for _, e := range events {
			got.Apply(&e)
		}
		want := l.State()
		if c := got.Check(lost.Check); c == nil || c.Verdict != lost.Verdict || c.Text != lost.Text || !reflect.DeepEqual(c.Proof, lost.Proof) || !reflect.DeepEqual(got.Lost, want.Lost) {
			t.Errorf("the verdict becomes %+v, the lost entries %+v", c, got.Lost)
		}
		if got.Seq != want.Seq-1 || got.At != 10 {
			t.Errorf("the recording ends with event %d at %s", got.Seq, got.At)
		}
		if got.Settings != want.Settings || got.Commit != want.Commit || !reflect.DeepEqual(got.Faults, want.Faults) || got.Traffic != want.Traffic {
			t.Errorf("the events add up to %+v, want %+v", got, want)
		}
		for i := range want.Nodes {
			// The recording does not hold since when things were so.
			now, was := &got.Nodes[i], want.Nodes[i]
			was.Since, was.RoleAt, was.ValueAt, was.BehindSince = now.Since, now.RoleAt, now.ValueAt, now.BehindSince
			was.LastHeard, was.LastHeardFrom, now.LastHeard, now.LastHeardFrom, was.Votes, now.Votes = 0, "", 0, "", nil, nil
			if text, wanted := tracetest.Text(&trace.State{Nodes: []trace.Node{*now}}), tracetest.Text(&trace.State{Nodes: []trace.Node{was}}); text != wanted {
				t.Errorf("node %d is\n%s, want\n%s", i, text, wanted)
			}
		}
	}
}

func TestRecordingCanBeReadWhileItIsWritten(t *testing.T) {
	for _, name := range []string{"a.trace", "a.trace.gz"} {
		name = filepath.Join(t.TempDir(), name)
		// In virtual time, so the test need not wait.
		synctest.Test(t, func(t *testing.T) {
			w, err := Create(name, Header{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			if header, events := recorded(t, name); header.Seed != 1 || len(events) > 0 {
				t.Errorf("%s: a new recording has header %+v and %d events", name, header, len(events))
			}
			for i := range 10 {
				w.Add(&trace.Event{Seq: uint64(i + 1), Kind: trace.KindCaption, Text: "x"}, nil)
			}
			time.Sleep(flushEvery)
			synctest.Wait()
			if _, events := recorded(t, name); len(events) != 10 {
				t.Errorf("%s: %d of 10 events can be read", name, len(events))
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// waiting returns how many events wait to be written.
func waiting(w *Writer) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.waiting.count()
}

func TestLongQueueIsWrittenAtOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.trace")
	synctest.Test(t, func(t *testing.T) {
		w, err := Create(name, Header{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		var state trace.State
		for state.Seq < 3*queueMax {
			state.Seq++
			if state.Seq%7 == 0 {
				w.Add(&trace.Event{Seq: state.Seq, Kind: trace.KindCaption, Text: "x"}, nil)
			} else {
				w.AddPacket(&trace.Packet{ID: state.Seq}, &state)
			}
			if left := waiting(w); left > queueMax {
				t.Fatalf("%d events wait", left)
			}
		}
		synctest.Wait()
		if left := waiting(w); left > queueMany {
			t.Errorf("%d events still wait", left)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		_, events := recorded(t, name)
		if len(events) != 3*queueMax {
			t.Fatalf("%d events were written", len(events))
		}
		for i := range events {
			if events[i].Seq != uint64(i+1) {
				t.Fatalf("event %d stands in place %d", events[i].Seq, i+1)
			}
		}
	})
}

func TestOnlyTheOwnerMayReadARecording(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.trace")
	w, err := Create(name, Header{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	// Systems without such permissions report 0666 for every file.
	if mode := info.Mode().Perm(); mode != 0o600 && mode != 0o666 {
		t.Errorf("its mode is %s", mode)
	}
}

func TestCloseReportsAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	if w, err := Create("/dev/full", Header{Seed: 1}); err == nil {
		t.Errorf("Create: no error, %v", w.Close())
	}
	w, err := Create(filepath.Join(t.TempDir(), "a.trace"), Header{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.file.Close(); err != nil {
		t.Fatal(err)
	}
	w.Add(&trace.Event{Kind: trace.KindCaption}, nil)
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "a.trace") {
		t.Errorf("Close: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
