package ui

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"capsize/cluster/scenario"
	"capsize/ui/canvas"
)

// evil is text that is meant to do harm wherever it is shown: sequences that steer
// a terminal, characters that turn the direction of writing or show nothing, what
// means something in XML, and broken UTF-8.
const evil = "\x1b[2J\x1b]52;c;aGk=\x07\u202e\u200b\u2066\u009b31m\u2028</text><script>&amp;\"'\r\n\xff世"

// ownSequences are what the drawing itself writes: looks, places of the cursor,
// erasing, and what holds a picture together.
var ownSequences = regexp.MustCompile(`\x1b\[[0-9;]*[mHCJK]|\x1b\[\?(25|2026)[hl]`)

// checkHarmless checks that a text holds nothing but characters that are seen.
func checkHarmless(t *testing.T, where, text string) {
	t.Helper()
	for _, r := range text {
		// A mark is seen on a letter.
		if letter := "a" + string(r); r != '\n' && canvas.Sanitize(letter) != letter {
			t.Errorf("%s holds %U: %q", where, r, text)
			return
		}
	}
}

func TestNothingForeignGetsIntoAnSVG(t *testing.T) {
	f := full(hostile().frame(120, 36))
	f.presents, f.heading = true, evil
	canvas, _ := f.paint()
	var out bytes.Buffer
	s := &svg{out: &out, at: 0, title: evil}
	if err := s.picture(0, canvas, f.theme); !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	checkSVG(t, out.Bytes())
}

// checkSVG checks that an SVG is what it should be: well-formed, without scripts
// and without characters that nobody sees.
func checkSVG(t *testing.T, data []byte) {
	t.Helper()
	checkHarmless(t, "the file", string(data))
	allowed := "svg title style rect text path g animate"
	decoder := xml.NewDecoder(bytes.NewReader(data))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && !strings.Contains(allowed, e.Name.Local) {
			t.Errorf("it holds an element %s", e.Name.Local)
		}
	}
}

func TestNothingForeignGetsIntoTheWindowTitle(t *testing.T) {
	m := &model{staging: staging{script: &scenario.Script{Title: evil}}}
	checkHarmless(t, "the title", m.title())
	if !strings.HasPrefix(m.title(), "capsize: ") || !strings.Contains(m.title(), "世") {
		t.Errorf("the title is %q", m.title())
	}
}

func TestNothingForeignGetsOntoTheBandAndTheKeys(t *testing.T) {
	f := full(hostile().frame(120, 36))
	f.presents, f.heading, f.step, f.waiting, f.pressed = true, evil, evil, true, []string{evil, "k"}
	text, _ := f.render()
	checkHarmless(t, "the screen", ownSequences.ReplaceAllString(text, ""))
	f.pressed = nil
	for _, size := range []Size{{120, 36}, {80, 24}, {60, 18}} {
		f.width, f.height = size.Width, size.Height
		checkFits(t, f)
	}
}

// checkFits checks that a frame is as large as it should be.
func checkFits(t *testing.T, f *picture) {
	t.Helper()
	lines := strings.Split(plain(f), "\n")
	if len(lines) != f.height {
		t.Errorf("%dx%d: %d lines", f.width, f.height, len(lines))
	}
	for y, line := range lines {
		if canvas.Width(line) > f.width {
			t.Errorf("%dx%d: line %d is %d wide: %s", f.width, f.height, y, canvas.Width(line), line)
		}
	}
}

func TestAnAnimatedSVGIsWellFormed(t *testing.T) {
	var out bytes.Buffer
	r := recordingOf(80, 24)
	r.FPS, r.IdleLimit = 5, time.Second
	past, last := rehearsed(t, "say <b>bold</b> & brave\nincrement 3\nisolate leader\nwait leader within 20s\nstep\nheal")
	if err := r.project(t.Context(), past, last, &svg{out: &out, at: -1, title: "a & b"}); err != nil {
		t.Fatal(err)
	}
	checkSVG(t, out.Bytes())
	if n := strings.Count(out.String(), "<animate "); n < 20 {
		t.Errorf("only %d things move", n)
	}
}
