package pane

import (
	"fmt"
	"slices"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

// Story draws the story, the newest line at the bottom. Sentences that do not fit are left out,
// except the newest, which is cut.
func (p *Painter) Story(r canvas.Rectangle) { p.storyLines(r, p.filteredStory()) }

// storyLines draws lines of the story into a rectangle, from the bottom up.
func (p *Painter) storyLines(r canvas.Rectangle, story []trace.StoryLine) {
	if r.Empty() {
		return
	}
	stamp := len(trace.Clock(p.Now))
	left := r.X + 2 + stamp + 4
	y := r.Y + r.H
	for i := len(story) - 1; i >= 0 && y > r.Y; i-- {
		line := story[i]
		if line.Topic == trace.TopicPresentation && p.isCurrentCaption(line.Text) {
			continue // it is on screen already, larger
		}
		text := canvas.Sanitize(line.In.In(p.Language, line.Text))
		if line.Count > 1 {
			text += fmt.Sprintf(" (%d times)", line.Count)
		}
		rows := canvas.Wrap(text, r.X+r.W-left)
		newest := i == len(story)-1
		if len(rows) > y-r.Y {
			if !newest {
				return
			}
			rows = rows[:y-r.Y]
		}
		y -= len(rows)
		st := style.Dim
		if newest {
			st = style.Text
		}
		p.Hits = append(p.Hits, HitBox{X: r.X, Y: y, W: r.W, H: len(rows), Seq: line.Seq})
		p.Put(r.X+2, y, stamp, trace.Clock(line.At), style.Dim)
		if glyph, mark := StoryGlyph(p.Glyphs, line); glyph != "" {
			p.Set(r.X+2+stamp+2, y, glyph, mark)
		}
		for j, row := range rows {
			p.Put(left, y+j, r.X+r.W-left, row, st)
		}
	}
}

// StoryGlyph returns the glyph before a line of the story, "" for none.
func StoryGlyph(g *style.Glyphs, line trace.StoryLine) (string, style.Style) {
	switch line.Topic {
	case trace.TopicLog:
		return g.Snapshot, style.Dim
	case trace.TopicClient, trace.TopicRefusal:
		return g.Bad, style.Warn
	case trace.TopicStepDown:
		return g.Unvoted, style.Warn
	default:
		return TimelineGlyph(g, line)
	}
}

// RelatedStory draws the latest story lines about some topics, at the top of a rectangle.
func (p *Painter) RelatedStory(r canvas.Rectangle, topics ...trace.StoryTopic) {
	var found []trace.StoryLine
	for _, line := range p.filteredStory() {
		if slices.Contains(topics, line.Topic) {
			found = append(found, line)
		}
	}
	r.H = min(r.H, len(found))
	p.storyLines(r, found)
}
