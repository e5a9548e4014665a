package headless

import (
	"bytes"
	"strings"
	"testing"
)

func TestProgressIsOneLineThatGoesAway(t *testing.T) {
	var terminal bytes.Buffer
	told := make(chan struct{}, 100)
	stop := showProgress(&terminal, func() string {
		told <- struct{}{}
		return strings.Repeat("é", 200)
	})
	<-told
	<-told
	stop()
	text := terminal.String()
	if strings.Contains(text, "\n") || !strings.HasSuffix(text, "\r\x1b[K") || strings.Count(text, "é")%79 != 0 {
		t.Errorf("it wrote %q", text)
	}
	stop = showProgress(&terminal, func() string { return "" })
	terminal.Reset()
	stop()
	if terminal.Len() > 0 {
		t.Errorf("what is quick wrote %q", terminal.String())
	}
}
