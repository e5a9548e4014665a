package record

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"capsize/ui/uitest"
)

func TestSVGIsSanitized(t *testing.T) {
	f := pictureOf(uitest.Hostile(), 120, 36)
	f.Presenting, f.ScenarioTitle = true, uitest.HostileText
	canvas := f.paint()
	var out bytes.Buffer
	s := &svgAnimation{out: &out, at: 0, title: uitest.HostileText}
	if err := s.picture(0, canvas, f.Theme); !errors.Is(err, errDone) {
		t.Fatal(err)
	}
	checkSVG(t, out.Bytes())
}

// checkSVG checks that an SVG is well-formed, and free of scripts and of invisible
// characters.
func checkSVG(t *testing.T, data []byte) {
	t.Helper()
	uitest.CheckPrintable(t, "the file", string(data))
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
			t.Errorf("element %s is not allowed", e.Name.Local)
		}
	}
}

func TestAnimatedSVGIsWellFormed(t *testing.T) {
	var out bytes.Buffer
	r := optionsFor(80, 24)
	r.FPS, r.IdleLimit = 5, time.Second
	past, last := historyOf(t, "say <b>bold</b> & brave\nincrement 3\nisolate leader\nwait leader within 20s\nstep\nheal")
	if err := r.play(t.Context(), past, last, &svgAnimation{out: &out, at: -1, title: "a & b"}); err != nil {
		t.Fatal(err)
	}
	checkSVG(t, out.Bytes())
	if n := strings.Count(out.String(), "<animate "); n < 20 {
		t.Errorf("only %d groups are animated", n)
	}
}
