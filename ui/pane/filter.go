package pane

import (
	"strings"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// filteredStory returns the lines of the story that contain the filter.
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

// filterLine draws the filter in the status line, and how many lines it leaves.
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
	pen.Write(canvas.Thousands(found)+" of "+canvas.Thousands(len(p.State.Story))+" lines", st)
	pen.Skip(3)
	if p.Filtering {
		pen.Write("enter: keep   esc: clear", style.Dim)
	} else {
		pen.Write("esc: clear filter", style.Dim)
	}
}
