package headless

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"capsize/cluster/engine"
)

// WriteJSON writes the results as JSON, one object on each line.
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

// WriteTable writes the results for people: a table, and below it what failed. If a
// scenario ran more than once, it shows the seeds. Equal exact runs share a row.
func WriteTable(w io.Writer, results []Result) error {
	if len(results) == 0 {
		return nil
	}
	all := results
	results, same := mergeSame(all)
	showSeeds := false
	for i := 1; i < len(results); i++ {
		showSeeds = showSeeds || results[i].Scenario == results[i-1].Scenario
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	seed := func(text string) string {
		if !showSeeds {
			return ""
		}
		return text + "\t"
	}
	clock := "VIRTUAL"
	if results[0].Mode == engine.ProcessesMode {
		clock = "TIME"
	}
	_, _ = fmt.Fprintf(table, "SCENARIO\t%sRESULT\t%s\tWALL\tOPS\tVALUE\tTERM\n", seed("SEED"), clock)
	for _, r := range results {
		outcome := "ok"
		switch {
		case r.Interrupted && len(r.Failures) == 0:
			outcome = "interrupted"
		case !r.OK:
			outcome = "failed"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s%s\t%.1fs\t%.2fs\t%s\t%d\t%d\n",
			r.Scenario, seed(fmt.Sprint(r.Seed)), outcome, r.VirtualSeconds, r.WallSeconds, r.Ops, r.Value, r.Term)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	var below strings.Builder
	for i := range results {
		results[i].writeDetails(&below, showSeeds)
		if same[i] > 1 {
			fmt.Fprintf(&below, "%s: trace %s: all %d runs are the same\n", results[i].Scenario, results[i].Fingerprint, same[i])
		} else if results[i].Fingerprint != "" {
			fmt.Fprintf(&below, "%s: trace %s\n", results[i].Scenario, results[i].Fingerprint)
		}
	}
	writeOutcomes(&below, all)
	if below.Len() == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s", below.String())
	return err
}

// mergeSame returns one result for each group of equal exact runs, with the number of runs in it.
func mergeSame(all []Result) (merged []Result, runs []int) {
	groups := map[string]int{} // by scenario, seed and fingerprint: the index in merged
	for _, r := range all {
		key := fmt.Sprintf("%s %d %s", r.Scenario, r.Seed, r.Fingerprint)
		if i, known := groups[key]; known && r.Fingerprint != "" {
			runs[i]++
			continue
		}
		groups[key] = len(merged)
		merged, runs = append(merged, r), append(runs, 1)
	}
	return merged, runs
}

// writeDetails writes what has no place in a row of the table: injected faults,
// remarks and failures.
func (r *Result) writeDetails(to *strings.Builder, showSeed bool) {
	if len(r.Faults) > 0 {
		fmt.Fprintf(to, "%s: faults injected: %s\n", r.Scenario, describeFaults(r.Faults))
	}
	for _, remark := range r.remarks {
		fmt.Fprintf(to, "%s: %s\n", r.Scenario, remark)
	}
	for _, f := range r.Failures {
		where := r.Scenario
		if f.Line > 0 {
			where = fmt.Sprintf("%s:%d:%d", where, f.Line, f.Column)
		}
		fmt.Fprintf(to, "%s: %s", where, f.Message())
		if showSeed {
			fmt.Fprintf(to, " (seed %d)", r.Seed)
		}
		to.WriteByte('\n')
	}
}

// describeFaults lists the number of faults of each kind.
func describeFaults(faults map[string]int) string {
	var counts []string
	for _, kind := range slices.Sorted(maps.Keys(faults)) {
		counts = append(counts, fmt.Sprintf("%s %d", kind, faults[kind]))
	}
	return strings.Join(counts, ", ")
}
