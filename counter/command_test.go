package counter

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawCommand draws any valid command.
func drawCommand(t *rapid.T) Command {
	c := Command{
		Op:      rapid.SampledFrom([]Op{OpAdd, OpRead}).Draw(t, "op"),
		Client:  rapid.StringMatching(`[A-Za-z0-9._-]{0,32}`).Draw(t, "client"),
		Seq:     rapid.Uint64().Draw(t, "seq"),
		Session: rapid.Bool().Draw(t, "session"),
	}
	if c.Client == "" {
		c.Session = false
	}
	if c.Op == OpAdd {
		c.Delta = rapid.Int64().Draw(t, "delta")
	}
	return c
}

func mustEncode(tb testing.TB, c Command) []byte {
	tb.Helper()
	data, err := c.Encode()
	if err != nil {
		tb.Fatalf("encode %+v: %v", c, err)
	}
	return data
}

func TestDecodeIsTheInverseOfEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCommand(t)
		data, err := c.Encode()
		if err != nil {
			t.Fatalf("encode %+v: %v", c, err)
		}
		if len(data) > commandBytesMax {
			t.Fatalf("encoded to %d bytes, more than commandBytesMax", len(data))
		}
		if got, err := Decode(data); err != nil || got != c {
			t.Fatalf("got %+v, %v; want %+v", got, err, c)
		}
	})
}

// Logs and recordings contain the encoding, so it must not change.
func TestEncodingIsFixed(t *testing.T) {
	tests := []struct {
		command Command
		want    []byte
	}{
		{Command{Op: OpAdd, Delta: 1}, []byte{1, 1, 0, 0, 0, 2}},
		{Command{Op: OpAdd, Client: "c1", Seq: 300, Session: true, Delta: -3}, []byte{1, 1, 1, 2, 'c', '1', 0xac, 2, 5}},
		{Command{Op: OpRead, Client: "c1", Seq: 7}, []byte{1, 2, 0, 2, 'c', '1', 7}},
	}
	for _, test := range tests {
		if got := mustEncode(t, test.command); !bytes.Equal(got, test.want) {
			t.Errorf("%+v: got % x, want % x", test.command, got, test.want)
		}
	}
}

func TestInvalidCommandHasNoEncoding(t *testing.T) {
	tests := map[string]Command{
		"zero op":                  {},
		"unknown op":               {Op: 3},
		"session without a client": {Op: OpAdd, Session: true},
		"read with a delta":        {Op: OpRead, Delta: 1},
		"long name":                {Op: OpAdd, Client: strings.Repeat("a", 33)},
		"space in the name":        {Op: OpAdd, Client: "a b"},
		"escape in the name":       {Op: OpAdd, Client: "\x1b[2J"},
		"not ASCII":                {Op: OpAdd, Client: "é"},
	}
	for name, c := range tests {
		if data, err := c.Encode(); !errors.Is(err, ErrBadCommand) || data != nil {
			t.Errorf("%s: got % x, %v; want ErrBadCommand", name, data, err)
		}
	}
}

func TestDecodeRejectsInvalidBytes(t *testing.T) {
	tests := map[string][]byte{
		"empty":                    {},
		"unknown version":          {2, 1, 0, 0, 0, 2},
		"unknown op":               {1, 3, 0, 0, 0},
		"session neither 0 nor 1":  {1, 1, 2, 1, 'a', 0, 2},
		"session without a client": {1, 1, 1, 0, 0, 2},
		"long name":                append([]byte{1, 2, 0, 33}, make([]byte, 40)...),
		"bad byte in the name":     {1, 1, 0, 1, ' ', 0, 2},
		"truncated name":           {1, 2, 0, 3, 'a', 'b'},
		"length not shortest":      {1, 1, 0, 0x80, 0, 0, 2},
		"seq not shortest":         {1, 1, 0, 0, 0x81, 0, 2},
		"delta not shortest":       {1, 1, 0, 0, 0, 0x82, 0},
		"seq above 64 bits":        {1, 2, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2},
		"delta missing":            {1, 1, 0, 0, 0},
		"delta of a read":          {1, 2, 0, 0, 0, 2},
		"trailing byte":            {1, 1, 0, 0, 0, 2, 0},
	}
	for name, data := range tests {
		if c, err := Decode(data); !errors.Is(err, ErrBadCommand) || c != (Command{}) {
			t.Errorf("%s: got %+v, %v; want ErrBadCommand", name, c, err)
		}
	}
}

func TestDecodeRejectsEveryTruncation(t *testing.T) {
	data := mustEncode(t, Command{Op: OpAdd, Client: "client-1", Seq: math.MaxUint64, Session: true, Delta: math.MinInt64})
	for size := range data {
		if c, err := Decode(data[:size]); !errors.Is(err, ErrBadCommand) {
			t.Errorf("the first %d bytes decode to %+v, %v; want ErrBadCommand", size, c, err)
		}
	}
}

func TestCommandStringLabelsALogEntry(t *testing.T) {
	tests := map[string]Command{
		"+1":                   {Op: OpAdd, Delta: 1},
		"-3":                   {Op: OpAdd, Delta: -3},
		"+0":                   {Op: OpAdd},
		"-9223372036854775808": {Op: OpAdd, Delta: math.MinInt64},
		"read":                 {Op: OpRead, Client: "c1", Seq: 4},
		"op(9)":                {Op: 9},
	}
	for want, c := range tests {
		if got := c.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := OpAdd.String(); got != "add" {
		t.Errorf("got %q, want add", got)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 1, 0, 0, 0x81, 0, 2})
	f.Add(mustEncode(f, Command{Op: OpAdd, Delta: 1}))
	f.Add(mustEncode(f, Command{Op: OpRead, Client: "c1", Seq: 7, Session: true}))
	f.Add(mustEncode(f, Command{Op: OpAdd, Client: strings.Repeat("z", 32), Seq: math.MaxUint64, Session: true, Delta: math.MinInt64}))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Decode(data)
		if err != nil {
			if !errors.Is(err, ErrBadCommand) {
				t.Fatalf("%v does not wrap ErrBadCommand", err)
			}
			return
		}
		if again := mustEncode(t, c); !bytes.Equal(again, data) {
			t.Fatalf("decoded % x to %+v, which encodes to % x", data, c, again)
		}
	})
}
