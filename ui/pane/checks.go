package pane

import (
	"fmt"
	"slices"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
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

// severity orders checks: what is violated first, then what is undecided, and among
// those what people feel most.
func severity(c trace.Check) int {
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
func (f *Frame) checks() []trace.Check {
	return sortBySeverity(MergeChecks(MergeChecks(f.State.Checks, f.Unreported), f.ViolatedNow))
}

// MergeChecks returns a copy of checks with some of them replaced by what is worse.
func MergeChecks(checks, worse []trace.Check) []trace.Check {
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

// sortBySeverity puts the worst checks first.
func sortBySeverity(checks []trace.Check) []trace.Check {
	slices.SortStableFunc(checks, func(a, b trace.Check) int { return severity(a) - severity(b) })
	return checks
}

// verdictGlyph returns how a verdict is shown.
func verdictGlyph(g *style.Glyphs, v trace.Verdict) (glyph string, st style.Style) {
	switch v {
	case trace.VerdictViolated:
		return g.Bad, style.Alarm
	case trace.VerdictUndecided:
		return g.Undecided, style.Warn
	case trace.VerdictOK:
	}
	return g.Good, style.Good
}

// Violated returns those of the checks that are violated, worst first.
func Violated(checks []trace.Check) []trace.Check {
	return slices.DeleteFunc(sortBySeverity(slices.Clone(checks)), func(c trace.Check) bool { return c.Verdict != trace.VerdictViolated })
}

// verdictSummary returns what the checks say in a few words, in forms from the longest
// to the shortest, and whether it must be seen.
func (p *Painter) verdictSummary() (forms [][]canvas.Span, urgent bool) {
	var broken, open []canvas.Span
	var good uint64
	for _, c := range p.checks() {
		glyph, st := verdictGlyph(p.Glyphs, c.Verdict)
		switch c.Verdict {
		case trace.VerdictViolated:
			broken = append(broken, canvas.Styled(" "+glyph+" "+canvas.Sanitize(c.Name)+" ", st))
		case trace.VerdictUndecided:
			open = append(open, canvas.Styled(glyph+" "+canvas.Sanitize(c.Name), st))
		case trace.VerdictOK:
			good++
		}
	}
	checks := func(n uint64) canvas.Span {
		return canvas.Styled(fmt.Sprintf("%s %d checks", p.Glyphs.Good, n), style.Good)
	}
	switch lin := p.State.Check("linearizable"); {
	case len(broken) > 0:
		urgent = true
		all := append(slices.Clone(broken), open...)
		if good > 0 {
			forms = append(forms, append(slices.Clone(all), checks(good)))
		}
		forms = append(forms, all, broken)
		if len(broken) > 1 {
			forms = append(forms, []canvas.Span{canvas.Styled(fmt.Sprintf(" %s %d violated ", p.Glyphs.Bad, len(broken)), style.Alarm)})
		}
	case len(open) > 0:
		forms = [][]canvas.Span{append(open, checks(good)), open[:1]}
	case lin != nil && lin.Count > 0 && good > 1:
		unit := "ops"
		if lin.Count == 1 {
			unit = "op"
		}
		ops := canvas.Styled(fmt.Sprintf("%s linearizable %s %s", p.Glyphs.Good, canvas.Thousands(lin.Count), unit), style.Good)
		forms = [][]canvas.Span{{ops, checks(good - 1)}, {checks(good)}}
	default:
		forms = [][]canvas.Span{{checks(good)}}
	}
	return forms, urgent
}

// spacedWidth returns how wide notes are, three blanks apart.
func spacedWidth(notes []canvas.Span) int {
	w := 0
	for i, n := range notes {
		if i > 0 {
			w += 3
		}
		w += canvas.Width(n.Text)
	}
	return w
}

const (
	// checkNameX, checkCountX and checkTextX are where the parts of a check's line
	// begin or, for the count, end.
	checkNameX, checkCountX, checkTextX = 2, 30, 32
	// verdictLines is how many lines a verdict in words may take.
	verdictLines = 4
)

// CheckList draws the checks at the bottom of r, in at most so many lines, and
// returns how many it took: of what is violated or undecided the sentence, and
// the others below with what they promise or, where that is too much, side by side.
func (p *Painter) CheckList(r canvas.Rectangle, most int) int {
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
		sentences[i] = canvas.Wrap(canvas.Sanitize(c.Text), r.W-checkTextX)
		sentences[i] = sentences[i][:min(len(sentences[i]), verdictLines)]
		lines += max(len(sentences[i]), 1)
	}
	columns := 1
	if lines+len(good) > most {
		columns = max(r.W/(checkCountX+4), 1)
	}
	rows := (len(good) + columns - 1) / columns
	high := min(lines+rows, r.H)
	y := r.Y + r.H - high
	for i, c := range bad {
		p.checkLine(c, canvas.Rect(r.X, y, r.W, 1))
		for _, row := range sentences[i] {
			p.Put(r.X+checkTextX, y, r.W-checkTextX, row, style.Text|style.Bold)
			y++
		}
	}
	for i, c := range good {
		at := canvas.Rect(r.X+i/max(rows, 1)*(checkCountX+4), y+i%max(rows, 1), r.W, 1)
		if at.Y >= r.Y+r.H {
			break
		}
		p.checkLine(c, at)
		if columns == 1 {
			text := promised(c.Name)
			if c.Text != "" { // since when it is known
				text += "; " + c.Text
			}
			p.Put(at.X+checkTextX, at.Y, r.W-checkTextX, text, style.Dim)
		}
	}
	return high
}

// checkLine draws the verdict of a check, its name, and what it rests on.
func (p *Painter) checkLine(c trace.Check, r canvas.Rectangle) {
	glyph, st := verdictGlyph(p.Glyphs, c.Verdict)
	p.Set(r.X, r.Y, glyph, st)
	name := style.Text
	if c.Verdict != trace.VerdictOK {
		name = st
	}
	p.Put(r.X+checkNameX, r.Y, 20, c.Name, name)
	if c.Count > 0 {
		p.PutRight(r.X+checkCountX, r.Y, 7, canvas.Compact(c.Count, 7), style.Dim)
	}
}
