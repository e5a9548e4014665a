package cli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"capsize/ui"
	"capsize/ui/canvas"
)

// kept are the flags that a configuration may set.
var kept = []string{"theme", "speed", "ascii", "still", "lang", "history"}

const (
	envPrefix = "CAPSIZE_"
	// keyPrefix is the prefix of settings that rebind keys.
	keyPrefix = "key."
	// configMax is how large a configuration file may be, in bytes.
	configMax = 64 << 10
)

// configDir returns the directory of the configuration, the prompt's history and the
// state of the tips, "" if there is none. CAPSIZE_CONFIG overrides it.
func configDir() string {
	if dir := os.Getenv(envPrefix + "CONFIG"); dir != "" {
		return dir
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "capsize")
}

// configureFlags sets the flags that the command line does not set: from the
// environment (CAPSIZE_THEME) or else from the file config in the configuration
// directory, which has lines like "theme = light". The error names the place of a
// mistake.
func configureFlags(fs *pflag.FlagSet) error {
	for _, name := range kept {
		if name == speedFlagName && isRealTime(fs) {
			continue // it is for virtual time
		}
		variable := envPrefix + strings.ToUpper(name)
		if value := os.Getenv(variable); value != "" && !fs.Changed(name) {
			if err := set(fs, name, value); err != nil {
				return fmt.Errorf("%s=%s: %w", variable, value, err)
			}
		}
	}
	dir := configDir()
	if dir == "" {
		return nil
	}
	file := filepath.Join(dir, "config")
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("reading the configuration: %w", err)
	case len(text) > configMax:
		return fmt.Errorf("%s: too large, at most %d kB are read", file, configMax>>10)
	}
	return configure(fs, file, string(text))
}

// configure sets flags from the lines of a file.
func configure(fs *pflag.FlagSet, file, text string) error {
	at := map[string]int{}
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		wrong := func(err error) error { return fmt.Errorf("%s:%d: %s: %w", file, n, canvas.Sanitize(line), err) }
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok {
			return wrong(errors.New("must be NAME = VALUE, like theme = light"))
		}
		if before := at[name]; before > 0 {
			return wrong(fmt.Errorf("already set in line %d", before))
		}
		at[name] = n
		key, isKey := strings.CutPrefix(name, keyPrefix)
		switch {
		case isKey:
			name, value = bindFlag, key+"="+value
		case !slices.Contains(kept, name):
			return wrong(fmt.Errorf("unknown setting %q: use %s, or %sX for the key X", name, strings.Join(kept, ", "), keyPrefix))
		case fs.Changed(name): // the command line and the environment win
			continue
		case name == speedFlagName && isRealTime(fs): // it is for virtual time
			continue
		}
		if err := set(fs, name, value); err != nil {
			return wrong(err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if _, err := fs.Lookup(bindFlag).Value.(*keyChanges).changes.Apply(ui.Keys()); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// set sets a flag. A boolean one takes on and off, yes and no, 1 and 0 as well.
func set(fs *pflag.FlagSet, name, value string) error {
	flag := fs.Lookup(name)
	if flag.Value.Type() == "bool" {
		switch strings.ToLower(value) {
		case "on", "yes", "true", "1":
			value = "true"
		case "off", "no", "false", "0":
			value = "false"
		default:
			return errors.New("must be on or off")
		}
	}
	err := flag.Value.Set(value)
	if err == nil {
		flag.Changed = true
	} else if flag.Value.Type() == "int64" {
		err = errors.New("must be a whole number")
	}
	return err
}

// language returns the language that the environment asks for, such as zh_TW, "" if it
// asks for none.
func language() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			language, _, _ := strings.Cut(value, ".")
			if language == "C" || language == "POSIX" {
				return ""
			}
			return language
		}
	}
	return ""
}
