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
		return nil, fmt.Errorf("%s: there is no such file, and no built-in scenario of that name%s", name, didYouMean(name, Names()))
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
		return nil, fmt.Errorf("%s: it is a directory, and a scenario is a file", name)
	case info.Size() > sizeMax:
		return nil, fmt.Errorf("%s: the file has %d bytes: a scenario has at most %d", name, info.Size(), sizeMax)
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
		return nil, fmt.Errorf("there is no built-in scenario %q%s; capsize scenarios lists them", name, didYouMean(name, Names()))
	}
	return data, nil
}

// WriteList writes the names and titles of the built-in scenarios.
func WriteList(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, name := range Names() {
		script, err := Load(name)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\n", name, script.Title)
	}
	return table.Flush()
}
