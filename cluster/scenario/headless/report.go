package headless

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteJSON writes the results as JSON, one object in each line.
func WriteJSON(w io.Writer, results []Result) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for i := range results {
		if err := encoder.Encode(&results[i]); err != nil {
			return err
		}
	}
	return nil
}

// WriteTable writes the results for people: a table, and below it what failed.
// With repeats it says which seed each run had.
func WriteTable(w io.Writer, results []Result) error {
	if len(results) == 0 {
		return nil
	}
	repeats := false
	for i := 1; i < len(results); i++ {
		repeats = repeats || results[i].Scenario == results[i-1].Scenario
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	seed := func(text string) string {
		if !repeats {
			return ""
		}
		return text + "\t"
	}
	_, _ = fmt.Fprintf(table, "SCENARIO\t%sRESULT\tVIRTUAL\tWALL\tOPS\tVALUE\tTERM\n", seed("SEED"))
	for _, r := range results {
		verdict := "ok"
		if !r.OK {
			verdict = "failed"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s%s\t%.1fs\t%.2fs\t%s\t%d\t%d\n",
			r.Scenario, seed(fmt.Sprint(r.Seed)), verdict, r.VirtualSeconds, r.WallSeconds, r.Ops, r.Value, r.Term)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	var below strings.Builder
	for _, r := range results {
		if len(r.Faults) > 0 {
			fmt.Fprintf(&below, "%s: chaos struck: %s\n", r.Scenario, faultsInWords(r.Faults))
		}
		for _, remark := range r.remarks {
			fmt.Fprintf(&below, "%s: %s\n", r.Scenario, remark)
		}
		for _, f := range r.Failures {
			where := r.Scenario
			if f.Line > 0 {
				where = fmt.Sprintf("%s:%d", where, f.Line)
			}
			fmt.Fprintf(&below, "%s: %s: wanted %s, got %s", where, f.Text, f.Want, f.Got)
			if repeats {
				fmt.Fprintf(&below, " (seed %d)", r.Seed)
			}
			below.WriteByte('\n')
		}
	}
	if below.Len() == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s", below.String())
	return err
}

func faultsInWords(faults map[string]int) string {
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(faults)) {
		words = append(words, fmt.Sprintf("%s %d", kind, faults[kind]))
	}
	return strings.Join(words, ", ")
}
