// Package export turns a trace into pictures and texts for others to look at: a
// space-time diagram (SVG), the story (text), a log for ShiViz with vector clocks,
// and porcupine's picture of what the clients were told (HTML).
//
// It reads events and nothing else. What it writes depends on them alone, byte for
// byte, and takes memory in proportion to what is shown, not to the trace. A trace
// may come from others: its words are cleaned of everything that is no visible
// character.
package export

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Span is the part of a trace that is wanted, in virtual time. To is the end of
// the trace if it is 0.
type Span struct{ From, To time.Duration }

// before and after say whether a moment lies outside of the span.
func (s Span) before(at time.Duration) bool { return at < s.From }
func (s Span) after(at time.Duration) bool  { return s.To != 0 && at > s.To }

// ErrEmpty is returned when nothing of a trace lies in the span.
var ErrEmpty = errors.New("nothing happens there")

// formats are what can be written, by name.
var formats = map[string]func(io.Writer, Source, Span) error{
	"html":   HTML,
	"shiviz": ShiViz,
	"svg":    SVG,
	"text":   Text,
}

// Formats returns the names of the formats, sorted.
func Formats() []string {
	var names []string
	for name := range formats {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Validate says what is wrong with what is asked for.
func Validate(format string, span Span) error {
	if _, ok := formats[format]; !ok {
		return fmt.Errorf("there is no format %q: there are %s", format, strings.Join(Formats(), ", "))
	}
	if span.From < 0 || span.To < 0 || span.To != 0 && span.To <= span.From {
		return fmt.Errorf("from %s to %s: the end must come after the beginning", span.From, span.To)
	}
	return nil
}

// Write writes the span of a trace in a format. It reads every event up to the
// end of the span once, and keeps none. Errors: [ErrEmpty], what [Validate] says, too
// much for one picture, and those of w.
func Write(w io.Writer, format string, from Source, span Span) error {
	if err := Validate(format, span); err != nil {
		return err
	}
	return formats[format](w, from, span)
}
