package trace

import (
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// written returns what is read of what was written.
func written[T any](value *T, describe func(*coder, *T)) T {
	var all names
	w := coder{numbers: &all}
	describe(&w, value)
	r := coder{names: all.all, reading: true, buf: w.buf}
	var got T
	describe(&r, &got)
	if r.at != len(r.buf) {
		panic(fmt.Sprintf("%d bytes were written, %d read", len(r.buf), r.at))
	}
	return got
}

func eventDescription(c *coder, e *Event) { c.event(e, false) }

// fill gives all that a value consists of another value than zero, but for what
// is not exported.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), n)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	case reflect.Float64:
		v.SetFloat(float64(*n))
	default:
		panic("a value of a kind that this test does not know: " + v.Kind().String())
	}
}

// TestEveryFieldIsCoded fails when a field is added that the codec does not know.
func TestEveryFieldIsCoded(t *testing.T) {
	check := func(name string, want, got any) {
		t.Helper()
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%s: wrote\n%+v, read\n%+v", name, want, got)
		}
	}
	n := 0
	var e Event
	fill(reflect.ValueOf(&e).Elem(), &n)
	check("an event", e, written(&e, eventDescription))
	var s State
	fill(reflect.ValueOf(&s).Elem(), &n)
	s.makeIndex()
	check("a state", s, written(&s, (*coder).state))
	// Each field alone, so that none of them stands in for another.
	for i := range reflect.TypeFor[Event]().NumField() {
		var e Event
		fill(reflect.ValueOf(&e).Elem().Field(i), &n)
		check(reflect.TypeFor[Event]().Field(i).Name, e, written(&e, eventDescription))
	}
	for i := range reflect.TypeFor[State]().NumField() {
		var s State
		if reflect.TypeFor[State]().Field(i).IsExported() {
			fill(reflect.ValueOf(&s).Elem().Field(i), &n)
			s.makeIndex()
			check(reflect.TypeFor[State]().Field(i).Name, s, written(&s, (*coder).state))
		}
	}
}

func TestNothingAndAnEmptyListAreCodedApart(t *testing.T) {
	s := State{Nodes: []Node{{Peers: map[string]Progress{}, Votes: []string{}}, {}}, Faults: map[Link][]string{}}
	s.makeIndex()
	if got := written(&s, (*coder).state); !reflect.DeepEqual(got, s) {
		t.Errorf("wrote %+v, read %+v", s, got)
	}
}

func TestMonstrousNumbersAreCoded(t *testing.T) {
	for _, n := range []uint64{1, math.MaxUint64, 1 << 63, 1<<63 - 1, 1<<63 + 1, 127, 128} {
		for _, m := range []uint64{0, 1, math.MaxUint64, 1 << 63} {
			e := Event{Seq: n, At: time.Duration(m), Kind: KindTerm, Term: n, Index: m, Last: n, Value: int64(n), Size: int64(m), Factor: math.Copysign(0, -1)}
			if got := written(&e, eventDescription); !reflect.DeepEqual(got, e) {
				t.Errorf("wrote %+v, read %+v", e, got)
			}
		}
	}
}

// TestAnyEventsAreCoded writes events one after the other, as a history does.
func TestAnyEventsAreCoded(t *testing.T) {
	rapid.Check(t, checkCodec)
}

// FuzzCodec is the same for the fuzzer.
func FuzzCodec(f *testing.F) { f.Fuzz(rapid.MakeFuzz(checkCodec)) }

func checkCodec(t *rapid.T) {
	events := rapid.SliceOfN(anyEvent(), 0, 40).Draw(t, "events")
	var all names
	w := coder{numbers: &all}
	var s State
	for i := range events {
		w.event(&events[i], false)
		s.Apply(events[i])
	}
	r := coder{names: all.all, reading: true, buf: w.buf}
	for i := range events {
		var got Event
		if r.event(&got, false); !reflect.DeepEqual(got, events[i]) {
			t.Fatalf("wrote\n%+v, read\n%+v", events[i], got)
		}
	}
	if got := written(&s, (*coder).state); !reflect.DeepEqual(got, s) {
		t.Fatalf("wrote the state\n%+v, read\n%+v", s, got)
	}
}
