package pane

import (
	"fmt"
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// programNameMinWidth is from where on there is room for the program's name.
const programNameMinWidth = 70

// Header draws the first line: what the clock does, how the cluster stands, and
// on the right what the checks say or, before they do, what clients were told.
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
	standing := p.clusterStatus()
	if seed := fmt.Sprintf("seed %d", p.State.Settings.Seed); !p.Presenting && pen.Fits(canvas.Width(seed)+3+canvas.SpansWidth(standing)+3+spacedWidth(forms[0])) {
		pen.Write(seed, style.Dim)
		pen.Skip(3)
	}
	// Verdicts are worth more than the end of how the cluster stands.
	least := standing[:min(len(standing), 5)]
	if p.leaderProblem != "" {
		least = standing[:1]
	}
	for i, form := range forms {
		last := i == len(forms)-1 && len(p.State.Checks) > 0
		if pen.Fits(canvas.SpansWidth(standing)+3+spacedWidth(form)) || last && (urgent || pen.Fits(canvas.SpansWidth(least)+3+spacedWidth(form))) {
			pen.End -= spacedWidth(form)
			x := pen.End
			for _, n := range form {
				x = p.Put(x, r.Y, r.W, n.Text, n.Style) + 3
			}
			pen.End -= 3
			break
		}
	}
	// What does not fit goes from the end, but why nobody leads stays.
	for !pen.Fits(canvas.SpansWidth(standing)) && len(standing) > 1 {
		standing = standing[:len(standing)-1]
	}
	// Neither a dot nor a label stays without what follows it.
	for last := len(standing) - 1; last > 0 && strings.HasSuffix(standing[last].Text, " "); last-- {
		standing = standing[:last]
	}
	pen.WriteSpans(standing)
}

// clusterStatus says who leads which term and what is committed or, when nobody
// leads, why.
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
		why := canvas.Styled("no leader: "+p.leaderProblem, style.Warn|style.Bold)
		return append([]canvas.Span{why, dot}, append(parts, canvas.Styled("commit ", style.Dim), canvas.Styled(canvas.Thousands(p.State.Commit), style.Text))...)
	}
	parts = append(parts, canvas.Styled("leader ", style.Dim), canvas.Styled(canvas.Truncate(canvas.Sanitize(p.Leader.ID), 20, p.Glyphs.Ellipsis), style.Accent|style.Bold), dot,
		canvas.Styled("commit ", style.Dim), canvas.Styled(canvas.Thousands(p.State.Commit), style.Text|style.Bold), dot,
		canvas.Styled("quorum ", style.Dim), canvas.Styled(fmt.Sprintf("%d/%d", trace.Quorum(len(p.voters)), len(p.voters)), style.Text))
	return parts
}

// clientTotals are what the clients were told, by outcome.
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
