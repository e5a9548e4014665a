package view

import (
	"slices"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
	"capsize/ui/uitest"
)

// picture is a frame and the view that draws it, by default the stage.
type picture struct {
	*pane.Frame
	*Views
	view View
}

// frameOf returns a frame of a sample cluster, with the cursor on the first node.
func frameOf(w *uitest.Sample, width, height int) *picture {
	cursor := ""
	if len(w.State.Nodes) > 0 {
		cursor = w.State.Nodes[0].ID
	}
	f := &pane.Frame{
		State: &w.State, Width: width, Height: height, Theme: style.Dark, Glyphs: style.Unicode,
		Playback:       pane.Playback{Now: w.At, Speed: 1},
		NodeCursor:     pane.NodeCursor{Cursor: cursor},
		ClientSettings: pane.ClientSettings{Route: "leader", Level: "linearizable"},
		Motion:         pane.Motion{AckRate: 41, AckHistory: []int{0, 3, 9, 14, 22, 31, 41, 38, 27, 30, 41, 44, 12, 0, 0, 18, 40, 41}},
		Input:          pane.Input{Command: "increment", Toast: pane.Toast{Text: "ok: 128"}, Hints: testHints},
	}
	v := New(nil)
	return &picture{Frame: f, Views: v, view: v.Stage}
}

var testHints = []pane.HelpKey{
	{Key: "i", Text: "increment"},
	{Key: "k", Text: "kill"},
	{Key: "p", Text: "isolate"},
	{Key: "h", Text: "heal"},
	{Key: "space", Text: "pause"},
	{Key: "< >", Text: "speed"},
	{Key: ", .", Text: "step"},
	{Key: "tab", Text: "view"},
	{Key: ":", Text: "command"},
	{Key: "?", Text: "help"},
	{Key: "q", Text: "quit"},
}

// withSparks puts packets of several kinds in flight.
func withSparks(f *picture, from string) *picture {
	kinds := []trace.Packet{{Kind: "append"}, {Kind: "append", Reply: true, OK: true}, {Kind: "heartbeat"}, {Kind: "vote"}, {Kind: "snapshot"}}
	for i := range f.State.Nodes {
		to := f.State.Nodes[i].ID
		if to == from {
			continue
		}
		p := kinds[i%len(kinds)]
		p.From, p.To = from, to
		if p.Reply {
			p.From, p.To = to, from
		}
		s := pane.PacketSprite{InFlight: trace.InFlight{Packet: p}, Progress: 0.25 + 0.15*float64(i%5)}
		if f.State.Blocked(p.From, p.To) {
			s.Lost, s.Progress, s.Fade = true, 0.5, 0.2
		}
		f.Sprites = append(f.Sprites, s)
	}
	return f
}

// paint draws the picture.
func (p *picture) paint() (*canvas.Canvas, []pane.HitBox) { return Paint(p.Frame, p.view) }

// render draws the picture as text.
func (p *picture) render() (string, []pane.HitBox) {
	c, hits := p.paint()
	return c.Render(p.Theme), hits
}

// turnTo changes the view, by name.
func (p *picture) turnTo(name string) {
	p.view = p.All[slices.IndexFunc(p.All, func(v View) bool { return v.Name() == name })]
}
