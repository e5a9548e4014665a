package record

import (
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
	"capsize/ui/uitest"
	"capsize/ui/view"
)

// picture is the stage at the last moment of a sample cluster.
type picture struct{ *pane.Frame }

func pictureOf(w *uitest.Sample, width, height int) picture {
	f := &pane.Frame{
		State: &w.State, Width: width, Height: height, Theme: style.Dark, Glyphs: style.Unicode,
		Playback: pane.Playback{Now: w.At, Speed: 1},
		Input:    pane.Input{Command: "increment", Toast: pane.Toast{Text: "ok: 128"}},
	}
	if leader := w.State.LeaderNode(); leader != nil {
		f.Cursor = leader.ID
	}
	f.Move(true)
	return picture{f}
}

// paint draws the picture.
func (p picture) paint() *canvas.Canvas {
	c, _ := view.Paint(p.Frame, &view.Stage{})
	return c
}
