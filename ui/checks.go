package ui

import (
	"fmt"
	"slices"

	"capsize/cluster/trace"
)

// promise is what a check holds a cluster to.
type promise struct{ check, text string }

// promises are those of all checks, in the order of the list.
var promises = []promise{
	{"linearizable", "answers never go back to an older value"},
	{"acked-durable", "what a client was told counts is kept"},
	{"exactly-once", "an increment sent twice counts once"},
	{"election-safety", "a term has one leader at most"},
	{"leader-append-only", "a leader only ever appends to its log"},
	{"log-matching", "logs that share an entry agree up to it"},
	{"leader-completeness", "later leaders have all that is committed"},
	{"state-machine-safety", "no two nodes apply different entries"},
	{"vote-once", "one vote a term, on disk before it is sent"},
}

// promised returns what a check holds a cluster to, "" if it is not known here.
func promised(check string) string {
	for _, p := range promises {
		if p.check == check {
			return p.text
		}
	}
	return ""
}

// rank orders checks: what is violated first, then what is undecided, and among
// those what people feel most.
func rank(c trace.Check) int {
	place := slices.IndexFunc(promises, func(p promise) bool { return p.check == c.Name })
	switch c.Verdict {
	case trace.VerdictViolated:
		return place
	case trace.VerdictUndecided:
		return place + len(promises) + 1
	case trace.VerdictOK:
	}
	return place + 2*len(promises) + 2
}

// checks returns what the checks say, worst first. What is violated by now is told
// of the past as well, and so is what a recording does not tell of itself.
func (f *frame) checks() []trace.Check {
	return ranked(worseOf(worseOf(f.state.Checks, f.hidden), f.broken))
}

// worseOf returns a copy of checks with some of them replaced by what is worse.
func worseOf(checks, worse []trace.Check) []trace.Check {
	checks = slices.Clone(checks)
	for _, c := range worse {
		if i := slices.IndexFunc(checks, func(k trace.Check) bool { return k.Name == c.Name }); i >= 0 {
			checks[i] = c
		} else {
			checks = append(checks, c)
		}
	}
	return checks
}

// ranked puts the worst checks first.
func ranked(checks []trace.Check) []trace.Check {
	slices.SortStableFunc(checks, func(a, b trace.Check) int { return rank(a) - rank(b) })
	return checks
}

// markOfVerdict returns how a verdict is shown.
func (g *glyphs) markOfVerdict(v trace.Verdict) (glyph string, k ink) {
	switch v {
	case trace.VerdictViolated:
		return g.bad, inkLoud
	case trace.VerdictUndecided:
		return g.undecided, inkWarn
	case trace.VerdictOK:
	}
	return g.good, inkGood
}

// violated returns those of the checks that are violated, worst first.
func violated(checks []trace.Check) []trace.Check {
	return slices.DeleteFunc(ranked(slices.Clone(checks)), func(c trace.Check) bool { return c.Verdict != trace.VerdictViolated })
}

// verdicts returns what the checks say in a few words, in forms from the longest
// to the shortest, and whether it must be seen.
func (p *painter) verdicts() (forms [][]note, urgent bool) {
	var broken, open []note
	var good uint64
	for _, c := range p.checks() {
		glyph, k := p.glyphs.markOfVerdict(c.Verdict)
		switch c.Verdict {
		case trace.VerdictViolated:
			broken = append(broken, note{" " + glyph + " " + clean(c.Name) + " ", k})
		case trace.VerdictUndecided:
			open = append(open, note{glyph + " " + clean(c.Name), k})
		case trace.VerdictOK:
			good++
		}
	}
	checks := func(n uint64) note { return note{fmt.Sprintf("%s %d checks", p.glyphs.good, n), inkGood} }
	switch lin := p.state.Check("linearizable"); {
	case len(broken) > 0:
		urgent = true
		all := append(slices.Clone(broken), open...)
		if good > 0 {
			forms = append(forms, append(slices.Clone(all), checks(good)))
		}
		forms = append(forms, all, broken)
		if len(broken) > 1 {
			forms = append(forms, []note{{fmt.Sprintf(" %s %d violated ", p.glyphs.bad, len(broken)), inkLoud}})
		}
	case len(open) > 0:
		forms = [][]note{append(open, checks(good)), open[:1]}
	case lin != nil && lin.Count > 0 && good > 1:
		unit := "ops"
		if lin.Count == 1 {
			unit = "op"
		}
		ops := note{fmt.Sprintf("%s linearizable %s %s", p.glyphs.good, thousands(lin.Count), unit), inkGood}
		forms = [][]note{{ops, checks(good - 1)}, {checks(good)}}
	default:
		forms = [][]note{{checks(good)}}
	}
	return forms, urgent
}

// spread returns how wide notes are, three blanks apart.
func spread(notes []note) int {
	w := 0
	for i, n := range notes {
		if i > 0 {
			w += 3
		}
		w += width(n.text)
	}
	return w
}

const (
	// checkName, checkCount and checkText are where the parts of a check's line
	// begin or, for the count, end.
	checkName, checkCount, checkText = 2, 30, 32
	// sentenceLines is how many lines a verdict in words may take.
	sentenceLines = 4
)

// checkList draws the checks at the bottom of r, in at most so many lines, and
// returns how many it took: of what is violated or undecided the sentence, and
// the others below with what they promise or, where that is too much, side by side.
func (p *painter) checkList(r rect, most int) int {
	var bad, good []trace.Check
	for _, c := range p.checks() {
		if c.Verdict == trace.VerdictOK {
			good = append(good, c)
		} else {
			bad = append(bad, c)
		}
	}
	lines := 0
	sentences := make([][]string, len(bad))
	for i, c := range bad {
		sentences[i] = wrap(clean(c.Text), r.w-checkText)
		sentences[i] = sentences[i][:min(len(sentences[i]), sentenceLines)]
		lines += max(len(sentences[i]), 1)
	}
	columns := 1
	if lines+len(good) > most {
		columns = max(r.w/(checkCount+4), 1)
	}
	rows := (len(good) + columns - 1) / columns
	high := min(lines+rows, r.h)
	y := r.y + r.h - high
	for i, c := range bad {
		p.checkLine(c, rect{r.x, y, r.w, 1})
		for _, row := range sentences[i] {
			p.put(r.x+checkText, y, r.w-checkText, row, inkText|bold)
			y++
		}
	}
	for i, c := range good {
		at := rect{r.x + i/max(rows, 1)*(checkCount+4), y + i%max(rows, 1), r.w, 1}
		if at.y >= r.y+r.h {
			break
		}
		p.checkLine(c, at)
		if columns == 1 {
			text := promised(c.Name)
			if c.Text != "" { // since when it is known
				text += "; " + c.Text
			}
			p.put(at.x+checkText, at.y, r.w-checkText, text, inkDim)
		}
	}
	return high
}

// checkLine draws the verdict of a check, its name, and what it rests on.
func (p *painter) checkLine(c trace.Check, r rect) {
	glyph, k := p.glyphs.markOfVerdict(c.Verdict)
	p.set(r.x, r.y, glyph, k)
	name := inkText
	if c.Verdict != trace.VerdictOK {
		name = k
	}
	p.put(r.x+checkName, r.y, 20, c.Name, name)
	if c.Count > 0 {
		p.putRight(r.x+checkCount, r.y, 7, fit(count(c.Count), 7), inkDim)
	}
}
