package uitest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"

	"capsize/ui/canvas"
	"capsize/ui/style"
)

// CastHeader is the first line of an asciicast, as specified.
type CastHeader struct {
	Version int
	Term    struct {
		Cols, Rows int
		Theme      *struct{ FG, BG, Palette string }
	}
	Title string
}

// CastEvent is an event of an asciicast, as specified.
type CastEvent struct {
	interval float64       // seconds since the last event
	at       time.Duration // since the start
	Code     string
	Data     string
}

// ParseCast parses an asciicast, and fails the test if it is invalid.
func ParseCast(tb testing.TB, data []byte) (CastHeader, []CastEvent) {
	tb.Helper()
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	var header CastHeader
	if err := json.Unmarshal([]byte(lines[0]), &header); err != nil {
		tb.Fatal(err)
	}
	if header.Version != 3 || header.Term.Cols < 1 || header.Term.Rows < 1 {
		tb.Fatalf("invalid header: %+v", header)
	}
	var events []CastEvent
	at := time.Duration(0)
	for i, line := range lines[1:] {
		var fields []json.RawMessage
		var e CastEvent
		err := json.Unmarshal([]byte(line), &fields)
		if err != nil || len(fields) != 3 {
			tb.Fatalf("line %d is not an event: %s", i+2, line)
		}
		for j, into := range []any{&e.interval, &e.Code, &e.Data} {
			if err := json.Unmarshal(fields[j], into); err != nil {
				tb.Fatalf("line %d: %v", i+2, err)
			}
		}
		if e.interval < 0 || !slices.Contains([]string{"o", "i", "m", "r", "x"}, e.Code) {
			tb.Fatalf("line %d: %s", i+2, line)
		}
		at += time.Duration(e.interval*1000+0.5) * time.Millisecond
		e.at = at
		events = append(events, e)
	}
	return header, events
}

// emulator returns an emulated terminal.
func emulator(w, h int) *vt.Emulator { return vt.NewEmulator(w, h) }

// Rendered returns what a terminal shows after drawing a picture.
func Rendered(c *canvas.Canvas, t *style.Theme) string {
	e := emulator(c.W, c.H)
	_, _ = e.WriteString(strings.ReplaceAll(c.Render(t), "\n", "\r\n"))
	return seenOn(e)
}

// seenOn returns what is visible on a terminal: of a blank cell, only its background.
func seenOn(e *vt.Emulator) string {
	const bold = 1 // the attribute that is invisible on a blank
	var b strings.Builder
	for y := range e.Height() {
		for x := range e.Width() {
			c := e.CellAt(x, y)
			switch {
			case c == nil || strings.TrimSpace(c.Content) == "" && c.Width == 1 && c.Style.Bg == nil && c.Style.Underline == 0 && c.Style.Attrs&^bold == 0:
				b.WriteByte(' ')
			default:
				fmt.Fprintf(&b, "%s{%v %v %v %v}", c.Content, c.Style.Fg, c.Style.Bg, c.Style.Underline, c.Style.Attrs)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// PlayCast plays an asciicast, and returns what the terminal shows after each output, and
// when.
func PlayCast(tb testing.TB, data []byte) (screens []string, at []time.Duration) {
	tb.Helper()
	header, events := ParseCast(tb, data)
	e := emulator(header.Term.Cols, header.Term.Rows)
	for _, event := range events {
		switch event.Code {
		case "r":
			var w, h int
			if _, err := fmt.Sscanf(event.Data, "%dx%d", &w, &h); err != nil {
				tb.Fatal(err)
			}
			e.Resize(w, h)
		case "o":
			_, _ = e.WriteString(event.Data)
			screens, at = append(screens, seenOn(e)), append(at, event.at)
		}
	}
	return screens, at
}
