package style

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestThemesAreFoundByName(t *testing.T) {
	for _, name := range []string{"dark", "light", "high-contrast", "colour-blind"} {
		if found := ThemeNamed(name); found == nil || found.Name != name {
			t.Errorf("no theme %s", name)
		}
	}
	if ThemeNamed("pink") != nil {
		t.Error("there is a theme pink")
	}
}

func TestColoursAreNamedInThePalettesOnly(t *testing.T) {
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Errorf("read only %d files", len(files))
	}
	literal := regexp.MustCompile(`"#[0-9a-fA-F]{3,8}"|\[[34]8;[25];`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := literal.Find(text); found != nil && !strings.HasPrefix(filepath.Base(name), "palettes") {
			t.Errorf("%s: %s", name, found)
		}
	}
}
