package style

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestThemesHaveNames(t *testing.T) {
	for _, name := range []string{"dark", "light", "high-contrast", "colour-blind"} {
		if found := ThemeNamed(name); found == nil || found.Name != name {
			t.Errorf("theme %q not found", name)
		}
	}
	if ThemeNamed("pink") != nil {
		t.Error("found a theme that does not exist: pink")
	}
}

func TestOnlyPalettesNameColours(t *testing.T) {
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Errorf("found only %d files, expected all of ui", len(files))
	}
	literal := regexp.MustCompile(`"#[0-9a-fA-F]{3,8}"|\[[34]8;[25];`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := literal.Find(text); found != nil && !strings.HasPrefix(filepath.Base(name), "palettes") {
			t.Errorf("%s: colour literal %s outside of palettes", name, found)
		}
	}
}
