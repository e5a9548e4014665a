package recording

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/tracetest"

	"pgregory.net/rapid"
)

// file writes a file and returns its name.
func file(tb testing.TB, name, content string) string {
	tb.Helper()
	name = filepath.Join(tb.TempDir(), name)
	if strings.HasSuffix(name, ".gz") {
		content = zipped(content)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return name
}

func zipped(content string) string {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, _ = w.Write([]byte(content))
	_ = w.Close()
	return buf.String()
}

const head = `{"capsize":1,"seed":7,"started":"2026-01-01T00:00:00Z"}` + "\n"

// term returns the line of an event.
func term(seq, at uint64) string {
	return fmt.Sprintf(`{"seq":%d,"at":%d,"kind":"term","node":"n1","term":%d}`+"\n", seq, at, seq)
}

// testLimits are small, so tests exceed them quickly.
var testLimits = limits{line: 1 << 20, expanded: 4 << 20, state: 16 << 20}

func openFile(tb testing.TB, name string) (*Reader, *history.History) {
	tb.Helper()
	h := history.New(history.DefaultBudget)
	r, _, err := open(name, h, nil, nil, testLimits)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(r.Close)
	return r, h
}

// TestRecordingReadsBackTheSame records valid events and compares the history that is read
// back with one filled live.
func TestRecordingReadsBackTheSame(t *testing.T) {
	for _, name := range []string{"a.trace", "a.trace.gz"} {
		name = filepath.Join(t.TempDir(), name)
		w, err := Create(name, Header{Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		var l trace.Stream
		l.AddSink(w)
		lived := history.New(history.DefaultBudget)
		l.AddSink(lived)
		gen := tracetest.AnyEvent()
		at := time.Duration(0)
		for i := range 4000 {
			e := gen.Example(i)
			at += time.Duration(i%7) * time.Millisecond
			e.At, e.Seq = at, 0
			if e.Term, e.Index, e.Last = e.Term%100, e.Index%100, e.Last%100; e.Packet != nil {
				e.Packet.Term, e.Packet.LastIndex = e.Packet.Term%100, e.Packet.LastIndex%100
			}
			if validate(&e) == nil {
				l.Emit(e)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, h := openFile(t, name)
		if missing := r.Missing(); missing != "" {
			t.Errorf("Missing() = %q", missing)
		}
		first, last := lived.Span()
		if f, l := h.Span(); f != first || l != last || last.Seq < 200 {
			t.Fatalf("the history spans %+v to %+v, want %+v to %+v", f, l, first, last)
		}
		var got, want trace.State
		for seq := range last.Seq + 1 {
			lived.StateAt(seq, &want)
			if !h.StateAt(seq, &got) || !reflect.DeepEqual(got, want) {
				t.Fatalf("the state after event %d was\n%+v, read back\n%+v", seq, want, got)
			}
			a, _ := lived.Event(seq)
			if b, _ := h.Event(seq); !reflect.DeepEqual(a, b) {
				t.Fatalf("event %d was\n%+v, read back\n%+v", seq, a, b)
			}
		}
	}
}

func TestRecordingFromMidRunBeginsWithTheStateThen(t *testing.T) {
	l := lived()
	name := filepath.Join(t.TempDir(), "a.trace")
	w, err := Create(name, Header{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	l.AddSink(w)
	l.Emit(trace.Event{At: 8, Kind: trace.KindTerm, Node: "n2", Term: 9})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, h := openFile(t, name)
	first, last := h.Span()
	if first != (trace.Position{Seq: 14, At: 7}) || last != (trace.Position{Seq: 15, At: 8}) || r.Missing() != "" {
		t.Errorf("the history spans %+v to %+v, missing %q", first, last, r.Missing())
	}
	var s trace.State
	if !h.StateAt(14, &s) || len(s.Nodes) != 2 || s.Node("n1").Value != 5 || s.Node("n2").Term != 0 {
		t.Errorf("it begins with state %+v", s)
	}
	if e, ok := h.Event(15); !ok || e.Term != 9 {
		t.Errorf("event 15 is %+v", e)
	}
}

func TestFileThatIsNotARecordingIsRefused(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"a", "", "the file is empty"},
		{"a", "{\"capsize\":1", "incomplete"},
		{"a", "hello\n", `its first line is "hello"`},
		{"a", `{"version":3,"term":{"cols":80}}` + "\n", "not a capsize recording"},
		{"a", "\n\n", `its first line is ""`},
		{"a", "[1]\n", "not a capsize recording"},
		{"a", "\x00\x01\x02\n\x1b[2J", "not a capsize recording"},
		{"a", "\x1b]0;x\x07" + strings.Repeat("x", 1<<20) + "\n", `\x1b]0;x`},
		{"a", `{"capsize":2}` + "\n" + term(1, 0), "written by a newer capsize, in format 2"},
		{"a", `{"capsize":"1"}` + "\n", "not a capsize recording"},
		{"a", head + "hello\nworld\n", `none of its 2 lines is an event: line 2: not an event: "hello"`},
		{"a", strings.Repeat("x", 1<<20), "incomplete"},
		{"a.gz", "", "incomplete"},
		{"a.gz", "hello\n", "not a capsize recording"},
		{"a", zipped(head)[:9], "incomplete"},
		{"a", "\x1f\x8bnot really", "cannot decompress it"},
	} {
		name := file(t, c.name, c.content)
		_, _, err := Open(name, history.New(1<<20), nil, nil)
		if err == nil || !strings.HasPrefix(err.Error(), name+": ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q: %v, want %q", c.content, err, c.want)
		}
		if err != nil && strings.ContainsAny(err.Error()[len(name):], "\n\x1b\x00") {
			t.Errorf("%.40q: the error has control characters: %q", c.content, err)
		}
	}
	for name, want := range map[string]string{filepath.Join(t.TempDir(), "no"): "no such file", t.TempDir(): "not a regular file"} {
		if _, _, err := Open(name, history.New(1<<20), nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDamagedLinesAreSkippedAndReported(t *testing.T) {
	event := func(rest string) string { return `{"seq":2,"at":2,"kind":"term",` + rest + "}\n" }
	const after = "; 1 event missing, the first after event 1"
	for _, c := range []struct {
		name, content string
		last          uint64 // event in the history
		missing       string
	}{
		{"nothing", head, 0, ""},
		{"all is well", head + term(1, 1) + term(2, 2) + term(3, 3), 3, ""},
		{"carriage returns, empty lines", head + strings.ReplaceAll(term(1, 1), "\n", "\r\n\n\n") + term(2, 2), 2, ""},
		{"a torn last line", head + term(1, 1) + term(2, 2) + `{"seq":3,"at`, 2, "its last line is torn off after 12 bytes"},
		{"garbage in the middle", head + term(1, 1) + "gar\x1bbage\n" + term(3, 3), 3, `1 line skipped, the first: line 3: not an event: "gar\x1bbage"` + after},
		{"a line torn in the middle", head + term(1, 1) + `{"seq":2,"at"` + "\n" + term(3, 3), 3, `1 line skipped, the first: line 3: not an event: "{\"seq\":2,\"at\""` + after},
		{"events are missing", head + term(1, 1) + term(5, 3), 5, "3 events missing, the first after event 1"},
		{"a number comes again", head + term(1, 1) + term(2, 2) + term(2, 3), 2, "1 line skipped, the first: line 4: event 2 comes after event 2"},
		{"no number", head + `{"kind":"term"}` + "\n" + term(1, 1), 1, "1 line skipped, the first: line 2: event 0 comes after event 0"},
		{"out of order", head + term(1, 1) + term(3, 3) + term(2, 3), 3, "1 line skipped, the first: line 4: event 2 comes after event 3; 1 event missing, the first after event 1"},
		{"time goes back", head + term(1, 1) + term(2, 5) + term(3, 4), 2, "1 line skipped, the first: line 4: time 4ns comes after 5ns"},
		{"a time before all", head + term(1, 1) + `{"seq":2,"at":-5,"kind":"term"}` + "\n", 1, "1 line skipped, the first: line 3: -5ns is not a valid time"},
		{"a time beyond all", head + term(1, 1) + term(2, math.MaxInt64), 1, "1 line skipped, the first: line 3: 2562047h47m16.854775807s is not a valid time"},
		{"an unknown kind", head + term(1, 1) + `{"seq":2,"at":2,"kind":"miracle","node":"n7","glow":3}` + "\n" + term(3, 3), 3, ""},
		{"a number beyond all", head + term(1, 1) + event(`"index":9223372036854775807`) + term(3, 3), 3, "1 line skipped, the first: line 3: term or index out of range" + after},
		{"a name with control characters", head + term(1, 1) + event(`"node":"\u001b[2J"`) + term(3, 3), 3, `1 line skipped, the first: line 3: "\x1b[2J" is not a valid name` + after},
		{"a long name", head + term(1, 1) + event(`"node":"`+strings.Repeat("n", 100)+`"`) + term(3, 3), 3, "1 line skipped, the first: line 3: a name of 100 bytes, more than 64" + after},
		{"a long text", head + term(1, 1) + event(`"text":"`+strings.Repeat("n", textMax+1)+`"`) + term(3, 3), 3, "1 line skipped, the first: line 3: a text of 65537 bytes, more than 65536" + after},
		{"a line that is too long", head + term(1, 1) + event(`"text":"`+strings.Repeat("n", 2<<20)+`"`) + term(3, 3), 3, "1 line skipped, the first: line 3: longer than 1 MB" + after},
		{"very many entries", head + term(1, 1) + event(`"entries":[{}`+strings.Repeat(",{}", objectsMax)+"]") + term(3, 3), 3, "1 line skipped, the first: line 3: too many objects in one line" + after},
	} {
		for _, name := range []string{"a.trace", "a.trace.gz"} {
			r, h := openFile(t, file(t, name, c.content))
			if _, last := h.Span(); last.Seq != c.last {
				t.Errorf("%s: the history ends with event %d, want %d", c.name, last.Seq, c.last)
			}
			if got := r.Missing(); got != c.missing {
				t.Errorf("%s: Missing() =\n%s, want\n%s", c.name, got, c.missing)
			}
		}
	}
}

func TestDamagedGzipIsReadUpToTheDamage(t *testing.T) {
	var content strings.Builder
	content.WriteString(head)
	for i := range uint64(20_000) {
		content.WriteString(term(i+1, i*i))
	}
	damaged := []byte(zipped(content.String()))
	copy(damaged[len(damaged)/2:], "here is something else, that is not like the rest at all")
	r, h := openFile(t, file(t, "a.trace", string(damaged)))
	if _, last := h.Span(); last.Seq < 1000 || last.Seq >= 20_000 || !strings.Contains(r.Missing(), "it ends early: cannot decompress it any further") {
		t.Errorf("the history ends with event %d: %s", last.Seq, r.Missing())
	}
}

func TestZipBombIsNotExpanded(t *testing.T) {
	for _, bomb := range []string{
		head + term(1, 1) + strings.Repeat(" ", 5<<20), // one line
		head + term(1, 1) + strings.Repeat("\n", 5<<20),
	} {
		r, _ := openFile(t, file(t, "a.trace.gz", bomb))
		if read := r.Missing(); !strings.Contains(read, "it expands to more than 200 times its size") {
			t.Errorf("Missing() = %q", read)
		}
	}
}

func TestRecordingThatWouldFillMemoryEndsEarly(t *testing.T) {
	// A node whose log grows without end.
	var all strings.Builder
	all.WriteString(head)
	var w lineWriter
	w.event(&trace.Event{Seq: 1, Kind: trace.KindAppended, Node: "n1", Index: 1, Entries: make([]trace.Entry, 10_000)})
	for i := range uint64(testLimits.state/entryBytes/10_000 + 2) {
		all.WriteString(strings.Replace(strings.Replace(string(w.buf), `"seq":1`, fmt.Sprintf(`"seq":%d`, i+1), 1), `"index":1`, fmt.Sprintf(`"index":%d`, i*10_000+1), 1))
	}
	r, _ := openFile(t, file(t, "a.trace", all.String()))
	if !strings.Contains(r.Missing(), "the logs of its nodes take more than 16 MB") {
		t.Errorf("Missing() = %q", r.Missing())
	}
}

func TestFollowReadsAGrowingRecording(t *testing.T) {
	for _, name := range []string{"a.trace", "a.trace.gz"} {
		name = filepath.Join(t.TempDir(), name)
		// In virtual time, so the test need not wait.
		synctest.Test(t, func(t *testing.T) {
			w, err := Create(name, Header{Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			h := history.New(history.DefaultBudget)
			r, header, err := Open(name, h, nil, nil)
			if err != nil || header.Seed != 1 {
				t.Fatalf("%+v, %v", header, err)
			}
			defer r.Close()
			seq := uint64(0)
			for round := range 5 {
				if added := r.Follow(); added != 0 {
					t.Errorf("round %d: Follow returns %d before anything was written", round, added)
				}
				for range 10_000 {
					seq++
					w.Add(&trace.Event{Seq: seq, At: time.Duration(seq), Kind: trace.KindTerm, Node: "n1", Term: seq}, nil)
				}
				added := uint64(0)
				for range 20 {
					time.Sleep(flushEvery / 2)
					synctest.Wait()
					added += r.Follow()
				}
				if _, last := h.Span(); added != 10_000 || last.Seq != seq || r.Missing() != "" {
					t.Errorf("round %d: Follow returns %d, the last event is %d, missing %q", round, added, last.Seq, r.Missing())
				}
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			if added := r.Follow(); added != 0 || r.Missing() != "" {
				t.Errorf("after the end Follow returns %d, missing %q", added, r.Missing())
			}
		})
	}
}

func TestTruncatedFileIsNotFollowed(t *testing.T) {
	name := file(t, "a.trace", head+term(1, 1)+term(2, 2))
	synctest.Test(t, func(t *testing.T) {
		r, h := openFile(t, name)
		if err := os.Truncate(name, 10); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		r.Follow()
		if _, last := h.Span(); last.Seq != 2 || r.Missing() != "it ends early: the file was truncated while being read" {
			t.Errorf("after event %d: %s", last.Seq, r.Missing())
		}
		r.Close()
	})
}

// FuzzRead reads arbitrary bytes, alone and after a header.
func FuzzRead(f *testing.F) {
	f.Add([]byte(head + term(1, 1) + term(2, 2)))
	f.Add([]byte(zipped(head + term(1, 1))))
	f.Add([]byte("\x1f\x8b"))
	for _, line := range oddLines {
		f.Add([]byte(term(1, 1) + line + "\n" + term(2, 2)))
	}
	for i := range 20 {
		e := tracetest.AnyEvent().Example(i)
		e.Seq = 2
		f.Add(append([]byte(term(1, 1)), jsonLine(f, &e)...))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, content := range [][]byte{content, append([]byte(head), content...)} {
			name := filepath.Join(dir, "a.trace")
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
			h := history.New(1 << 16)
			r, _, err := Open(name, h, nil, nil)
			if err != nil {
				if text := err.Error(); strings.ContainsAny(text, "\n\x1b") {
					t.Errorf("the error has control characters: %q", text)
				}
				continue
			}
			first, last := h.Span()
			var s trace.State
			for seq := first.Seq; seq <= last.Seq && seq < first.Seq+50; seq++ {
				h.StateAt(seq, &s)
				tracetest.Read(&s)
				_, _ = h.Prev(seq)
			}
			if text := r.Missing(); strings.ContainsAny(text, "\n\x1b") {
				t.Errorf("Missing() has control characters: %q", text)
			}
			r.Close()
		}
	})
}

// TestAddNeverPanics adds any events, valid or not.
func TestAddNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := history.New(1 << 14)
		r := newReader(k, testLimits)
		for i, e := range rapid.SliceOfN(tracetest.AnyEvent(), 0, 50).Draw(t, "events") {
			r.add(&e, i)
			tracetest.Read(&r.state)
		}
		_ = r.Missing()
	})
}
