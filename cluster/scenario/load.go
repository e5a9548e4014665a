package scenario

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"text/tabwriter"
)

// Load reads a scenario: a built-in one by its name, or a file. The error is an
// [*Error] if the file can be read and holds a mistake.
func Load(name string) (*Script, error) {
	data, ok := Builtin(name)
	if !ok {
		var err error
		if data, err = readFile(name); err != nil {
			return nil, err
		}
	}
	return Parse(name, data)
}

// readFile reads a file of at most sizeMax bytes.
func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file or built-in scenario%s", name, didYouMean(name, Names()))
	}
	if err != nil {
		return nil, FileError(name, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, FileError(name, err)
	case info.IsDir():
		return nil, fmt.Errorf("%s: a directory, not a scenario file", name)
	case info.Size() > sizeMax:
		return nil, fmt.Errorf("%s: the file is too large: %d bytes, at most %d are allowed", name, info.Size(), sizeMax)
	}
	data, err := io.ReadAll(io.LimitReader(file, sizeMax+1))
	if err != nil {
		return nil, FileError(name, err)
	}
	return data, nil
}

// FileError names the file that err is about, without the system call that
// reported it.
func FileError(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// Print returns the text of a built-in scenario.
func Print(name string) ([]byte, error) {
	data, ok := Builtin(name)
	if !ok {
		return nil, fmt.Errorf(`unknown scenario %q%s; run "capsize scenarios" for the list`, name, didYouMean(name, Names()))
	}
	return data, nil
}

// WriteList writes the names and titles of the built-in scenarios: the lessons, and the others
// behind a blank line. Each line begins with the name, for scripts.
func WriteList(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, name := range Names() {
		script, err := Load(name)
		if err != nil {
			return err
		}
		if name == builtinNames[0] {
			_, _ = fmt.Fprintln(table)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\n", name, script.Title)
	}
	return table.Flush()
}
