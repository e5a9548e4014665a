package headless

import (
	"bytes"
	"strings"
	"testing"
)

func TestProgressIsOneLineThatIsErased(t *testing.T) {
	var terminal bytes.Buffer
	drawn := make(chan struct{}, 100)
	stop := ShowProgress(&terminal, func() string {
		drawn <- struct{}{}
		return strings.Repeat("é", 200)
	})
	<-drawn
	<-drawn
	stop()
	text := terminal.String()
	if strings.Contains(text, "\n") || !strings.HasSuffix(text, "\r\x1b[J") {
		t.Errorf("a long run wrote %q", text)
	}
	stop = ShowProgress(&terminal, func() string { return "" })
	terminal.Reset()
	stop()
	if terminal.Len() > 0 {
		t.Errorf("a short run wrote %q", terminal.String())
	}
}

func TestProgressOfSeveralLinesIsErased(t *testing.T) {
	var terminal bytes.Buffer
	drawn := make(chan struct{}, 100)
	stop := ShowProgress(&terminal, func() string {
		drawn <- struct{}{}
		return "one\ntwo\nthree\n"
	})
	<-drawn
	stop()
	if text := terminal.String(); !strings.HasSuffix(text, "three\x1b[?7h\x1b[2A\r\x1b[J") {
		t.Errorf("it wrote %q", text)
	}
}
