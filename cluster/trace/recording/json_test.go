package recording

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/tracetest"

	"pgregory.net/rapid"
)

// jsonLine returns the line that encoding/json writes.
func jsonLine(t interface{ Fatal(...any) }, e *trace.Event) []byte {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		t.Fatal(err)
	}
	return line.Bytes()
}

// checkLine compares the line of an event, written and read again, with encoding/json.
func checkLine(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, e *trace.Event,
) {
	var w lineWriter
	w.event(e)
	want := jsonLine(t, e)
	if !bytes.Equal(w.buf, want) {
		t.Fatalf("wrote\n%s, want\n%s", w.buf, want)
	}
	if p := e.Packet; p != nil && reflect.DeepEqual(*e, trace.Event{Seq: e.Seq, At: e.At, Kind: trace.KindPacket, Packet: p}) {
		w.buf = w.buf[:0]
		if w.packetEvent(e.Seq, e.At, p); !bytes.Equal(w.buf, want) {
			t.Fatalf("wrote\n%s, want\n%s", w.buf, want)
		}
	}
	var wanted, got trace.Event
	if err := json.Unmarshal(want, &wanted); err != nil {
		t.Fatal(err)
	}
	var r lineReader
	if err := r.event(bytes.TrimSpace(want), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, wanted) {
		t.Fatalf("read\n%+v, want\n%+v, from\n%s", got, wanted, want)
	}
}

func TestLinesEqualEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := tracetest.AnyEvent().Draw(t, "event")
		checkLine(t, &e)
	})
	// All fields at once, and each field alone.
	n := 0
	var all trace.Event
	tracetest.Fill(reflect.ValueOf(&all).Elem(), &n)
	checkLine(t, &all)
	for _, of := range []any{&trace.Event{}, &trace.Packet{}, &trace.Op{}, &trace.Entry{}} {
		v := reflect.ValueOf(of).Elem()
		for i := range v.NumField() {
			v.SetZero()
			tracetest.Fill(v.Field(i), &n)
			switch of := of.(type) {
			case *trace.Event:
				checkLine(t, of)
			case *trace.Packet:
				checkLine(t, &trace.Event{Kind: trace.KindPacket, Packet: of})
			case *trace.Op:
				checkLine(t, &trace.Event{Kind: trace.KindReturned, Op: of})
			case *trace.Entry:
				checkLine(t, &trace.Event{Kind: trace.KindAppended, Entries: []trace.Entry{*of, *of}})
			}
		}
	}
}

func TestUnusualTextIsWrittenAsEncodingJSONDoes(t *testing.T) {
	for _, text := range []string{"", "a\"b", `a\b`, "a\nb", "<&>", "é", "\u2028", "\xff", "\x7f", "\x00", "日本"} {
		checkLine(t, &trace.Event{Kind: trace.KindCaption, Text: text, Node: text})
		checkLine(t, &trace.Event{Kind: trace.KindPacket, Packet: &trace.Packet{Why: text, Error: text}})
		checkLine(t, &trace.Event{Kind: trace.KindReturned, Op: &trace.Op{Why: text}})
	}
}

// oddLines are lines that [Writer] would not write, valid and invalid ones.
var oddLines = []string{
	``, ` `, `{}`, `{`, `null`, `[]`, `7`, `"x"`, `{"seq":1}x`, `{"seq":1} `, `{ "seq":1}`, `{"seq":01}`, `{"seq":-1}`, `{"seq":1.0}`,
	`{"seq":1e3}`, `{"seq":18446744073709551615}`, `{"seq":18446744073709551616}`, `{"seq":99999999999999999999999}`, `{"at":-9223372036854775808}`,
	`{"at":-0}`, `{"at":9223372036854775808}`, `{"seq":null}`, `{"seq":1,"seq":2}`, `{"Seq":1}`, `{"seq":1,"what":[1,{"a":2}]}`, `{"text":"\u0041"}`,
	`{"packet":{"id":1},"packet":{"rpc":2}}`, `{"packet":{}}`, `{"packet":null}`, `{"packet":{"reply":false}}`, `{"packet":{"reply":tru}}`,
	`{"op":{"id":1},"op":{"seq":2}}`, `{"entries":[]}`, `{"entries":[{}]}`, `{"entries":[{"term":1}],"entries":[{"kind":"x"}]}`, `{"entries":[{"term":1},]}`,
	`{"entries":[null]}`, `{"seq":1,}`, `{,}`, `{"seq"}`, `{"seq":}`, `{"kind":"packet","packet":{"id":1,"fate":"sent"}`, "{\"text\":\"a\tb\"}", "{\"text\":\"\xff\"}",
	`{"data":"AAEC"}`, `{"data":"!"}`, `{"proof":[1,2]}`, `{"factor":1.5}`, `{"factor":NaN}`, `{"seq":true}`, `{"packet":{"size":99999999999999999999}}`,
}

// checkOddLine compares the reader with encoding/json for any bytes.
func checkOddLine(t *testing.T, line []byte) {
	t.Helper()
	var got, want trace.Event
	var r lineReader
	err := r.event(line, &got)
	wantErr := json.Unmarshal(line, &want)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q: error %v, want %v", line, err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: read\n%+v, want\n%+v", line, got, want)
	}
}

func TestAnyLineIsReadAsEncodingJSONDoes(t *testing.T) {
	for _, line := range oddLines {
		checkOddLine(t, []byte(line))
	}
}

func FuzzLine(f *testing.F) {
	for _, line := range oddLines {
		f.Add([]byte(line))
	}
	for i := range 20 {
		e := tracetest.AnyEvent().Example(i)
		f.Add(bytes.TrimSpace(jsonLine(f, &e)))
	}
	f.Fuzz(checkOddLine)
}

// TestPacketsOfOtherLinksAreWrittenApart writes packets whose links share a place in the cache.
func TestPacketsOfOtherLinksAreWrittenApart(t *testing.T) {
	var w lineWriter
	var want []byte
	packets := []trace.Packet{
		{From: "n1", To: "n2", Kind: "append", Status: trace.Sent},
		{From: "n1", To: "x2", Kind: "append", Status: trace.Sent},
		{From: "x1", To: "n2", Kind: "append", Status: trace.Sent},
		{From: "n1", To: "n2", Kind: "append", Status: trace.Sent},
		{From: "n1", To: "n2", Kind: "vote", Status: trace.Lost},
	}
	place := history.Similarity(&packets[0])
	for i := range packets {
		if got := history.Similarity(&packets[i]); i < 4 && got != place {
			t.Fatalf("packet %d has place %d, want %d as the first: the test shows nothing", i, got, place)
		}
		e := trace.Event{Kind: trace.KindPacket, Packet: &packets[i]}
		w.event(&e)
		want = append(want, jsonLine(t, &e)...)
	}
	if !bytes.Equal(w.buf, want) {
		t.Errorf("wrote\n%s, want\n%s", w.buf, want)
	}
}
