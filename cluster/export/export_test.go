package export

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/exp/golden"

	"capsize/cluster/trace"
	"capsize/cluster/trace/recording"
)

// readRecording returns a recording in testdata.
func readRecording(t *testing.T, name string) Source {
	t.Helper()
	file, err := os.ReadFile("testdata/" + name + ".jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	lines := json.NewDecoder(unzipped)
	var header recording.Header
	if err := lines.Decode(&header); err != nil {
		t.Fatal(err)
	}
	var all []*trace.Event
	for {
		e := &trace.Event{}
		if err := lines.Decode(e); errors.Is(err, io.EOF) {
			return Source{Events: slices.Values(all)}
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
}

// export returns what Write writes.
func export(t *testing.T, format string, from Source, span Span) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, format, from, span); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.String()
}

func TestExportsMatchGolden(t *testing.T) {
	for _, format := range []string{"shiviz", "svg", "text"} {
		t.Run(format, func(t *testing.T) {
			first := export(t, format, readRecording(t, "leader-crash"), Span{})
			golden.RequireEqual(t, first)
			if first != export(t, format, readRecording(t, "leader-crash"), Span{}) {
				t.Error("the second export of the same trace differs")
			}
		})
	}
}

// TestFigure8LogsMatchThePaper compares the logs below the diagram with Figure 8 of the
// Raft paper. The paper's index 2 and 3 are 6 and 7 here.
func TestFigure8LogsMatchThePaper(t *testing.T) {
	s, err := buildDiagram(readRecording(t, "figure-8"), Span{})
	if err != nil {
		t.Fatal(err)
	}
	var steps []caption // (a) to (d)
	for _, n := range s.captions {
		if !n.chapter && len(steps) < 4 {
			steps = append(steps, n)
		}
	}
	// The terms of each log after the common prefix.
	want := [4]map[string][]uint64{
		{"n1": {3}, "n2": {3}, "n3": {}, "n4": {}, "n5": {}},
		{"n1": {3}, "n2": {3}, "n3": {}, "n4": {}, "n5": {4}},
		{"n1": {3, 5}, "n2": {3}, "n3": {}, "n4": {}, "n5": {4}},
		{"n1": {4, 6}, "n2": {4, 6}, "n3": {4, 6}, "n4": {4, 6}, "n5": {4, 6}},
	}
	leaders := [4]string{"n1", "n5", "n1", "n5"}
	for i, n := range steps {
		if n.leader != leaders[i] {
			t.Errorf("(%c): leader %s, want %s", 'a'+i, n.leader, leaders[i])
		}
		for _, l := range n.tails {
			got := l.terms[6-l.first:]
			if !slices.Equal(got, want[i][l.node]) {
				t.Errorf("(%c): the log of %s ends with terms %v, want %v", 'a'+i, l.node, got, want[i][l.node])
			}
			for j := range got {
				if l.committed[6-int(l.first)+j] != (i == 3) {
					t.Errorf("(%c): entry %d of %s: committed is %t", 'a'+i, 6+j, l.node, i != 3)
				}
			}
		}
	}
	cut := 0
	for _, b := range s.appends {
		if b.truncated {
			cut++
		}
	}
	if cut != 3 {
		t.Errorf("%d truncations, want 3", cut)
	}
}

func TestDiagramNamesTheMessagesItLeavesOut(t *testing.T) {
	picture := export(t, "svg", readRecording(t, "figure-8"), Span{})
	if !strings.Contains(picture, "left out: ") || !strings.Contains(picture, "heartbeats") {
		t.Error("heartbeats are not named as left out")
	}
	// A short span has room for all.
	if strings.Contains(export(t, "svg", readRecording(t, "figure-8"), Span{To: 1300 * time.Millisecond}), "left out: ") {
		t.Error("messages of the first second are left out")
	}
}

// TestVectorClocksOrderCausesFirst checks what ShiViz requires of a log: a host's own clock
// counts its events, and no clock is ahead of another host's own.
func TestVectorClocksOrderCausesFirst(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(export(t, "shiviz", readRecording(t, "leader-crash"), Span{})), "\n")
	pattern := regexp.MustCompile("^" + lines[0] + "$")
	clocks := map[string]map[string]uint64{}
	met := 0
	for _, line := range lines[2:] {
		parts := pattern.FindStringSubmatch(line)
		if parts == nil {
			t.Fatalf("%q does not match the pattern in the first line", line)
		}
		host, vector := parts[2], map[string]uint64{}
		if err := json.Unmarshal([]byte(parts[3]), &vector); err != nil {
			t.Fatal(err)
		}
		if vector[host] != clocks[host][host]+1 {
			t.Fatalf("%q: the host's own clock was %d before", line, clocks[host][host])
		}
		for other, n := range vector {
			if n < clocks[host][other] || other != host && n > clocks[other][other] {
				t.Fatalf("%q: %s is at %d itself and was at %d in this host's clock", line, other, clocks[other][other], clocks[host][other])
			}
			if other != host && n > clocks[host][other] {
				met++
			}
		}
		clocks[host] = vector
	}
	if met < 50 || len(clocks) < 6 {
		t.Errorf("only %d events with a cause on another host, %d hosts", met, len(clocks))
	}
	// The call is before the append of the entry, the return after it.
	if !strings.Contains(strings.Join(slices.Collect(maps.Keys(clocks["n1"])), " "), "c1") || clocks["c1"]["n1"] == 0 {
		t.Error("no event of the client is before or after one of a node")
	}
}

