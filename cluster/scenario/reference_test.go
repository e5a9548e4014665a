package scenario

import (
	"bytes"
	"strings"
	"testing"
)

func TestReferenceFitsEightyColumns(t *testing.T) {
	var text bytes.Buffer
	if err := WriteReference(&text); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text.String()) {
		if line = strings.TrimRight(line, "\n"); len([]rune(line)) > 80 || strings.TrimSpace(line) == "" {
			t.Errorf("%q", line)
		}
	}
	flat := strings.Join(strings.Fields(text.String()), " ")
	for _, r := range References() {
		if !strings.Contains(flat, strings.Join(strings.Fields(r.Syntax+" "+r.Help), " ")) {
			t.Errorf("the reference lacks %s", r.Name)
		}
	}
}
