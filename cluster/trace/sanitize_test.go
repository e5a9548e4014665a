package trace

import (
	"strings"
	"testing"
	"unicode"
)

func TestSanitizeKeepsOnlyVisibleCharacters(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                            "plain",
		"Müller 世界":                        "Müller 世界",
		"a\x1b[31mb\x07":                   "a[31mb",
		"\u009b31mx\u0090y":                "31mxy",
		"a\u202egnp.exe\u2066":             "agnp.exe",
		"z\u200bw\u200dj\ufeff":            "zwj",
		"tab\tline\nsep\u2028nbsp\u00a0":   "tab line sep nbsp ",
		"bad\xff\xfeutf":                   "badutf",
		"e\u0301 ok":                       "e\u0301 ok",
		"\u0301start":                      "start",
		"o" + strings.Repeat("\u0300", 50): "o\u0300\u0300",
		"scissors\u2702\ufe0f":             "scissors\u2702",
		"\u3164\u2800\u115f.":              ".",
	} {
		if got := Sanitize(in); got != want {
			t.Errorf("Sanitize(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzSanitize(f *testing.F) {
	f.Add("x\x1b]52;c;aGk=\x07\u202e\u0300")
	f.Fuzz(func(t *testing.T, s string) {
		got := Sanitize(s)
		for _, r := range got {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Cs) {
				t.Fatalf("Sanitize(%q) = %q contains %U", s, got, r)
			}
		}
		if Sanitize(got) != got {
			t.Fatalf("Sanitize(%q) = %q changes when sanitized again", s, got)
		}
	})
}