func TestPageTellsAStaleReadFromAFreshOne(t *testing.T) {
	read := func(value int64) Source {
		s := eventList{}
		s.add(trace.Event{Kind: trace.KindSettings, Settings: &trace.Settings{}})
		add := trace.Op{ID: 1, Client: "c1", Kind: trace.EntryAdd, Delta: 2, Seq: 1}
		s.add(trace.Event{Kind: trace.KindInvoked, Op: &add})
		done := add
		done.Outcome, done.Value, done.Node = trace.OK, 2, "n1"
		s.add(trace.Event{Kind: trace.KindReturned, Op: &done})
		// The outcome is unknown, and the entry is committed later.
		lost := trace.Op{ID: 2, Client: "c2", Kind: trace.EntryAdd, Delta: 5, Seq: 1}
		s.add(trace.Event{Kind: trace.KindInvoked, Op: &lost})
		gone := lost
		gone.Outcome = trace.Unknown
		s.add(trace.Event{Kind: trace.KindReturned, Op: &gone})
		s.add(trace.Event{Kind: trace.KindAppended, Node: "n1", Index: 1, Entries: []trace.Entry{{Term: 1, Kind: trace.EntryAdd, Client: "c2", Seq: 1, Delta: 5}}})
		s.add(trace.Event{Kind: trace.KindCommitted, Node: "n1", Index: 1})
		ask := trace.Op{ID: 3, Client: "c3", Kind: trace.EntryRead, Level: "none"}
		s.add(trace.Event{Kind: trace.KindInvoked, Op: &ask})
		told := ask
		told.Outcome, told.Value, told.Node = trace.OK, value, "n2"
		s.add(trace.Event{Kind: trace.KindReturned, Op: &told})
		return s.source()
	}
	for value, want := range map[int64]string{0: "not linearizable", 2: "\"linearizable\"", 7: "\"linearizable\"", 5: "not linearizable"} {
		if page := export(t, "html", read(value), Span{}); !strings.Contains(page, want) {
			t.Errorf("a read of %d: the page lacks %q", value, want)
		}
	}
	page := export(t, "html", readRecording(t, "leader-crash"), Span{})
	for _, want := range []string{"\"linearizable\"", "\"leads\"", "killed", "The leader is killed."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of leader-crash lacks %s", want)
		}
	}
}

// eventList is a trace of hand-made events, one every millisecond.
type eventList struct{ events []*trace.Event }

func (s *eventList) add(e trace.Event) {
	e.Seq, e.At = uint64(len(s.events)+1), time.Duration(len(s.events))*time.Millisecond
	s.events = append(s.events, &e)
}

func (s *eventList) source() Source { return Source{Events: slices.Values(s.events)} }

// TestTraceMayStartMidRun exports the second half of a recording, with the state before it.
func TestTraceMayStartMidRun(t *testing.T) {
	whole := readRecording(t, "leader-crash")
	events := slices.Collect(whole.Events)
	var before trace.State
	half := len(events) / 2
	for _, e := range events[:half] {
		before.Apply(e)
	}
	second := Source{Before: &before, Events: slices.Values(events[half:])}
	text := export(t, "text", second, Span{})
	if !strings.HasSuffix(export(t, "text", whole, Span{}), text) || strings.Contains(text, "Five nodes, one leader") {
		t.Errorf("the story of the second half:\n%s", text)
	}
	if page := export(t, "html", second, Span{}); !strings.Contains(page, "\"linearizable\"") {
		t.Error("the page of the second half is not linearizable")
	}
	if s, err := buildDiagram(second, Span{From: before.At}); err != nil || len(s.nodes) != 5 || s.bars[0].From != before.At {
		t.Errorf("%+v %v", s, err)
	}
}

// hostile is a name in a trace from a stranger.
const hostile = "n1\x1b]0;x\x07<script>alert('&')</script>\u202e\u200b\x00\ufeff\""

