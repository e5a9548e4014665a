package pane

import (
	"reflect"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"capsize/ui/canvas"
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

func TestGlyphsAreOneCellWide(t *testing.T) {
	for _, g := range []*style.Glyphs{style.Unicode, style.ASCII} {
		all := map[string]string{}
		collectGlyphs(all, "Glyphs", reflect.ValueOf(*g))
		delete(all, "Glyphs.Name")
		// Not a single glyph: two bars, drawn as text.
		delete(all, "Glyphs.TimelineGlyphs.Pause")
		if len(all) < 80 {
			t.Errorf("%s: found only %d glyphs", g.Name, len(all))
		}
		for field, glyph := range all {
			if ansi.StringWidth(glyph) != 1 || canvas.Sanitize(glyph) != glyph {
				t.Errorf("%s: %s is %q, want one printable cell", g.Name, field, glyph)
			}
		}
	}
}

// collectGlyphs adds all strings below v to all, by where they are.
func collectGlyphs(all map[string]string, at string, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		all[at] = v.String()
	case reflect.Struct:
		for i := range v.NumField() {
			collectGlyphs(all, at+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			collectGlyphs(all, at+"."+string(rune('0'+i)), v.Index(i))
		}
	case reflect.Map:
		for _, kind := range v.MapKeys() {
			collectGlyphs(all, at+"."+kind.String(), v.MapIndex(kind))
		}
	default:
	}
}
