package pane

import (
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// filtered returns the lines of the story that hold what is looked for.
func (f *Frame) filtered() []trace.StoryLine {
	if f.Filter == "" {
		return f.State.Story
	}
	var found []trace.StoryLine
	for _, line := range f.State.Story {
		if strings.Contains(strings.ToLower(line.Text), strings.ToLower(f.Filter)) {
			found = append(found, line)
		}
	}
	return found
}

// filterLine says in the status line what is looked for.
func (p *Painter) filterLine(r canvas.Rectangle) {
	at := p.Pen(r.X, r.Y, r.X+r.W)
	at.Write("/ ", style.Accent|style.Bold)
	at.Write(p.Filter, style.Text|style.Bold)
	if p.Filtering {
		at.Write(" ", style.Text|style.Reverse)
	}
	found := len(p.filtered())
	at.Skip(2)
	k := style.Dim
	if found == 0 && p.Filter != "" {
		k = style.Warn
	}
	at.Write(canvas.Thousands(found)+" of "+canvas.Thousands(len(p.State.Story))+" lines of the story", k)
	at.Skip(3)
	if p.Filtering {
		at.Write("enter keeps it, esc clears it", style.Dim)
	} else {
		at.Write("esc shows all again", style.Dim)
	}
}
