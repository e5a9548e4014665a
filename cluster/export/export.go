package export

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Span is the part of a trace to export, in virtual time, both ends included. To is 0 for
// the end of the trace.
type Span struct{ From, To time.Duration }

// before reports whether a moment is before the span.
func (s Span) before(at time.Duration) bool { return at < s.From }

// after reports whether a moment is after the span.
func (s Span) after(at time.Duration) bool { return s.To != 0 && at > s.To }

// ErrEmpty is returned when no event of a trace is in the span.
var ErrEmpty = errors.New("nothing to export: no events in this span")

// ErrTruncated is the error of an export that is complete only up to a moment. The wrapping error
// names the moment.
var ErrTruncated = errors.New("the export ends")

// formats are the writers of all formats, by name.
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

// Validate returns an error if the format is unknown or the span is not one.
func Validate(format string, span Span) error {
	if _, ok := formats[format]; !ok {
		return fmt.Errorf("unknown format %q; choose one of %s", format, strings.Join(Formats(), ", "))
	}
	if span.From < 0 || span.To < 0 || span.To != 0 && span.To <= span.From {
		return fmt.Errorf("invalid span from %s to %s: --to must be later than --from", span.From, span.To)
	}
	return nil
}

// Write writes the span of a trace in a format. Errors: those of [Validate], [ErrEmpty],
// [ErrTruncated], too much in the span for the format, and those of w.
func Write(w io.Writer, format string, from Source, span Span) error {
	if err := Validate(format, span); err != nil {
		return err
	}
	return formats[format](w, from, span)
}
