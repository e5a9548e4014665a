package pane

import (
	"fmt"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// programNameMinWidth is the width from which the header has room for the program's name.
const programNameMinWidth = 70

// exactSeedMinWidth is the width from which the header writes out the seed of an exact run.
const exactSeedMinWidth = 130

// Header draws the first line: the clock, the status of the cluster and, on the right, the
// verdicts of the checks. Before there are any it shows the outcomes of operations.
func (p *Painter) Header(r canvas.Rectangle) {
	forms, urgent := [][]canvas.Span{p.clientTotals()}, false
	if len(p.State.Checks) > 0 {
		forms, urgent = p.verdictSummary()
	}
	pen := p.Pen(r.X, r.Y, r.X+r.W)
	if r.W >= programNameMinWidth {
		pen.Write("capsize", style.Accent|style.Bold)
		pen.Skip(2)
	}
	p.clock(pen)
	status := p.clusterStatus()
	p.seed(pen, canvas.SpansWidth(status)+3+spacedWidth(forms[0]))
	// Verdicts matter more than the end of the status.
	least := status[:min(len(status), 5)]
	if p.leaderProblem != "" {
		least = status[:1]
	}
	for i, form := range forms {
		last := i == len(forms)-1 && len(p.State.Checks) > 0
		if pen.Fits(canvas.SpansWidth(status)+3+spacedWidth(form)) || last && (urgent || pen.Fits(canvas.SpansWidth(least)+3+spacedWidth(form))) {
			pen.End -= spacedWidth(form)
			x := pen.End
			for _, n := range form {
				x = p.Put(x, r.Y, r.W, n.Text, n.Style) + 3
			}
			pen.End -= 3
			break
		}
	}
	// What does not fit is dropped from the end. The reason for having no leader stays.
	for !pen.Fits(canvas.SpansWidth(status)) && len(status) > 1 {
		status = status[:len(status)-1]
	}
	// A dot or a label does not stay without what follows it.
	for last := len(status) - 1; last > 0 && strings.HasSuffix(status[last].Text, " "); last-- {
		status = status[:last]
	}
	pen.WriteSpans(status)
}

// seed writes the seed, if there is room for it and for the rest of the line. That of an exact run
// is written in any case, also to an audience: it repeats the run.
func (p *Painter) seed(pen *canvas.Pen, rest int) {
	seed, exact := fmt.Sprintf("seed %d", p.State.Settings.Seed), "exact "
	if !p.Exact {
		exact = ""
	}
	if p.Processes {
		pen.Write("processes", style.Accent)
		pen.Skip(3)
	}
	switch fits := pen.Fits(canvas.Width(seed) + 3 + rest); {
	case p.Exact && p.Width < exactSeedMinWidth:
		seed = fmt.Sprint(p.State.Settings.Seed)
	case !p.Exact && (p.Presenting || !fits):
		return
	}
	pen.Write(exact, style.Good)
	pen.Write(seed, style.Dim)
	pen.Skip(3)
}

// clusterStatus returns the term, its leader, the commit index and the quorum or, without a
// leader, the reason.
func (p *Painter) clusterStatus() []canvas.Span {
	dot := canvas.Styled(" "+p.Glyphs.Dot+" ", style.Faint)
	var term uint64
	for i := range p.State.Nodes {
		if n := &p.State.Nodes[i]; n.Process.Running() {
			term = max(term, n.Term)
		}
	}
	if p.Leader != nil {
		term = p.Leader.Term
	}
	parts := []canvas.Span{canvas.Styled("term ", style.Dim), canvas.Styled(canvas.Thousands(term), style.Term(term)|style.Bold), dot}
	switch {
	case len(p.State.Nodes) == 0:
		return []canvas.Span{canvas.Styled("no nodes yet", style.Dim)}
	case p.leaderProblem != "":
		why := canvas.Styled(noLeaderText(p.leaderProblem), style.Warn|style.Bold)
		return append([]canvas.Span{why, dot}, append(parts, canvas.Styled("commit ", style.Dim), canvas.Styled(canvas.Thousands(p.State.Commit), style.Text))...)
	}
	parts = append(parts, canvas.Styled("leader ", style.Dim), canvas.Styled(canvas.Truncate(canvas.Sanitize(p.Leader.ID), 20, p.Glyphs.Ellipsis), style.Accent|style.Bold), dot,
		canvas.Styled("commit ", style.Dim), canvas.Styled(canvas.Thousands(p.State.Commit), style.Text|style.Bold), dot,
		canvas.Styled("quorum ", style.Dim), canvas.Styled(fmt.Sprintf("%d/%d", trace.Quorum(len(p.voters)), len(p.voters)), style.Text))
	return parts
}

// noLeaderText says that there is no leader, and why. An election timeout only needs time.
func noLeaderText(problem string) string {
	if strings.HasPrefix(problem, "waiting") {
		return "no leader yet: " + problem
	}
	return "no leader: " + problem
}

// clientTotals returns the number of operations by outcome.
func (p *Painter) clientTotals() []canvas.Span {
	c := p.State.Clients
	totals := []canvas.Span{canvas.Styled("ok "+canvas.Thousands(c.OK), style.Good), canvas.Styled("failed "+canvas.Thousands(c.Failed), style.Dim), canvas.Styled("unknown "+canvas.Thousands(c.Unknown), style.Dim)}
	if c.Failed > 0 {
		totals[1].Style = style.Bad
	}
	if c.Unknown > 0 {
		totals[2].Style = style.Warn
	}
	return totals
}
