package scenario

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// durationMax is the longest duration that a command can name.
const durationMax = time.Hour

// choice takes a word that must be one of those allowed. What describes it.
func (p *lineParser) choice(what string, allowed ...string) (string, error) {
	w, err := p.next(what + ": " + orList(allowed))
	if err != nil {
		return "", err
	}
	if !slices.Contains(allowed, w.text) {
		return "", p.fail(w, "%q is not %s%s; use %s", w.text, what, didYouMean(w.text, allowed), orList(allowed))
	}
	return w.text, nil
}

// integer takes a whole number from least to most.
func (p *lineParser) integer(what string, least, most int64) (int64, error) {
	w, err := p.next(what)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(w.text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, p.fail(w, "%q is not %s; use a whole number from %d to %d", w.text, what, least, most)
	}
	return n, nil
}

// number takes a number from least to most.
func (p *lineParser) number(what string, least, most float64) (float64, error) {
	w, err := p.next(what)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseFloat(w.text, 64)
	if err != nil || !(n >= least && n <= most) {
		return 0, p.fail(w, "%q is not %s; use a number from %g to %g", w.text, what, least, most)
	}
	return n, nil
}

// duration takes a Go duration of at most durationMax.
func (p *lineParser) duration(what string) (time.Duration, error) {
	return p.durationFrom(what, 0, durationMax)
}

// durationFrom takes a Go duration from least to most.
func (p *lineParser) durationFrom(what string, least, most time.Duration) (time.Duration, error) {
	w, err := p.next(what + ", like 250ms or 2s")
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(w.text)
	if err != nil || d < least || d > most {
		return 0, p.fail(w, "%q is not %s; use a duration from %s to %s, like 250ms or 2s", w.text, what, least, most)
	}
	return d, nil
}

// percent takes a percentage like 30%.
func (p *lineParser) percent() (float64, error) {
	w, err := p.next("a percentage, like 30%")
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseFloat(strings.TrimSuffix(w.text, "%"), 64)
	if err != nil || !strings.HasSuffix(w.text, "%") || !(n >= 0 && n <= 100) {
		return 0, p.fail(w, "%q is not a percentage; use 0%% to 100%%, like 30%%", w.text)
	}
	return n, nil
}

// orList joins words for a sentence: a, b or c.
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// didYouMean returns a hint at the nearest of the words, "" if none is near.
func didYouMean(found string, words []string) string {
	nearest, distance := "", len(found)/2+1
	for _, w := range words {
		if d := editDistance(found, w); d < distance {
			nearest, distance = w, d
		}
	}
	if nearest == "" {
		return ""
	}
	return " (did you mean " + nearest + "?)"
}

// editDistanceMax is the length, in bytes, above which words are not compared.
const editDistanceMax = 64

// editDistance returns the Levenshtein distance of two words, in bytes.
func editDistance(a, b string) int {
	if len(a) > editDistanceMax || len(b) > editDistanceMax {
		return editDistanceMax
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
