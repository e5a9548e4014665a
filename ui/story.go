package ui

import (
	"fmt"

	"capsize/cluster/trace"
)

// story draws what happened in words, the newest at the bottom. Only whole
// sentences are shown, but the newest always, as much of it as fits.
func (p *painter) story(r rect) { p.tell(r, p.filtered()) }

// tell draws lines of the story.
func (p *painter) tell(r rect, story []trace.StoryLine) {
	if r.empty() {
		return
	}
	stamp := len(clockTime(p.now))
	left := r.x + 2 + stamp + 4
	y := r.y + r.h
	for i := len(story) - 1; i >= 0 && y > r.y; i-- {
		line := story[i]
		if line.Topic == trace.TopicPresentation && p.isSaid(line.Text) {
			continue // it stands below, larger
		}
		text := clean(line.In.In(p.language, line.Text))
		if line.Count > 1 {
			text += fmt.Sprintf(" (%d times)", line.Count)
		}
		rows := wrap(text, r.x+r.w-left)
		newest := i == len(story)-1
		if len(rows) > y-r.y {
			if !newest {
				return
			}
			rows = rows[:y-r.y]
		}
		y -= len(rows)
		k := inkDim
		if newest {
			k = inkText
		}
		p.hits = append(p.hits, hit{x: r.x, y: y, w: r.w, h: len(rows), seq: line.Seq})
		p.put(r.x+2, y, stamp, clockTime(line.At), inkDim)
		if glyph, mark := p.glyphs.storyMark(line); glyph != "" {
			p.set(r.x+2+stamp+2, y, glyph, mark)
		}
		for j, row := range rows {
			p.put(left, y+j, r.x+r.w-left, row, k)
		}
	}
}

// storyMark returns the glyph before a line of the story.
func (g *glyphs) storyMark(line trace.StoryLine) (string, ink) {
	switch line.Topic {
	case trace.TopicLog:
		return g.snapshot, inkDim
	case trace.TopicClient, trace.TopicRefusal:
		return g.bad, inkWarn
	case trace.TopicStepDown:
		return g.unvoted, inkWarn
	default:
		return g.markOf(line)
	}
}
