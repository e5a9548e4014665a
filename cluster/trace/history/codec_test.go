package history

import (
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/trace/tracetest"

	"pgregory.net/rapid"
)

// written encodes a value and returns what it decodes to.
func written[T any](value *T, describe func(*deltaCodec, *T)) T {
	var all stringTable
	w := deltaCodec{table: &all}
	describe(&w, value)
	r := deltaCodec{names: all.all, reading: true, buf: w.buf}
	var got T
	describe(&r, &got)
	if r.at != len(r.buf) {
		panic(fmt.Sprintf("%d bytes were written, %d read", len(r.buf), r.at))
	}
	return got
}

func eventDescription(c *deltaCodec, e *trace.Event) { c.event(e, false) }

// TestCodecKnowsEveryField fails when a field is added that the codec does not know.
func TestCodecKnowsEveryField(t *testing.T) {
	check := func(name string, want, got any) {
		t.Helper()
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s: wrote\n%+v, read\n%+v", name, want, got)
		}
	}
	n := 0
	var e trace.Event
	tracetest.Fill(reflect.ValueOf(&e).Elem(), &n)
	check("an event", e, written(&e, eventDescription))
	var s trace.State
	tracetest.Fill(reflect.ValueOf(&s).Elem(), &n)
	s.IndexNodes()
	check("a state", s, written(&s, (*deltaCodec).state))
	// Each field alone, so no field stands in for another.
	for i := range reflect.TypeFor[trace.Event]().NumField() {
		var e trace.Event
		tracetest.Fill(reflect.ValueOf(&e).Elem().Field(i), &n)
		check(reflect.TypeFor[trace.Event]().Field(i).Name, e, written(&e, eventDescription))
	}
	for i := range reflect.TypeFor[trace.State]().NumField() {
		var s trace.State
		if reflect.TypeFor[trace.State]().Field(i).IsExported() {
			tracetest.Fill(reflect.ValueOf(&s).Elem().Field(i), &n)
			s.IndexNodes()
			check(reflect.TypeFor[trace.State]().Field(i).Name, s, written(&s, (*deltaCodec).state))
		}
	}
}

func TestCodecTellsNilFromEmpty(t *testing.T) {
	s := trace.State{Nodes: []trace.Node{{Peers: map[string]trace.Progress{}, Votes: []string{}}, {}}, Faults: map[trace.Link][]string{}}
	s.IndexNodes()
	if got := written(&s, (*deltaCodec).state); !reflect.DeepEqual(got, s) {
		t.Errorf("wrote %+v, read %+v", s, got)
	}
}

func TestCodecKeepsExtremeNumbers(t *testing.T) {
	for _, n := range []uint64{1, math.MaxUint64, 1 << 63, 1<<63 - 1, 1<<63 + 1, 127, 128} {
		for _, m := range []uint64{0, 1, math.MaxUint64, 1 << 63} {
			e := trace.Event{Seq: n, At: time.Duration(m), Kind: trace.KindTerm, Term: n, Index: m, Last: n, Value: int64(n), Size: int64(m), Factor: math.Copysign(0, -1)}
			if got := written(&e, eventDescription); !reflect.DeepEqual(got, e) {
				t.Errorf("wrote %+v, read %+v", e, got)
			}
		}
	}
}

// TestCodecKeepsAnyEvents writes events one after another, as a history does.
func TestCodecKeepsAnyEvents(t *testing.T) {
	rapid.Check(t, checkCodec)
}

// FuzzCodec is TestCodecKeepsAnyEvents for the fuzzer.
func FuzzCodec(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkCodec)) }

func checkCodec(t *rapid.T) {
	events := rapid.SliceOfN(tracetest.AnyEvent(), 0, 40).Draw(t, "events")
	var all stringTable
	w := deltaCodec{table: &all}
	var s trace.State
	for i := range events {
		w.event(&events[i], false)
		s.Apply(&events[i])
	}
	r := deltaCodec{names: all.all, reading: true, buf: w.buf}
	for i := range events {
		var got trace.Event
		if r.event(&got, false); !reflect.DeepEqual(got, events[i]) {
			t.Fatalf("wrote\n%+v, read\n%+v", events[i], got)
		}
	}
	if got := written(&s, (*deltaCodec).state); !reflect.DeepEqual(got, s) {
		t.Fatalf("wrote the state\n%+v, read\n%+v", s, got)
	}
}
