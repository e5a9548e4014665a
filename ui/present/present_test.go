package present

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

func TestVotesAreParsed(t *testing.T) {
	for text, want := range map[string][]int{
		"1:12 2:30": {12, 30, 0}, "3:1": {0, 0, 1}, "  2:0   1:7 ": {7, 0, 0}, "": {0, 0, 0}, "1:1000000": {1_000_000, 0, 0},
	} {
		if got, err := ParseVotes(text, 3); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"12": "12: write CHOICE:VOTES, like 1:12 2:30", "1:": "1:: write CHOICE:VOTES, like 1:12 2:30", ":3": ":3: write CHOICE:VOTES, like 1:12 2:30",
		"1:-3": "1:-3: write CHOICE:VOTES, like 1:12 2:30", "1:2:3": "1:2:3: write CHOICE:VOTES, like 1:12 2:30", "1:99999999999999999999": "1:99999999999999999999: write CHOICE:VOTES, like 1:12 2:30",
		"4:1": "4:1: the choices are 1 to 3", "0:1": "0:1: the choices are 1 to 3", "1:1000001": "1:1000001: at most 1000000 votes", "1:2 1:3": "1:3: choice 1 is counted twice",
	} {
		if got, err := ParseVotes(text, 3); err == nil || err.Error() != want || got != nil {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
	}
}

// answerAll answers a few questions of two scenarios.
func answerAll(a *Answers) {
	ask := func(sink trace.Sink, picked []int, judged bool) {
		s := trace.State{Settings: trace.Settings{Seed: 7}}
		sink.Start(&s)
		q := trace.Question{Number: 2, Text: "who <wins>?", Judged: judged, Picked: picked, Choices: []trace.Choice{{Text: "a"}, {Text: "b", True: judged}}}
		sink.AddPacket(&trace.Packet{}, &s)
		sink.Add(&trace.Event{At: 1500 * time.Millisecond, Kind: trace.KindQuestion, Question: &q}, &s)
	}
	one, two := a.Of("one"), a.Of("two")
	ask(one, nil, false)
	ask(one, []int{1, 0}, false)
	ask(one, []int{1, 0}, true)
	ask(two, []int{12, 30}, true)
	ask(two, []int{0, 0}, true)
}

const answerLines = `{"lesson":"one","question":2,"text":"who <wins>?","choices":["a","b"],"answer":1,"counts":[1,0],"true":[2],"right":false,"seed":7,"at":1.5}
{"lesson":"two","question":2,"text":"who <wins>?","choices":["a","b"],"answer":null,"counts":[12,30],"true":[2],"right":null,"seed":7,"at":1.5}
{"lesson":"two","question":2,"text":"who <wins>?","choices":["a","b"],"answer":null,"counts":[0,0],"true":[2],"right":null,"seed":7,"at":1.5}
`

func TestAnswersAreAddedToTheFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "answers.jsonl")
	for range 2 {
		a, err := OpenAnswers(name)
		if err != nil {
			t.Fatal(err)
		}
		answerAll(a)
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(name)
	if err != nil || string(data) != answerLines+answerLines {
		t.Errorf("%v: the file holds\n%s, want twice\n%s", err, data, answerLines)
	}
	for line := range strings.Lines(string(data)) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	if _, err := OpenAnswers(filepath.Join(name, "below")); err == nil {
		t.Error("a file below a file opens")
	}
	if err := (*Answers)(nil).Close(); err != nil {
		t.Error(err)
	}
}

// fullDisk takes one write.
type fullDisk struct {
	bytes.Buffer
	closed bool
}

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.Len() > 0 {
		return 0, errFull
	}
	return d.Buffer.Write(p)
}

func (d *fullDisk) Close() error { d.closed = true; return nil }

func TestFullDiskIsReported(t *testing.T) {
	d := &fullDisk{}
	a := NewAnswers(d)
	answerAll(a)
	if err := a.Close(); !errors.Is(err, errFull) || err.Error() != "writing the answers: no space left on device" || !d.closed {
		t.Errorf("%v, closed: %t", err, d.closed)
	}
	a.Of("late").Add(&trace.Event{Question: &trace.Question{Judged: true}}, &trace.State{}) // nobody writes it
	if got, _, _ := strings.Cut(answerLines, "\n"); d.String() != got+"\n" {
		t.Errorf("it has written\n%s", d.String())
	}
}

// A playback stops where the show stood still.
func TestQuestionsAreSteps(t *testing.T) {
	h := history.New(1 << 20)
	var s trace.Stream
	s.AddSink(h)
	q := trace.Question{Number: 1, Choices: []trace.Choice{{Text: "a"}, {Text: "b"}}}
	answered, judged := q, q
	answered.Picked, judged.Picked, judged.Judged = []int{0, 0}, []int{0, 0}, true
	for _, e := range []trace.Event{
		{Kind: trace.KindCommand, Text: "ask who?"},
		{Kind: trace.KindQuestion, Question: &q},
		{Kind: trace.KindQuestion, Question: &answered},
		{Kind: trace.KindCommand, Text: "because so"},
		{Kind: trace.KindQuestion, Question: &judged},
		{Kind: trace.KindCommand, Text: "step"},
	} {
		s.Emit(e)
	}
	var stops []uint64
	for at := uint64(0); ; {
		step, found := NextStep(h, at, 6)
		if !found {
			break
		}
		at = step.Seq
		stops = append(stops, at)
	}
	if !slices.Equal(stops, []uint64{2, 5, 6}) {
		t.Errorf("it stops at events %v", stops)
	}
}
