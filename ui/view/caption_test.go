package view

import (
	"strings"
	"testing"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/uitest"
)

// A caption takes at most two lines, below everything that it may refer to.
func TestCaptionBandIsBelowEveryView(t *testing.T) {
	w := uitest.Partitioned()
	w.Emit(trace.Event{Kind: trace.KindChapter, Text: "A chapter"})
	w.Emit(trace.Event{Kind: trace.KindCaption, Text: strings.Repeat("much to say ", 40)})
	for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}, {200, 60}} {
		f := full(frameOf(w, size[0], size[1]))
		f.Presenting, f.ScenarioTitle, f.Menu, f.Prompt, f.Help, f.Toast = true, "A tale", nil, nil, nil, pane.Toast{}
		checkFits(t, f)
		lines := strings.Split(plain(f), "\n")
		band := lines[size[1]-pane.BandHeight:]
		if !strings.Contains(band[0], "A chapter") || !strings.Contains(band[1], "much to say") || !strings.HasSuffix(strings.TrimSpace(band[2]), f.Glyphs.Ellipsis) {
			t.Errorf("%v: caption band:\n%s", size, strings.Join(band, "\n"))
		}
		for _, view := range f.All {
			f.view = view
			text := plain(f)
			if !strings.Contains(text, "much to say") {
				t.Errorf("%v: no caption in the %s view", size, view.Name())
			}
		}
	}
}

func TestCaptionBandAndPressedKeysAreSanitized(t *testing.T) {
	f := full(frameOf(uitest.Hostile(), 120, 36))
	f.Presenting, f.ScenarioTitle, f.StepText, f.StepWaiting, f.PressedKeys = true, uitest.HostileText, uitest.HostileText, true, []string{uitest.HostileText, "k"}
	text, _ := f.render()
	uitest.CheckPrintable(t, "the screen", uitest.AllowedSequences.ReplaceAllString(text, ""))
	f.PressedKeys = nil
	for _, size := range [][2]int{{120, 36}, {80, 24}, {60, 18}} {
		f.Width, f.Height = size[0], size[1]
		checkFits(t, f)
	}
}

// checkFits checks that a picture has the height of the screen and is not wider.
func checkFits(t *testing.T, f *picture) {
	t.Helper()
	lines := strings.Split(plain(f), "\n")
	if len(lines) != f.Height {
		t.Errorf("%dx%d: %d lines", f.Width, f.Height, len(lines))
	}
	for y, line := range lines {
		if canvas.Width(line) > f.Width {
			t.Errorf("%dx%d: line %d is %d wide: %s", f.Width, f.Height, y, canvas.Width(line), line)
		}
	}
}
