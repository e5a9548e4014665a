package ui

import (
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// filtered returns the lines of the story that hold what is looked for.
func (f *frame) filtered() []trace.StoryLine {
	if f.filter == "" {
		return f.state.Story
	}
	var found []trace.StoryLine
	for _, line := range f.state.Story {
		if strings.Contains(strings.ToLower(line.Text), strings.ToLower(f.filter)) {
			found = append(found, line)
		}
	}
	return found
}

// filterLine says in the status line what is looked for.
func (p *painter) filterLine(r canvas.Rectangle) {
	at := p.Pen(r.X, r.Y, r.X+r.W)
	at.Write("/ ", style.Accent|style.Bold)
	at.Write(p.filter, style.Text|style.Bold)
	if p.filtering {
		at.Write(" ", style.Text|style.Reverse)
	}
	found := len(p.filtered())
	at.Skip(2)
	k := style.Dim
	if found == 0 && p.filter != "" {
		k = style.Warn
	}
	at.Write(canvas.Thousands(found)+" of "+canvas.Thousands(len(p.state.Story))+" lines of the story", k)
	at.Skip(3)
	if p.filtering {
		at.Write("enter keeps it, esc clears it", style.Dim)
	} else {
		at.Write("esc shows all again", style.Dim)
	}
}
