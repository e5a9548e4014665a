package recording

import (
	"fmt"
	"testing"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
)

// TestOperationsOutliveTheirBlock parses one block into the memory of another, whose events the
// history has already.
func TestOperationsOutliveTheirBlock(t *testing.T) {
	h := history.New(history.DefaultBudget)
	r := newReader(h, testLimits)
	read := func(line string) *block {
		b := r.newBlock()
		b.lines, b.first, b.ready = append(b.lines, line...), 1, make(chan struct{})
		b.parse()
		return b
	}
	first := read(`{"seq":1,"at":1,"kind":"invoked","op":{"id":5,"client":"c1","kind":"add","route":"leader","invoked":1}}` + "\n")
	r.consume(first)
	r.freeBlock(first)
	if again := read(`{"seq":2,"at":1,"kind":"invoked","op":{"id":6,"client":"c2","kind":"add","route":"leader","invoked":1}}` + "\n"); again != first {
		t.Fatal("the second block has memory of its own: the test shows nothing")
	}
	if e, ok := h.Event(1); !ok || e.Op == nil || e.Op.ID != 5 {
		t.Errorf("event 1 is %+v with %+v, want operation 5", e, e.Op)
	}
}

func TestReasonsBeyondAnyRealOneAreRejected(t *testing.T) {
	good := trace.Reason{Decision: trace.WinElection, Cause: trace.VotesWon, Term: 3, Count: 2, Total: 3, Voters: []string{"n1", "n2"}}
	if err := validate(&trace.Event{Kind: trace.KindReason, Reason: &good}); err != nil {
		t.Errorf("a real reason: %v", err)
	}
	for name, spoil := range map[string]func(*trace.Reason){
		"decision":         func(r *trace.Reason) { r.Decision = "\x1b[2J" },
		"cause":            func(r *trace.Reason) { r.Cause = "a b" },
		"peer":             func(r *trace.Reason) { r.Peer = "n1\n" },
		"other":            func(r *trace.Reason) { r.Other = "\x00" },
		"voter":            func(r *trace.Reason) { r.Voters[1] = "\x1b" },
		"voters":           func(r *trace.Reason) { r.Voters = make([]string, trace.NodesMax+1) },
		"negative count":   func(r *trace.Reason) { r.Count = -1 },
		"negative total":   func(r *trace.Reason) { r.Total = -1 },
		"count":            func(r *trace.Reason) { r.Count = trace.NodesMax + 1 },
		"term":             func(r *trace.Reason) { r.Term = trace.IndexMax + 1 },
		"own term":         func(r *trace.Reason) { r.OwnTerm = trace.IndexMax + 1 },
		"index":            func(r *trace.Reason) { r.LastIndex = trace.IndexMax + 1 },
		"other's index":    func(r *trace.Reason) { r.PeerIndex = trace.IndexMax + 1 },
		"negative silence": func(r *trace.Reason) { r.Silence = -1 },
		"silence":          func(r *trace.Reason) { r.Silence = timeMax + 1 },
		"error":            func(r *trace.Reason) { r.Error = string(make([]byte, textMax+1)) },
	} {
		bad := good
		bad.Voters = []string{"n1", "n2"}
		spoil(&bad)
		if validate(&trace.Event{Kind: trace.KindReason, Reason: &bad}) == nil {
			t.Errorf("%s: accepted %+v", name, bad)
		}
	}
}

func TestQuestionsBeyondAnyRealOneAreRejected(t *testing.T) {
	good := func() *trace.Question {
		return &trace.Question{
			Number: 1, Text: "who?", In: trace.Localized{"zh": "谁？"}, Because: "so", BecauseIn: trace.Localized{"zh": "因为"},
			Choices: []trace.Choice{{Text: "a"}, {Text: "b", In: trace.Localized{"zh": "二"}, True: true}}, Picked: []int{0, 30}, Judged: true,
		}
	}
	if err := validate(&trace.Event{Kind: trace.KindQuestion, Question: good()}); err != nil {
		t.Errorf("a real question: %v", err)
	}
	long := string(make([]byte, questionMax+1))
	for name, spoil := range map[string]func(*trace.Question){
		"number":          func(q *trace.Question) { q.Number = trace.QuestionsMax + 1 },
		"negative number": func(q *trace.Question) { q.Number = -1 },
		"choices":         func(q *trace.Question) { q.Choices = make([]trace.Choice, trace.ChoicesMax+1) },
		"more picks":      func(q *trace.Question) { q.Picked = []int{0, 0, 1} },
		"negative votes":  func(q *trace.Question) { q.Picked[0] = -1 },
		"votes":           func(q *trace.Question) { q.Picked[1] = trace.PickedMax + 1 },
		"text":            func(q *trace.Question) { q.Text = long },
		"translation":     func(q *trace.Question) { q.In = trace.Localized{"zh": long} },
		"language":        func(q *trace.Question) { q.BecauseIn = trace.Localized{"\x1b[2J": "x"} },
		"choice":          func(q *trace.Question) { q.Choices[1].Text = long },
		"choice language": func(q *trace.Question) { q.Choices[1].In = trace.Localized{"a b": "x"} },
		"reason":          func(q *trace.Question) { q.Because = long },
		"languages": func(q *trace.Question) {
			for i := range languagesMax + 1 {
				q.In[fmt.Sprint("x", i)] = "y"
			}
		},
	} {
		bad := good()
		spoil(bad)
		if validate(&trace.Event{Kind: trace.KindQuestion, Question: bad}) == nil {
			t.Errorf("%s: accepted %+v", name, bad)
		}
	}
}
