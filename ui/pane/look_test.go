package pane

import (
	"testing"

	"capsize/ui/style"
)

func TestLocaleWithoutUTF8UsesASCII(t *testing.T) {
	for _, c := range []struct {
		all, ctype, lang, term string
		ascii                  bool
	}{
		{"", "", "", "xterm", false},
		{"", "", "C", "xterm", true},
		{"", "", "POSIX", "xterm", true},
		{"", "", "en_US.UTF-8", "xterm", false},
		{"", "", "de_DE.utf8", "xterm", false},
		{"", "", "de_DE@euro", "xterm", true},
		{"C", "C.UTF-8", "C.UTF-8", "xterm", true},
		{"", "C.UTF-8", "C", "xterm", false},
		{"C.UTF-8", "", "", "linux", true},
		{"C.UTF-8", "", "", "vt100", true},
	} {
		t.Setenv("LC_ALL", c.all)
		t.Setenv("LC_CTYPE", c.ctype)
		t.Setenv("LANG", c.lang)
		t.Setenv("TERM", c.term)
		if got := (Look{}).GlyphsOf() == style.ASCII; got != c.ascii {
			t.Errorf("%+v: ASCII is %v", c, got)
		}
	}
}
