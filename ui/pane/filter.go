package pane

import (
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// filteredStory returns the lines of the story that hold what is looked for.
func (f *Frame) filteredStory() []trace.StoryLine {
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
	pen := p.Pen(r.X, r.Y, r.X+r.W)
	pen.Write("/ ", style.Accent|style.Bold)
	pen.Write(p.Filter, style.Text|style.Bold)
	if p.Filtering {
		pen.Write(" ", style.Text|style.Reverse)
	}
	found := len(p.filteredStory())
	pen.Skip(2)
	st := style.Dim
	if found == 0 && p.Filter != "" {
		st = style.Warn
	}
	pen.Write(canvas.Thousands(found)+" of "+canvas.Thousands(len(p.State.Story))+" lines of the story", st)
	pen.Skip(3)
	if p.Filtering {
		pen.Write("enter keeps it, esc clears it", style.Dim)
	} else {
		pen.Write("esc shows all again", style.Dim)
	}
}
