package pane

import (
	"fmt"
	"slices"

	"capsize/cluster/check"
	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// checkInfos describes all checks, in the order in which they are shown.
var checkInfos = check.All()

// promiseOf returns what a check promises, "" for a check that is unknown here.
func promiseOf(name string) string {
	if i := checkIndex(name); i >= 0 {
		return checkInfos[i].Promise
	}
	return ""
}

// checkIndex returns the place of a check in the order, -1 for one that is unknown here.
func checkIndex(name string) int {
	return slices.IndexFunc(checkInfos, func(info check.Info) bool { return info.Name == name })
}

// severity returns the rank of a check in a list: first violated checks, then undecided ones,
// and among those the ones that matter most to clients.
func severity(c trace.Check) int {
	index := checkIndex(c.Name)
	switch c.Verdict {
	case trace.VerdictViolated:
		return index
	case trace.VerdictUndecided:
		return index + len(checkInfos) + 1
	case trace.VerdictOK:
	}
	return index + 2*len(checkInfos) + 2
}

// checks returns the verdicts to show, worst first. While the past is shown they include what has
// been violated since, and for a recording what it fails to report itself.
func (f *Frame) checks() []trace.Check {
	return sortBySeverity(MergeChecks(MergeChecks(f.State.Checks, f.Unreported), f.ViolatedNow))
}

// MergeChecks returns a copy of checks in which the verdicts of others replace those of the same
// name.
func MergeChecks(checks, others []trace.Check) []trace.Check {
	checks = slices.Clone(checks)
	for _, c := range others {
		if i := slices.IndexFunc(checks, func(k trace.Check) bool { return k.Name == c.Name }); i >= 0 {
			checks[i] = c
		} else {
			checks = append(checks, c)
		}
	}
	return checks
}

// sortBySeverity sorts checks in place, worst first, and returns them.
func sortBySeverity(checks []trace.Check) []trace.Check {
	slices.SortStableFunc(checks, func(a, b trace.Check) int { return severity(a) - severity(b) })
	return checks
}

// VerdictGlyph returns the glyph and the style of a verdict.
func VerdictGlyph(g *style.Glyphs, v trace.Verdict) (glyph string, st style.Style) {
	switch v {
	case trace.VerdictViolated:
		return g.Bad, style.Alarm
	case trace.VerdictUndecided:
		return g.Undecided, style.Warn
	case trace.VerdictOK:
	}
	return g.Good, style.Good
}

// Violated returns the violated ones of the checks, worst first.
func Violated(checks []trace.Check) []trace.Check {
	return slices.DeleteFunc(sortBySeverity(slices.Clone(checks)), func(c trace.Check) bool { return c.Verdict != trace.VerdictViolated })
}

// verdictSummary returns the verdicts in a few words, in versions from the longest to the
// shortest. They are urgent if a check is violated.
func (p *Painter) verdictSummary() (forms [][]canvas.Span, urgent bool) {
	var violated, undecided []canvas.Span
	var passed uint64
	for _, c := range p.checks() {
		glyph, st := VerdictGlyph(p.Glyphs, c.Verdict)
		switch c.Verdict {
		case trace.VerdictViolated:
			violated = append(violated, canvas.Styled(" "+glyph+" "+canvas.Sanitize(c.Name)+" ", st))
		case trace.VerdictUndecided:
			undecided = append(undecided, canvas.Styled(glyph+" "+canvas.Sanitize(c.Name), st))
		case trace.VerdictOK:
			passed++
		}
	}
	passedText := func(n uint64) canvas.Span {
		return canvas.Styled(fmt.Sprintf("%s %d checks", p.Glyphs.Good, n), style.Good)
	}
	switch lin := p.State.Check(check.Linearizable); {
	case len(violated) > 0:
		urgent = true
		all := append(slices.Clone(violated), undecided...)
		if passed > 0 {
			forms = append(forms, append(slices.Clone(all), passedText(passed)))
		}
		forms = append(forms, all, violated)
		if len(violated) > 1 {
			forms = append(forms, []canvas.Span{canvas.Styled(fmt.Sprintf(" %s %d violated ", p.Glyphs.Bad, len(violated)), style.Alarm)})
		}
	case len(undecided) > 0:
		forms = [][]canvas.Span{append(undecided, passedText(passed)), undecided[:1]}
	case lin != nil && lin.Count > 0 && passed > 1:
		unit := "ops"
		if lin.Count == 1 {
			unit = "op"
		}
		ops := canvas.Styled(fmt.Sprintf("%s linearizable %s %s", p.Glyphs.Good, canvas.Thousands(lin.Count), unit), style.Good)
		forms = [][]canvas.Span{{ops, passedText(passed - 1)}, {passedText(passed)}}
	default:
		forms = [][]canvas.Span{{passedText(passed)}}
	}
	return forms, urgent
}

// spacedWidth returns the width of spans with three blanks between them, in cells.
func spacedWidth(spans []canvas.Span) int {
	return canvas.SpansWidth(spans) + 3*max(len(spans)-1, 0)
}

const (
	// checkNameX and checkTextX are the columns where parts of a line start; checkCountX is
	// the one where the count ends.
	checkNameX, checkCountX, checkTextX = 2, 30, 32
	// verdictLines is the maximum number of lines of a verdict in words.
	verdictLines = 4
)

// CheckList draws the checks at the bottom of a rectangle in at most so many lines, and returns
// how many it took. Violated and undecided checks come first, with their verdict in words. The
// others follow with their promises or, if those do not fit, side by side.
func (p *Painter) CheckList(r canvas.Rectangle, most int) int {
	var failing, passed []trace.Check
	for _, c := range p.checks() {
		if c.Verdict == trace.VerdictOK {
			passed = append(passed, c)
		} else {
			failing = append(failing, c)
		}
	}
	lines := 0
	sentences := make([][]string, len(failing))
	for i, c := range failing {
		sentences[i] = canvas.Wrap(canvas.Sanitize(c.Text), r.W-checkTextX)
		sentences[i] = sentences[i][:min(len(sentences[i]), verdictLines)]
		lines += max(len(sentences[i]), 1)
	}
	columns := 1
	if lines+len(passed) > most {
		columns = max(r.W/(checkCountX+4), 1)
	}
	rows := (len(passed) + columns - 1) / columns
	height := min(lines+rows, r.H)
	y := r.Y + r.H - height
	for i, c := range failing {
		p.checkLine(c, canvas.Rect(r.X, y, r.W, 1))
		for _, row := range sentences[i] {
			p.Put(r.X+checkTextX, y, r.W-checkTextX, row, style.Text|style.Bold)
			y++
		}
	}
	for i, c := range passed {
		at := canvas.Rect(r.X+i/max(rows, 1)*(checkCountX+4), y+i%max(rows, 1), r.W, 1)
		if at.Y >= r.Y+r.H {
			break
		}
		p.checkLine(c, at)
		if columns == 1 {
			text := promiseOf(c.Name)
			if c.Text != "" { // from when on it holds
				text += "; " + c.Text
			}
			p.Put(at.X+checkTextX, at.Y, r.W-checkTextX, text, style.Dim)
		}
	}
	return height
}

// checkLine draws the verdict of a check, its name, and the number of things it has checked.
func (p *Painter) checkLine(c trace.Check, r canvas.Rectangle) {
	glyph, st := VerdictGlyph(p.Glyphs, c.Verdict)
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