func TestHostileTextIsHarmless(t *testing.T) {
	s := eventList{}
	s.add(trace.Event{Kind: trace.KindProcess, Node: hostile, Process: trace.Up, Text: hostile})
	s.add(trace.Event{Kind: trace.KindRole, Node: hostile, Role: trace.Leader, Term: 1 << 63})
	s.add(trace.Event{Kind: trace.KindCaption, Text: hostile})
	s.add(trace.Event{Kind: trace.KindChapter, Text: hostile})
	s.add(trace.Event{Kind: trace.KindQuestion, Question: &trace.Question{Text: hostile}})
	s.add(trace.Event{Kind: trace.KindQuestion, Question: &trace.Question{Judged: true, Because: hostile, Choices: []trace.Choice{{Text: hostile, True: true}}}})
	s.add(trace.Event{Kind: trace.KindAppended, Node: hostile, Index: 1 << 61, Entries: []trace.Entry{{Term: 1, Kind: trace.EntryKind(hostile)}}})
	s.add(trace.Event{Kind: trace.KindTruncated, Node: hostile, Index: 1, Last: 1 << 63})
	s.add(trace.Event{Kind: trace.KindCommitted, Node: hostile, Index: 1 << 63})
	s.add(trace.Event{Kind: trace.KindDiskFault, Node: hostile, Text: hostile})
	s.add(trace.Event{Kind: trace.KindProcess, Node: hostile, Process: trace.ProcessState(hostile), Text: hostile})
	s.add(trace.Event{Kind: trace.KindVerdict, Check: hostile, Verdict: trace.VerdictViolated, Text: hostile})
	op := trace.Op{ID: 1, Client: hostile, Kind: trace.EntryKind(hostile), Route: hostile}
	s.add(trace.Event{Kind: trace.KindInvoked, Op: &op})
	done := op
	done.Outcome, done.Why, done.Node = trace.Outcome(hostile), hostile, hostile
	s.add(trace.Event{Kind: trace.KindReturned, Op: &done})
	for _, fate := range []trace.PacketStatus{trace.Sent, trace.Delivered, trace.PacketStatus(hostile)} {
		s.add(trace.Event{Kind: trace.KindPacket, Packet: &trace.Packet{ID: 1, Status: fate, From: hostile, To: hostile, Kind: hostile}})
	}
	for _, e := range []trace.Event{{Kind: trace.KindPacket}, {Kind: trace.KindInvoked}, {Kind: trace.KindReturned}, {Kind: "?"}} {
		s.add(e)
	}
	for _, format := range Formats() {
		text := export(t, format, s.source(), Span{})
		if strings.Contains(text, "<script>alert") && format != "text" && format != "shiviz" {
			t.Errorf("%s contains a script", format)
		}
		for _, r := range text {
			if r != '\n' && r != '\t' && r != '\r' && !unicode.IsGraphic(r) {
				t.Errorf("%s contains the character %U", format, r)
				break
			}
		}
		if format == "svg" {
			checkWellFormed(t, text)
		}
	}
}

// checkWellFormed parses a text as XML.
func checkWellFormed(t *testing.T, text string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestInvalidExportsAreRefused(t *testing.T) {
	crowd := func(yield func(*trace.Event) bool) {
		for i := range 100_000 {
			term := uint64(i)
			if !yield(&trace.Event{Seq: uint64(i + 1), At: time.Duration(i), Kind: trace.KindRole, Node: "n1", Role: trace.Candidate, Term: term}) {
				return
			}
			if !yield(&trace.Event{Seq: uint64(i + 1), At: time.Duration(i), Kind: trace.KindTerm, Node: "n1", Term: term}) {
				return
			}
		}
	}
	for _, format := range Formats() {
		if err := Write(io.Discard, format, (&eventList{}).source(), Span{}); !errors.Is(err, ErrEmpty) {
			t.Errorf("%s of no events: %v", format, err)
		}
		if err := Write(io.Discard, format, readRecording(t, "leader-crash"), Span{From: time.Hour}); !errors.Is(err, ErrEmpty) {
			t.Errorf("%s of a span after the end: %v", format, err)
		}
		if err := Write(io.Discard, format, readRecording(t, "leader-crash"), Span{From: 2, To: 1}); err == nil {
			t.Errorf("%s of a span that ends before it begins: no error", format)
		}
	}
	if err := Write(io.Discard, "svg", Source{Events: crowd}, Span{}); !errors.Is(err, errTooMany) {
		t.Errorf("a diagram of 100,000 terms: %v", err)
	}
	if err := Write(io.Discard, "png", Source{Events: crowd}, Span{}); err == nil || !strings.Contains(err.Error(), "svg") {
		t.Errorf("an unknown format: %v", err)
	}
}
