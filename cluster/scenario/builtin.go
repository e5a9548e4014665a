package scenario

import (
	"embed"
	"strings"
)

//go:embed scenarios/*.capsize
var scenarioFiles embed.FS

// Names returns the names of the built-in scenarios.
func Names() []string {
	entries, _ := scenarioFiles.ReadDir("scenarios")
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".capsize"))
	}
	return names
}

// Builtin returns the text of a built-in scenario, and whether there is one of
// that name.
func Builtin(name string) ([]byte, bool) {
	data, err := scenarioFiles.ReadFile("scenarios/" + name + ".capsize")
	return data, err == nil
}
