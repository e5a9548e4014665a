package hunt

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteTable writes how far the searches are, and what they have found.
func (h *Hunt) WriteTable(w io.Writer) error {
	progress, elapsed, schedules := h.Progress(), h.Elapsed(), h.Schedules()
	_, _ = fmt.Fprintf(w, "%s, %d schedules, %.0f a second\n\n", elapsed.Round(time.Second), schedules, float64(schedules)/elapsed.Seconds())
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "SEED\tSCHEDULES\tSTATES\tCORPUS\tFOUND\tBEST\tITS SIGNALS")
	for i := range progress {
		p := &progress[i]
		found := fmt.Sprint(len(p.Findings))
		if p.Again > 0 {
			found += fmt.Sprintf(" (+%d)", p.Again)
		}
		_, _ = fmt.Fprintf(table, "%d\t%d\t%d\t%d\t%s\t%.1f\t%s\n", p.Seed, p.Schedules, p.States, p.Corpus, found, p.Best, shorten(p.Signals.String()))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	var below strings.Builder
	for i := range progress {
		for j := range progress[i].Findings {
			progress[i].Findings[j].describe(&below, progress[i].Seed)
		}
	}
	if below.Len() == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s", below.String())
	return err
}

// signalsWidth is the width of the names of signals in the table, in characters.
const signalsWidth = 66

// shorten cuts the names of signals to the width of the table.
func shorten(names string) string {
	if len(names) > signalsWidth {
		return names[:signalsWidth-1] + "…"
	}
	return names
}

// describe writes a finding as a line, with the command that opens it.
func (f *Finding) describe(to *strings.Builder, seed int64) {
	what := f.Failure + " violated"
	if f.Failure == crash {
		what = fmt.Sprintf("%s: %v", crash, f.died)
	}
	fmt.Fprintf(to, "seed %d: %s, after %d schedules (%s)", seed, what, f.Schedules, f.After())
	if opening := f.Opening(); opening != "" {
		fmt.Fprintf(to, "\n  %s", opening)
	}
	to.WriteByte('\n')
}

// WriteJSON writes the progress of each search as a JSON object on a line of its own.
func (h *Hunt) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, p := range h.Progress() {
		if err := encoder.Encode(p); err != nil {
			return err
		}
	}
	return nil
}

// Schedules returns how many schedules have run.
func (h *Hunt) Schedules() int {
	n := 0
	for _, p := range h.Progress() {
		n += p.Schedules
	}
	return n
}

// Failed reports whether anything was found.
func (h *Hunt) Failed() bool {
	for _, p := range h.Progress() {
		if len(p.Findings) > 0 {
			return true
		}
	}
	return false
}
